"""Who is signed in to the street's pages in a browser. The rows lie in the database, so that any of a street's server processes knows
them; a browser's secret is kept as a digest only.
"""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from gridman.store import tables
from gridman.store.unit import Reader, Unit

__all__ = [
    "WebSession",
    "add_session",
    "end_session",
    "end_sessions_of",
    "keep_alive",
    "session_with",
    "sweep_sessions",
]

_s = tables.web_session


@dataclass(frozen=True)
class WebSession:
    """One signed-in browser. `started_at`, `seen_at`: instants."""

    digest: str
    user_id: int
    started_at: int
    seen_at: int


def add_session(unit: Unit, digest: str, user_id: int) -> None:
    """Somebody signed in."""
    values = {"digest": digest, "user_id": user_id, "started_at": unit.at, "seen_at": unit.at}
    unit.connection.execute(insert(_s), values)


def session_with(reader: Reader, digest: str) -> WebSession | None:
    """The session of this secret."""
    row = reader.connection.execute(select(_s).where(_s.c.digest == digest)).first()
    return None if row is None else WebSession(row.digest, row.user_id, row.started_at, row.seen_at)


def keep_alive(unit: Unit, digest: str) -> None:
    """The browser asked for something just now."""
    unit.connection.execute(update(_s).where(_s.c.digest == digest).values(seen_at=unit.at))


def end_session(unit: Unit, digest: str) -> bool:
    """Sign this browser out; whether it was signed in."""
    return unit.connection.execute(delete(_s).where(_s.c.digest == digest)).rowcount > 0


def end_sessions_of(unit: Unit, user_id: int) -> None:
    """Sign a user out of every browser."""
    unit.connection.execute(delete(_s).where(_s.c.user_id == user_id))


def sweep_sessions(unit: Unit, started_before: int, seen_before: int) -> None:
    """Drop what is over."""
    unit.connection.execute(delete(_s).where((_s.c.started_at < started_before) | (_s.c.seen_at < seen_before)))
