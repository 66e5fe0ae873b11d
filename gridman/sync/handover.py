"""The street takes in what a computer hands over that may not write any more: removed from the list, reported lost, or a copy of another.

Each operation goes to the review list, once, whatever it is; none is applied, because none is ever given to what applies operations. It is
known by its content, not by its number: copies of one desk gave the same number to different work. The same holds for the records that were
made there: each gets a number of the street's, and what names it follows.
"""

import re
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import convert, to_builtins

from gridman.domain.catalog import Noun, noun
from gridman.domain.conflict import Conflict
from gridman.domain.fields import Synced
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.stamp import MAX_AHEAD_MS, clamp
from gridman.kernel.errors import Trouble
from gridman.kernel.log import get_log
from gridman.kernel.words import N_
from gridman.services.handover import Source, count_changes
from gridman.store.handing import CARDS, all_verdicts_of, keep_renewed, keep_verdicts, renewed_ids, verdicts_of
from gridman.store.pushed import answers_of
from gridman.store.unit import Unit
from gridman.sync.codec import digest_of
from gridman.sync.kept import grid_of, json_of, whole_or_none
from gridman.sync.protocol import Maker, Op, Verdict

__all__ = ["HANDED_OVER", "Handover", "check_makers", "numbers_in"]

_MOST_MAKERS = 20_000
_DIGEST = re.compile(r"[0-9a-f]{32}\Z")
HANDED_OVER = "sync.handed_over"
"""The code of the verdict on what went to the review list."""

_Told = tuple[str, str, str, dict[str, str]]

_TOLD: _Told = (
    HANDED_OVER,
    N_("It went to the street's review list; nothing of it was applied."),
    N_("Those in charge of the record decide."),
    {},
)
_FAILED: _Told = (
    "sync.bug",
    N_("The street server failed on this edit; it could not be kept for review either."),
    N_("Tell the office that looks after gridman; its log has the details."),
    {},
)


@dataclass
class Handover:
    """What one device hands over, within one unit of the street."""

    unit: Unit
    replica: int
    source: Source
    fresh: int = 0
    _renewed: dict[int, int] = field(default_factory=dict)

    def take(self, ops: Sequence[Op], makers: Iterable[Maker]) -> list[Verdict]:
        """Keep them for review; those that the street knows already, under their number or handed over before, get the answer they had. Refuses
        with ``handover.full``, and keeps none, when it is more than is taken from a lost computer.
        """
        connection = self.unit.connection
        digests = {op.n: digest_of(op) for op in ops}
        answered = self._answered({(op.n, digests[op.n]) for op in ops})
        known = answered | verdicts_of(connection, self.replica, digests.values())
        new = [op for op in ops if op.kind != "none" and digests[op.n] not in known]
        count_changes(self.unit, self.source, self.replica, sum(map(_weight, new)), sum(map(_size, new)))
        self._renew(new, makers)
        verdicts = {op.n: self.keep(op) for op in new}
        keep_verdicts(
            connection, self.replica, [(digests[n], to_builtins(v)) for n, v in verdicts.items()], self.unit.now
        )
        self.fresh += sum(v.refusal is not None for v in verdicts.values())
        found = [verdicts.get(op.n) or _known(op, known.get(digests[op.n])) for op in ops]
        if not self.source.is_lost:
            return found
        return [v if digests[v.n] in answered else _told_alike(op, v) for op, v in zip(ops, found, strict=True)]

    def cards(self) -> int:
        """How many cards of the review list all became that this computer ever handed over."""
        told = [convert(v, Verdict) for v in all_verdicts_of(self.unit.connection, self.replica)]
        return sum(int(v.refusal[3].get(CARDS, 1)) for v in told if v.outcome == "set_aside" and v.refusal is not None)

    def _answered(self, wanted: set[tuple[int, str]]) -> dict[str, Any]:
        """The answers to those of these operations that came in the ordinary way, from this computer or its twin."""
        if not wanted:
            return {}
        numbers = [n for n, _digest in wanted]
        found = answers_of(self.unit.connection, self.replica, min(numbers), max(numbers))
        return {digest: found[n][1] for n, digest in wanted if n in found and found[n][0] == digest}

    def _renew(self, ops: Iterable[Op], makers: Iterable[Maker]) -> None:
        """Find or make the new numbers of the records that these operations are about or name, unless the street has the very record."""
        named = {i for op in ops for i in (op.record_id, *numbers_in(op.after))}
        asked = [maker for maker in makers if maker.record_id in named]
        known = self._answered({(maker.n, maker.digest) for maker in asked})
        asked = [maker for maker in asked if maker.digest not in known]
        renewed = renewed_ids(self.unit.connection, self.replica, {maker.digest for maker in asked})
        made = []
        for maker in asked:
            key = (maker.digest, maker.part)
            if key not in renewed:
                renewed[key] = self.unit.new_id()
                made.append((*key, renewed[key]))
            self._renewed[maker.record_id] = renewed[key]
        keep_renewed(self.unit.connection, self.replica, made)

    def keep(self, op: Op) -> Verdict:
        """Put one operation into the review list; never raises for what is wrong with it, only Trouble of the street's own machine."""
        now = self.unit.clock()
        try:
            with self.unit.as_of(min(op.at, now + MAX_AHEAD_MS), clamp(op.stamp, now), self.replica):
                cards = self._keep(op)
        except Trouble:
            raise
        except Exception as error:  # as in `push.Intake.take`; messages may hold values and are not logged
            where = "".join(traceback.format_tb(error.__traceback__)[-3:])
            get_log(__name__).error(
                "handed over %s of device %s: %s\n%s", op.n, self.replica, type(error).__name__, where
            )
            return Verdict(op.n, "refused", _FAILED)
        if not cards:
            return Verdict(op.n, "applied")
        return Verdict(op.n, "set_aside", (*_TOLD[:3], {CARDS: str(cards)}))

    def _keep(self, op: Op) -> int:
        """How many cards of the review list it became; none when there is nothing to decide: what it wanted stands."""
        known, record_id = noun(op.entity), self._renewed.get(op.record_id, op.record_id)
        values = {name: _with(value, self._renewed) for name, value in op.after.items() if name != "id"}
        is_new = op.record_id in self._renewed
        record = self.unit.find(known.cls, record_id) if known is not None and not is_new else None
        if isinstance(record, Conflict):
            if op.kind == "amend" and record.resolution == values.get("resolution") and record.resolved_at is not None:
                return 0
        elif op.kind == "amend" and known is not None and record is not None:
            differ = {name: v for name, v in values.items() if name not in known.fields or getattr(record, name) != v}
            for name, value in differ.items():
                stands = json_of(getattr(record, name, None))
                self._file(op, known, record, record_id, values, field=name, kept=stands, lost=json_of(value))
            return len(differ)
        self._file(op, known, record, record_id, values, field=None, kept=None, lost=json_of(values))
        return 1

    def _file(
        self, op: Op, known: Noun | None, record: Synced | None, record_id: int, values: Mapping[str, Any], **told: Any
    ) -> None:
        unit = self.unit
        grid_id = self._place(known, op.entity, record, record_id, values)
        unit.create(
            Conflict(
                record_kind=op.entity, record_id=record_id, grid_id=grid_id, reason=self.source.reason,
                lost_by_id=unit.actor.user_id, lost_at=unit.at, computer=self.source.computer or None,
                organisation_id=unit.actor.organisation_id if grid_id is None else None, **told,
            )
        )  # fmt: skip

    def _place(
        self, known: Noun | None, kind: str, record: Synced | None, record_id: int, values: Mapping[str, Any]
    ) -> int | None:
        """The grid whose people decide; None: nobody knows one, then the author's organisation does. Values never stay on a computer that
        is about to be destroyed.
        """
        unit = self.unit
        home = unit.find(Household, whole_or_none(values.get("household_id")))
        before = (
            next(iter(unit.page(Conflict, record_kind=kind, record_id=record_id, limit=1)), None)
            if not record
            else None
        )
        candidates = (
            record_id if known is not None and known.cls is Grid else None,
            grid_of(record) if record is not None else None,
            grid_of(home) if home is not None else None,
            whole_or_none(values.get("grid_id")),
            before.grid_id if before is not None else None,
            min(unit.actor.grid_ids, default=None),
        )
        return next((i for i in candidates if i and unit.find(Grid, i) is not None), None)


def check_makers(makers: Sequence[Maker]) -> bool:
    """Whether a desk could have written these."""
    return len(makers) <= _MOST_MAKERS and all(
        0 < m.record_id < 1 << 63
        and 0 < m.n < 1 << 63
        and _DIGEST.match(m.digest) is not None
        and 0 <= m.part < _MOST_MAKERS
        for m in makers
    )


def _known(op: Op, answer: Any) -> Verdict:
    return Verdict(op.n, "applied") if op.kind == "none" else convert(answer, Verdict)


def _told_alike(op: Op, verdict: Verdict) -> Verdict:
    """What a lost computer itself is told: whoever holds it could ask by guesses what stands at the street, if the answer to an edit that has
    nothing to change were another.
    """
    if verdict.outcome == "refused" or op.kind == "none":
        return verdict
    return Verdict(op.n, "set_aside", (*_TOLD[:3], {CARDS: str(_weight(op))}))


def _weight(op: Op) -> int:
    """How many lines of the review list it may become: an edit is decided field by field."""
    return max(1, len(op.after)) if op.kind == "amend" else 1


def _size(op: Op) -> int:
    """Its bytes as it travelled, uncompressed."""
    return len(msgspec.msgpack.encode(op))


def numbers_in(value: Any) -> Iterable[int]:
    """Every whole number in a value, however deep."""
    if type(value) is int:
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from numbers_in(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from numbers_in(one)


def _with(value: Any, renewed: Mapping[int, int]) -> Any:
    """The value, with records under their new numbers: those of records are never as small as counts, nor as instants."""
    if type(value) is int:
        return renewed.get(value, value)
    if isinstance(value, list | tuple):
        return [_with(one, renewed) for one in value]
    if isinstance(value, dict):
        return {name: _with(one, renewed) for name, one in value.items()}
    return value
