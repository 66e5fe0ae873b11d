"""What machines do to a program: the power goes in mid transaction or just before it commits, the disk is full."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from sqlalchemy import event

from gridman.store.database import Database

__all__ = ["Crash", "Fuse"]

_FULL = 13  # SQLITE_FULL
_LONGEST = 40


class Crash(BaseException):
    """The power went. Not an `Exception`: no handler of the program is there any more to hear of it."""


class Fuse:
    """Sits in the writing engine of one database and lets a statement, or the commit, fail as told."""

    def __init__(self, database: Database, *, is_at_commits_only: bool = False) -> None:
        """`is_at_commits_only`: statements are not counted, they differ from one kind of database to the other."""
        self._database = database
        self._only_commits = is_at_commits_only
        self._left: int | None = None
        self._is_at_commit = False
        self._is_full = False
        self._undoes = False
        self.blew = False
        event.listen(database.writer, "do_execute", self._on_statement)
        event.listen(database.writer, "do_executemany", self._on_statement)
        event.listen(database.writer, "commit", self._on_commit)

    @contextmanager
    def lit(self, chance: Random, *, is_full: bool) -> Iterator[None]:
        """Within the block one statement fails, or the commit; or none when the block is shorter than that. `is_full`: because of the disk,
        which SQLite may answer by undoing the whole transaction by itself; else the power goes.
        """
        self._is_full, self.blew = is_full, False
        self._is_at_commit = not is_full and chance.random() < 0.5
        self._undoes = chance.random() < 0.5
        self._left = chance.randrange(1, _LONGEST)
        if self._only_commits:
            self._is_at_commit = not is_full
            self._left = None if is_full else self._left
        try:
            yield
        finally:
            self._left, self._is_at_commit = None, False

    def _on_statement(self, cursor: Any, statement: str, parameters: Any, context: Any) -> None:
        if self._left is None or self._is_at_commit:
            return
        self._left -= 1
        if self._left > 0 or statement.startswith(("ROLLBACK", "RELEASE", "BEGIN")):
            return
        self._left = None
        self.blew = True
        if not self._is_full:
            raise Crash
        if not self._database.is_sqlite:
            raise _full_postgresql()
        if self._undoes:
            cursor.connection.rollback()
        raise _full_sqlite()

    def _on_commit(self, connection: Any) -> None:
        if self._left is not None and self._is_at_commit:
            self._left, self.blew = None, True
            connection.connection.driver_connection.rollback()  # what recovery does at the next start
            raise Crash


def _full_sqlite() -> Exception:
    from sqlcipher3 import dbapi2

    error = dbapi2.OperationalError("database or disk is full")
    error.sqlite_errorcode = _FULL
    return error  # type: ignore[no-any-return]


def _full_postgresql() -> Exception:
    import psycopg

    return psycopg.errors.DiskFull("could not extend file: No space left on device")
