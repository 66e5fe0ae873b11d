"""What is asked of every operation of a push, asked for all of them at once: a few questions instead of several for each.

Each answer is that of the beginning of the push. It is given only as long as the push itself has changed nothing that could make it another
one (`Unit.has_changed`); after that the question is asked anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from gridman.domain.catalog import Noun, noun
from gridman.domain.conflict import Conflict
from gridman.domain.fields import Record
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.stamp import MAX_AHEAD_MS
from gridman.domain.visit import Visit
from gridman.services.doubles import SAME_VISIT_MS
from gridman.store.feed_pages import cell_states, cell_states_of
from gridman.store.queries.crossings import has_open_review, near_visits, open_reviews, visits_near
from gridman.store.unit import Unit
from gridman.sync.protocol import Op

__all__ = ["Facts"]

_Cells = dict[str, tuple[str, str | None, int | None, int | None]]


class Facts:
    """The answers for one push; without `ops` each question is asked when it comes up."""

    def __init__(self, unit: Unit, ops: Sequence[Op] = ()) -> None:
        self._unit = unit
        self._asked: set[tuple[type[Record], int]] = set()
        self._there: dict[tuple[type[Record], int], Any] = {}
        self._reviews: set[tuple[str, int]] | None = None
        self._cells: dict[int, _Cells] = {}
        self._visits: dict[int, list[tuple[int, int, int | None]]] | None = None
        if ops:
            self._ask(ops)

    def _ask(self, ops: Sequence[Op]) -> None:
        """All questions, and the records themselves: those to be edited as `Unit.hold` gives them."""
        made: dict[str, set[int]] = defaultdict(set)
        held: dict[str, set[int]] = defaultdict(set)
        for op in ops:
            (made if op.kind == "create" else held)[op.entity].add(op.record_id)
        self._visits = self._visits_of(ops) if "visit" not in held else None
        for kind, ids in held.items():
            known = noun(kind)
            if known is not None:
                self._note(known.cls, ids, self._unit.hold_all(known.cls, ids))
        self._cells = cell_states_of(self._unit.connection, [i for ids in held.values() for i in ids])
        self._reviews = open_reviews(self._unit, [i for ids in made.values() for i in ids])
        for kind, ids in made.items():
            known = noun(kind)
            if known is not None:
                self._read(known.cls, ids)
        followers = [(known.follows, op) for op in ops if (known := noun(op.entity)) is not None and known.follows]
        self._read(Incident, [op.after.get(follows) for follows, op in followers])
        self._read(Household, [op.after.get("household_id") for op in ops if op.entity != "visit"])

    def _read(self, cls: type[Record], ids: Iterable[object]) -> None:
        wanted = {i for i in ids if type(i) is int and (cls, i) not in self._asked}
        if wanted:
            self._note(cls, wanted, self._unit.page(cls, id=wanted, with_retired=True, limit=len(wanted)))

    def _note(self, cls: type[Record], ids: Iterable[int], found: Iterable[Any]) -> None:
        self._asked.update((cls, i) for i in ids)
        self._there.update({(cls, record.id): record for record in found})

    def find(self, cls: type[Any], record_id: int | None) -> Any:
        """The record with this id, or None."""
        if (cls, record_id) in self._asked and not self._unit.has_changed(cls, record_id):
            return self._there.get((cls, record_id or 0))
        return self._unit.find(cls, record_id)

    def hold(self, known: Noun, record_id: int) -> Any:
        """The record as it is now, or None; nobody else changes it until the unit ends."""
        return self._there.get((known.cls, record_id)) or self._unit.hold(known.cls, record_id)

    def has_open_review(self, kind: str, record_id: int) -> bool:
        """Whether anything about this record waits for a decision."""
        if self._reviews is None or self._unit.has_changed(Conflict):
            return has_open_review(self._unit, kind, record_id)
        return (kind, record_id) in self._reviews

    def cells(self, cls: type[Record], record_id: int, fields: Sequence[str]) -> _Cells:
        """Version, the writer's own stamp, who and when of those of a record's fields that were ever edited."""
        if record_id not in self._cells or self._unit.has_changed(cls, record_id):
            return cell_states(self._unit.connection, record_id, fields)
        known = self._cells[record_id]
        return {name: known[name] for name in fields if name in known}

    def visits_near(self, visit: Visit) -> list[tuple[int, int | None]]:
        """Visits of the same worker to the same household within ten minutes, this new one not among them, the latest first: id, and the
        visit each corrects.
        """
        if self._visits is None:
            return visits_near(self._unit, visit, SAME_VISIT_MS)
        there = self._visits.setdefault(visit.household_id or 0, [])
        near = sorted((v for v in there if abs(v[0] - visit.visited_at) <= SAME_VISIT_MS), reverse=True)
        there.append((visit.visited_at, visit.id, visit.amends_id))
        return [(i, amends_id) for _at, i, amends_id in near]

    def _visits_of(self, ops: Sequence[Op]) -> dict[int, list[tuple[int, int, int | None]]] | None:
        """The visits that could be near those of the push, by household."""
        homes = {op.after.get("household_id") for op in ops if op.entity == "visit"}
        times = [at for op in ops if op.entity == "visit" and type(at := op.after.get("visited_at")) is int]
        wanted = {h for h in homes if type(h) is int}
        if not wanted or not times or max(times) > self._unit.now + MAX_AHEAD_MS:  # that one is dated anew
            return None
        span = min(times) - SAME_VISIT_MS, max(times) + SAME_VISIT_MS
        return near_visits(self._unit, wanted, self._unit.actor.user_id, span)
