"""The street's record of what computers handed over that may not write any more: each operation once, by its content and not by its number,
which a copy of the same desk has given to other work; the new numbers of records made there; and how much of it there was.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from gridman.store import tables
from gridman.store.batches import batches
from gridman.store.unit import Reader
from gridman.store.values import pack, unpack

__all__ = [
    "CARDS",
    "HandOver",
    "add_to_hand_over",
    "all_verdicts_of",
    "hand_over_of",
    "keep_renewed",
    "keep_verdicts",
    "renewed_ids",
    "verdicts_of",
]

CARDS = "cards"
"""In the answer to an operation that was handed over: how many cards of the review list it became, an edit one for each field."""

_h, _o, _r = tables.hand_over, tables.handed_over, tables.renewed_id


@dataclass(frozen=True)
class HandOver:
    """How much a computer has handed over: edited fields and other operations, their bytes, bytes of photos. `ended_at`: when it was through."""

    changes: int = 0
    bytes: int = 0
    photo_bytes: int = 0
    ended_at: int | None = None


def hand_over_of(reader: Reader, replica: int) -> HandOver:
    """What this computer has handed over so far."""
    row = reader.connection.execute(select(_h).where(_h.c.replica == replica)).first()
    return HandOver() if row is None else HandOver(row.ops, row.bytes, row.photo_bytes, row.ended_at)


def add_to_hand_over(
    connection: Connection, replica: int, changes: int = 0, op_bytes: int = 0, photo_bytes: int = 0, ended_at: int | None = None
) -> None:  # fmt: skip
    """Count what came; with `ended_at` it was all. The caller has the device's turn."""
    if connection.execute(select(_h.c.replica).where(_h.c.replica == replica)).first() is None:
        connection.execute(insert(_h), {"replica": replica, "ops": 0, "bytes": 0, "photo_bytes": 0, "ended_at": None})
    values: dict[str, Any] = {
        "ops": _h.c.ops + changes, "bytes": _h.c.bytes + op_bytes, "photo_bytes": _h.c.photo_bytes + photo_bytes
    }  # fmt: skip
    if ended_at is not None:
        values["ended_at"] = ended_at
    connection.execute(update(_h).where(_h.c.replica == replica).values(**values))


def all_verdicts_of(connection: Connection, replica: int) -> list[Any]:
    """The answers to all that this computer handed over."""
    return [unpack(verdict) for verdict in connection.scalars(select(_o.c.verdict).where(_o.c.replica == replica))]


def verdicts_of(connection: Connection, replica: int, digests: Iterable[str]) -> dict[str, Any]:
    """The answers to those of these operations that were handed over before."""
    return {
        digest: unpack(verdict)
        for part in batches(digests)
        for digest, verdict in connection.execute(
            select(_o.c.digest, _o.c.verdict).where(_o.c.replica == replica, _o.c.digest.in_(part))
        )
    }


def keep_verdicts(connection: Connection, replica: int, verdicts: Iterable[tuple[str, Any]], at: int) -> None:
    """Keep (digest, answer) of operations that were handed over in this transaction."""
    rows = [{"replica": replica, "digest": digest, "verdict": pack(v), "at": at} for digest, v in verdicts]
    if rows:
        connection.execute(insert(_o), rows)


def renewed_ids(connection: Connection, replica: int, digests: Iterable[str]) -> dict[tuple[str, int], int]:
    """The new numbers of what these operations made: (digest, which of them) -> number."""
    return {
        (digest, int(number)): int(new_id)
        for part in batches(set(digests))
        for digest, number, new_id in connection.execute(
            select(_r.c.digest, _r.c.part, _r.c.new_id).where(_r.c.replica == replica, _r.c.digest.in_(part))
        )
    }


def keep_renewed(connection: Connection, replica: int, renewed: Iterable[tuple[str, int, int]]) -> None:
    """Keep (digest, which of what it made, new number)."""
    rows = [{"replica": replica, "digest": digest, "part": part, "new_id": new} for digest, part, new in renewed]
    if rows:
        connection.execute(insert(_r), rows)
