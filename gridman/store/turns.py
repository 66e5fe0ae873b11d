"""Turns among programs that write the same PostgreSQL: advisory locks, which end with the transaction. SQLite's writer is alone anyway."""

from sqlalchemy import Connection, text

__all__ = ["take_device_turn", "take_turn"]

_TURN = 0x6772_6964  # arbitrary numbers of ours
_DEVICES = 0x6772_6965


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
