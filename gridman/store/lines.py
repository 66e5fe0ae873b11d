"""Household lines: head's name, number of people, care groups, last and next visit, derived for lists and for the visit round."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update

from gridman.domain.cadence import age_on, derive_due, shortest_interval
from gridman.domain.household import Household
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import EFFECTIVE_OUTCOMES, Visit
from gridman.kernel.clock import day_of
from gridman.store.batches import batches
from gridman.store.tables import household_line

__all__ = ["add_new", "forget", "rebuild", "refresh"]

HEAD = "02"
_MANY = 10_000
_COLUMNS = (
    "household_id",
    "grid_id",
    "head_name",
    "people_count",
    "care_groups",
    "last_visit_at",
    "due_on",
    "due_reason",
)
_h, _p, _t, _v = (cls.__table__.c for cls in (Household, Person, CareTag, Visit))


def _among(column: Any) -> Any:
    return column.in_(bindparam("ids", expanding=True))


_HOUSEHOLDS = select(_h.id, _h.grid_id, _h.head_person_id, _h.is_rented, _h.informed_on).where(
    _among(_h.id), _h.retired_at.is_(None)
)
_PEOPLE = select(_p.id, _p.household_id, _p.name, _p.relation, _p.birth_on).where(
    _among(_p.household_id), _p.retired_at.is_(None), _p.moved_out_on.is_(None), _p.died_on.is_(None)
)
_TAGS = select(_t.household_id, _t.person_id, _t.care_group).where(
    _among(_t.household_id), _t.retired_at.is_(None), _t.until_on.is_(None)
)
_VISITS = (
    select(
        _v.household_id,
        func.max(_v.visited_at),
        func.max(case((_v.outcome.in_(sorted(EFFECTIVE_OUTCOMES)), _v.visited_at))),
    )
    .where(_among(_v.household_id), _v.retired_at.is_(None))
    .group_by(_v.household_id)
)
_FORGET = delete(household_line).where(_among(household_line.c.household_id))
_SEEN = (
    update(household_line)
    .where(household_line.c.household_id == bindparam("of"))
    .values(last_visit_at=bindparam("last"), due_on=bindparam("due"))
)
_BY_PARENT = {"person": Person, "care_tag": CareTag, "visit": Visit}


def refresh(connection: Connection, touched: Mapping[str, Iterable[int]], today: str) -> None:
    """Derive anew the lines of all households these records belong to."""
    households = set(touched.get("household", ()))
    for kind, cls in _BY_PARENT.items():
        table = cls.__table__
        for part in batches(touched.get(kind, ())):
            households.update(connection.scalars(select(table.c.household_id).where(table.c.id.in_(part))))
    for part in batches(h for h in households if h is not None):
        _derive(connection, part, today)


def rebuild(connection: Connection, today: str) -> None:
    """Derive all lines."""
    connection.execute(delete(household_line))
    for part in batches(connection.scalars(select(Household.__table__.c.id))):
        _derive(connection, part, today)


def forget(connection: Connection, record_ids: Iterable[int]) -> None:
    """Drop the lines of households that left this computer."""
    for part in batches(record_ids):
        connection.execute(delete(household_line).where(household_line.c.household_id.in_(part)))


def add_new(connection: Connection, fresh: Mapping[str, Mapping[str, Sequence[Any]]], today: str) -> None:
    """Lines after records came that were never here before, given by kind as columns of their rows."""
    households = {i for kind in _BY_PARENT if kind in fresh for i in fresh[kind].get("household_id", ())} - {None}
    if fresh.keys() & {"household", "person", "care_tag"}:
        households.update(fresh.get("household", {}).get("id", ()))
        for part in batches(households, _MANY):
            _derive(connection, part, today)
    else:
        for part in batches(households, _MANY):
            _derive(connection, part, today, only_visits=True)


def _derive(connection: Connection, ids: list[int], today: str, *, only_visits: bool = False) -> None:
    """Make these households' lines. ``only_visits``: the lines are right but for the visits."""
    people, tags, visited = _people(connection, ids), _tags(connection, ids), _last_visits(connection, ids)
    rows = []
    for household_id, grid_id, head_id, is_rented, informed_on in connection.execute(_HOUSEHOLDS, {"ids": ids}):
        mine = people.get(household_id, ())
        interval, groups = shortest_interval(()), ""
        if is_rented or household_id in tags:
            born = {p[0]: p[4] for p in mine}
            carried = [
                (group, age_on(born[person_id], today))
                for person_id, group in tags.get(household_id, ())
                if person_id in born
            ]
            interval, groups = shortest_interval(carried, bool(is_rented)), ";".join(sorted({g for g, _ in carried}))
        last_any, last_effective = visited.get(household_id, (None, None))
        due_on = derive_due(interval, last_effective, informed_on or today) if mine else None
        rows.append(
            (household_id, grid_id, _head_name(mine, head_id), len(mine), groups, last_any, due_on, interval.reason)
        )
    if only_visits:
        seen = [{"of": row[0], "last": row[5], "due": row[6]} for row in rows]
        if seen:
            connection.execute(_SEEN, seen)
        return
    connection.execute(_FORGET, {"ids": ids})
    if rows:
        connection.execute(insert(household_line), [dict(zip(_COLUMNS, row, strict=True)) for row in rows])


def _people(connection: Connection, ids: list[int]) -> dict[int, list[Any]]:
    """Household -> its people (id, household, name, relation, birth date), the head first."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(_PEOPLE, {"ids": ids}).all():
        found[row[1]].append(row)
    for people in found.values():
        people.sort(key=lambda p: (p[3] or "", p[0]))
    return found


def _head_name(people: Sequence[Any], head_id: int | None) -> str:
    for person in people:
        if person[0] == head_id:
            return str(person[2])
    for person in people:
        if person[3] in (HEAD, "01"):
            return str(person[2])
    return str(people[0][2]) if people else ""


def _tags(connection: Connection, ids: list[int]) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for household_id, person_id, group in connection.execute(_TAGS, {"ids": ids}):
        found[household_id].append((person_id, group))
    return found


def _last_visits(connection: Connection, ids: list[int]) -> dict[int, tuple[int | None, int | None]]:
    """Household -> (last visit, last effective visit)."""
    return {row[0]: (row[1], row[2]) for row in connection.execute(_VISITS, {"ids": ids})}


def is_due(due_on: str | None, now_ms: int) -> bool:
    """Whether a line is due today or earlier."""
    return due_on is not None and due_on <= day_of(now_ms)
