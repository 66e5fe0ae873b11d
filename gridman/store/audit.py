"""The audit log's rows: an append-only chain in which each row's digest covers the row before it.

Whoever edits, drops or inserts a row breaks every digest after it; triggers refuse UPDATE and DELETE besides
(`migrations/append_only.py`). The last digest is kept apart as well, so that cutting off the newest rows shows.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select

from gridman.store import tables
from gridman.store.store import get_meta, put_meta
from gridman.store.turns import take_turn
from gridman.store.unit import Reader, Unit

__all__ = ["AuditRow", "append_audit", "audit_head", "digest_of_row", "first_broken", "page_audit", "was_noted_since"]

_NEWEST = 500
FIRST = "0" * 64
"""What the first row names as the digest before it."""

_HEAD = "audit_head"
_BATCH = 2_000


@dataclass(frozen=True)
class AuditRow:
    """One line of the log. `details`: small values without personal data."""

    id: int
    at: int
    actor_id: int | None
    replica: int | None
    act: str
    record_kind: str | None
    record_id: int | None
    details: dict[str, Any]


def append_audit(
    unit: Unit, act: str, record_kind: str | None = None, record_id: int | None = None, **details: Any
) -> int:
    """Add a row inside the unit's transaction; returns its number."""
    connection = unit.connection
    take_turn(connection)
    previous_id, previous = _last(connection)
    row: dict[str, Any] = {
        "id": previous_id + 1,
        "at": unit.at,
        "actor_id": unit.actor.user_id or None,
        "replica": unit.actor.replica or unit.replica,
        "act": act,
        "record_kind": record_kind,
        "record_id": record_id,
        "details": msgspec.json.encode(details, order="sorted").decode(),
        "previous": previous,
    }
    row["digest"] = digest_of_row(row)
    connection.execute(insert(tables.audit), row)
    put_meta(connection, _HEAD, f"{row['id']}:{row['digest']}")
    return int(row["id"])


def audit_head(reader: Reader) -> str:
    """`NUMBER:DIGEST` of the newest row; empty while there is none. Kept elsewhere, it proves later what was logged by now."""
    return get_meta(reader, _HEAD) or ""


def first_broken(reader: Reader) -> int | None:
    """The number of the first row that was changed, is missing or was slipped in; None when the chain is whole."""
    expected_id, previous = 1, FIRST
    for row in _all(reader.connection):
        if row.id != expected_id or row.previous != previous or row.digest != digest_of_row(row._asdict()):
            return min(expected_id, int(row.id))
        expected_id, previous = expected_id + 1, row.digest
    head = audit_head(reader)
    whole = f"{expected_id - 1}:{previous}" if expected_id > 1 else ""
    return None if head == whole else expected_id


def was_noted_since(reader: Reader, act: str, record_id: int, actor_id: int, since_ms: int) -> bool:
    """Whether this person's act on this record is among the newest lines since this instant."""
    newest = select(tables.audit).order_by(tables.audit.c.id.desc()).limit(_NEWEST).subquery().c
    wanted = (newest.record_id == record_id) & (newest.act == act) & (newest.actor_id == actor_id)
    query = select(newest.id).where(wanted, newest.at >= since_ms)
    return reader.connection.execute(query.limit(1)).first() is not None


def page_audit(
    reader: Reader, *, act: str | None = None, before_id: int | None = None, limit: int = 200
) -> list[AuditRow]:
    """The newest rows, at most `limit`, older than `before_id` when given."""
    a = tables.audit.c
    query = select(tables.audit).order_by(a.id.desc()).limit(limit)
    if act is not None:
        query = query.where(a.act == act)
    if before_id is not None:
        query = query.where(a.id < before_id)
    return [
        AuditRow(r.id, r.at, r.actor_id, r.replica, r.act, r.record_kind, r.record_id, _details(r.details))
        for r in reader.connection.execute(query)
    ]


def _details(stored: str | None) -> dict[str, Any]:
    return msgspec.json.decode(stored, type=dict[str, Any]) if stored else {}


def _last(connection: Connection) -> tuple[int, str]:
    a = tables.audit.c
    row = connection.execute(select(a.id, a.digest).order_by(a.id.desc()).limit(1)).first()
    return (0, FIRST) if row is None else (row.id, row.digest)


def _all(connection: Connection) -> Iterator[Row[Any]]:
    a, last = tables.audit.c, 0
    while rows := connection.execute(
        select(tables.audit).where(a.id > last).order_by(a.id).limit(_BATCH)
    ).all():  # fmt: skip
        yield from rows
        last = rows[-1].id


def digest_of_row(row: dict[str, Any]) -> str:
    """SHA-256 over the row as a JSON list in a fixed order: the same on every database."""
    names = ("id", "at", "actor_id", "replica", "act", "record_kind", "record_id", "details", "previous")
    return hashlib.sha256(msgspec.json.encode([row[name] for name in names])).hexdigest()
