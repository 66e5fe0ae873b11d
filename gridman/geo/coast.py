"""The sea beside a piece of coast: OpenStreetMap draws only the shore, with the land on its left."""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from gridman.geo.features import MapFeature

__all__ = ["sea_beside"]

_MARGIN = 4.0
_MENDABLE_GAP = 0.0006


def sea_beside(features: Iterable[MapFeature]) -> MapFeature | None:
    """The sea as one water feature, out to four times the map's width; None where the map has no coastline.

    The ends of the coastline (a clipped extract's) are led straight out, away from the middle of the land.
    """
    kept = [feature for feature in features if feature.layer in ("building", "road", "boundary")]
    coast = [feature.geometry for feature in kept if feature.kind == "coastline"]
    land = [feature.geometry for feature in kept if feature.layer == "building"]
    if not coast:
        return None
    bounds = shapely.total_bounds(coast + land)
    chains = _chains(coast)
    frame = _frame(bounds)
    lines = [*chains, *_leads(chains, frame), frame.exterior]
    faces = list(shapely.get_parts(shapely.polygonize(_noded(lines))))
    sea = [face for face in faces if not _is_land(face, chains)]
    if not sea:
        return None
    return MapFeature("water", "sea", "", shapely.union_all(sea), "sea/0")


def _frame(bounds: Sequence[float]) -> Polygon:
    west, south, east, north = bounds
    width, height = (east - west) * _MARGIN, (north - south) * _MARGIN
    return box(west - width, south - height, east + width, north + height)


def _chains(coast: list[BaseGeometry]) -> list[LineString]:
    """The coast as few long lines, in their drawn direction, small gaps closed."""
    merged = shapely.line_merge(shapely.union_all(coast), directed=True)
    chains = [line for line in shapely.get_parts(merged) if line.length > 0]
    joints = []
    for line in chains:
        end = Point(line.coords[-1])
        for other in chains:
            start = Point(other.coords[0])
            if other is not line and 0 < end.distance(start) < _MENDABLE_GAP:
                joints.append(LineString((end, start)))
    if joints:
        merged = shapely.line_merge(shapely.multilinestrings([*chains, *joints]), directed=True)
        chains = list(shapely.get_parts(merged))
    return chains


def _leads(chains: list[LineString], frame: Polygon) -> list[LineString]:
    """Lines from the loose ends of the coast out to the frame."""
    middle = np.array(frame.centroid.coords[0])
    reach = max(frame.bounds[2] - frame.bounds[0], frame.bounds[3] - frame.bounds[1]) * 2
    leads = []
    for line in chains:
        if line.is_ring:
            continue
        for end in (line.coords[0], line.coords[-1]):
            away = np.array(end) - middle
            far = np.array(end) + away / (np.hypot(*away) or 1.0) * reach
            leads.append(LineString((end, tuple(far))))
    return leads


def _noded(lines: list[LineString]) -> list[BaseGeometry]:
    return list(shapely.get_parts(shapely.union_all(lines)))


def _is_land(face: Polygon, chains: list[LineString]) -> bool:
    """Whether the coast touching this face has it on its left, by the longer vote; a face without coast is sea
    only if nothing says otherwise, so it counts as land."""
    left = right = 0.0
    outline = face.boundary
    for chain in chains:
        shared = shapely.intersection(chain, outline)
        if shared.length == 0:
            continue
        step = 1e-7
        for part in shapely.get_parts(shared):
            if part.geom_type != "LineString":
                continue
            middle = part.interpolate(0.5, normalized=True)
            at = chain.project(middle)
            one, two = chain.interpolate(max(at - step, 0)), chain.interpolate(at + step)
            beside = Point(middle.x - (two.y - one.y), middle.y + (two.x - one.x))
            if face.distance(beside) < 1e-9:
                left += part.length
            else:
                right += part.length
    return left >= right
