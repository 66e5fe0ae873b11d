"""Which photos of this desk the street has not got yet."""

from sqlalchemy import Connection, delete, insert, select

from gridman.domain.attachment import Attachment
from gridman.kernel.ids import COUNTER_BITS
from gridman.store.store import Store
from gridman.store.tables import blob_state
from gridman.store.unit import Reader

__all__ = ["forget_sent_photos", "mark_photo_sent", "unsent_photos"]

SENT = "sent"


def unsent_photos(reader: Reader, replica: int) -> list[tuple[str, int]]:
    """(SHA-256, bytes) of photos taken at this desk that were not sent yet, the oldest first."""
    a = Attachment.__table__.c
    made_here = (a.id >= replica << COUNTER_BITS) & (a.id < (replica + 1) << COUNTER_BITS)
    sent = select(blob_state.c.sha256).where(blob_state.c.state == SENT)
    query = (
        select(a.sha256, a.size_bytes).where(made_here, a.retired_at.is_(None), a.sha256.not_in(sent)).order_by(a.id)
    )
    return list(dict.fromkeys((row.sha256, row.size_bytes or 0) for row in reader.connection.execute(query)))


def mark_photo_sent(store: Store, sha256: str, size_bytes: int) -> None:
    """The street has the whole content."""
    with store.database.writing, store.database.writer.begin() as connection:
        connection.execute(delete(blob_state).where(blob_state.c.sha256 == sha256))
        connection.execute(
            insert(blob_state).values(sha256=sha256, size_bytes=size_bytes, sent_bytes=size_bytes, state=SENT)
        )


def forget_sent_photos(connection: Connection) -> None:
    """The street came back from a backup: offer every photo again; those it has cost one question each."""
    connection.execute(delete(blob_state).where(blob_state.c.state == SENT))
