"""The journal: every change of a record, with who, when, what was there before. On a desk its rows are also the outbox:
numbered operations with the version each field was made on, their receipts beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, tuple_

from gridman.domain.catalog import noun_of
from gridman.store import tables
from gridman.store.unit import Captured, Reader, Unit
from gridman.store.values import pack, unpack

__all__ = ["DeskJournal", "Entry", "StreetJournal", "cell_versions", "history_of", "upsert_cells"]

_CHUNK = 300


class StreetJournal:
    """Journal of a street server: no numbers, no receipts. Values of new records are not repeated, the row itself holds them."""

    def record(self, unit: Unit, captured: list[Captured]) -> None:
        rows = [_row(unit, c, after=c.after if c.kind == "amend" else {}) for c in captured]
        if rows:
            unit.connection.execute(insert(tables.journal), rows)

    def finish(self, unit: Unit) -> None:
        """Nothing: ordering is the feed's work."""


class DeskJournal:
    """Journal and outbox of a desk. Operation n+1 follows n without a gap; `base` holds the version each field had here."""

    def record(self, unit: Unit, captured: list[Captured]) -> None:
        if not captured:
            return
        connection = unit.connection
        last = connection.execute(select(func.max(tables.journal.c.op_n))).scalar() or last_settled_op(connection)
        bases = cell_versions(connection, [(c.record.id, f) for c in captured if c.kind == "amend" for f in c.after])
        rows, cells = [], []
        for number, change in enumerate(captured, start=last + 1):
            row = _row(unit, change, after=change.after)
            amended = change.after if change.kind == "amend" else {}
            row["base"] = pack({f: bases.get((change.record.id, f)) for f in amended})
            row.update(op_n=number, state="waiting")
            rows.append(row)
            cells += [_cell(unit, change.record.id, f) for f in amended]
        connection.execute(insert(tables.journal), rows)
        upsert_cells(connection, cells)

    def finish(self, unit: Unit) -> None:
        """Nothing more."""


def last_settled_op(connection: Connection) -> int:
    """The highest operation number ever used, should the journal have been shortened."""
    value = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == "last_op")).scalar()
    return int(value) if value else 0


def _row(unit: Unit, change: Captured, after: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": unit.at,
        "stamp": unit.stamp,
        "actor_id": unit.actor.user_id,
        "replica": unit.actor.replica or unit.replica,
        "kind": change.kind,
        "entity": noun_of(change.record).kind,
        "record_id": change.record.id,
        "after": pack(after) if after else None,
        "before": pack(change.before) if change.before else None,
        "base": None,
        "origin": unit.origin,
        "op_n": None,
        "state": None,
    }


def _cell(unit: Unit, record_id: int, field: str) -> dict[str, Any]:
    return {
        "record_id": record_id, "field": field, "version": unit.stamp, "claimed": None,
        "actor_id": unit.actor.user_id, "at": unit.at,
    }  # fmt: skip


def cell_versions(connection: Connection, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """The version of each of these cells that has ever been edited."""
    c = tables.cell.c
    found: dict[tuple[int, str], str] = {}
    for start in range(0, len(keys), _CHUNK):
        part = keys[start : start + _CHUNK]
        query = select(c.record_id, c.field, c.version).where(tuple_(c.record_id, c.field).in_(part))
        found.update({(r, f): v for r, f, v in connection.execute(query)})
    return found


def upsert_cells(connection: Connection, cells: Sequence[dict[str, Any]]) -> None:
    """Write cell versions, replacing older ones. Sorted by key, so that PostgreSQL's writers cannot deadlock."""
    if not cells:
        return
    latest = {(c["record_id"], c["field"]): c for c in cells}
    rows = [latest[k] for k in sorted(latest)]
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as dialect_insert
    else:
        from sqlalchemy.dialects.sqlite import insert as dialect_insert  # type: ignore[assignment]
    statement = dialect_insert(tables.cell)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["record_id", "field"],
        set_={"version": new.version, "claimed": new.claimed, "actor_id": new.actor_id, "at": new.at},
    )
    connection.execute(statement, rows)


@dataclass(frozen=True)
class Entry:
    """One line of a record's history. `state`: the receipt of a desk's own entry (waiting, sent, acknowledged, settled, refused)."""

    at: int
    actor_id: int | None
    kind: str
    entity: str
    record_id: int
    after: dict[str, Any]
    before: dict[str, Any]
    origin: str
    state: str | None
    reason: str | None
    op_n: int | None
    ack_seq: int | None = None
    ack_at: int | None = None


def history_of(reader: Reader, record_ids: Sequence[int], limit: int = 200) -> list[Entry]:
    """What happened to these records, newest first."""
    j = tables.journal.c
    query = (
        select(
            j.at,
            j.actor_id,
            j.kind,
            j.entity,
            j.record_id,
            j.after,
            j.before,
            j.origin,
            j.state,
            j.reason,
            j.op_n,
            j.ack_seq,
            j.ack_at,
        )
        .where(j.record_id.in_(list(record_ids)))
        .order_by(j.id.desc())
        .limit(limit)
    )
    return [
        Entry(
            r.at,
            r.actor_id,
            r.kind,
            r.entity,
            r.record_id,
            unpack(r.after),
            unpack(r.before),
            r.origin,
            r.state,
            r.reason,
            r.op_n,
            r.ack_seq,
            r.ack_at,
        )
        for r in reader.connection.execute(query)
    ]
