"""Derived indexes: household lines, search terms, places on the map. They follow from the records and can be rebuilt at any time, so
they are not journaled, not synced and no part of the schema's history.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from gridman.domain.catalog import noun_of
from gridman.kernel.clock import day_of
from gridman.store import lines, places, search
from gridman.store.unit import Captured, Unit

__all__ = ["WITHOUT", "Indexer", "add_new", "ensure", "forget", "rebuild", "refresh"]

WITHOUT = "without_indexes"
"""The note of a store whose records came without their indexes; who opens it makes them."""


class Indexer:
    """Recorder that keeps the indexes true to what a unit wrote, in the unit's own transaction."""

    def record(self, unit: Unit, captured: list[Captured]) -> None:
        touched: dict[str, set[int]] = unit.ledger.setdefault("indexes", {})
        for change in captured:
            touched.setdefault(noun_of(change.record).kind, set()).add(change.record.id)

    def finish(self, unit: Unit) -> None:
        touched = unit.ledger.pop("indexes", None)
        if touched:
            refresh(unit.connection, touched, unit.at)


def ensure(connection: Connection) -> None:
    """Create what Alembic does not know: SQLite's full-text and R*Tree tables."""
    if connection.dialect.name == "sqlite":
        search.ensure(connection)
        places.ensure(connection)


def refresh(connection: Connection, touched: Mapping[str, Iterable[int]], now_ms: int) -> None:
    """Bring the indexes up to date for these records, by kind."""
    by_kind = {kind: set(ids) for kind, ids in touched.items()}
    lines.refresh(connection, by_kind, day_of(now_ms))
    if connection.dialect.name == "sqlite":
        search.refresh(connection, by_kind)
        places.refresh(connection, by_kind)


def add_new(connection: Connection, fresh: Mapping[str, Mapping[str, Sequence[Any]]], now_ms: int) -> None:
    """Index records that were never here before, given by kind as columns of their rows."""
    lines.add_new(connection, fresh, day_of(now_ms))
    if connection.dialect.name == "sqlite":
        search.add_new(connection, fresh)
        places.refresh(connection, {kind: columns["id"] for kind, columns in fresh.items()})


def forget(connection: Connection, record_ids: Iterable[int]) -> None:
    """Take records that left this computer out of every index."""
    ids = list(record_ids)
    lines.forget(connection, ids)
    if connection.dialect.name == "sqlite":
        search.forget(connection, ids)
        places.forget(connection, ids)


def rebuild(connection: Connection, now_ms: int) -> None:
    """Make all indexes anew from the records."""
    ensure(connection)
    lines.rebuild(connection, day_of(now_ms))
    if connection.dialect.name == "sqlite":
        search.rebuild(connection)
        places.rebuild(connection)
