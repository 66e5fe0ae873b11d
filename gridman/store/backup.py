"""A consistent copy of an encrypted data file while others work on it, and the new life of a street that was restored from one.

What a restored street hands out must never have been handed out before: ids of records and numbers of devices given between the backup
and the restore are in use on desks. It therefore goes on far beyond them, under a new epoch by which desks notice (sync design,
failure matrix: "server restored from backup").
"""

from pathlib import Path

from sqlalchemy import func, select, update

from gridman.kernel.errors import Refusal
from gridman.kernel.ids import STREET_REPLICA, random_token
from gridman.kernel.words import N_
from gridman.store import tables
from gridman.store.accounts import keep_replicas_from
from gridman.store.database import Database
from gridman.store.feed import hold_clock
from gridman.store.unit import Reader, Unit

__all__ = ["begin_new_life", "copy_database", "feed_position", "no_copy_of_postgresql"]

SKIPPED_IDS = 1 << 30
"""Of 2^43: eight thousand restores."""
SKIPPED_REPLICAS = 1_000


def copy_database(database: Database, target: Path) -> None:
    """Copy the SQLite file as one moment saw it to the new file `target`, encrypted with the same key; writers go on meanwhile.

    Refuses with ``backup.postgresql``.
    """
    if database.path is None:
        raise no_copy_of_postgresql()
    connection = database.reader.raw_connection()
    try:
        raw = connection.driver_connection
        assert raw is not None
        # Reading engines are barred from writing; this writes to the new file only.
        raw.execute("PRAGMA query_only=OFF").fetchall()
        try:
            raw.execute("VACUUM INTO ?", (str(target),)).fetchall()
        finally:
            raw.execute("PRAGMA query_only=ON").fetchall()
    finally:
        connection.close()


def no_copy_of_postgresql() -> Refusal:
    """The refusal ``backup.postgresql``."""
    return Refusal(
        "backup.postgresql",
        N_("The street's data lies in PostgreSQL, which has a backup of its own."),
        N_("Use pg_dump for the database, and copy the folder's street.key and blobs with it."),
    )


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
    connection.execute(
        update(tables.replica_counter)
        .where(c.replica == STREET_REPLICA)
        .values(last=func.coalesce(c.last, 0) + SKIPPED_IDS)
    )
    keep_replicas_from(unit, SKIPPED_REPLICAS)
    return epoch
