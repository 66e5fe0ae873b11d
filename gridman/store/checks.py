"""What a copy of a scope amounts to: per kind of record how many there are, and a mark over their values, so that two copies can be held
against each other without sending either (sync design D13).

The mark is the exclusive or of an 8-byte BLAKE2b of each row, so the order of reading does not matter. On a desk a field that shows an
edit of its own which is not settled yet counts with the street's value below it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, bindparam, select

from gridman.domain.catalog import Noun, noun
from gridman.store import tables
from gridman.store.batches import batches
from gridman.store.feed_scopes import ids_of_scope
from gridman.store.leaving import table_of
from gridman.store.values import unpack

__all__ = ["Mark", "marks_of_scope"]

_MARK_BYTES = 8
_encode = msgspec.msgpack.Encoder().encode


class Mark(NamedTuple):
    """`rows` of one kind, `mark` over the values of these columns. `columns` empty: only counted, for not all are known here."""

    columns: tuple[str, ...]
    rows: int
    mark: int


def marks_of_scope(
    connection: Connection, scope: str, asked: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Mark]:
    """By kind, what this copy holds of a scope. `asked`: the columns to look at, where the other side has said which it knows; a kind of
    which a column is unknown here is counted only.
    """
    found: dict[str, Mark] = {}
    for kind, ids in ids_of_scope(connection, scope).items():
        known = noun(kind)
        columns = _columns(known, None if asked is None else asked.get(kind))
        mark = _mark(connection, known, columns, ids) if known is not None and columns else Mark((), len(ids), 0)
        found[kind] = mark
    return found


def _columns(known: Noun | None, asked: Sequence[str] | None) -> tuple[str, ...]:
    if known is None:
        return ()
    own = ("id", *(name for name in known.columns if name != "id"))
    if asked is None:
        return own
    return tuple(asked) if set(asked) <= set(own) else ()


def _mark(connection: Connection, known: Noun, columns: tuple[str, ...], ids: Sequence[int]) -> Mark:
    below = _values_below(connection, known.kind)
    count = mark = 0
    for row in _rows(connection, known, columns, ids):
        mine = below.get(row[0])
        if mine:
            row = tuple(mine.get(name, value) for name, value in zip(columns, row, strict=True))
        digest = hashlib.blake2b(_encode(row), digest_size=_MARK_BYTES).digest()
        mark ^= int.from_bytes(digest, "big")
        count += 1
    return Mark(columns, count, mark)


def _rows(
    connection: Connection, known: Noun, columns: tuple[str, ...], ids: Sequence[int]
) -> Iterator[tuple[Any, ...]]:
    query = _whole(known.kind, columns)
    for part in batches(ids):
        yield from map(tuple, connection.execute(query, {"ids": part}))


@cache
def _whole(kind: str, columns: tuple[str, ...]) -> Select[Any]:
    known = noun(kind)
    assert known is not None
    table = table_of(known)
    return select(*(table.c[name] for name in columns)).where(table.c.id.in_(bindparam("ids", expanding=True)))


def _values_below(connection: Connection, kind: str) -> dict[int, dict[str, Any]]:
    """The street's values of the fields that show this desk's own pending edits."""
    b = tables.base_cell.c
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for record_id, name, value in connection.execute(select(b.record_id, b.field, b.value).where(b.entity == kind)):
        found[record_id][name] = unpack(value)
    return found
