"""Turns among programs that write the same PostgreSQL: advisory locks, which end with the transaction. SQLite's writer is alone anyway."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from gridman.kernel.errors import Trouble
from gridman.store.database import Database

__all__ = ["alone_at_preparing", "making_of", "take_device_turn", "take_turn"]

_TURN = 0x6772_6964  # arbitrary numbers of ours
_DEVICES = 0x6772_6965
_PREPARING = 0x6772_6966
_MAKING = 0x6772_6967


def take_turn(connection: Connection) -> None:
    """Let this transaction alone hand out numbers until it ends, whatever program it runs in."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})


def take_device_turn(connection: Connection, replica: int) -> None:
    """Let nobody else take in this device's operations until the transaction ends: a desk that lost its patience sends them again while
    another program still works on the first.
    """
    if connection.dialect.name == "postgresql":
        turn = {"devices": _DEVICES, "replica": replica}
        connection.execute(text("SELECT pg_advisory_xact_lock(:devices, :replica)"), turn)


@contextmanager
def alone_at_preparing(database: Database) -> Iterator[bool]:
    """Whether no other program prepares for desks, for the length of the block; says so at once instead of waiting."""
    if database.is_sqlite:
        yield True
        return
    with database.reader.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        keys = {"turn": _PREPARING}
        is_mine = bool(connection.execute(text("SELECT pg_try_advisory_lock(:turn)"), keys).scalar())
        try:
            yield is_mine
        finally:
            if is_mine:
                _let_go(connection, "SELECT pg_advisory_unlock(:turn)", keys)


@contextmanager
def making_of(connection: Connection, name: str) -> Iterator[None]:
    """Let one program alone make what has this name; the others wait for it. Beyond transactions: nobody waits for the rest of one."""
    if connection.dialect.name != "postgresql":
        yield
        return
    keys = {"making": _MAKING, "name": zlib.crc32(name.encode()) - (1 << 31)}
    connection.execute(text("SELECT pg_advisory_lock(:making, :name)"), keys)
    try:
        yield
    finally:
        _let_go(connection, "SELECT pg_advisory_unlock(:making, :name)", keys)


def _let_go(connection: Connection, statement: str, keys: dict[str, int]) -> None:
    try:
        connection.execute(text(statement), keys)
    except (SQLAlchemyError, Trouble):  # the lock ends with its connection
        with suppress(SQLAlchemyError, Trouble):
            connection.invalidate()
