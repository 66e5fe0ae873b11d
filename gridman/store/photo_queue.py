"""Which photos of this desk the street has not got yet, and which files have lost their record.

A row of `blob_state` says what the records do not: sent (the street has it), here (not sent, and its record left this computer), dropped
(its record left this computer, the file is to be deleted). It names contents by their digest only.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, exists, insert, select

from gridman.domain.attachment import Attachment
from gridman.kernel.ids import COUNTER_BITS, replica_of
from gridman.store.batches import batches
from gridman.store.store import Store
from gridman.store.tables import blob_state
from gridman.store.unit import Reader

__all__ = [
    "dropped_photos", "forget_dropped", "forget_sent_photos", "give_up", "has_record", "mark_photo_sent", "note_leaving", "unsent_photos",
]  # fmt: skip

SENT, HERE, DROPPED = "sent", "here", "dropped"
_a, _b = Attachment.__table__.c, blob_state.c


def unsent_photos(reader: Reader, replica: int) -> list[tuple[str, int]]:
    """(SHA-256, bytes) of photos taken at this desk that were not sent yet, the oldest first; then those whose record is not here any more."""
    made_here = (_a.id >= replica << COUNTER_BITS) & (_a.id < (replica + 1) << COUNTER_BITS)
    sent = select(_b.sha256).where(_b.state == SENT)
    query = (
        select(_a.sha256, _a.size_bytes)
        .where(made_here, _a.retired_at.is_(None), _a.sha256.not_in(sent))
        .order_by(_a.id)
    )
    left = select(_b.sha256, _b.size_bytes).where(_b.state == HERE).order_by(_b.sha256)
    rows = [*reader.connection.execute(query), *reader.connection.execute(left)]
    return list(dict.fromkeys((row.sha256, row.size_bytes or 0) for row in rows))


def mark_photo_sent(store: Store, sha256: str, size_bytes: int) -> None:
    """The street has the whole content; a desk that has no record of it any more lets the file go."""
    with store.database.writing, store.database.writer.begin() as connection:
        state = SENT if _has_record(connection, sha256) else DROPPED
        _put(connection, sha256, size_bytes, state)


def give_up(store: Store, sha256: str) -> None:
    """Nobody has a record of it: the file may go."""
    with store.database.writing, store.database.writer.begin() as connection:
        _put(connection, sha256, 0, DROPPED)


def _put(connection: Connection, sha256: str, size_bytes: int, state: str) -> None:
    connection.execute(delete(blob_state).where(_b.sha256 == sha256))
    sent = size_bytes if state == SENT else 0
    connection.execute(insert(blob_state).values(sha256=sha256, size_bytes=size_bytes, sent_bytes=sent, state=state))


def forget_sent_photos(connection: Connection) -> None:
    """The street came back from a backup: offer every photo again; those it has cost one question each."""
    connection.execute(delete(blob_state).where(_b.state == SENT))


def note_leaving(connection: Connection, replica: int, ids: Iterable[int]) -> None:
    """The records of these photos are about to leave this computer: what is not sent yet is remembered, the other files are to go."""
    for part in batches(ids):
        rows = connection.execute(select(_a.id, _a.sha256, _a.size_bytes).where(_a.id.in_(part))).all()
        states = select(_b.sha256, _b.state).where(_b.sha256.in_({row.sha256 for row in rows}))
        known = {row.sha256: row.state for row in connection.execute(states)}
        for row in rows:
            if row.sha256 is None:
                continue
            is_unsent = replica_of(row.id) == replica and known.get(row.sha256) != SENT
            if known.get(row.sha256) != HERE:
                _put(connection, row.sha256, row.size_bytes or 0, HERE if is_unsent else DROPPED)


def dropped_photos(reader: Reader) -> list[str]:
    """Contents whose files are to be deleted: no record here names them."""
    named = exists().where(_a.sha256 == _b.sha256)
    return list(reader.connection.scalars(select(_b.sha256).where(_b.state == DROPPED, ~named)))


def forget_dropped(store: Store, contents: Iterable[str]) -> None:
    """Their files were deleted."""
    wanted = sorted(contents)
    if wanted:
        with store.database.writing, store.database.writer.begin() as connection:
            connection.execute(delete(blob_state).where(_b.sha256.in_(wanted), _b.state == DROPPED))


def has_record(reader: Reader, sha256: str) -> bool:
    """Whether a record on this computer names this content."""
    return _has_record(reader.connection, sha256)


def _has_record(connection: Connection, sha256: str) -> bool:
    return connection.execute(select(_a.id).where(_a.sha256 == sha256).limit(1)).first() is not None
