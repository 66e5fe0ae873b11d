"""Lists of households."""

from array import array
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_

from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.store.batches import batches
from gridman.store.queries.id_lists import read_ids
from gridman.store.tables import household_line, journal
from gridman.store.unit import Reader

__all__ = ["due_rows", "ids", "line_rows", "waiting_records"]

_h = Household.__table__.c
_l = household_line.c
_JOINED = Household.__table__.join(household_line, _l.household_id == _h.id)

_ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    # A sum, so that SQLite sorts a plain scan: reading the rows by the index on grid_id takes twice the time.
    "walk": (_h.grid_id + 0, _h.walk_order, _h.id),
    "number": (_h.number, _h.id),
    "head": (_l.head_name, _h.id),
    "due": (_l.due_on.is_(None), _l.due_on, _h.walk_order, _h.id),
    "address": (_h.address, _h.id),
    "visit": (_l.last_visit_at, _h.id),
    "people": (_l.people_count, _h.id),
}
_DERIVED_ORDERS = frozenset({"head", "due", "visit", "people"})


def ids(
    reader: Reader,
    *,
    grid_ids: Sequence[int] = (),
    building_id: int | None = None,
    care_group: str = "",
    due_until: str | None = None,
    among: set[int] | None = None,
    order: str = "walk",
    descending: bool = False,
) -> "array[int]":
    """Ids of households, in order. `due_until`: due on that day or earlier. `among`: only these."""
    # Every household has its line; joining it only where it is asked for halves the time at 50,000 households.
    is_derived = bool(care_group) or due_until is not None or order in _DERIVED_ORDERS
    query = select(_h.id).select_from(_JOINED if is_derived else Household.__table__).where(_h.retired_at.is_(None))
    if grid_ids:
        query = query.where(_h.grid_id.in_(grid_ids))
    if building_id is not None:
        query = query.where(_h.building_id == building_id)
    if care_group:
        # Codes have a fixed length of three characters, so a code never occurs inside another.
        query = query.where(_l.care_groups.contains(care_group))
    if due_until is not None:
        query = query.where(_l.due_on <= due_until)
    if among is not None:
        query = query.where(_h.id.in_(sorted(among)))
    keys = _ORDERS[order]
    query = query.order_by(*(k.desc() if descending else k for k in keys))
    return read_ids(reader, query)


def line_rows(reader: Reader, household_ids: Sequence[int]) -> list[Any]:
    """(id, number, address, grid_id, head_name, people_count, care_groups, last_visit_at, due_on, due_reason, walk_order, grid_name) of
    these households, in the order of the ids; ids that are gone are left out.
    """
    g = Grid.__table__.c
    found: dict[int, Any] = {}
    for part in batches(household_ids):
        query = (
            select(
                _h.id, _h.number, _h.address, _h.grid_id, _l.head_name, _l.people_count, _l.care_groups, _l.last_visit_at,
                _l.due_on, _l.due_reason, _h.walk_order, g.name.label("grid_name"),
            )
            .select_from(_JOINED.outerjoin(Grid.__table__, g.id == _h.grid_id))
            .where(_h.id.in_(part))
        )  # fmt: skip
        found.update({row.id: row for row in reader.connection.execute(query)})
    return [found[i] for i in household_ids if i in found]


def waiting_records(reader: Reader, record_ids: Sequence[int]) -> set[int]:
    """Which of these records have edits the street has not acknowledged yet."""
    waiting: set[int] = set()
    j = journal.c
    for part in batches(record_ids):
        waiting.update(
            reader.connection.scalars(
                select(j.record_id).where(j.record_id.in_(part), j.state.in_(("waiting", "sent"))).distinct()
            )
        )
    return waiting


def due_rows(
    reader: Reader,
    grid_ids: Sequence[int],
    until: str,
    limit: int,
    after: tuple[int, int, int] | None = None,
    among: Sequence[int] = (),
) -> list[Any]:
    """Like `line_rows`: households due on `until` or earlier, the longest overdue first; with `after` the next ones of the round instead,
    grid by grid in walking order: those behind this grid, walking order (0: none) and id.
    """
    query = select(_h.id).select_from(_JOINED).where(_h.retired_at.is_(None), _l.due_on <= until)
    if grid_ids:
        query = query.where(_h.grid_id.in_(grid_ids))
    if among:
        query = query.where(_h.id.in_(among))
    if after is not None:
        place = (_h.grid_id, func.coalesce(_h.walk_order, 0), _h.id)
        query = query.where(tuple_(*place) > tuple_(*after)).order_by(*place)
    else:
        query = query.order_by(_l.due_on, _h.walk_order, _h.id)
    return line_rows(reader, list(reader.connection.scalars(query.limit(limit))))


def due_counts(reader: Reader, grid_ids: Sequence[int], today: str) -> tuple[int, int]:
    """(due today or earlier, of these overdue)."""
    query = (
        select(func.count(), func.count().filter(_l.due_on < today))
        .select_from(_JOINED)
        .where(_h.retired_at.is_(None), _l.due_on <= today)
    )
    if grid_ids:
        query = query.where(_h.grid_id.in_(grid_ids))
    due, overdue = reader.connection.execute(query).one()
    return due, overdue
