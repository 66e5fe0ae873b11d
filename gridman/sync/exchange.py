"""The desk's side of the sync: what to send, what to do with the answer, and a whole round of both. Knows no HTTP (design D3, D6).

`prepare` and `absorb` are one exchange cut in two, so that a simulator can lose, repeat and reorder what travels between them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gridman import __version__
from gridman.kernel.clock import Clock
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.kernel.words import N_
from gridman.services.audit_anchor import keep_anchor, next_push
from gridman.store import outbox
from gridman.store.changes import Changes
from gridman.store.first_rows import begun_snapshots
from gridman.store.outbox import Outgoing, Receipt, Returned
from gridman.store.photo_queue import forget_sent_photos
from gridman.store.replay import PulledEntry, PulledRows, Replay, positions, receiving
from gridman.store.store import Store, get_meta, put_meta
from gridman.sync.checking import Held, compare, due_scope
from gridman.sync.codec import digest_of, unpack_rows
from gridman.sync.fork import fork
from gridman.sync.protocol import SPOKEN, Answer, Cursor, Op, Partly, Request, Rows, Street, Verdict, Versions
from gridman.sync.segments import take_segment
from gridman.sync.snapshots import FORMAT
from gridman.sync.versions import other_versions

__all__ = [
    "Absorbed",
    "RoundResult",
    "SyncKind",
    "SyncStatus",
    "absorb",
    "note_absorbed",
    "op_of",
    "prepare",
    "round",
    "status_of",
]

PUSH_BYTES = 64 << 10
"""A push is small, so that a cut line costs seconds, not minutes."""

FIRST_PAGE, SMALLEST_PAGE, LARGEST_PAGE = 1_000, 50, 5_000
TARGET_S = 3.0
"""How long one answer should take: the page size follows the line's speed (design D6)."""

LARGEST_SKEW_MS = 300_000
_ROUNDS = 100_000
_PATIENCE = 20
EPOCH = "street_epoch"
LIVES = "street_lives"
"""Noted when the street's data was found to have begun another life: what was answered before may have been lost with the old one."""

_PAGE = "sync_page"
CUT_OFF = "sync.cut_off"
_SYNCED_AT = "synced_at"


class SyncKind(StrEnum):
    """What the sync is doing, for the status line."""

    OFFLINE = "offline"
    SENDING = "sending"
    RECEIVING = "receiving"
    WAITING = "waiting"
    UP_TO_DATE = "up_to_date"
    BLOCKED = "blocked"
    REFUSED = "refused"
    ERROR = "error"


@dataclass(frozen=True)
class SyncStatus:
    """The sync in one line: operations that wait, sent of how many in this round, when it last was complete, and why it is not."""

    kind: SyncKind
    waiting: int = 0
    sent: int = 0
    of: int = 0
    at: int | None = None
    reason: Refusal | None = None


@dataclass(frozen=True)
class Absorbed:
    """What one answer brought. `is_stale`: it answered an older question and was ignored; `held`: how this desk compares with the street,
    where it was asked.
    """

    changes: Changes = field(default_factory=Changes)
    answered: int = 0
    received: int = 0
    complete: bool = False
    is_stale: bool = False
    server_at: int = 0
    held: Held | None = None


@dataclass
class RoundResult:
    """What a whole round did. `refused`: own work the street did not take over as it was, with reasons; `skew_ms`: this computer's clock
    minus the street's; `held`: the worst that came of comparing this desk with the street.
    """

    sent: int = 0
    received: int = 0
    requests: int = 0
    changes: Changes = field(default_factory=Changes)
    refused: list[Receipt] = field(default_factory=list)
    server_at: int | None = None
    skew_ms: int = 0
    complete: bool = False
    held: Held | None = None

    @property
    def is_clock_wrong(self) -> bool:
        """Whether this computer's clock is off by more than five minutes."""
        return abs(self.skew_ms) > LARGEST_SKEW_MS


def prepare(
    store: Store, page: int = FIRST_PAGE, push_bytes: int = PUSH_BYTES, after_n: int = 0, spoken: Versions = SPOKEN,
    *, is_first: bool = False,
) -> Request:  # fmt: skip
    """The next request: the oldest unanswered operations (those after `after_n`) and the positions received so far, and with the first of a
    round (``is_first``) the new lines of the audit log and the question whether a scope is here as it is there. Marks the operations as sent.
    """
    with store.read() as reader:
        found = outbox.next_operations(reader.connection, push_bytes, after_n)
        cursors = [Cursor(s, seq, after) for s, (seq, after) in sorted(positions(reader.connection).items())]
        begun = begun_snapshots(reader.connection)
        epoch = get_meta(reader, EPOCH) or ""
        audit = next_push(reader) if is_first else None
        check = due_scope(reader) if is_first else ""
    if found:
        with receiving(store) as replay:
            outbox.mark_sent(replay.connection, [o.n for o in found])
    ops = [op_of(o) for o in found]
    partly = [Partly(scope, b.ident, b.next) for scope, b in sorted(begun.items())]
    return Request(
        spoken.highest, store.replica, epoch, store.clock(), page, ops, cursors, lowest=spoken.lowest,
        app=__version__ if is_first else "", audit=audit, reads=FORMAT, partly=partly, check=check,
    )  # fmt: skip


def absorb(store: Store, request: Request, answer: Answer) -> Absorbed:
    """Take in an answer: its segments of snapshots one by one, then the rest whole or not at all. An answer to anything but the desk's
    present positions is ignored. Refuses with ``sync.fork`` when the street knows more of this desk's work than the desk, ``sync.too_new``
    an answer in a version the desk did not offer.
    """
    if not request.spoken.lowest <= answer.protocol <= request.spoken.highest:
        raise other_versions(answer.protocol, request.protocol)
    pulled = [_pulled(part) for part in answer.rows]
    entries = _entries(answer)
    standing = _Standing({c.scope: (c.seq, c.after_id) for c in request.cursors}, _begun_of(request), request.epoch)
    received, changes = 0, Changes()
    has_entered = False
    for segment in answer.segments:
        # Each in a transaction of its own: a desk that is killed in between goes on with the next one.
        with receiving(store, is_hasty=True) as replay:
            if not standing.holds(replay):
                return Absorbed(changes, received=received, is_stale=not received)
            if not has_entered:
                _enter_life(replay, request, answer)
            count = take_segment(replay, segment)
            if count is None:
                return Absorbed(changes, received=received, is_stale=not received)
            received, has_entered = received + count, True
            standing = _Standing(positions(replay.connection), _begun_here(replay), answer.epoch)
        changes = changes | replay.changes()
    with receiving(store) as replay:
        connection = replay.connection
        if not standing.holds(replay):
            return Absorbed(changes, received=received, is_stale=not received)
        if not has_entered:
            _enter_life(replay, request, answer)
        if answer.last_n < outbox.highest_acknowledged(connection):
            outbox.offer_again(connection, answer.last_n)
        asked = {op.n for op in request.ops}
        returned = [
            Returned(v.n, v.outcome, v.refusal, v.seq) for v in answer.verdicts if v.n in asked or not answer.is_reset
        ]
        outbox.acknowledge(connection, returned, store.clock())
        replay.drop(answer.drops)
        received += sum(replay.take_rows(rows) for rows in pulled)
        replay.place(entries)
        replay.move_cursors((c.scope, c.seq, c.after_id) for c in answer.cursors)
        if answer.complete:
            replay.checkpoint(answer.seq)
            put_meta(connection, _SYNCED_AT, str(store.clock()))
    if request.audit is not None and answer.anchor is not None:
        keep_anchor(store, request.audit, answer.anchor)
    held = compare(store, request.check, answer.check, answer.seq) if answer.complete else None
    is_complete = answer.complete and held != Held.ANEW
    return Absorbed(changes | replay.changes(), len(returned), received, is_complete, False, answer.at, held)


@dataclass
class _Standing:
    """How far this desk was when it asked: an answer to anything else is not taken in."""

    positions: dict[str, tuple[int, int]]
    begun: dict[str, tuple[bytes, int]]
    epoch: str

    def holds(self, replay: Replay) -> bool:
        """Whether it is still so."""
        return (
            positions(replay.connection) == self.positions
            and _begun_here(replay) == self.begun
            and replay.note(EPOCH) == self.epoch
        )


def _begun_of(request: Request) -> dict[str, tuple[bytes, int]]:
    return {p.scope: (p.snapshot, p.next) for p in request.partly}


def _begun_here(replay: Replay) -> dict[str, tuple[bytes, int]]:
    return {scope: (b.ident, b.next) for scope, b in begun_snapshots(replay.connection).items()}


def _enter_life(replay: Replay, request: Request, answer: Answer) -> None:
    """Make sure the street goes on from where this desk's work is, and start over where its data has another life; that life may have been
    filled up by a copy of this desk, so the street names the content it has under the number before those that were sent.
    """
    if answer.last_n > outbox.highest_sent(replay.connection) or not _are_own(replay.connection, answer.verdicts):
        raise fork()
    if answer.is_reset:
        replay.start_over()
        put_meta(replay.connection, LIVES, "1")
        forget_sent_photos(replay.connection)
    if answer.epoch != request.epoch:
        put_meta(replay.connection, EPOCH, answer.epoch)


def _are_own(connection: Any, verdicts: Sequence[Verdict]) -> bool:
    """Whether these verdicts are on what this desk holds under their numbers. An answer on a stick may be older than the copy that was put in
    this desk's place, and would be believed for work that was never sent.
    """
    told = {v.n: v.digest for v in verdicts if v.digest}
    if not told:
        return True
    mine = outbox.operations_between(connection, min(told), max(told))
    return all(o.kind == "none" or digest_of(op_of(o)).startswith(told[o.n]) for o in mine if o.n in told)


def op_of(o: Outgoing) -> Op:
    """The operation as it travels."""
    return Op(o.n, o.kind, o.entity, o.record_id, o.after, o.base, o.stamp, o.at)


def _pulled(part: Rows) -> PulledRows:
    rows = unpack_rows(part)
    if part.count and (not part.columns or part.columns[0] != "id"):
        raise _malformed()
    cells = {}
    for index, edited in part.cells:
        if not 0 <= index < len(rows):
            raise _malformed()
        cells[rows[index][0]] = edited
    return PulledRows(part.kind, tuple(part.columns), rows, cells)


def _entries(answer: Answer) -> list[PulledEntry]:
    scopes = [c.scope for c in answer.cursors]
    if any(not 0 <= e.scope < len(scopes) for e in answer.entries):
        raise _malformed()
    return [PulledEntry(e.record_id, scopes[e.scope], e.kind, e.seq, e.is_exit) for e in answer.entries]


def _malformed() -> Refusal:
    return Refusal(
        "sync.malformed",
        N_("The message cannot be read ({why})."),
        N_("Both sides should run the same version of gridman; try again."),
        why="rows",
    )


def round(
    store: Store,
    street: Street,
    progress: Progress = quiet,
    ticket: Ticket | None = None,
    *,
    on_page: Callable[[Changes], None] | None = None,
    stopwatch: Callable[[], float] = time.monotonic,
) -> RoundResult:
    """Send everything that waits and receive everything new. Each exchange is kept as it comes, so an interrupted round loses nothing
    and the next one goes on from there. Raises Refusal when the street cannot be reached, Cancelled when `ticket` says so.
    """
    result, barren = RoundResult(), 0
    with store.read() as reader:
        page = int(get_meta(reader, _PAGE) or FIRST_PAGE)
        waiting = outbox.waiting_count(reader)
        first_n = outbox.highest_acknowledged(reader.connection)
    for _turn in range(_ROUNDS):
        if ticket is not None:
            ticket.check()
        request = prepare(store, page, is_first=result.requests == 0)
        started = stopwatch()
        try:
            answer = street.exchange(request)
        except Refusal as refusal:
            if refusal.code == CUT_OFF:  # smaller answers next time, or each cut costs as much again
                _keep_page(store, max(SMALLEST_PAGE, page // 4))
            raise
        page = _next_page(page, stopwatch() - started)
        absorbed = absorb(store, request, answer)
        note_absorbed(result, absorbed, store.clock)
        if on_page is not None and absorbed.changes:
            on_page(absorbed.changes)
        if result.sent < waiting:
            progress(result.sent, waiting, N_("Sending"))
        else:
            progress(result.received, 0, N_("Receiving"))
        with store.read() as reader:
            left = outbox.waiting_count(reader)
        if absorbed.complete and not left:
            _keep_page(store, FIRST_PAGE)
            break
        barren = 0 if absorbed.answered or absorbed.received else barren + 1
        if barren > _PATIENCE:
            raise _no_answer(request)
    if not result.sent:
        return result
    with store.read() as reader:
        refused = outbox.receipts(reader, 500, states=("refused",))
        result.refused = [r for r in refused if r.n > first_n]
    return result


def note_absorbed(result: RoundResult, absorbed: Absorbed, clock: Clock) -> None:
    """Add what one answer brought to the whole."""
    result.requests += 1
    result.sent += absorbed.answered
    result.received += absorbed.received
    result.changes = result.changes | absorbed.changes
    result.complete = absorbed.complete
    if absorbed.held is not None and result.held in (None, Held.SAME):
        result.held = absorbed.held
    result.server_at = absorbed.server_at
    result.skew_ms = clock() - absorbed.server_at


def _keep_page(store: Store, page: int) -> None:
    """Remember how large the first answer of the next round may be; a line that holds costs no write."""
    with store.read() as reader:
        if int(get_meta(reader, _PAGE) or FIRST_PAGE) == page:
            return
    with receiving(store) as replay:
        put_meta(replay.connection, _PAGE, str(page))


def _next_page(page: int, took_s: float) -> int:
    """A page that would take about TARGET_S at the speed just seen, changing by at most four times."""
    wanted = page * TARGET_S / max(took_s, 0.01)
    return int(min(LARGEST_PAGE, max(SMALLEST_PAGE, min(4 * page, max(page / 4, wanted)))))


def _no_answer(request: Request) -> Refusal:
    """A street that answers without answering must not keep a desk busy for ever."""
    return Refusal(
        "sync.no_answer",
        N_("The street server does not answer this computer's work (it waits for operation {n})."),
        N_("Nothing was lost. Tell the office that looks after gridman; gridman doctor writes a report."),
        n=request.ops[0].n if request.ops else 0,
    )


def status_of(store: Store) -> SyncStatus:
    """The sync as the store knows it, between two rounds; whether the street is there, only a round tells."""
    with store.read() as reader:
        waiting = outbox.waiting_acts(reader)
        at = get_meta(reader, _SYNCED_AT)
    kind = SyncKind.UP_TO_DATE if at and not waiting else SyncKind.WAITING
    return SyncStatus(kind, waiting, at=int(at) if at else None)
