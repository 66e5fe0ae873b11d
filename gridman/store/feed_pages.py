"""Reading the street's feed page by page: what changed in a scope after a position, and the rows themselves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Select, Table, bindparam, select, tuple_

from gridman.domain.catalog import noun
from gridman.store import tables
from gridman.store.batches import batches
from gridman.store.unit import Reader

__all__ = [
    "cell_states",
    "cell_states_of",
    "cells_of",
    "clock_of",
    "entries_after",
    "rows_of",
    "same_moment",
    "scopes_with_news",
]


_SCOPES = 200
_CLOCK = select(tables.sync_clock.c.n, tables.sync_clock.c.epoch).where(tables.sync_clock.c.one == 1)
_c = tables.cell.c
_CELLS = select(_c.record_id, _c.field, _c.version, _c.actor_id, _c.at).where(
    _c.record_id.in_(bindparam("ids", expanding=True))
)
_STATES = select(_c.field, _c.version, _c.claimed, _c.actor_id, _c.at).where(
    _c.record_id == bindparam("record_id"), _c.field.in_(bindparam("fields", expanding=True))
)

_ALL_STATES = select(_c.record_id, _c.field, _c.version, _c.claimed, _c.actor_id, _c.at).where(
    _c.record_id.in_(bindparam("ids", expanding=True))
)


def _after(table: Table) -> Select[tuple[int, int, str]]:
    c = table.c
    asked = tuple_(bindparam("after_seq", type_=BigInteger), bindparam("after_id", type_=BigInteger))
    return (
        select(c.seq, c.record_id, c.entity)
        .where(c.scope == bindparam("scope"), tuple_(c.seq, c.record_id) > asked, c.seq <= bindparam("upto"))
        .order_by(c.seq, c.record_id)
        .limit(bindparam("most", type_=Integer))
    )


def _since(table: Table) -> Select[tuple[str]]:
    c = table.c
    wanted = c.scope.in_(bindparam("scopes", expanding=True))
    return select(c.scope).where(wanted, c.seq >= bindparam("since")).distinct()


_ENTRIES, _EXITS = _after(tables.sync_row), _after(tables.sync_exit)
_NEWS, _NEWS_OF_EXITS = _since(tables.sync_row), _since(tables.sync_exit)


def same_moment(reader: Reader) -> None:
    """Have all that this reader reads come from one moment. SQLite's readers do so anyway; PostgreSQL has to be told first."""
    if reader.session.get_bind().dialect.name == "postgresql":
        reader.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def clock_of(connection: Connection) -> tuple[int, str]:
    """The number of the last change, and the epoch: which life of the street's data the numbers belong to."""
    row = connection.execute(_CLOCK).first()
    return (0, "") if row is None else (int(row.n), str(row.epoch))


def entries_after(
    connection: Connection, scope: str, seq: int, after_id: int, upto: int, limit: int
) -> list[tuple[int, int, str, bool]]:
    """At most `limit` feed entries (number, record id, kind, whether it left the scope) after a position, in order."""
    found: list[tuple[int, int, str, bool]] = []
    asked = {"scope": scope, "after_seq": seq, "after_id": after_id, "upto": upto, "most": limit}
    for query, is_exit in ((_ENTRIES, False), (_EXITS, True)):
        found += [(r.seq, r.record_id, r.entity, is_exit) for r in connection.execute(query, asked).all()]
    return sorted(found)[:limit]


def scopes_with_news(connection: Connection, scopes: Iterable[str], since: int) -> set[str]:
    """Which of these scopes have any entry numbered `since` or later."""
    found: set[str] = set()
    wanted = sorted(scopes)
    for start in range(0, len(wanted), _SCOPES):
        part = wanted[start : start + _SCOPES]
        for query in (_NEWS, _NEWS_OF_EXITS):
            found.update(connection.scalars(query, {"scopes": part, "since": since}))
    return found


def rows_of(connection: Connection, kind: str, ids: Iterable[int]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """The wire columns of a noun (the id first), and the rows with these ids."""
    columns, query = _whole(kind)
    rows: list[tuple[Any, ...]] = []
    for part in batches(ids):
        rows += map(tuple, connection.execute(query, {"ids": part}).all())
    return columns, rows


@cache
def _whole(kind: str) -> tuple[tuple[str, ...], Select[Any]]:
    known = noun(kind)
    if known is None:
        raise KeyError(kind)
    table = known.cls.__table__
    columns = ("id", *(name for name in known.columns if name != "id"))
    return columns, select(*(table.c[name] for name in columns)).where(table.c.id.in_(bindparam("ids", expanding=True)))


def cells_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[tuple[str, str, int | None, int | None]]]:
    """For each record that was ever edited: (field, version, who, when) of each edited field."""
    found: dict[int, list[tuple[str, str, int | None, int | None]]] = defaultdict(list)
    for part in batches(ids):
        for record_id, *cell in connection.execute(_CELLS, {"ids": part}).all():
            found[record_id].append((cell[0], cell[1], cell[2], cell[3]))
    return found


def cell_states(
    connection: Connection, record_id: int, fields: Sequence[str]
) -> dict[str, tuple[str, str | None, int | None, int | None]]:
    """Version, the writer's own stamp, who and when of those of a record's fields that were ever edited."""
    rows = connection.execute(_STATES, {"record_id": record_id, "fields": list(fields)})
    return {name: (version, claimed, who, at) for name, version, claimed, who, at in rows}


def cell_states_of(
    connection: Connection, record_ids: Iterable[int]
) -> dict[int, dict[str, tuple[str, str | None, int | None, int | None]]]:
    """The same of all fields of each of these records."""
    found: dict[int, dict[str, tuple[str, str | None, int | None, int | None]]] = {i: {} for i in record_ids}
    for part in batches(found):
        for record_id, name, *state in connection.execute(_ALL_STATES, {"ids": part}):
            found[record_id][name] = (state[0], state[1], state[2], state[3])
    return found
