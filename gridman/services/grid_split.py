"""Splitting a grid that has grown too large (domain reference 2.9: 300-500 households): a part of its ground becomes a grid of its own, and
what stands there follows.
"""

from collections.abc import Sequence

import shapely
import shapely.ops

from gridman.domain import access
from gridman.domain.building import Building
from gridman.domain.grid import Grid, grid_code
from gridman.domain.organisation import Organisation
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.maps import redraw_grids
from gridman.store.unit import Unit

__all__ = ["split_grid"]

_ALL = 1_000
_ORDINARY = 900
"""Numbers from here on are for special grids."""


def split_grid(unit: Unit, grid_id: int, line: Sequence[tuple[float, float]], name: str = "") -> Grid:
    """Cut a grid in two along `line` (longitude, latitude; degrees), at the street. The part with fewer buildings becomes the new grid, under
    the next free number of the community; buildings, households and all that belongs to them follow. Nobody is assigned to it yet: desks
    that had the old grid keep the old part only, and their unsent edits of the other part go to review.
    """
    access.require(unit.actor, "map.edit")
    old = unit.get(Grid, grid_id)
    small, rest = _cut(unit, old, line)
    code = _next_code(unit, old)
    made = unit.create(
        Grid(
            code=code, name=name.strip() or f"第{int(code[12:])}网格", community_id=old.community_id, valid_from_on=day_of(unit.at),
            predecessors=old.code,
        )
    )  # fmt: skip
    unit.flush()
    team = unit.first(Organisation, level="grid", grid_id=old.id)
    if team is not None:
        unit.create(
            Organisation(
                name=made.name, level="grid", parent_id=team.parent_id, region_id=team.region_id, grid_id=made.id
            )
        )
        unit.flush()
    redraw_grids(unit, {old.id: shapely.to_wkb(rest), made.id: shapely.to_wkb(small)})
    return made


def _cut(unit: Unit, grid: Grid, line: Sequence[tuple[float, float]]) -> tuple[shapely.Polygon, shapely.Polygon]:
    """The part with fewer buildings, and the rest."""
    if len(line) < 2 or grid.shape is None:
        raise _not_across(grid)
    parts = shapely.get_parts(shapely.ops.split(shapely.from_wkb(grid.shape), shapely.LineString(line)))
    if len(parts) != 2:
        raise _not_across(grid)
    spots = [shapely.Point(b.lng or 0.0, b.lat or 0.0) for b in unit.page(Building, grid_id=grid.id, limit=100_000)]
    first, second = sorted(
        parts, key=lambda part: (int(shapely.intersects(part, spots).sum()) if spots else 0, part.area)
    )
    return first, second


def _not_across(grid: Grid) -> Refusal:
    return Refusal(
        "grid.not_across",
        N_("The line does not cut {grid} into two parts."),
        N_("Draw one line that begins and ends outside the grid and crosses it once."),
        grid=grid.name,
    )


def _next_code(unit: Unit, grid: Grid) -> str:
    """The next free ordinary number; numbers of grids that are no more are not given again."""
    known = unit.page(Grid, community_id=grid.community_id, with_retired=True, limit=_ALL)
    used = [int(g.code[12:]) for g in known if int(g.code[12:]) < _ORDINARY]
    return grid_code(grid.code[:12], max(used, default=0) + 1)
