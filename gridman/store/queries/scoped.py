"""Which records lie in which scopes, by the street's feed."""

from collections.abc import Collection

from sqlalchemy import select

from gridman.domain.attachment import Attachment
from gridman.domain.incident import Incident
from gridman.store.tables import sync_row
from gridman.store.unit import Reader

__all__ = ["has_content", "incidents_in_scopes"]


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
