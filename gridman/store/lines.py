"""Household lines: head's name, number of people, care groups, last and next visit, derived for lists and for the visit round."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update

from gridman.domain.cadence import Interval, age_on, derive_due, shortest_interval
from gridman.domain.fields import Synced, kind_of
from gridman.domain.household import Household
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import EFFECTIVE_OUTCOMES, Visit
from gridman.kernel.clock import day_of
from gridman.store.batches import batches
from gridman.store.tables import household_line

__all__ = ["add_new", "forget", "rebuild", "refresh"]

HEAD = "02"
Visited = dict[int, tuple[int | None, int | None]]
"""Household -> (last visit, last effective visit)."""

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
_PEOPLE = select(
    _p.id, _p.household_id, _p.name, _p.relation, _p.birth_on, _p.retired_at, _p.moved_out_on, _p.died_on
).where(_among(_p.household_id), _p.retired_at.is_(None), _p.moved_out_on.is_(None), _p.died_on.is_(None))
_TAGS = select(_t.household_id, _t.person_id, _t.care_group, _t.retired_at, _t.until_on).where(
    _among(_t.household_id), _t.retired_at.is_(None), _t.until_on.is_(None)
)
_COUNTS: dict[type[Synced], Any] = {
    cls: select(func.count()).where(_among(cls.__table__.c.household_id)) for cls in (Person, CareTag, Visit)
}
_VISITS = (
    select(
        _v.household_id,
        func.max(_v.visited_at),
        func.max(case((_v.outcome.in_(sorted(EFFECTIVE_OUTCOMES)), _v.visited_at))),
    )
    .where(_among(_v.household_id), _v.retired_at.is_(None))
    .group_by(_v.household_id)
)
_LINES = select(
    household_line.c.household_id, household_line.c.people_count, _h.is_rented, _h.informed_on, household_line.c.due_on
).where(_among(household_line.c.household_id), _h.id == household_line.c.household_id)
_DUE = select(household_line.c.household_id, household_line.c.due_on).where(household_line.c.due_on.is_not(None))
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
        _derive(connection, part, today, _Known(connection, part))


def rebuild(connection: Connection, today: str) -> None:
    """Derive all lines."""
    due_before = {row[0]: str(row[1]) for row in connection.execute(_DUE)}
    connection.execute(delete(household_line))
    for part in batches(connection.scalars(select(Household.__table__.c.id))):
        _derive(connection, part, today, _Known(connection, part), due_before)


def forget(connection: Connection, record_ids: Iterable[int]) -> None:
    """Drop the lines of households that left this computer."""
    for part in batches(record_ids):
        connection.execute(delete(household_line).where(household_line.c.household_id.in_(part)))


def add_new(connection: Connection, fresh: Mapping[str, Mapping[str, Sequence[Any]]], today: str) -> None:
    """Lines after records came that were never here before, given by kind as columns of their rows."""
    households = {i for kind in _BY_PARENT if kind in fresh for i in fresh[kind].get("household_id", ())} - {None}
    is_whole = bool(fresh.keys() & {"household", "person", "care_tag"})
    households.update(fresh.get("household", {}).get("id", ()))
    for part in batches(households, _MANY):
        known = _Known(connection, part, fresh)
        (_derive if is_whole else _visited)(connection, part, today, known)


class _Known:
    """People, care groups and visits of some households: out of columns that just came where those are all there is, else asked for."""

    def __init__(
        self, connection: Connection, ids: list[int], fresh: Mapping[str, Mapping[str, Sequence[Any]]] | None = None
    ) -> None:
        self._connection = connection
        self._ids = ids
        self._fresh = fresh or {}
        self._homes = set(ids)

    def people(self, ids: list[int] | None = None) -> dict[int, list[Any]]:
        """Household -> its people (id, household, name, relation, birth date), in the order of their relation to the head."""
        names = ("id", "household_id", "name", "relation", "birth_on", "retired_at", "moved_out_on", "died_on")
        rows = None if ids is not None else self._columns(Person, names)
        if rows is None:
            rows = list(self._connection.execute(_PEOPLE, {"ids": self._ids if ids is None else ids}))
        found: dict[int, list[Any]] = defaultdict(list)
        for row in rows:
            if row[5] is None and row[6] is None and row[7] is None:
                found[row[1]].append(row)
        for people in found.values():
            people.sort(key=lambda p: (p[3] or "", p[0]))
        return found

    def tags(self) -> dict[int, list[tuple[int, str]]]:
        """Household -> the care groups of its people (person, group)."""
        rows = self._columns(CareTag, ("household_id", "person_id", "care_group", "retired_at", "until_on"))
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for row in rows if rows is not None else self._connection.execute(_TAGS, {"ids": self._ids}):
            if row[3] is None and row[4] is None:
                found[row[0]].append((row[1], row[2]))
        return found

    def visits(self) -> Visited:
        """Household -> (last visit, last effective visit)."""
        rows = self._columns(Visit, ("household_id", "visited_at", "outcome", "retired_at"))
        if rows is None:
            return {row[0]: (row[1], row[2]) for row in self._connection.execute(_VISITS, {"ids": self._ids})}
        last: dict[int, int] = {}
        reached: dict[int, int] = {}
        for home, at, outcome, retired_at in rows:
            if at is None or retired_at is not None:
                continue
            if at > last.get(home, at - 1):
                last[home] = at
            if outcome in EFFECTIVE_OUTCOMES and at > reached.get(home, at - 1):
                reached[home] = at
        return {home: (at, reached.get(home)) for home, at in last.items()}

    def _columns(self, cls: type[Synced], names: Sequence[str]) -> list[Any] | None:
        """The rows that came, if there are no others of these households."""
        if not self._fresh:
            return None
        columns = self._fresh.get(kind_of(cls))
        rows = list(zip(*(columns[name] for name in names), strict=True)) if columns else []
        home = names.index("household_id")
        mine = [row for row in rows if row[home] in self._homes]
        count = self._connection.execute(_COUNTS[cls], {"ids": self._ids}).scalar_one()
        return mine if count == len(mine) else None


def _derive(
    connection: Connection, ids: list[int], today: str, known: _Known, due_before: Mapping[int, str] | None = None
) -> None:
    """Make these households' lines. `due_before`: when each was due, None: as their lines say that are still there."""
    people, tags, visited = known.people(), known.tags(), known.visits()
    if due_before is None:
        mine_now = _among(household_line.c.household_id)
        due_before = {row[0]: str(row[1]) for row in connection.execute(_DUE.where(mine_now), {"ids": ids})}
    rows = []
    for household_id, grid_id, head_id, is_rented, informed_on in connection.execute(_HOUSEHOLDS, {"ids": ids}).all():
        mine = people.get(household_id, ())
        interval, groups = _interval(mine, tags.get(household_id, ()), bool(is_rented), today)
        last_any, last_effective = visited.get(household_id, (None, None))
        due_on = _due(interval, last_effective, informed_on, today, due_before.get(household_id)) if mine else None
        rows.append(
            (household_id, grid_id, _head_name(mine, head_id), len(mine), groups, last_any, due_on, interval.reason)
        )
    connection.execute(_FORGET, {"ids": ids})
    if rows:
        connection.execute(insert(household_line), [dict(zip(_COLUMNS, row, strict=True)) for row in rows])


def _due(
    interval: Interval, last_effective: int | None, informed_on: str | None, today: str, before: str | None
) -> str:
    """When the next visit is due. Of a household that was never reached nothing else may say since when it is known: then it counts from the
    day its line was first made here, and never becomes due later than it was.
    """
    due_on = derive_due(interval, last_effective, informed_on or today)
    return due_on if last_effective is not None or informed_on or before is None else min(due_on, before)


def _interval(
    people: Sequence[Any], tags: Sequence[tuple[int, str]], is_rented: bool, today: str
) -> tuple[Interval, str]:
    """How often a household is visited, and the care groups of those of its people who live there."""
    if not tags:
        return shortest_interval((), is_rented), ""
    born = {p[0]: p[4] for p in people}
    carried = [(group, age_on(born[person_id], today)) for person_id, group in tags if person_id in born]
    return shortest_interval(carried, is_rented), ";".join(sorted({group for group, _ in carried}))


def _visited(connection: Connection, ids: list[int], today: str, known: _Known) -> None:
    """Visits came to these households, and nothing else: their lines are right but for the last visit and the next."""
    tags, visited = known.tags(), known.visits()
    people = known.people(list(tags)) if tags else {}
    rows = []
    for household_id, count, is_rented, informed_on, before in connection.execute(_LINES, {"ids": ids}).all():
        interval, _ = _interval(people.get(household_id, ()), tags.get(household_id, ()), bool(is_rented), today)
        last_any, last_effective = visited.get(household_id, (None, None))
        due_on = _due(interval, last_effective, informed_on, today, before) if count else None
        rows.append({"of": household_id, "last": last_any, "due": due_on})
    if rows:
        connection.execute(_SEEN, rows)


def _head_name(people: Sequence[Any], head_id: int | None) -> str:
    for person in people:
        if person[0] == head_id:
            return str(person[2])
    for person in people:
        if person[3] in (HEAD, "01"):
            return str(person[2])
    return str(people[0][2]) if people else ""


def is_due(due_on: str | None, now_ms: int) -> bool:
    """Whether a line is due today or earlier."""
    return due_on is not None and due_on <= day_of(now_ms)
