"""Derived indexes: household lines, search terms, places on the map. They follow from the records and can be rebuilt at any time, so
they are not journaled, not synced and no part of the schema's history.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from gridman.domain.catalog import noun_of
from gridman.kernel.clock import day_of
from gridman.store import lines, places, search
from gridman.store.unit import Captured, Unit

__all__ = ["Indexer", "ensure", "forget", "rebuild", "refresh"]


class Indexer:
    """Recorder that keeps the indexes true to what a unit wrote, in the unit's own transaction."""

    def __init__(self) -> None:
        self._touched: dict[str, set[int]] = {}
        self._unit: Unit | None = None

    def record(self, unit: Unit, captured: list[Captured]) -> None:
        if unit is not self._unit:  # a unit that failed leaves nothing behind for the next one
            self._unit, self._touched = unit, {}
        for change in captured:
            self._touched.setdefault(noun_of(change.record).kind, set()).add(change.record.id)

    def finish(self, unit: Unit) -> None:
        if unit is self._unit and self._touched:
            refresh(unit.connection, self._touched, unit.at)
        self._unit, self._touched = None, {}


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
