"""When a grid's boundary is redrawn, its neighbours follow: what it takes they lose, what it leaves goes to who lies beside it."""

from collections.abc import Mapping

import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from gridman.geo.boundary import TOLERANCE_M2
from gridman.geo.crs import plane_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["hand_over"]


def hand_over(
    drawn: Polygon, community: BaseGeometry, neighbours: Mapping[int, Polygon], names: Mapping[int, str]
) -> dict[int, Polygon]:
    """The new ground of those neighbours (by id) that change, so that all grids together still cover the community exactly once.

    All geometries in degrees. Ground that `drawn` left goes to the neighbour with the longest border along it. Refuses with
    ``boundary.cuts_neighbour`` when a neighbour would fall into pieces or vanish, ``boundary.orphan`` when left ground lies beside nobody.
    """
    plane = plane_of(community)
    ground = plane.to_metres(drawn)
    before = {i: plane.to_metres(shape) for i, shape in neighbours.items()}
    after = {i: _without(shape, ground) for i, shape in before.items()}
    covered = shapely.union_all([ground, *after.values()])
    for part in _polygons(plane.to_metres(community).difference(covered)):
        heir = max(after, key=lambda i: _border_m(after[i], part), default=None)
        if heir is None or _border_m(after[heir], part) == 0:
            raise Refusal(
                "boundary.orphan",
                N_("Some ground would lie in no grid, and no neighbour borders on it."),
                N_("Pull the boundary back over it."),
            )
        after[heir] = shapely.union_all([after[heir], part], grid_size=0.001)
    changed = {i: shape for i, shape in after.items() if shape.symmetric_difference(before[i]).area > TOLERANCE_M2}
    return {i: Polygon(plane.to_degrees(_whole(shape, names.get(i, str(i))))) for i, shape in changed.items()}


def _without(shape: BaseGeometry, taken: BaseGeometry) -> BaseGeometry:
    if shape.intersection(taken).area <= TOLERANCE_M2:
        return shape
    return shape.difference(taken)


def _polygons(geometry: BaseGeometry) -> list[Polygon]:
    parts = shapely.get_parts(shapely.get_parts(geometry))
    return [part for part in parts if isinstance(part, Polygon) and part.area > TOLERANCE_M2]


def _border_m(one: BaseGeometry, other: BaseGeometry) -> float:
    return float(one.buffer(0.01).intersection(other.boundary).length)


def _whole(shape: BaseGeometry, name: str) -> Polygon:
    """The one piece a grid must be; crumbs below the tolerance are dropped."""
    parts = _polygons(shape)
    if len(parts) != 1:
        raise Refusal(
            "boundary.cuts_neighbour",
            N_("The boundary would cut {grid} into {pieces} pieces."),
            N_("Draw it so that every grid stays in one piece."),
            grid=name,
            pieces=len(parts),
        )
    return parts[0]
