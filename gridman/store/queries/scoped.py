"""Which records lie in which scopes, by the street's feed."""

from collections.abc import Collection

from sqlalchemy import select

from gridman.domain.attachment import Attachment
from gridman.domain.conflict import Conflict
from gridman.domain.incident import Incident
from gridman.kernel.ids import COUNTER_BITS
from gridman.store.tables import renewed_id, sync_row
from gridman.store.unit import Reader

__all__ = ["has_content", "has_own_content", "incidents_in_scopes"]


def incidents_in_scopes(
    reader: Reader, scopes: Collection[str], *, after_id: int, limit: int, state: str | None = None
) -> list[Incident]:
    """At most `limit` incidents of these scopes with ids above `after_id`, in the order of ids."""
    i, s = Incident.__table__.c, sync_row.c
    in_scope = select(s.record_id).where(s.entity == "incident", s.scope.in_(sorted(scopes)))
    query = select(Incident).where(i.id > after_id, i.retired_at.is_(None), i.id.in_(in_scope)).order_by(i.id)
    if state is not None:
        query = query.where(i.state == state)
    return list(reader.session.scalars(query.limit(limit)))


def has_content(reader: Reader, scopes: Collection[str], sha256: str) -> bool:
    """Whether a photo's record in these scopes names this content."""
    a, s = Attachment.__table__.c, sync_row.c
    query = (
        select(a.id)
        .join(sync_row, s.record_id == a.id)
        .where(a.sha256 == sha256, a.retired_at.is_(None), s.entity == "attachment", s.scope.in_(sorted(scopes)))
    )
    return reader.connection.execute(query.limit(1)).first() is not None


def has_own_content(reader: Reader, replica: int, sha256: str) -> bool:
    """Whether this device made a photo's record that names this content, wherever it lies now, or one that was kept for review."""
    first, end = replica << COUNTER_BITS, (replica + 1) << COUNTER_BITS
    a, c = Attachment.__table__.c, Conflict.__table__.c
    made = select(a.id).where(a.id >= first, a.id < end, a.sha256 == sha256)
    renewed = select(renewed_id.c.new_id).where(renewed_id.c.replica == replica)
    is_own = (c.record_id >= first) & (c.record_id < end) | c.record_id.in_(renewed)
    kept = select(c.id).where(c.record_kind == "attachment", is_own, c.lost.contains(sha256, autoescape=True))
    return any(reader.connection.execute(query.limit(1)).first() is not None for query in (made, kept))
