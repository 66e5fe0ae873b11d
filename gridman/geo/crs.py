"""Coordinates: WGS-84 (and CGCS2000), GCJ-02, BD-09, Web-Mercator, and a flat plane in metres for one neighbourhood.

All positions are longitude, latitude in degrees. CGCS2000 is treated as WGS-84: they differ by centimetres. GCJ-02 is the
offset that maps published in China carry, BD-09 Baidu's second offset on top of it; neither has an official formula, so
these follow the widely published one. Its inverse is found by iteration to under 2 mm. Outside a box around China all
three are the same; the offset jumps at that box, so places within a kilometre of its edge may be off by the jump.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

__all__ = [
    "CHINA_BOX",
    "Coordinates",
    "Plane",
    "area_m2",
    "convert",
    "plane_of",
    "to_mercator",
    "to_wgs84",
]

Points: TypeAlias = NDArray[np.float64]
Coordinates = Literal["wgs84", "gcj02", "bd09"]

CHINA_BOX = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north of the box outside which GCJ-02 and BD-09 are the identity."""

_KRASOVSKY_M = 6378245.0
_KRASOVSKY_E2 = 0.00669342162296594323
_BD_TURN = math.pi * 3000.0 / 180.0
_WGS84_M = 6378137.0
_WGS84_E2 = 0.00669437999014
_MERCATOR_M = 6378137.0


def convert(points: Points, source: Coordinates, target: Coordinates) -> Points:
    """`points` (n, 2) of lng, lat in `source` coordinates, as an array of the same shape in `target` coordinates."""
    points = np.asarray(points, dtype=np.float64)
    if source == target or points.size == 0:
        return points.copy()
    true = _TO_WGS84[source](points)
    return _FROM_WGS84[target](true)


def to_wgs84(geometry: Any, source: Coordinates) -> Any:
    """A geometry or an array of geometries, converted from `source` to WGS-84; the same kind of value comes back."""
    if source == "wgs84":
        return geometry
    return shapely.transform(geometry, lambda points: convert(points, source, "wgs84"))


def _is_inside(points: Points) -> NDArray[np.bool_]:
    west, south, east, north = CHINA_BOX
    lng, lat = points[:, 0], points[:, 1]
    return (lng >= west) & (lng <= east) & (lat >= south) & (lat <= north)


def _waves(lng: Points, lat: Points) -> tuple[Points, Points]:
    """The published sum of waves, in metres-like units, for lng, lat relative to 105 E 35 N."""
    root = np.sqrt(np.abs(lng))
    ripple = (20.0 * np.sin(6.0 * lng * np.pi) + 20.0 * np.sin(2.0 * lng * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * lng + 3.0 * lat + 0.2 * lat * lat + 0.1 * lng * lat + 0.2 * root + ripple
    north += (20.0 * np.sin(lat * np.pi) + 40.0 * np.sin(lat / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(lat / 12.0 * np.pi) + 320.0 * np.sin(lat * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + lng + 2.0 * lat + 0.1 * lng * lng + 0.1 * lng * lat + 0.1 * root + ripple
    east += (20.0 * np.sin(lng * np.pi) + 40.0 * np.sin(lng / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(lng / 12.0 * np.pi) + 300.0 * np.sin(lng / 30.0 * np.pi)) * 2.0 / 3.0
    return east, north


def _gcj_offset(points: Points) -> Points:
    lng, lat = points[:, 0], points[:, 1]
    east, north = _waves(lng - 105.0, lat - 35.0)
    phi = np.radians(lat)
    magic = 1.0 - _KRASOVSKY_E2 * np.sin(phi) ** 2
    meridian = _KRASOVSKY_M * (1.0 - _KRASOVSKY_E2) / (magic * np.sqrt(magic))
    parallel = _KRASOVSKY_M / np.sqrt(magic) * np.cos(phi)
    return np.column_stack((np.degrees(east / parallel), np.degrees(north / meridian)))


def _wgs_to_gcj(points: Points) -> Points:
    shifted = points + _gcj_offset(points)
    return np.where(_is_inside(points)[:, None], shifted, points)


def _bd_shift(points: Points) -> Points:
    lng, lat = points[:, 0], points[:, 1]
    radius = np.hypot(lng, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lng) + 0.000003 * np.cos(lng * _BD_TURN)
    return np.column_stack((radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006))


def _undo(forward: Callable[[Points], Points], points: Points) -> Points:
    """The points that `forward` takes to `points`: fixed-point iteration, quick because both offsets vary slowly."""
    guess = points.copy()
    for _round in range(12):
        error = points - forward(guess)
        guess += error
        if np.abs(error).max() < 1e-12:
            break
    return guess


def _gcj_to_wgs(points: Points) -> Points:
    found = _undo(lambda guess: guess + _gcj_offset(guess), points)
    return np.where(_is_inside(found)[:, None], found, points)


def _wgs_to_bd(points: Points) -> Points:
    shifted = _bd_shift(points + _gcj_offset(points))
    return np.where(_is_inside(points)[:, None], shifted, points)


def _bd_to_wgs(points: Points) -> Points:
    found = _undo(lambda guess: _bd_shift(guess + _gcj_offset(guess)), points)
    return np.where(_is_inside(found)[:, None], found, points)


_TO_WGS84: dict[str, Callable[[Points], Points]] = {"wgs84": np.copy, "gcj02": _gcj_to_wgs, "bd09": _bd_to_wgs}
_FROM_WGS84: dict[str, Callable[[Points], Points]] = {"wgs84": np.copy, "gcj02": _wgs_to_gcj, "bd09": _wgs_to_bd}


def to_mercator(points: Points) -> Points:
    """lng, lat (n, 2) to Web-Mercator metres (EPSG:3857)."""
    lat = np.clip(points[:, 1], -85.05112878, 85.05112878)
    north = np.log(np.tan(np.pi / 4 + np.radians(lat) / 2))
    return np.column_stack((np.radians(points[:, 0]) * _MERCATOR_M, north * _MERCATOR_M))


@dataclass(frozen=True)
class Plane:
    """A flat plane in metres touching the ellipsoid at one point: east, north of it.

    An even scaling by the two radii of curvature there, so straight stays straight and shared corners stay shared.
    Within 5 km of the point distances are right to about 0.1 % (at 60 degrees north) or better.
    """

    lng: float
    lat: float

    @property
    def scale(self) -> tuple[float, float]:
        """Metres of one degree to the east and to the north."""
        magic = 1.0 - _WGS84_E2 * math.sin(math.radians(self.lat)) ** 2
        parallel = _WGS84_M / math.sqrt(magic) * math.cos(math.radians(self.lat))
        meridian = _WGS84_M * (1.0 - _WGS84_E2) / (magic * math.sqrt(magic))
        return math.radians(parallel), math.radians(meridian)

    def to_metres(self, geometry: Any) -> Any:
        """A geometry (or array of them) in degrees, in metres of this plane."""
        scale, origin = np.array(self.scale), np.array((self.lng, self.lat))
        return shapely.transform(geometry, lambda points: (points - origin) * scale)

    def to_degrees(self, geometry: Any) -> Any:
        """A geometry (or array of them) in metres of this plane, in degrees."""
        scale, origin = np.array(self.scale), np.array((self.lng, self.lat))
        return shapely.transform(geometry, lambda points: points / scale + origin)


def plane_of(geometry: Any) -> Plane:
    """The plane for measuring around `geometry` (one, or an array): it touches the middle of its bounds."""
    west, south, east, north = (float(edge) for edge in shapely.total_bounds(geometry))
    if math.isnan(west):
        return Plane(0.0, 0.0)
    return Plane((west + east) / 2, (south + north) / 2)


def area_m2(geometry: BaseGeometry) -> float:
    """The area in square metres of a geometry in degrees."""
    return float(plane_of(geometry).to_metres(geometry).area)
