"""A desk's outbox: the operations that wait, are on their way or came back, and their receipts. It is a view of the journal."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from gridman.store import tables
from gridman.store.handing import CARDS
from gridman.store.journal import words_of
from gridman.store.unit import Reader
from gridman.store.values import unpack

__all__ = ["Outgoing", "Receipt", "Returned", "counts", "receipts", "waiting_acts", "waiting_count"]

WAITING, SENT, ACKNOWLEDGED, SETTLED, REFUSED = "waiting", "sent", "acknowledged", "settled", "refused"
PENDING = (WAITING, SENT, ACKNOWLEDGED)
DEFERRED = "deferred"
"""The verdict of a street that is older than this desk: it keeps the operation until it is updated."""
HANDED_OVER = 0
"""In place of the feed's number: the operation was not taken in, it is in the street's review list."""

_TOLD = "sync.handed_over"

_j = tables.journal
_size = func.coalesce(func.length(_j.c.after), 0) + func.coalesce(func.length(_j.c.base), 0) + 100
_OUTGOING = (
    select(_j.c.op_n, _j.c.kind, _j.c.entity, _j.c.record_id, _j.c.after, _j.c.base, _j.c.stamp, _j.c.at, _size.label("size"))
    .where(_j.c.state.in_((WAITING, SENT)))
    .order_by(_j.c.op_n)
)  # fmt: skip
_NEXT = _OUTGOING.where(_j.c.op_n > bindparam("after_n")).limit(1_000)
_BETWEEN = (
    select(_j.c.op_n, _j.c.kind, _j.c.entity, _j.c.record_id, _j.c.after, _j.c.base, _j.c.stamp, _j.c.at)
    .where(_j.c.op_n.between(bindparam("first"), bindparam("last")))
    .order_by(_j.c.op_n)
)
_MAKING = (
    select(_j.c.op_n, _j.c.kind, _j.c.entity, _j.c.record_id, _j.c.after, _j.c.base, _j.c.stamp, _j.c.at, _j.c.effects)
    .where(_j.c.state.in_((WAITING, SENT)) | (_j.c.ack_seq == HANDED_OVER), _j.c.kind.in_(("create", "command")))
    .order_by(_j.c.op_n)
)
_WAITING = select(func.count()).where(_j.c.state.in_((WAITING, SENT)))
_PENDING = (
    select(_j.c.record_id, _j.c.kind, _j.c.after, _j.c.effects, _j.c.state, _j.c.ack_seq)
    .where(_j.c.state.in_(PENDING))
    .order_by(_j.c.op_n)
)
_HIGHEST_SENT = select(func.max(_j.c.op_n)).where(_j.c.state.in_((SENT, ACKNOWLEDGED, SETTLED, REFUSED)))
_HIGHEST_ANSWERED = select(func.max(_j.c.op_n)).where(_j.c.state.in_((ACKNOWLEDGED, SETTLED, REFUSED)))


@dataclass(frozen=True)
class Outgoing:
    """One operation as it travels: numbered per desk, with the version each field was made on."""

    n: int
    kind: str  # create, amend, command
    entity: str
    record_id: int
    after: dict[str, Any]
    base: dict[str, str | None]
    stamp: str
    at: int


@dataclass(frozen=True)
class Returned:
    """The street's answer to one operation. `outcome`: applied, merged, set_aside, refused; `refusal`: code, text, remedy, places."""

    n: int
    outcome: str
    refusal: tuple[str, str, str, dict[str, str]] | None
    seq: int


@dataclass(frozen=True)
class Receipt:
    """One line of the list of sent and waiting work."""

    n: int
    at: int
    kind: str
    entity: str
    record_id: int
    fields: tuple[str, ...]
    state: str
    verdict: str | None
    reason: str | None
    ack_at: int | None


def fields_kept(reason: str | None) -> frozenset[str]:
    """The fields of an answered operation that its street, older than this desk, keeps until it is updated."""
    if not reason or "sync.later" not in reason:
        return frozenset()
    code, _text, _remedy, places = json.loads(reason)
    return frozenset(filter(None, places.get("fields", "").split(","))) if code == "sync.later" else frozenset()


def waiting_count(reader: Reader) -> int:
    """How many operations the street has not answered yet."""
    return int(reader.connection.execute(_WAITING).scalar_one())


def last_answer_at(reader: Reader) -> int:
    """When the street answered an operation last; 0: never."""
    return int(reader.connection.execute(select(func.max(_j.c.ack_at))).scalar() or 0)


def waiting_acts(reader: Reader) -> int:
    """How many things that a person did the street has not answered yet: what was written together counts once."""
    query = select(func.count(_j.c.stamp.distinct())).where(_j.c.state.in_(("waiting", "sent")))
    return int(reader.connection.execute(query).scalar_one())


def counts(reader: Reader) -> dict[str, int]:
    """How many operations are in each state."""
    query = select(_j.c.state, func.count()).where(_j.c.state.is_not(None)).group_by(_j.c.state)
    return {str(state): int(n) for state, n in reader.connection.execute(query)}


def receipts(reader: Reader, limit: int = 200, *, states: Iterable[str] = ()) -> list[Receipt]:
    """The newest operations with what became of them, optionally only those in some states."""
    c = _j.c
    query = select(c.op_n, c.at, c.kind, c.entity, c.record_id, c.after, c.state, c.verdict, c.reason, c.ack_at)
    query = query.where(c.op_n.is_not(None)).order_by(c.op_n.desc()).limit(limit)
    wanted = list(states)
    if wanted:
        query = query.where(c.state.in_(wanted))
    return [
        Receipt(r.op_n, r.at, r.kind, r.entity, r.record_id, tuple(unpack(r.after)), r.state, r.verdict, words_of(r.reason), r.ack_at)
        for r in reader.connection.execute(query)
    ]  # fmt: skip


def next_operations(connection: Connection, limit_bytes: int, after_n: int = 0) -> list[Outgoing]:
    """The oldest unanswered operations after `after_n`, at least one, together not much more than `limit_bytes`."""
    ops: list[Outgoing] = []
    total = 0
    for r in connection.execute(_NEXT, {"after_n": after_n}):
        total += r.size
        if ops and (total > limit_bytes or r.op_n != ops[-1].n + 1):
            break
        ops.append(_outgoing(r))
    return ops


def operations_between(connection: Connection, first: int, last: int) -> list[Outgoing]:
    """The operations of these numbers, whatever became of them."""
    return [_outgoing(r) for r in connection.execute(_BETWEEN, {"first": first, "last": last})]


def _outgoing(r: Any) -> Outgoing:
    # What was erased with a scope this desk lost travels as "none": its number must not be missing.
    kind = r.kind if r.after is not None else "none"
    return Outgoing(r.op_n, kind, r.entity, r.record_id, unpack(r.after), unpack(r.base), r.stamp, r.at)


def mark_sent(connection: Connection, numbers: Sequence[int]) -> None:
    """These operations are on their way; they stay to be sent again until the street answers."""
    if numbers:
        c = _j.c
        marked = update(_j).where(c.op_n.between(numbers[0], numbers[-1]), c.state == WAITING).values(state=SENT)
        connection.execute(marked)


def acknowledge(connection: Connection, answers: Iterable[Returned], at: int) -> None:
    """Note the street's answers. An answer that comes again changes nothing."""
    rows = [
        {
            "b_n": a.n,
            "b_verdict": a.outcome,
            "b_reason": _reason(a),
            "b_seq": a.seq,
            "b_at": at,
        }
        for a in answers
    ]
    if rows:
        connection.exec_driver_sql(
            "UPDATE journal SET state='acknowledged', verdict=?, reason=?, ack_seq=?, ack_at=? "
            "WHERE op_n=? AND state IN ('waiting','sent')",
            [(r["b_verdict"], r["b_reason"], r["b_seq"], r["b_at"], r["b_n"]) for r in rows],
        )


def hand_over(connection: Connection, answers: Iterable[Returned], at: int) -> None:
    """Note the street's answers to operations that were handed over for review: they wait no longer. What they show stays shown; nothing is
    received any more that could replace it.
    """
    rows = [
        (REFUSED if a.outcome in ("set_aside", "refused") else SETTLED, a.outcome, _reason(a), HANDED_OVER, at, a.n)
        for a in answers
    ]
    if rows:
        connection.exec_driver_sql(
            "UPDATE journal SET state=?, verdict=?, reason=?, ack_seq=?, ack_at=? WHERE op_n=? AND state IN ('waiting','sent')",
            rows,
        )


def handed_over_cards(reader: Reader) -> int:
    """How many cards of the street's review list this desk's handed-over work became; a street that does not say: one for each operation."""
    query = select(_j.c.reason).where(_j.c.ack_seq == HANDED_OVER, _j.c.reason.contains(f'"{_TOLD}"', autoescape=True))
    told = [json.loads(reason)[3] for reason in reader.connection.scalars(query)]
    return sum(int(params.get(CARDS, 1)) for params in told)


def _reason(answer: Returned) -> str | None:
    return json.dumps(answer.refusal, ensure_ascii=False) if answer.refusal else None


def makers_of(connection: Connection, record_ids: Iterable[int]) -> list[tuple[int, Outgoing, int]]:
    """Which operations made these records, of those the street never answered in the ordinary way: record, operation, and which of the
    records that it made.
    """
    wanted = set(record_ids)
    found: list[tuple[int, Outgoing, int]] = []
    for r in connection.execute(_MAKING):
        made = [r.record_id] if r.kind == "create" else [i for _kind, i in unpack(r.effects).get("made", ())]
        if wanted.isdisjoint(made):
            continue
        found += [(i, _outgoing(r), part) for part, i in enumerate(made) if i in wanted]
    return found


def highest_acknowledged(connection: Connection) -> int:
    """The last operation the street has answered."""
    return int(connection.execute(_HIGHEST_ANSWERED).scalar() or 0)


def highest_sent(connection: Connection) -> int:
    """The number of the last operation that was ever on its way; 0 before the first."""
    return int(connection.execute(_HIGHEST_SENT).scalar() or 0)


def offer_again(connection: Connection, after_n: int) -> int:
    """The street knows our operations only up to `after_n` (it came back from a backup): have the later ones wait again."""
    again = (
        update(_j)
        .where(_j.c.op_n > after_n, _j.c.state.in_((ACKNOWLEDGED, SETTLED, REFUSED)))
        .values(state=WAITING, ack_seq=None, ack_at=None, verdict=None, reason=None)
    )
    return connection.execute(again).rowcount


def pending_values(connection: Connection, before_settling: int | None = None) -> dict[int, dict[str, Any]]:
    """Per record, the values its unsettled operations show here, later ones over earlier ones.

    ``before_settling``: leave out operations answered at or before this number of the feed.
    """
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for r in connection.execute(_PENDING):
        if before_settling is not None and r.state == ACKNOWLEDGED and r.ack_seq <= before_settling:
            continue
        if r.kind == "amend":
            found[r.record_id].update(unpack(r.after))
        elif r.kind == "command" and r.effects:
            found[r.record_id].update(unpack(r.effects).get("fields", {}))
        else:
            found[r.record_id].update({})  # being created: nothing lies over it, but it is not the street's yet
    return found
