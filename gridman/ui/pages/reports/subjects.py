"""What a report can be about: the grids, buildings and visits on offer. Runs on a reader thread."""

from typing import Any

from gridman.domain.building import Building
from gridman.domain.grid import Grid
from gridman.kernel.clock import show_instant
from gridman.services.visits import VisitQuery, visit_ids, visit_rows

__all__ = ["buildings_of", "grids_of", "visits_of"]

_MOST = 2_000
_VISITS = 100


def grids_of(reader: Any, grid_ids: frozenset[int]) -> list[tuple[int, str]]:
    """Id and name of the user's grids (none named: all)."""
    wanted: dict[str, Any] = {"id": grid_ids} if grid_ids else {}
    return [(g.id, g.name) for g in reader.page(Grid, valid_to_on=None, order_by=("code",), limit=_MOST, **wanted)]


def buildings_of(reader: Any, grid_id: int) -> list[tuple[int, str]]:
    """Id and address of a grid's buildings."""
    found = reader.page(Building, grid_id=grid_id, order_by=("compound", "number"), limit=_MOST)
    return [(b.id, f"{b.compound}{_numbered(b.number or '')}") for b in found]


def _numbered(number: str) -> str:
    return f"{number}号楼" if number.isdigit() else number


def visits_of(reader: Any, household_id: int) -> list[tuple[int, str]]:
    """Id, time and visitor of a household's visits, the newest first."""
    ids = list(visit_ids(reader, VisitQuery(household_id=household_id)))[:_VISITS]
    return [(row.id, f"{show_instant(row.visited_at)} {row.user_name}") for row in visit_rows(reader, ids)]
