"""The street takes in a desk's operations, one by one: rights, scope, values, merge. One operation that cannot be applied is set aside
with its reason and stops nothing behind it. Whatever value does not make it into the record is kept as a `Conflict` (design D8).
"""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from gridman.domain import access
from gridman.domain.access import REF
from gridman.domain.catalog import Noun, noun, noun_of
from gridman.domain.conflict import Conflict
from gridman.domain.fields import Merge, Synced
from gridman.domain.incident import Incident, IncidentStep
from gridman.domain.person import Person
from gridman.domain.rules import Invalid, check
from gridman.domain.stamp import MAX_AHEAD_MS, clamp
from gridman.domain.visit import Visit
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal, Trouble
from gridman.kernel.ids import replica_of
from gridman.kernel.log import get_log
from gridman.kernel.words import N_
from gridman.services.conflict_parts import lost_values
from gridman.services.doubles import note_same_person, note_same_visit
from gridman.services.incident_races import settle_race
from gridman.store.feed import scopes_in_feed
from gridman.store.pushed import keep_for_later
from gridman.store.unit import Unit
from gridman.sync.admission import (
    ForeignTarget,
    dated,
    not_editable,
    require_more_than_a_copy,
    require_own,
    require_target,
    right_to_amend,
    right_to_create,
)
from gridman.sync.facts import Facts
from gridman.sync.kept import grid_of, keep, log_rejected, note_other_decision, whole_or_none
from gridman.sync.later import KINDS, is_strangers_photo, kept, later
from gridman.sync.merging import merge
from gridman.sync.protocol import Op, Verdict

__all__ = ["Intake"]

_COMMAND_PARTS: dict[str, tuple[type, ...]] = {
    "target_id": (int, type(None)), "note": (str,), "result": (str,), "is_solved": (bool, type(None)),
    "satisfaction": (int, type(None)), "step_id": (int, type(None)), "other_id": (int, type(None)), "case": (str,),
    "task_id": (int, type(None)), "task_step_id": (int, type(None)),
}  # fmt: skip
_MOST_GRIDS = 100
_LONGEST_NOTE = 2_000


class _OutOfScope(Exception):
    """The record is not, or no longer, among those this user's desk may write."""


class _Tangled(Exception):
    """The operation with this place in a stretch cannot be applied and has changed something already: the stretch is undone."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


@dataclass
class Intake:
    """One desk's push within one unit of the street. `scopes`: what the desk's user may have today; `skew_ms`: how far the desk's clock
    was ahead of the street's when it sent.
    """

    unit: Unit
    scopes: frozenset[str]
    replica: int
    skew_ms: int = 0

    def __post_init__(self) -> None:
        self._facts = Facts(self.unit)

    def take_all(self, ops: Sequence[Op]) -> list[Verdict]:
        """Apply operations in their order, written together as far as nothing is wrong: one that goes wrong after it changed something is
        applied again by itself, those before it together once more. Each such one halves what is tried together after it: where all go wrong, what
        is asked for the rest of the push must not be asked for each.
        """
        verdicts: list[Verdict] = []
        most = len(ops)
        while len(verdicts) < len(ops):
            stretch = ops[len(verdicts) : len(verdicts) + most]
            taken = self._take_stretch(stretch)
            if len(taken) < len(stretch):
                most = max(1, most // 2)
            verdicts += taken
        return verdicts

    def _take_stretch(self, ops: Sequence[Op]) -> list[Verdict]:
        """Apply the first of these operations, as many as go together."""
        if len(ops) == 1:
            return [self.take(ops[0])]
        try:
            return self._take_together(ops)
        except _Tangled as tangled:
            before = self.take_all(ops[: tangled.place])
            return [*before, self.take(ops[tangled.place])]
        except Trouble:
            raise
        except Exception as error:  # met when all was written: nobody knows by whom
            _log_place(f"a push of device {self.replica} is taken one by one", error)
            return [self.take(op) for op in ops]

    def _take_together(self, ops: Sequence[Op]) -> list[Verdict]:
        try:
            with self.unit.together():
                self._facts = Facts(self.unit, ops)
                return [self.take(op, place) for place, op in enumerate(ops)]
        finally:
            self._facts = Facts(self.unit)

    def take(self, op: Op, place: int | None = None) -> Verdict:
        """Apply one operation; never raises for what is wrong with it, only Trouble of the street's own machine. `place`: of one that is
        written together with others.
        """
        now, count = self.unit.clock(), self.unit.changed_count
        stamp, at = clamp(op.stamp, now), min(op.at, now + MAX_AHEAD_MS)
        try:
            with self.unit.as_of(at, stamp, self.replica):
                return self._apply(op, stamp)
        except Trouble:  # the street's own: no answer to this operation, which the desk sends again
            raise
        except Exception as problem:
            is_clean = self.unit.changed_count == count and isinstance(problem, Refusal | _OutOfScope)
            if place is not None and not is_clean:
                raise _Tangled(place) from problem
            return self._not_taken(op, at, stamp, problem)

    def _not_taken(self, op: Op, at: int, stamp: str, problem: Exception) -> Verdict:
        """Why an operation cannot be applied, and keep what it brought."""
        if isinstance(problem, _OutOfScope):
            outside = Refusal(
                "sync.scope",
                N_("The record is not in your grids any more; your edit was kept for review."),
                N_("The office that is in charge of it now decides."),
            )
            return self._set_aside(op, at, stamp, outside, "set_aside", "scope")
        if isinstance(problem, Refusal):
            is_foreign = isinstance(problem, ForeignTarget)
            outcome, reason = ("set_aside", "target") if is_foreign else ("refused", "refused")
            return self._set_aside(op, at, stamp, problem, outcome, reason)
        # A bug met by one operation must not close the way for all the desk's later work.
        _log_place(f"operation {op.n} of device {self.replica}", problem)
        failed = Refusal(
            "sync.bug",
            N_("The street server failed on this edit; it was kept for review."),
            N_("Tell the office that looks after gridman; its log has the details."),
        )
        return self._set_aside(op, at, stamp, failed, "refused", "refused")

    def _apply(self, op: Op, stamp: str) -> Verdict:
        known = noun(op.entity)
        if op.kind == "none":  # its content was erased on the desk with a grid the desk lost; only the number is left
            return Verdict(op.n, "applied")
        if known is None or op.kind not in KINDS or is_strangers_photo(op):
            keep_for_later(self.unit.connection, None, op.entity, op.record_id, kept(op, self.unit.actor, self.replica))
            return Verdict(op.n, "deferred", later(op.entity))
        if op.kind == "create":
            return self._create(op, known)
        if op.kind == "amend":
            return self._amend(op, known, stamp)
        if op.kind == "command" and op.entity == "incident":
            return self._command(op)
        if op.kind == "command" and op.entity == "grid":
            return self._redraw(op)
        raise Refusal(
            "sync.unknown_operation", N_("The street server does not know the operation “{kind}”."), kind=op.kind
        )

    def _not_yet(self, op: Op, known: Noun) -> tuple[str, str, str, dict[str, str]] | None:
        """Keep the values of fields that only a later version knows; what the desk is told of them."""
        unknown = {f: v for f, v in op.after.items() if f not in known.fields and f != "id"}
        if not unknown:
            return None
        rest = structs.replace(op, kind="amend", after=unknown, base={f: op.base.get(f) for f in unknown})
        keep_for_later(self.unit.connection, None, op.entity, op.record_id, kept(rest, self.unit.actor, self.replica))
        return later(op.entity, unknown)

    def _create(self, op: Op, known: Noun) -> Verdict:
        unit = self.unit
        taken_over = self._set_aside_before(op, known)
        is_new = replica_of(op.record_id) == self.replica or taken_over
        if not is_new or self._facts.find(known.cls, op.record_id) is not None:
            raise Refusal(
                "sync.foreign_id",
                N_("The number of the new record is not one of this computer's own."),
                N_("This computer's data is a copy of another's: set it up again."),
            )
        values = self._understood(op, known)
        if known.cls is Visit:
            values = dated(values, unit.now, self.skew_ms)
        problems = check(known.cls, values, is_new=True, today=day_of(unit.now))
        if problems:
            raise Invalid(known.kind, problems)
        access.require(unit.actor, right_to_create(known.kind, values))
        if not taken_over:
            require_own(unit, op, values)
        require_target(unit, known, None, values, self.scopes)
        record = known.cls(id=op.record_id, **values)
        if not self._own_scopes(record, known) & self.scopes:
            raise _OutOfScope
        unit.create(record)
        unit.see(unit.stamp)
        if isinstance(record, Person):
            note_same_person(unit, record)
        elif isinstance(record, Visit):
            note_same_visit(unit, record, self._facts.visits_near(record))
        return Verdict(op.n, "applied", self._not_yet(op, known))

    def _set_aside_before(self, op: Op, known: Noun) -> bool:
        """Whether this is a record of another desk, exactly as it was kept for review in the grids of this one, taken over by a decision."""
        if not self._facts.has_open_review(known.kind, op.record_id):
            return False
        for conflict in self.unit.page(Conflict, record_kind=known.kind, record_id=op.record_id, resolved_at=None):
            kept, scopes = lost_values(conflict), frozenset(noun_of(conflict).scopes(conflict)) - {REF}
            if kept is not None and scopes & self.scopes and _without_place(kept) == _without_place(op.after):
                return True
        return False

    def _amend(self, op: Op, known: Noun, stamp: str) -> Verdict:
        unit = self.unit
        record = self._in_scope(op, known)
        require_more_than_a_copy(unit, record, self.scopes)
        values = self._understood(op, known)
        access.require(unit.actor, right_to_amend(known, sorted(values)))
        closed = [
            f for f in values
            if known.fields[f].merge is Merge.STREET
            or (known.fields[f].merge is Merge.ONCE and getattr(record, f) not in (None, values[f]))
        ]  # fmt: skip
        if closed:
            raise not_editable(known, closed)
        whole = {f: getattr(record, f) for f in known.fields} | values
        problems = {
            f: p for f, p in check(known.cls, whole, is_new=False, today=day_of(unit.now)).items() if f in values
        }
        if problems:
            raise Invalid(known.kind, problems)
        require_target(unit, known, record, values, self.scopes)
        lost = note_other_decision(unit, record, values) if isinstance(record, Conflict) else 0
        lost += merge(unit, self._facts, op, known, record, values, stamp)
        if isinstance(record, Person) and "id_number" in values:
            note_same_person(unit, record)
        return Verdict(op.n, "merged" if lost else "applied", self._not_yet(op, known))

    def _command(self, op: Op) -> Verdict:
        from gridman.services import incidents

        known = noun("incident")
        assert known is not None
        self._in_scope(op, known)
        action, parts = op.after.get("action"), {k: v for k, v in op.after.items() if k in _COMMAND_PARTS}
        made: dict[str, type[Synced]] = {"step_id": IncidentStep, "task_id": Incident, "task_step_id": IncidentStep}
        wrong = not isinstance(action, str) or any(
            type(v) not in _COMMAND_PARTS[k] or (isinstance(v, str) and len(v) > _LONGEST_NOTE)
            for k, v in parts.items()
        )
        wrong = wrong or any(
            i is not None and (replica_of(i) != self.replica or self.unit.find(cls, i) is not None)
            for cls, i in ((cls, op.after.get(name)) for name, cls in made.items())
        )
        if wrong:
            raise Refusal("sync.malformed", N_("The message cannot be read ({why})."), why="command")
        try:
            incidents.perform(self.unit, op.record_id, str(action), **parts)
        except Refusal as late:
            if late.code != "incident.state" or not settle_race(
                self.unit, op.record_id, str(action), op.base.get("state"), parts
            ):
                raise
        self.unit.see(self.unit.stamp)
        return Verdict(op.n, "applied")

    def _redraw(self, op: Op) -> Verdict:
        from gridman.services import maps

        pairs = op.after.get("shapes")
        sound = isinstance(pairs, list | tuple) and 0 < len(pairs) <= _MOST_GRIDS
        sound = sound and all(
            isinstance(p, list | tuple) and len(p) == 2 and type(p[0]) is int and type(p[1]) is bytes
            for p in pairs or ()
        )
        if not sound or op.after.get("action") != "redraw":
            raise Refusal("sync.malformed", N_("The message cannot be read ({why})."), why="command")
        maps.redraw_grids(self.unit, dict(pairs or ()))
        self.unit.see(self.unit.stamp)
        return Verdict(op.n, "applied")

    def _in_scope(self, op: Op, known: Noun) -> Synced:
        record: Synced | None = self._facts.hold(known, op.record_id)
        if record is None:
            raise Refusal(
                "record.missing",
                N_("There is no {kind} number {id} on the street server."),
                N_(
                    "It was refused when it was sent, or this computer's data is out of date; synchronise and try again."
                ),
                kind=known.kind,
                id=op.record_id,
            )
        if not self._scopes_of(record, known) & self.scopes:
            raise _OutOfScope
        return record

    def _scopes_of(self, record: Synced, known: Noun) -> frozenset[str]:
        """Where the record is now."""
        return self._own_scopes(record, known) or scopes_in_feed(self.unit.connection, record.id)

    def _own_scopes(self, record: Synced, known: Noun) -> frozenset[str]:
        """Where the record lies by what is written in it: what follows an incident is where the incident is."""
        if known.follows:
            followed = self._facts.find(Incident, getattr(record, known.follows))
            incident = noun("incident")
            if followed is not None and incident is not None:
                return frozenset(incident.scopes(followed))
        return frozenset(known.scopes(record))

    def _understood(self, op: Op, known: Noun) -> dict[str, Any]:
        """The values of fields this version knows; the others wait for the version that knows them (`_not_yet`)."""
        return {f: v for f, v in op.after.items() if f in known.fields}

    def _set_aside(self, op: Op, at: int, stamp: str, problem: Refusal, outcome: str, reason: str) -> Verdict:
        """Keep what could not be applied where people look for it, and tell the desk why."""
        places = {k: str(v)[:200] for k, v in problem.params.items()}
        known = noun(op.entity)
        if known is not None:
            with self.unit.as_of(at, stamp, self.replica):
                self._keep_for_review(op, known, problem, reason)
        return Verdict(op.n, outcome, (problem.code, problem.text, problem.remedy, places))

    def _keep_for_review(self, op: Op, known: Noun, problem: Refusal, reason: str) -> None:
        unit = self.unit
        record = unit.find(known.cls, op.record_id)
        mine = (unit.actor.user_id, unit.at)
        if op.kind == "amend" and record is not None and known.cls is not Conflict:
            for name, value in op.after.items():
                if name != "id":  # also of a field that only a later version knows
                    stands = (getattr(record, name, None), None, None)
                    keep(unit, known, record.id, grid_of(record), name, reason, stands, (value, *mine))
        elif op.kind == "command" and isinstance(record, Incident) and reason == "refused":
            log_rejected(unit, record, op, problem)
        else:
            own = record if record is not None and grid_of(record) is not None else None
            grid_id = grid_of(own) if own is not None else whole_or_none(op.after.get("grid_id"))
            keep(unit, known, op.record_id, grid_id, None, reason, (None, None, None), (dict(op.after), *mine))


def _log_place(what: str, error: Exception) -> None:
    """Log where something went wrong; not the message, which may hold values."""
    where = "".join(traceback.format_tb(error.__traceback__)[-3:])
    get_log(__name__).error("%s: %s\n%s", what, type(error).__name__, where)


def _without_place(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in values.items() if name not in ("grid_id", "claimed_at") and value is not None
    }
