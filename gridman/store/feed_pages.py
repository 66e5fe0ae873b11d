"""Reading the street's feed page by page: what changed in a scope after a position, and the rows themselves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select, tuple_

from gridman.domain.catalog import noun
from gridman.store import tables
from gridman.store.batches import batches
from gridman.store.unit import Reader

__all__ = ["cell_states", "cells_of", "clock_of", "entries_after", "rows_of", "same_moment", "scopes_with_news"]


_SCOPES = 200


def same_moment(reader: Reader) -> None:
    """Have all that this reader reads come from one moment. SQLite's readers do so anyway; PostgreSQL has to be told first."""
    if reader.session.get_bind().dialect.name == "postgresql":
        reader.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def clock_of(connection: Connection) -> tuple[int, str]:
    """The number of the last change, and the epoch: which life of the street's data the numbers belong to."""
    c = tables.sync_clock.c
    row = connection.execute(select(c.n, c.epoch).where(c.one == 1)).first()
    return (0, "") if row is None else (int(row.n), str(row.epoch))


def entries_after(
    connection: Connection, scope: str, seq: int, after_id: int, upto: int, limit: int
) -> list[tuple[int, int, str, bool]]:
    """At most `limit` feed entries (number, record id, kind, whether it left the scope) after a position, in order."""
    found: list[tuple[int, int, str, bool]] = []
    for table, is_exit in ((tables.sync_row, False), (tables.sync_exit, True)):
        c = table.c
        query = (
            select(c.seq, c.record_id, c.entity)
            .where(c.scope == scope, tuple_(c.seq, c.record_id) > tuple_(seq, after_id), c.seq <= upto)
            .order_by(c.seq, c.record_id)
            .limit(limit)
        )
        found += [(s, i, kind, is_exit) for s, i, kind in connection.execute(query)]
    return sorted(found)[:limit]


def scopes_with_news(connection: Connection, scopes: Iterable[str], since: int) -> set[str]:
    """Which of these scopes have any entry numbered `since` or later."""
    found: set[str] = set()
    wanted = sorted(scopes)
    for start in range(0, len(wanted), _SCOPES):
        part = wanted[start : start + _SCOPES]
        for table in (tables.sync_row, tables.sync_exit):
            c = table.c
            found.update(connection.scalars(select(c.scope).where(c.scope.in_(part), c.seq >= since).distinct()))
    return found


def rows_of(connection: Connection, kind: str, ids: Iterable[int]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """The wire columns of a noun (the id first), and the rows with these ids."""
    known = noun(kind)
    if known is None:
        raise KeyError(kind)
    table = known.cls.__table__
    columns = ("id", *(name for name in known.columns if name != "id"))
    shown = [table.c[name] for name in columns]
    rows: list[tuple[Any, ...]] = []
    for part in batches(ids):
        rows += map(tuple, connection.execute(select(*shown).where(table.c.id.in_(part))))
    return columns, rows


def cells_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[tuple[str, str, int | None, int | None]]]:
    """For each record that was ever edited: (field, version, who, when) of each edited field."""
    c = tables.cell.c
    found: dict[int, list[tuple[str, str, int | None, int | None]]] = defaultdict(list)
    for part in batches(ids):
        query = select(c.record_id, c.field, c.version, c.actor_id, c.at).where(c.record_id.in_(part))
        for record_id, *cell in connection.execute(query):
            found[record_id].append((cell[0], cell[1], cell[2], cell[3]))
    return found


def cell_states(
    connection: Connection, record_id: int, fields: Sequence[str]
) -> dict[str, tuple[str, str | None, int | None, int | None]]:
    """Version, the writer's own stamp, who and when of those of a record's fields that were ever edited."""
    c = tables.cell.c
    query = select(c.field, c.version, c.claimed, c.actor_id, c.at).where(c.record_id == record_id, c.field.in_(fields))
    return {name: (version, claimed, who, at) for name, version, claimed, who, at in connection.execute(query)}
