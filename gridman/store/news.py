"""What happened lately in the street's data, asked in one look, whichever process wrote it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select, text

from gridman.store import tables
from gridman.store.feed_pages import clock_of, scopes_with_news
from gridman.store.unit import Reader

__all__ = ["News", "Numbers", "look", "numbers"]


@dataclass(frozen=True)
class News:
    """`seq`: the number of the last change; `scopes`: those of the scopes asked for that changed; `revoked`: devices shut out since."""

    seq: int
    revoked_at: int
    scopes: frozenset[str] = frozenset()
    revoked: frozenset[int] = frozenset()


def look(reader: Reader, before: News | None, scopes: Iterable[str]) -> News:
    """The news since `before`; without it only where things stand."""
    seq, _epoch = clock_of(reader.connection)
    d = tables.device.c
    revoked_at = int(reader.connection.scalar(select(func.max(d.revoked_at))) or 0)
    if before is None:
        return News(seq, revoked_at)
    changed = scopes_with_news(reader.connection, scopes, before.seq + 1) if seq != before.seq else set()
    revoked: set[int] = set()
    if revoked_at != before.revoked_at:
        revoked.update(reader.connection.scalars(select(d.replica).where(d.revoked_at > before.revoked_at)))
    return News(seq, revoked_at, frozenset(changed), frozenset(revoked))


@dataclass(frozen=True)
class Numbers:
    """The street in numbers, for monitors. `heard`: devices that called within the last hour, day and week; `conflicts`: undecided ones."""

    feed: int
    enrolled: int
    removed: int
    heard: tuple[int, int, int]
    conflicts: int
    database_bytes: int


def numbers(reader: Reader) -> Numbers:
    """Counts only: no names, no numbers of devices."""
    from gridman.domain.conflict import Conflict

    connection, d = reader.connection, tables.device.c
    of_devices = connection.execute(
        select(
            func.count(),
            func.count(d.revoked_at),
            *(
                func.count().filter(d.revoked_at.is_(None), d.last_seen_at >= reader.now - within)
                for within in (3_600_000, 86_400_000, 7 * 86_400_000)
            ),
        ).select_from(tables.device)
    ).one()
    is_sqlite = connection.dialect.name == "sqlite"
    size = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    return Numbers(
        clock_of(connection)[0],
        of_devices[0] - of_devices[1],
        of_devices[1],
        (of_devices[2], of_devices[3], of_devices[4]),
        reader.count(Conflict, resolved_at=None),
        int(connection.scalar(text(size)) or 0),
    )
