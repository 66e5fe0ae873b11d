"""The list of a desk's own operations: what waits, what was sent, what was refused."""

from array import array
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from gridman.store import tables
from gridman.store.batches import batches
from gridman.store.unit import Reader
from gridman.store.values import unpack

__all__ = ["changed_fields", "ids", "rows"]

_j = tables.journal.c


def ids(reader: Reader, states: Sequence[str] = ()) -> "array[int]":
    """The numbers of the desk's operations in these states (empty: all), the newest first."""
    query = select(_j.op_n).where(_j.op_n.is_not(None))
    if states:
        query = query.where(_j.state.in_(states))
    return array("q", reader.connection.scalars(query.order_by(_j.op_n.desc())))


def rows(reader: Reader, numbers: Sequence[int]) -> list[Row[Any]]:
    """The operations with these numbers, in their order."""
    found: dict[int, Any] = {}
    for part in batches(numbers):
        query = select(
            _j.op_n,
            _j.at,
            _j.actor_id,
            _j.kind,
            _j.entity,
            _j.record_id,
            _j.after,
            _j.state,
            _j.verdict,
            _j.reason,
            _j.ack_at,
        )
        found.update({row.op_n: row for row in reader.connection.execute(query.where(_j.op_n.in_(part)))})
    return [found[n] for n in numbers if n in found]


def changed_fields(row: Row[Any]) -> dict[str, Any]:
    """Field -> value written by an operation; of a command its words."""
    return dict(unpack(row.after))
