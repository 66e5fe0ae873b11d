"""The open store: units for writing, readers for reading, one writer at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, event, select
from sqlalchemy.orm import Session

from gridman.domain.access import Actor
from gridman.domain.stamp import ZERO, HybridClock
from gridman.kernel.clock import Clock, system_clock
from gridman.store import indexes, tables
from gridman.store.changes import Changes
from gridman.store.database import Database
from gridman.store.migrations import upgrade
from gridman.store.unit import Reader, Recorder, Unit, UnitSession, after_flush, before_flush, forbid_bulk

__all__ = ["Outcome", "Store", "open_store"]

event.listen(UnitSession, "before_flush", before_flush)
event.listen(UnitSession, "after_flush", after_flush)
event.listen(UnitSession, "do_orm_execute", forbid_bulk)


_META = select(tables.meta.c.value).where(tables.meta.c.key == bindparam("key"))
_PUT_META = tables.meta.update().where(tables.meta.c.key == bindparam("of")).values(value=bindparam("to"))


@dataclass
class Outcome:
    """What a unit did; `changes` is filled at its commit."""

    changes: Changes


class Store:
    """One copy of the data: a desk's or a street's."""

    def __init__(
        self, database: Database, replica: int, recorders: Sequence[Recorder], clock: Clock = system_clock
    ) -> None:
        self.database = database
        self.replica = replica
        self.clock = clock
        self._recorders = tuple(recorders)
        with database.writing, database.writer.begin() as connection:
            known = select(tables.replica_counter.c.replica).where(tables.replica_counter.c.replica == replica)
            if connection.execute(known).first() is None:
                connection.execute(tables.replica_counter.insert().values(replica=replica, last=0))

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A consistent view for the length of the block."""
        with Session(self.database.reader, expire_on_commit=False, autoflush=False) as session:
            yield Reader(session, self.clock)

    @contextmanager
    def unit(self, actor: Actor) -> Iterator[Unit]:
        """A unit of work: commits when the block ends, leaves nothing behind when it raises. Its changes: `unit.changes`."""
        with (
            self.database.writing,
            UnitSession(self.database.writer, expire_on_commit=False, autoflush=True) as session,
        ):
            connection = session.connection()
            ticking = HybridClock(self.replica, _meta(connection, "last_stamp") or ZERO)
            unit = Unit(session, self.clock, actor, ticking, self._recorders)
            session.unit = unit
            yield unit
            unit.changes = unit.finish()
            put_meta(connection, "last_stamp", unit.last_stamp)
            session.commit()

    def close(self) -> None:
        """Close every connection."""
        self.database.close()


def _meta(connection: Any, key: str) -> str | None:
    value = connection.execute(_META, {"key": key}).scalar()
    return None if value is None else str(value)


def get_meta(reader: Reader, key: str) -> str | None:
    """One of the store's own notes about itself."""
    return _meta(reader.connection, key)


def put_meta(connection: Any, key: str, value: str) -> None:
    """Keep a note of the store about itself."""
    changed = connection.execute(_PUT_META, {"of": key, "to": value})
    if not changed.rowcount:
        connection.execute(tables.meta.insert().values(key=key, value=value))


def open_store(database: Database, replica: int, recorders: Sequence[Recorder], clock: Clock = system_clock) -> Store:
    """Bring the schema up to this version (a copy of the file is kept when it is older) and open the store."""
    upgrade(database)
    if database.is_sqlite:
        with database.writing, database.writer.begin() as connection:
            indexes.ensure(connection)
    return Store(database, replica, recorders, clock)
