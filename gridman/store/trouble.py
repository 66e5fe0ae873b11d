"""What a database says when it cannot go on, told in words: disk full, disk failing, file damaged, file held by another, server gone.

Result codes: https://www.sqlite.org/rescode.html and https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

import shutil
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from gridman.kernel.errors import Trouble
from gridman.kernel.files import full_disk
from gridman.kernel.words import N_

__all__ = ["damaged_file", "tell_trouble", "trouble_of_sqlite"]

_BUSY, _LOCKED, _READ_ONLY, _IO, _CORRUPT, _FULL, _CANNOT_OPEN, _NOT_A_DATABASE = 5, 6, 8, 10, 11, 13, 14, 26
_CORRUPT_INDEX = _CORRUPT | 1 << 8  # SQLITE_CORRUPT_VTAB: a search or map index, never a record
_NO_ROOM_BYTES = 1 << 20
_LOST_SERVER = ("08", "57P")
_CROSSED = ("40001", "40P01")  # serialization_failure, deadlock_detected


def tell_trouble(engine: Engine, path: Path | None) -> None:
    """Have the engine raise a Trouble for trouble of the machine instead of the library's error; mistakes of ours stay what they are.

    `path`: the SQLite file; None for PostgreSQL.
    """

    @event.listens_for(engine, "handle_error")
    def _told(context: ExceptionContext) -> BaseException | None:
        if not isinstance(context.original_exception, Exception):
            return None  # somebody stops the program: SQLAlchemy calls that a lost connection, it is none
        if context.is_pre_ping:  # the pool itself looks whether the server is gone, and connects again
            return None
        if path is not None:
            told = trouble_of_sqlite(context.original_exception, path)
            if told is not None:
                # SQLite may have ended the whole transaction by itself; a savepoint opened after that would be a transaction of its own and
                # commit half the work. So nothing more goes through this connection.
                context.is_disconnect, context.invalidate_pool_on_disconnect = True, False
            return told
        return _trouble_of_postgresql(context)


def trouble_of_sqlite(error: BaseException, path: Path) -> Trouble | None:
    """What to say of SQLite's error, ``disk.full`` or ``store.*``; None when it is not the machine's or the file's trouble."""
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return None
    kind = code & 0xFF
    # The shared memory beside the write-ahead log cannot grow on a full disk, which SQLite calls an input or output error.
    if kind == _FULL or (kind in (_IO, _CANNOT_OPEN) and _is_full(path)):
        return full_disk(path.parent)
    if code == _CORRUPT_INDEX:
        return Trouble(
            "store.index_damaged",
            N_("A search or map index in {path} is damaged."),
            N_("The records themselves are whole. Close the window and run gridman doctor --repair: it makes the indexes anew."),
            path=path,
        )  # fmt: skip
    # What the operating system could not do carries an extended code; the bare one is SQLCipher's, of a page whose seal does not fit.
    if kind in (_CORRUPT, _NOT_A_DATABASE) or code == _IO:
        return damaged_file(path, error)
    if kind in (_BUSY, _LOCKED):
        return Trouble(
            "store.busy",
            N_("The data file {path} is held by another program."),
            N_("Close other gridman windows and programs that copy or check this file, then try again. Nothing was changed."),
            path=path,
        )  # fmt: skip
    if kind in (_READ_ONLY, _CANNOT_OPEN):
        return Trouble(
            "store.not_writable",
            N_("The data file {path} may not be written ({why})."),
            N_("Check who owns the folder and its files, and that the disk is not write-protected."),
            path=path,
            why=error,
        )
    return _failing(path, error) if kind == _IO else None


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NO_ROOM_BYTES
    except OSError:
        return False


def damaged_file(path: Path, why: object) -> Trouble:
    """The data file cannot be read, or not all of it."""
    return Trouble(
        "store.damaged",
        N_("The data file {path} is damaged ({why})."),
        N_(
            "Keep a copy of the folder. A street: put the last backup in its place. A desk: run gridman doctor, which says whether unsent "
            "work can still be sent, then set this computer up again from the street server."
        ),
        path=path,
        why=why,
    )


def _failing(path: Path, error: BaseException) -> Trouble:
    return Trouble(
        "store.disk_failing",
        N_("The disk does not read or write the data file {path} ({why})."),
        N_("Check that the disk is connected and sound, then start gridman again; what was saved before stays saved."),
        path=path,
        why=error,
    )


def _trouble_of_postgresql(context: ExceptionContext) -> Trouble | None:
    error = context.original_exception
    state = str(getattr(error, "sqlstate", None) or "")
    if state == "53100":
        return Trouble(
            "disk.full",
            N_("The disk of the database server is full."),
            N_("Free some space there and try again. Nothing was changed."),
        )
    if state in _CROSSED:
        return Trouble(
            "store.crossed",
            N_("Two works on the same records crossed each other, and the database undid one of them."),
            N_("Try again. Nothing was changed."),
        )
    if context.is_disconnect or state.startswith(_LOST_SERVER):
        return Trouble(
            "store.no_server",
            N_("The database server does not answer: {why}"),
            N_("Check the address after --database and that PostgreSQL is running."),
            why=(str(error).strip().splitlines() or ["-"])[0],
        )
    return None
