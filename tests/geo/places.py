"""Ground for the tests: a small made-up town of straight streets, in metres around one place in China."""

from collections.abc import Sequence
from functools import cache

import shapely
from shapely.geometry import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry

from gridman.geo.crs import Plane, plane_of
from gridman.geo.demo import demo_map_path
from gridman.geo.features import MapData, MapFeature
from gridman.geo.read import read_map

PLANE = Plane(116.4, 39.9)


def ground(*corners: tuple[float, float]) -> Polygon:
    """A polygon given in metres, in degrees."""
    return Polygon(PLANE.to_degrees(Polygon(corners)))


def oblong(west: float, south: float, east: float, north: float) -> Polygon:
    return Polygon(PLANE.to_degrees(box(west, south, east, north)))


def line(*corners: tuple[float, float]) -> LineString:
    return LineString(shapely.get_coordinates(PLANE.to_degrees(LineString(corners))))


def distance_m(one: BaseGeometry, other: BaseGeometry) -> float:
    """The shortest distance in metres between two geometries in degrees, both within one city."""
    plane = plane_of([one, other])
    return float(plane.to_metres(one).distance(plane.to_metres(other)))


def town(columns: int, rows: int, block_m: float = 80.0) -> MapData:
    """A chessboard of streets with four houses in every block."""
    features = []
    for column in range(columns + 1):
        x = column * block_m
        features.append(_road(f"way/{column}", line((x, 0), (x, rows * block_m))))
    for row in range(rows + 1):
        y = row * block_m
        features.append(_road(f"way/{1000 + row}", line((0, y), (columns * block_m, y))))
    for number in range(columns * rows * 4):
        block, corner = divmod(number, 4)
        x = block % columns * block_m + 20 + corner % 2 * 30
        y = block // columns * block_m + 20 + corner // 2 * 30
        features.append(MapFeature("building", "apartments", "", oblong(x, y, x + 14, y + 10), f"way/{5000 + number}"))
    return MapData(tuple(features))


def _road(key: str, path: LineString) -> MapFeature:
    return MapFeature("road", "residential", f"Road {key}", path, key)


def houses(data: MapData) -> Sequence[MapFeature]:
    return list(data.of("building"))


@cache
def shipped_map() -> MapData:
    """The demonstration street's map, read once for all tests."""
    return read_map(demo_map_path())
