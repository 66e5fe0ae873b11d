"""A consistent copy of an encrypted data file while others work on it, and the new life of a street that was restored from one.

What a restored street hands out must never have been handed out before: ids of records and numbers of devices given between the backup
and the restore are in use on desks. It therefore goes on far beyond them, under a new epoch by which desks notice (sync design,
failure matrix: "server restored from backup").
"""

from pathlib import Path

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from gridman.kernel.ids import STREET_REPLICA, counter_at, random_token
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.store import tables
from gridman.store.accounts import keep_replicas_from, street_identity
from gridman.store.database import Database, open_sqlite
from gridman.store.feed import hold_clock
from gridman.store.moving import copy_to_sqlite
from gridman.store.unit import Reader, Unit

__all__ = ["begin_new_life", "copy_database", "feed_position", "identity_of_copy", "size_bytes"]

SKIPPED_IDS = 1 << 30
"""Of 2^43, where the clock is of no help."""
_STEPS = 200_000
"""Instructions of SQLite's machine between two looks at how far a copy is: some hundredths of a second."""
SKIPPED_REPLICAS = 1_000


def copy_database(database: Database, target: Path, key: bytes = b"", progress: Progress = quiet) -> None:
    """Copy the data as one moment saw it to the new SQLite file `target`; writers go on meanwhile. An SQLite file keeps its key; `key`
    (32 bytes) is for what lies in PostgreSQL.
    """
    if database.path is None:
        copy_to_sqlite(database, target, key, progress)
        return
    connection = database.reader.raw_connection()
    try:
        raw = connection.driver_connection
        assert raw is not None
        # Reading engines are barred from writing; this writes to the new file only.
        raw.execute("PRAGMA query_only=OFF").fetchall()
        told = _Telling(database.path, target, progress)
        raw.set_progress_handler(told, _STEPS)
        try:
            raw.execute("VACUUM INTO ?", (str(target),)).fetchall()
        except Exception as error:
            raise (told.raised or error) from error
        finally:
            raw.set_progress_handler(None, 0)
            raw.execute("PRAGMA query_only=ON").fetchall()
    finally:
        connection.close()


class _Telling:
    """Called by SQLite while it copies: tells how much there is of the new file, and stops the copy when that raises."""

    def __init__(self, source: Path, target: Path, progress: Progress) -> None:
        self._source, self._target, self._progress = source, target, progress
        self.raised: BaseException | None = None

    def __call__(self) -> int:
        try:
            whole = self._source.stat().st_size
            there = self._target.stat().st_size if self._target.exists() else 0
            self._progress(min(there, whole), whole, N_("Copying the data"))
        except BaseException as error:
            self.raised = error
            return 1
        return 0


def size_bytes(database: Database) -> int:
    """How much room the data takes, about."""
    if database.path is not None:
        return database.path.stat().st_size
    with database.reader.connect() as connection:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def identity_of_copy(path: Path, key: bytes, now: int) -> tuple[str, str, int]:
    """The street's id, its epoch and the last number of its feed, as the copy has them: the street itself has gone on."""
    database = open_sqlite(path, key, must_exist=True)
    try:
        with Session(database.reader) as session:
            reader = Reader(session, lambda: now)
            return (*street_identity(reader), feed_position(reader))
    finally:
        database.close()


def feed_position(reader: Reader) -> int:
    """The last number of the street's feed."""
    return int(reader.connection.execute(select(tables.sync_clock.c.n)).scalar() or 0)


def begin_new_life(unit: Unit) -> str:
    """Give a restored street a new epoch, and numbers that were never used; returns the epoch."""
    connection = unit.connection
    hold_clock(connection)
    epoch = random_token(9)
    connection.execute(update(tables.sync_clock).values(epoch=epoch))
    c = tables.replica_counter.c
    last = connection.execute(select(c.last).where(c.replica == STREET_REPLICA).with_for_update()).scalar() or 0
    # A fixed step would give the same numbers in two lives that began with the same backup.
    first = counter_at(unit.now)
    first = first if first > last else last + SKIPPED_IDS
    connection.execute(update(tables.replica_counter).where(c.replica == STREET_REPLICA).values(last=first))
    keep_replicas_from(unit, SKIPPED_REPLICAS)
    for of_the_old_life in (tables.job, tables.web_session):
        connection.execute(delete(of_the_old_life))
    # Codes that were used since the backup would work a second time.
    e = tables.enrolment
    connection.execute(update(e).where(e.c.used_at.is_(None)).values(used_at=unit.now))
    return epoch
