"""Homes on the map: which buildings people live in, and which of them are neighbours enough to form a compound (小区)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from gridman.geo.crs import plane_of
from gridman.geo.features import MapData, MapFeature
from gridman.geo.housing import Frame, frame_of, is_residential

__all__ = ["Home", "gather_compounds", "homes_of"]

_COMPOUND_SIZE = 9


@dataclass(frozen=True, slots=True)
class Home:
    """A building that people live in, and how many dwellings it likely has."""

    feature: MapFeature
    frame: Frame


def homes_of(data: MapData, outline: BaseGeometry) -> list[Home]:
    """The residential buildings of `data` within `outline` (degrees), by key."""
    buildings = sorted(data.of("building"), key=lambda feature: feature.key)
    if not buildings:
        return []
    shapely.prepare(outline)
    geometries = [building.geometry for building in buildings]
    areas = shapely.area(plane_of(geometries).to_metres(geometries)).tolist()
    inside = shapely.contains(outline, shapely.point_on_surface(geometries)).tolist()
    return [
        Home(building, frame_of(building, area))
        for building, area, is_inside in zip(buildings, areas, inside, strict=True)
        if is_inside and is_residential(building, area)
    ]


def gather_compounds(points: NDArray[Any], members: list[int]) -> list[list[int]]:
    """`members` (rows of `points`) halved across their longer side until no part has more than nine."""
    if len(members) <= _COMPOUND_SIZE:
        return [members] if members else []
    chosen = points[members]
    axis = int(np.argmax(np.ptp(chosen, axis=0)))
    ordered = sorted(members, key=lambda member: (points[member, axis], member))
    half = len(ordered) // 2
    return gather_compounds(points, ordered[:half]) + gather_compounds(points, ordered[half:])
