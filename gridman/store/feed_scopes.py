"""A scope of the street's feed as a whole: what is in it, how much of it changed, and what of it a desk has by way of other scopes."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, func, literal, select

from gridman.store import tables
from gridman.store.batches import batches

__all__ = ["changed_since", "has_at_least", "held_elsewhere", "ids_of_scope"]


def ids_of_scope(connection: Connection, scope: str) -> dict[str, list[int]]:
    """The records of a scope by kind, in ascending order of their ids."""
    e = tables.sync_row.c
    found: dict[str, list[int]] = {}
    for kind, record_id in connection.execute(select(e.entity, e.record_id).where(e.scope == scope)).all():
        found.setdefault(kind, []).append(record_id)
    return {kind: sorted(ids) for kind, ids in found.items()}


def has_at_least(connection: Connection, scope: str, count: int) -> bool:
    """Whether so many records or more are in a scope; looks at no more of them than that."""
    e = tables.sync_row.c
    return connection.execute(select(literal(1)).where(e.scope == scope).offset(count - 1).limit(1)).first() is not None


def changed_since(connection: Connection, scope: str, seq: int, most: int) -> tuple[int, bool]:
    """How many records of a scope changed after number `seq` (no more than `most` are counted), and whether any left it."""
    e, x = tables.sync_row.c, tables.sync_exit.c
    changed = select(e.record_id).where(e.scope == scope, e.seq > seq).limit(most).subquery()
    left = select(literal(1)).where(x.scope == scope, x.seq > seq).limit(1)
    count = connection.execute(select(func.count()).select_from(changed)).scalar_one()
    return int(count), connection.execute(left).first() is not None


def held_elsewhere(connection: Connection, ids: Iterable[int], received: Mapping[str, int]) -> set[int]:
    """Those of `ids` that a desk has as they are now: they lie in another scope too, which it has up to a number (`received`) that is
    not before their last change.
    """
    e = tables.sync_row.c
    found: set[int] = set()
    for part in batches(ids):
        for record_id, scope, seq in connection.execute(
            select(e.record_id, e.scope, e.seq).where(e.record_id.in_(part))
        ):
            if seq <= received.get(scope, -1):
                found.add(record_id)
    return found
