"""What an earlier layout of the street left behind: grids and communities that the map of today does not have."""

from collections.abc import Collection
from dataclasses import dataclass, field

from gridman.domain.building import Building
from gridman.domain.grid import Assignment, Grid
from gridman.domain.household import Household
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.kernel.clock import day_of
from gridman.store.unit import Unit

__all__ = ["LeftOver", "left_over", "withdraw"]

_EVERYTHING = 100_000
_REASON = "not on the new map"


@dataclass
class LeftOver:
    """Grids and communities beside today's map. `in_use`: names of those that hold households, workers or staff."""

    grids: list[Grid] = field(default_factory=list)
    communities: list[Region] = field(default_factory=list)
    in_use: list[str] = field(default_factory=list)

    @property
    def free(self) -> int:
        """How many of them nobody uses."""
        return len(self.grids) + len(self.communities)


def left_over(unit: Unit, street: Region, communities: Collection[str], grids: Collection[str]) -> LeftOver:
    """What the street has besides the codes of `communities` and `grids`."""
    found = LeftOver()
    for region in unit.page(Region, level="community", parent_id=street.id, limit=_EVERYTHING):
        staying = 0
        for grid in unit.page(Grid, community_id=region.id, limit=_EVERYTHING):
            if grid.code in grids:
                staying += 1
            elif _is_used(unit, grid):
                staying += 1
                found.in_use.append(grid.name)
            else:
                found.grids.append(grid)
        if region.code in communities:
            continue
        committee = unit.first(Organisation, level="community", region_id=region.id, is_department=None)
        if staying or (committee is not None and unit.count(User, organisation_id=committee.id)):
            found.in_use.append(region.name)
        else:
            found.communities.append(region)
    return found


def _is_used(unit: Unit, grid: Grid) -> bool:
    if unit.count(Household, grid_id=grid.id) or unit.count(Assignment, grid_id=grid.id, until_on=None):
        return True
    team = unit.first(Organisation, level="grid", grid_id=grid.id)
    return team is not None and unit.count(User, organisation_id=team.id) > 0


def withdraw(unit: Unit, rest: LeftOver) -> None:
    """Take what nobody uses out of use, with its buildings and organisations; it stays on file."""
    for grid in rest.grids:
        unit.amend(grid, valid_to_on=day_of(unit.at))
        unit.retire(grid, _REASON)
        for building in unit.page(Building, grid_id=grid.id, limit=_EVERYTHING):
            unit.retire(building, _REASON)
        for team in unit.page(Organisation, level="grid", grid_id=grid.id):
            unit.retire(team, _REASON)
    for region in rest.communities:
        unit.retire(region, _REASON)
        for committee in unit.page(Organisation, level="community", region_id=region.id, is_department=None):
            unit.retire(committee, _REASON)
