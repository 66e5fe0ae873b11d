"""Engines: the encrypted SQLite file of a desk or a small street, or a street's PostgreSQL.

SQLite: SQLCipher with a raw 256-bit key (no key derivation at open), write-ahead log, one writer and many readers. Choices
and figures: SQLCipher costs 1.0-2.3 times plain SQLite with a 64 MB page cache and up to 4.5 times with the default 2 MB.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from gridman.kernel.errors import Refusal, Trouble
from gridman.kernel.private import close_to_others
from gridman.kernel.words import N_
from gridman.store.trouble import damaged_file, tell_trouble, trouble_of_sqlite

__all__ = ["SHARED_CACHE_KIB", "Database", "exported_sqlite", "open_postgresql", "open_sqlite"]

_CACHE_KIB = 65_536
SHARED_CACHE_KIB = 16_384
"""Page cache of each reading connection of a street: a reader's cache is emptied by every commit of somebody else's, so at a busy server a large
one holds memory and no pages that are asked for again (four connections of 64 MB each).
"""

_BUSY_S = 10.0
_EMPTY = "0 bytes"


@dataclass
class Database:
    """A writer engine and a reader engine on the same data. `path` is None for PostgreSQL."""

    writer: Engine
    reader: Engine
    path: Path | None
    writing: threading.RLock = field(default_factory=threading.RLock)

    @property
    def is_sqlite(self) -> bool:
        return self.path is not None

    @contextmanager
    def transaction(self, *, is_hasty: bool = False) -> Iterator[Connection]:
        """A writing transaction that ends with the block. ``is_hasty`` (SQLite): it is whole or not there, also after a power cut, but its end
        does not wait until it is on the disk; the next one that is not hasty waits for both.
        """
        with self.writer.connect() as connection:
            if is_hasty and self.is_sqlite:
                connection.connection.cursor().execute("PRAGMA synchronous=NORMAL").fetchall()
            try:
                with connection.begin():
                    yield connection
            finally:
                if is_hasty and self.is_sqlite:
                    connection.connection.cursor().execute("PRAGMA synchronous=FULL").fetchall()

    def writes_of_others(self) -> int:
        """A number that is another one when another program has written into this SQLite file meanwhile; 0 on PostgreSQL."""
        if not self.is_sqlite:
            return 0
        with self.writing:  # the one connection that writes here: to it, whoever else writes is another program
            connection = self.writer.raw_connection()
            try:
                return int(connection.cursor().execute("PRAGMA data_version").fetchone()[0])
            finally:
                connection.close()

    def close(self) -> None:
        """Let go of every connection; SQLite folds its write-ahead log into the file."""
        self.reader.dispose()
        self.writer.dispose()


def open_sqlite(
    path: Path, key: bytes, *, must_exist: bool = False, reader_cache_kib: int = _CACHE_KIB
) -> Database:  # fmt: skip
    """Open or create the encrypted file `path` with the raw 32-byte `key`. `reader_cache_kib`: page cache of each reading connection.

    Refuses with ``store.wrong_key`` when the file does not open with this key or is damaged. Afterwards trouble of the disk or the file
    comes as ``disk.full``, ``store.damaged`` and the like from whatever is asked (`gridman.store.trouble`).
    """
    if len(key) != 32:
        raise ValueError("the key must have 32 bytes")
    if must_exist and not path.exists():
        raise Refusal(
            "store.missing",
            N_("There is no data file at {path}."),
            N_("Check the folder, or set this computer up again from the street server."),
            path=path,
        )
    if (
        must_exist and path.stat().st_size == 0
    ):  # SQLite would quietly make a new one, and numbers in use be given out again
        raise damaged_file(path, _EMPTY)
    path.parent.mkdir(parents=True, exist_ok=True)
    _make_private(path)
    writer = _sqlite_engine(path, key, begin="BEGIN IMMEDIATE", read_only=False, size=1, cache_kib=_CACHE_KIB)
    reader = _sqlite_engine(path, key, begin="BEGIN", read_only=True, size=4, cache_kib=reader_cache_kib)
    try:
        with writer.connect() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    except DatabaseError as error:
        writer.dispose()
        raise _unreadable(path, error) from error
    for engine in (writer, reader):
        tell_trouble(engine, path)
    return Database(writer, reader, path)


def _make_private(path: Path) -> None:
    """A new file is its owner's alone from its first byte on; SQLite gives the write-ahead log beside it the same mode. What cannot be made
    here, SQLite cannot make either, and says why.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        close_to_others(path)


def _unreadable(path: Path, error: DatabaseError) -> Refusal:
    told = None if error.orig is None else trouble_of_sqlite(error.orig, path)
    is_unclear = getattr(error.orig, "sqlite_errorname", "") == "SQLITE_NOTADB"  # what a wrong key looks like, too
    if told is not None and not is_unclear:
        return told
    return Refusal(
        "store.wrong_key",
        N_("The data file {path} does not open: the key is wrong or the file is damaged ({why})."),
        N_("Sign in again; if that fails, run gridman doctor, which tells which of the two it is."),
        path=path,
        why=error.orig,
    )


def _sqlite_engine(path: Path, key: bytes, *, begin: str, read_only: bool, size: int, cache_kib: int) -> Engine:
    from sqlcipher3 import dbapi2

    secret = key.hex()

    def connect() -> Any:
        connection = dbapi2.connect(str(path), check_same_thread=False, timeout=_BUSY_S, isolation_level=None)
        try:
            ready(connection)
        except BaseException:
            connection.close()  # the error would hold it, and with it the file, which Windows then does not let anybody replace
            raise
        return connection

    def ready(connection: Any) -> None:
        connection.execute("PRAGMA cipher_log_level=NONE").fetchall()
        connection.execute(f"PRAGMA key=\"x'{secret}'\"").fetchall()
        # Plain SQLite ignores PRAGMA key and would write an open file: make sure it is the encrypting build that answers.
        if not connection.execute("PRAGMA cipher_version").fetchone():
            raise RuntimeError("this SQLite does not encrypt")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL" if read_only else "synchronous=FULL",
            f"cache_size=-{cache_kib}",
            "temp_store=MEMORY",
            "secure_delete=ON",
            f"query_only={'ON' if read_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    engine = create_engine(
        "sqlite://",
        module=dbapi2,
        creator=connect,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,  # statements end up in logs and tracebacks; their values are people's data
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def exported_sqlite(path: Path, key: bytes, target: Path, new_key: bytes) -> Iterator[None]:
    """Write the data file `path` to the new file `target` under another key, and keep everybody else out of the old one for the length of the
    block. The copy is compared table by table and checked page by page before the block begins.

    Refuses with ``folder.in_use`` while anybody else has the file open, ``store.wrong_key``, ``store.copy_differs``.
    """
    from sqlcipher3 import dbapi2

    connection = dbapi2.connect(str(path), timeout=1.0, isolation_level=None)
    try:
        for pragma in (
            f"key=\"x'{key.hex()}'\"",
            "cipher_log_level=NONE",
            "temp_store=MEMORY",
            f"cache_size=-{_CACHE_KIB}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            # Leaving the write-ahead log needs the file for oneself, and this mode keeps it so until the connection is closed.
            connection.execute("PRAGMA locking_mode=EXCLUSIVE").fetchall()
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except dbapi2.OperationalError as error:
            raise Refusal(
                "folder.in_use",
                N_("The data folder {folder} is in use by another gridman."),
                N_("Close its window, or stop that program, and try again."),
                folder=path.parent,
            ) from error
        except dbapi2.DatabaseError as error:
            raise damaged_file(path, str(error)) from error
        _make_private(target)
        connection.execute(f"ATTACH DATABASE ? AS fresh KEY \"x'{new_key.hex()}'\"", (str(target),))
        connection.execute("PRAGMA fresh.synchronous=FULL").fetchall()
        connection.execute("SELECT sqlcipher_export('fresh')").fetchall()
        _compare(connection, path)
        connection.execute("DETACH DATABASE fresh")
        yield
    finally:
        connection.close()


def _compare(connection: Any, path: Path) -> None:
    tables = [
        r[0]
        for r in connection.execute(
            "SELECT name FROM main.sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        )
    ]
    counts = [
        [connection.execute(f'SELECT count(*) FROM {side}."{name}"').fetchone()[0] for name in tables]
        for side in ("main", "fresh")
    ]
    names = [
        connection.execute(f"SELECT type, name, sql FROM {side}.sqlite_master ORDER BY type, name").fetchall()
        for side in ("main", "fresh")
    ]
    bad = connection.execute("PRAGMA fresh.cipher_integrity_check").fetchall()
    if counts[0] != counts[1] or names[0] != names[1] or bad:
        raise Refusal(
            "store.copy_differs",
            N_("The copy of {path} under the new key is not what the file holds."),
            N_("Nothing was changed. Run gridman doctor on the folder, and tell the makers of the program."),
            path=path,
        )


def open_postgresql(url: str) -> Database:
    """Open a street's PostgreSQL, `postgresql://user@host/name`."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True, hide_parameters=True)
    try:
        with engine.connect():
            pass
    except DatabaseError as error:
        raise Trouble(
            "store.no_server",
            N_("The database server does not answer: {why}"),
            N_("Check the address after --database and that PostgreSQL is running."),
            why=str(error.orig).strip(),
        ) from error
    tell_trouble(engine, None)
    return Database(engine, engine, None)
