"""The street's record of what desks pushed: every operation once, with its answer, so that sending again is harmless."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from gridman.store import tables
from gridman.store.values import pack, unpack

_LAST = select(func.max(tables.sync_op.c.n)).where(tables.sync_op.c.replica == bindparam("replica"))
_HEARD_OF = (
    update(tables.device)
    .where(tables.device.c.replica == bindparam("of"))
    .values(last_n=bindparam("n"), last_seen_at=bindparam("at"), skew_ms=bindparam("skew"))
)

__all__ = [
    "answers_of",
    "forget_kept",
    "keep_answers",
    "keep_for_later",
    "kept_for_later",
    "last_pushed",
    "note_device",
]


def last_pushed(connection: Connection, replica: int) -> int:
    """The number of the last operation of this desk that was answered."""
    return int(connection.execute(_LAST, {"replica": replica}).scalar() or 0)


def answers_of(connection: Connection, replica: int, first: int, last: int) -> dict[int, tuple[str, Any, int]]:
    """Digest, answer and feed number of the operations `first` to `last`."""
    c = tables.sync_op.c
    query = select(c.n, c.digest, c.verdict, c.seq).where(c.replica == replica, c.n.between(first, last))
    return {n: (digest, unpack(verdict), seq) for n, digest, verdict, seq in connection.execute(query)}


def keep_answers(
    connection: Connection, replica: int, answers: Iterable[tuple[int, str, Any]], seq: int, at: int
) -> None:
    """Keep (number, digest, answer) of operations answered in this transaction."""
    rows = [
        {"replica": replica, "n": n, "digest": digest, "verdict": pack(answer), "seq": seq, "at": at}
        for n, digest, answer in answers
    ]
    if rows:
        connection.execute(insert(tables.sync_op), rows)


def note_device(connection: Connection, replica: int, last_n: int, at: int, skew_ms: int) -> None:
    """When a device was last heard of, how far it has sent and how far its clock is off."""
    connection.execute(_HEARD_OF, {"of": replica, "n": last_n, "at": at, "skew": skew_ms})


def keep_for_later(connection: Connection, scope: str | None, entity: str, record_id: int, payload: Any) -> None:
    """Keep what this version does not understand, for the version that will."""
    row = {"scope": scope, "entity": entity, "record_id": record_id, "payload": pack(payload)}
    connection.execute(insert(tables.deferred), [row])


def kept_for_later(connection: Connection) -> list[tuple[int, Any]]:
    """(number, payload) of what is kept, the oldest first."""
    d = tables.deferred.c
    return [(int(n), unpack(p)) for n, p in connection.execute(select(d.id, d.payload).order_by(d.id))]


def forget_kept(connection: Connection, number: int) -> bool:
    """It is taken in now; False when somebody else has done so."""
    return bool(connection.execute(delete(tables.deferred).where(tables.deferred.c.id == number)).rowcount)
