"""The outline of a built-up area, where no boundary comes with the map: what its buildings and streets cover."""

from collections.abc import Sequence

import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gridman.geo.crs import plane_of
from gridman.geo.features import MapData, is_carriageway
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["street_outline"]

_REACH_M = 45.0
_MARGIN_M = 8.0
_TAIL_M = 18.0
_SHORE_M = 60.0
_HOLE_M2 = 40_000.0
_BUILT_SHARE = 0.1


def street_outline(data: MapData) -> Polygon:
    """One polygon (degrees) around the built-up area of `data`, kept on its side of borders and shores.

    Buildings and streets closer than 90 m belong together; the largest such area is cut along coastline and borders
    and only the parts that hold buildings stay. Raises Refusal `map.no_buildings` where there is nothing to surround.
    """
    buildings = [feature.geometry for feature in data.of("building")]
    if not buildings:
        raise Refusal(
            "map.no_buildings",
            N_("The map has no buildings, so no street area can be found on it."),
            N_("Import a map with buildings, or draw the outline of the street first."),
        )
    plane = plane_of(buildings)
    streets = [f.geometry for f in data.of("road") if is_carriageway(f.kind) and "tunnel" not in f.attrs]
    walls = [f.geometry for f in data.of("boundary") if f.kind == "coastline" or _is_land_border(f.kind, f.attrs)]
    sea = [f.geometry for f in data.of("water") if f.kind == "sea"]
    houses = plane.to_metres(buildings)
    hull = _closed([*houses, *plane.to_metres(streets)])
    walls = list(plane.to_metres(walls))
    if sea:
        hull = _to_the_shore(hull, walls, shapely.union_all(plane.to_metres(sea)))
    return Polygon(plane.to_degrees(_within_walls(hull, walls, houses)))


def _is_land_border(kind: str, attrs: object) -> bool:
    return kind == "border" and isinstance(attrs, dict) and attrs.get("admin_level") == "2" and "maritime" not in attrs


def _closed(shapes: Sequence[BaseGeometry]) -> Polygon:
    """Grown together and shrunk back; shrinking further and growing again drops the roads that lead out of the area."""
    grown = shapely.union_all(shapely.buffer(shapes, _REACH_M, quad_segs=3))
    core = shapely.buffer(_largest(grown), -_REACH_M - _TAIL_M, quad_segs=3)
    return _filled(_largest(shapely.buffer(_largest(core), _TAIL_M + _MARGIN_M, quad_segs=3)).simplify(2.0))


def _to_the_shore(hull: Polygon, walls: list[BaseGeometry], sea: BaseGeometry) -> Polygon:
    """The hull with the strip between it and the sea, and without the sea."""
    beach = shapely.buffer(shapely.union_all(walls), _SHORE_M).intersection(shapely.buffer(sea, _SHORE_M))
    strip = shapely.buffer(hull, _SHORE_M).intersection(beach)
    return _filled(_largest(shapely.union_all([hull, strip]).difference(sea)))


def _within_walls(hull: Polygon, walls: list[BaseGeometry], houses: Sequence[BaseGeometry]) -> Polygon:
    if not walls:
        return hull
    faces = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(shapely.union_all([hull.boundary, *walls])))))
    tree = shapely.STRtree(houses)
    kept = []
    for face in faces:
        near = tree.query(face, predicate="intersects")
        built = sum(houses[i].intersection(face).area for i in near)
        if hull.covers(face.representative_point()) and built > _BUILT_SHARE * face.area and _is_wide(face):
            kept.append(face)
    return _filled(_largest(shapely.union_all(kept))) if kept else hull


def _is_wide(face: Polygon) -> bool:
    return not shapely.buffer(face, -12.0).is_empty


def _largest(shape: BaseGeometry) -> Polygon:
    parts: list[Polygon] = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon)]
    return max(parts, key=lambda part: part.area)


def _filled(polygon: Polygon) -> Polygon:
    """The polygon without its small holes (courtyards, squares); basins and lakes stay out."""
    if isinstance(polygon, MultiPolygon):
        polygon = _largest(polygon)
    holes = [ring for ring in polygon.interiors if Polygon(ring).area > _HOLE_M2]
    return Polygon(polygon.exterior, holes)
