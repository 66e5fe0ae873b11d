"""Is this grid boundary right? And if not: what is wrong, how much, where, in words an office understands.

Everything is measured in metres on a plane through the community; geometries come and go in degrees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gridman.geo.crs import Plane, plane_of
from gridman.kernel.words import N_, _

__all__ = ["BoundaryProblem", "check_boundary", "snap"]

ProblemCode = Literal["empty", "crosses_itself", "overlaps", "gap", "outside_community", "too_small", "several_pieces"]

TOLERANCE_M2 = 1.0
SMALLEST_M2 = 400.0
SLIVER_M = 1.0
_GRAIN_M = 0.001

_WORDS: Mapping[str, str] = {
    "empty": N_("The boundary has no area: draw at least three corners."),
    "crosses_itself": N_("The boundary crosses itself; move the marked corner so that it does not."),
    "overlaps": N_("It overlaps grid {name} by {area} m²; pull the boundary back to the border of that grid."),
    "gap": N_("It leaves {area} m² of the community in no grid; extend it, or a neighbour, over the marked area."),
    "outside_community": N_("{area} m² lie outside the community; pull the boundary back to the community's border."),
    "too_small": N_("The grid is only {area} m²; the smallest allowed is {least} m²."),
    "several_pieces": N_("The boundary falls into {pieces} separate pieces; a grid must be in one piece."),
}


@dataclass(frozen=True, slots=True)
class BoundaryProblem:
    """One thing wrong with a boundary. `where` (degrees) is the part to mark on the map."""

    code: ProblemCode
    where: BaseGeometry
    area_m2: float = 0.0
    grid: str = ""
    params: Mapping[str, object] = field(default_factory=dict)

    def words(self) -> str:
        """The problem and its remedy in the language in use."""
        return _(_WORDS[self.code]).format(name=self.grid, area=f"{self.area_m2:,.0f}", **self.params)


def check_boundary(
    polygon: BaseGeometry, community: BaseGeometry, neighbours: Mapping[str, BaseGeometry]
) -> list[BoundaryProblem]:
    """Everything wrong with `polygon` as a grid of `community` beside its `neighbours` (grid code or name -> ground).

    `neighbours` are all other grids of the community. An empty list means the boundary is right. Differences below 1 m²
    (or bands thinner than the snapping distance, see `snap`) are drawing noise and not reported.
    """
    if polygon.is_empty or shapely.get_dimensions(polygon) != 2 or shapely.convex_hull(polygon).area == 0:
        return [BoundaryProblem("empty", polygon)]
    if not polygon.is_valid:
        return [BoundaryProblem("crosses_itself", _crossing(polygon))]
    plane = plane_of(community)
    drawn, whole = plane.to_metres(polygon), shapely.make_valid(plane.to_metres(community))
    others = {name: shapely.make_valid(plane.to_metres(ground)) for name, ground in neighbours.items()}
    problems = _own_problems(polygon, drawn)
    for name, ground in others.items():
        problems += _problem("overlaps", drawn.intersection(ground), plane, name)
    problems += _problem("outside_community", drawn.difference(whole), plane)
    problems += _problem("gap", whole.difference(shapely.union_all([drawn, *others.values()])), plane)
    return problems


def _own_problems(polygon: BaseGeometry, drawn: BaseGeometry) -> list[BoundaryProblem]:
    problems = []
    pieces = shapely.get_num_geometries(drawn)
    if pieces > 1:
        problems.append(BoundaryProblem("several_pieces", polygon, params={"pieces": int(pieces)}))
    if drawn.area < SMALLEST_M2:
        problems.append(BoundaryProblem("too_small", polygon, drawn.area, params={"least": f"{SMALLEST_M2:,.0f}"}))
    return problems


def _problem(code: ProblemCode, where: BaseGeometry, plane: Plane, grid: str = "") -> list[BoundaryProblem]:
    parts = [part for part in _polygons(where) if part.area > TOLERANCE_M2]
    if not parts:
        return []
    area = float(sum(part.area for part in parts))
    return [BoundaryProblem(code, plane.to_degrees(MultiPolygon(parts) if len(parts) > 1 else parts[0]), area, grid)]


def _polygons(geometry: BaseGeometry) -> list[Polygon]:
    flat = shapely.get_parts(shapely.get_parts(geometry))
    return [part for part in flat if isinstance(part, Polygon) and not part.is_empty]


def _crossing(polygon: BaseGeometry) -> BaseGeometry:
    """The points where the outline meets itself (where a line leaves the simple outline), to mark on the map."""
    noded = shapely.union_all(shapely.boundary(polygon))
    seen: dict[tuple[float, float], int] = {}
    for line in shapely.get_parts(noded):
        if isinstance(line, LineString):
            for end in (line.coords[0], line.coords[-1]):
                seen[end[0], end[1]] = seen.get((end[0], end[1]), 0) + 1
    points = [point for point, times in seen.items() if times > 2]
    return shapely.multipoints(points) if points else shapely.boundary(polygon)


def snap(
    polygon: Polygon, community: BaseGeometry, neighbours: Sequence[BaseGeometry], tolerance_m: float = SLIVER_M
) -> Polygon:
    """`polygon` with its border pulled onto the community's and neighbours' where they are closer than `tolerance_m`.

    Hand-drawn corners and edges lie a little off; afterwards the shared stretch has the neighbours' own corners. Overlaps
    and gaps wider than the tolerance stay for `check_boundary` to tell.
    """
    plane = plane_of(community)
    drawn, whole = plane.to_metres(polygon), plane.to_metres(community)
    taken = shapely.union_all(plane.to_metres(list(neighbours))) if neighbours else Polygon()
    free = whole.difference(taken)
    # Each wall by itself: a thin strip outside must not hide in the corner of a wide overlap.
    over = _thin_parts(shapely.difference(drawn, whole, grid_size=_GRAIN_M), tolerance_m)
    over += _thin_parts(shapely.intersection(drawn, taken, grid_size=_GRAIN_M), tolerance_m)
    gap = _thin_parts(shapely.difference(free, drawn, grid_size=_GRAIN_M), tolerance_m)
    # A little wider than they are, so that rounding leaves no hairline between them and the drawing.
    bands = [shapely.buffer(part, 2 * _GRAIN_M).intersection(free) for part in gap if _lies_along(part, drawn)]
    pulled = shapely.union_all([drawn, *bands], grid_size=_GRAIN_M)
    if over:
        pulled = shapely.difference(pulled, shapely.union_all(over, grid_size=_GRAIN_M), grid_size=_GRAIN_M)
    best = Polygon(plane.to_degrees(max(_polygons(pulled), key=lambda part: part.area, default=drawn)))
    corners = shapely.multipoints(shapely.get_coordinates([community, *neighbours]))
    snapped = shapely.snap(best, corners, 3 * _GRAIN_M / min(plane.scale))
    return Polygon(snapped) if snapped.is_valid else best


def _thin_parts(area: BaseGeometry, tolerance_m: float) -> list[Polygon]:
    """The parts of an area narrower than the tolerance: what a shrinking and widening by half of it does not give back."""
    shrunk = shapely.buffer(area, -tolerance_m / 2, join_style="mitre")
    return _polygons(area.difference(shapely.buffer(shrunk, tolerance_m * 0.51, join_style="mitre")))


def _lies_along(band: Polygon, drawn: BaseGeometry) -> bool:
    """Whether the band runs along the drawn border; a mere corner that the widening did not reach does not."""
    beside = shapely.buffer(drawn.boundary, 3 * _GRAIN_M, quad_segs=1)
    return bool(band.boundary.intersection(beside).length > 0.3 * band.length)
