"""Household lines: head's name, number of people, care groups, last and next visit, derived for lists and for the visit round."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from gridman.domain.cadence import age_on, derive_due, shortest_interval
from gridman.domain.household import Household
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import EFFECTIVE_OUTCOMES, Visit
from gridman.kernel.clock import day_of
from gridman.store.batches import batches
from gridman.store.tables import household_line

__all__ = ["forget", "rebuild", "refresh"]

HEAD = "02"
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


def _derive(connection: Connection, ids: list[int], today: str) -> None:
    people = _people(connection, ids)
    tags = _tags(connection, ids)
    visited = _last_visits(connection, ids)
    h = Household.__table__.c
    found = connection.execute(
        select(h.id, h.grid_id, h.head_person_id, h.is_rented, h.informed_on).where(
            h.id.in_(ids), h.retired_at.is_(None)
        )
    )
    rows = []
    for household in found:
        mine = people.get(household.id, [])
        ages = {p.id: age_on(p.birth_on, today) for p in mine}
        carried = [(group, ages.get(person_id)) for person_id, group in tags.get(household.id, []) if person_id in ages]
        interval = shortest_interval(carried, bool(household.is_rented))
        last_any, last_effective = visited.get(household.id, (None, None))
        registered = household.informed_on or today
        rows.append(
            {
                "household_id": household.id,
                "grid_id": household.grid_id,
                "head_name": _head_name(mine, household.head_person_id),
                "people_count": len(mine),
                "care_groups": ";".join(sorted({group for group, _ in carried})),
                "last_visit_at": last_any,
                "due_on": derive_due(interval, last_effective, registered) if mine else None,
                "due_reason": interval.reason,
            }
        )
    connection.execute(delete(household_line).where(household_line.c.household_id.in_(ids)))
    if rows:
        connection.execute(insert(household_line), rows)


def _people(connection: Connection, ids: list[int]) -> dict[int, list[Any]]:
    p = Person.__table__.c
    query = select(p.id, p.household_id, p.name, p.relation, p.birth_on).where(
        p.household_id.in_(ids), p.retired_at.is_(None), p.moved_out_on.is_(None), p.died_on.is_(None)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query.order_by(p.relation, p.id)):
        found[row.household_id].append(row)
    return found


def _head_name(people: list[Any], head_id: int | None) -> str:
    for wanted in (lambda p: p.id == head_id, lambda p: p.relation in (HEAD, "01"), lambda p: True):
        for person in people:
            if wanted(person):
                return str(person.name)
    return ""


def _tags(connection: Connection, ids: list[int]) -> dict[int, list[tuple[int, str]]]:
    t = CareTag.__table__.c
    query = select(t.household_id, t.person_id, t.care_group).where(
        t.household_id.in_(ids), t.retired_at.is_(None), t.until_on.is_(None)
    )
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for household_id, person_id, group in connection.execute(query):
        found[household_id].append((person_id, group))
    return found


def _last_visits(connection: Connection, ids: list[int]) -> dict[int, tuple[int | None, int | None]]:
    """Household -> (last visit, last effective visit)."""
    v = Visit.__table__.c
    base = select(v.household_id, func.max(v.visited_at)).where(v.household_id.in_(ids), v.retired_at.is_(None))
    any_visit = {row[0]: row[1] for row in connection.execute(base.group_by(v.household_id))}
    effective = base.where(v.outcome.in_(sorted(EFFECTIVE_OUTCOMES))).group_by(v.household_id)
    reached = {row[0]: row[1] for row in connection.execute(effective)}
    return {h: (at, reached.get(h)) for h, at in any_visit.items()}


def is_due(due_on: str | None, now_ms: int) -> bool:
    """Whether a line is due today or earlier."""
    return due_on is not None and due_on <= day_of(now_ms)
