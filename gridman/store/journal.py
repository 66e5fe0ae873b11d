"""The journal: every change of a record, with who, when, what was there before. On a desk its rows are also the outbox:
numbered operations with the version each field was made on, their receipts beside them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, func, insert, select, tuple_

from gridman.domain.catalog import noun_of
from gridman.domain.fields import Merge
from gridman.kernel.errors import Refusal
from gridman.store import tables
from gridman.store.batches import batches
from gridman.store.unit import Captured, Reader, Unit
from gridman.store.values import pack, unpack

__all__ = ["DeskJournal", "Entry", "StreetJournal", "cell_versions", "history_of", "upsert_cells"]

_CHUNK = 300
_LAST_OP = select(func.max(tables.journal.c.op_n))
_VERSIONS = select(tables.cell.c.record_id, tables.cell.c.field, tables.cell.c.version).where(
    tuple_(tables.cell.c.record_id, tables.cell.c.field).in_(bindparam("keys", expanding=True))
)
LOG_OF = {"incident": "incident_step"}
"""The kind of record that is the log of another: its lines are made by commands, never pushed as such."""

PART_OF = {"incident": "parent_id"}
"""The field that names the record a new one was made for by a command; it is never pushed as such either."""


class StreetJournal:
    """Journal of a street server: no numbers, no receipts. Values of new records are not repeated, the row itself holds them."""

    def record(self, unit: Unit, captured: list[Captured]) -> None:
        rows = [_row(unit, c, after={} if c.kind == "create" else c.after) for c in captured]
        if rows:
            unit.connection.execute(insert(tables.journal), rows)

    def finish(self, unit: Unit) -> None:
        """Nothing: ordering is the feed's work."""


@dataclass
class _Op:
    """One operation in the making. `fields` and `made`: what a command did here already, until the street answers."""

    change: Captured
    fields: dict[str, Any] = field(default_factory=dict)
    replaced: dict[str, Any] = field(default_factory=dict)
    made: list[tuple[str, int]] = field(default_factory=list)


class DeskJournal:
    """Journal and outbox of a desk. Operation n+1 follows n without a gap; `base` holds the version each field had here, of a command
    those of the fields it changed.

    What one unit does to one record becomes one operation. What a command did to the record's street-owned fields and log is kept with
    the command (`effects`) instead of travelling: the street does the command itself and answers with what came of it.
    """

    def record(self, unit: Unit, captured: list[Captured]) -> None:
        unit.ledger.setdefault("desk", []).extend(captured)

    def finish(self, unit: Unit) -> None:
        captured: list[Captured] = unit.ledger.pop("desk", [])
        ops = _operations(captured)
        if not ops:
            return
        connection = unit.connection
        last = last_op(connection)
        wanted = [(op.change.record.id, f) for op in ops for f in (*_amended(op), *op.fields)]
        versions = cell_versions(connection, wanted)
        seen = _versions_seen(connection, ops)
        rows, cells, bases = [], [], []
        for number, op in enumerate(ops, start=last + 1):
            row = _row(unit, op.change, after=op.change.after)
            record_id, amended = op.change.record.id, _amended(op)
            told = amended or op.fields
            row["base"] = pack(seen.get(record_id, {}) | {f: versions.get((record_id, f)) for f in told})
            row["effects"] = pack({"fields": op.fields, "made": op.made}) if op.change.kind == "command" else None
            row.update(op_n=number, state="waiting")
            rows.append(row)
            cells += [_cell(unit, record_id, f) for f in amended]
            replaced = op.replaced if op.change.kind == "command" else op.change.before
            bases += [
                {
                    "record_id": record_id, "field": f, "entity": row["entity"], "value": pack(replaced.get(f)),
                    "version": versions.get((record_id, f)),
                }
                for f in (*amended, *op.fields)
            ]  # fmt: skip
        connection.execute(insert(tables.journal), rows)
        upsert_cells(connection, cells)
        keep_bases(connection, bases)


def _versions_seen(connection: Connection, ops: Sequence[_Op]) -> dict[int, dict[str, str]]:
    """Of records that are taken out of use: the versions of all their edited fields that were known here, so that the street can tell
    an edit that was not.
    """
    retired = [op.change.record.id for op in ops if _amended(op).get("retired_at") is not None]
    c = tables.cell.c
    found: dict[int, dict[str, str]] = {}
    for part in batches(retired):
        for record_id, name, version in connection.execute(
            select(c.record_id, c.field, c.version).where(c.record_id.in_(part))
        ):
            found.setdefault(record_id, {})[name] = version
    return found


def _amended(op: _Op) -> dict[str, Any]:
    return op.change.after if op.change.kind == "amend" else {}


def _operations(captured: list[Captured]) -> list[_Op]:
    """The operations of one unit, in order: later edits of a record fold into its first, effects go to their command."""
    commands = {c.record.id: _Op(c) for c in captured if c.kind == "command"}
    # A task that a command made is its doing too, and so are the lines of the task's log.
    made = {
        c.record.id: commands[hung]
        for c in captured
        if c.kind == "create" and (hung := getattr(c.record, PART_OF.get(noun_of(c.record).kind, ""), None)) in commands
    }
    ops: list[_Op] = []
    open_ops: dict[int, _Op] = {}
    for change in captured:
        record_id = change.record.id
        if change.kind == "command":
            # Two commands on one record in one unit: the last one holds the effects, both travel.
            op = commands[record_id] if commands[record_id].change is change else _Op(change)
            ops.append(op)
            open_ops.pop(record_id, None)
            continue
        owner = made.get(change.record.id) or _owner(change, commands | made)
        if owner is not None and change.kind == "create":
            owner.made.append((noun_of(change.record).kind, record_id))
            continue
        if change.kind == "amend":
            change = _without_effects(change, owner)
            if not change.after:
                continue
        earlier = open_ops.get(record_id)
        if earlier is None:
            open_ops[record_id] = op = _Op(change)
            ops.append(op)
        else:
            earlier.change = _folded(earlier.change, change)
    return ops


def _owner(change: Captured, commands: dict[int, _Op]) -> _Op | None:
    """The command a change belongs to: one on the record itself, or on the record whose log the change adds a line to."""
    if change.kind == "amend":
        return commands.get(change.record.id)
    noun = noun_of(change.record)
    followed = getattr(change.record, noun.follows) if noun.follows else None
    command = commands.get(followed) if followed is not None else None
    if command is None or LOG_OF.get(noun_of(command.change.record).kind) != noun.kind:
        return None
    return command


def _without_effects(change: Captured, owner: _Op | None) -> Captured:
    """The part of an edit that travels as an edit; the street's own fields go to the command that changed them."""
    declared = noun_of(change.record).fields
    effects = {f for f in change.after if declared[f].merge is Merge.STREET}
    if not effects:
        return change
    if owner is None:
        raise RuntimeError(f"only the street changes {sorted(effects)} of {change.record!r}; a desk sends a command")
    for name in effects:
        owner.fields[name] = change.after[name]
        owner.replaced.setdefault(name, change.before.get(name))
    rest = {f: v for f, v in change.after.items() if f not in effects}
    return Captured("amend", change.record, rest, change.origin, {f: change.before.get(f) for f in rest})


def _folded(earlier: Captured, later: Captured) -> Captured:
    return replace(earlier, after=earlier.after | later.after, before=later.before | earlier.before)


def last_op(connection: Connection) -> int:
    """The highest operation number ever used on this desk."""
    return int(connection.execute(_LAST_OP).scalar() or 0)


def _row(unit: Unit, change: Captured, after: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": change.origin.at,
        "stamp": change.origin.stamp,
        "actor_id": unit.actor.user_id,
        "replica": change.origin.replica,
        "kind": change.kind,
        "entity": noun_of(change.record).kind,
        "record_id": change.record.id,
        "after": pack(after) if after else None,
        "before": pack(change.before) if change.before else None,
        "base": None,
        "effects": None,
        "origin": unit.origin,
        "op_n": None,
        "state": None,
    }


def _cell(unit: Unit, record_id: int, field: str) -> dict[str, Any]:
    return {
        "record_id": record_id, "field": field, "version": unit.stamp, "claimed": None,
        "actor_id": unit.actor.user_id, "at": unit.at,
    }  # fmt: skip


def _chunks(keys: Sequence[tuple[int, str]]) -> Iterator[Sequence[tuple[int, str]]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def cell_versions(connection: Connection, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """The version of each of these cells that has ever been edited."""
    found: dict[tuple[int, str], str] = {}
    for part in _chunks(keys):
        found.update({(r, f): v for r, f, v in connection.execute(_VERSIONS, {"keys": list(part)})})
    return found


def keep_bases(connection: Connection, bases: Sequence[dict[str, Any]]) -> None:
    """Remember the street's value of cells that now show a desk's own pending one; a value kept earlier stays (desk: SQLite only)."""
    if bases:
        connection.execute(insert(tables.base_cell).prefix_with("OR IGNORE"), list(bases))


def upsert_cells(connection: Connection, cells: Sequence[dict[str, Any]]) -> None:
    """Write cell versions, replacing older ones. Sorted by key, so that PostgreSQL's writers cannot deadlock."""
    if not cells:
        return
    latest = {(c["record_id"], c["field"]): c for c in cells}
    rows = [latest[k] for k in sorted(latest)]
    connection.execute(_cells_statement(connection.dialect.name), rows)


@cache
def _cells_statement(dialect: str) -> Executable:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as dialect_insert
    else:
        from sqlalchemy.dialects.sqlite import insert as dialect_insert  # type: ignore[assignment]
    statement = dialect_insert(tables.cell)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["record_id", "field"],
        set_={"version": new.version, "claimed": new.claimed, "actor_id": new.actor_id, "at": new.at},
    )


@dataclass(frozen=True)
class Entry:
    """One line of a record's history. `state`: the receipt of a desk's own entry (waiting, sent, acknowledged, settled, refused); `verdict`:
    what the street made of it (applied, merged, set_aside, refused, deferred).
    """

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
    verdict: str | None = None


def history_of(reader: Reader, record_ids: Sequence[int], limit: int = 200) -> list[Entry]:
    """What happened to these records, newest first."""
    j = tables.journal.c
    shown = (j.at, j.actor_id, j.kind, j.entity, j.record_id, j.after, j.before, j.origin, j.state, j.op_n)
    query = select(*shown, j.reason, j.ack_seq, j.ack_at, j.verdict).where(j.record_id.in_(list(record_ids)))
    return [
        Entry(
            r.at, r.actor_id, r.kind, r.entity, r.record_id, unpack(r.after), unpack(r.before), r.origin, r.state,
            words_of(r.reason), r.op_n, r.ack_seq, r.ack_at, r.verdict,
        )
        for r in reader.connection.execute(query.order_by(j.id.desc()).limit(limit))
    ]  # fmt: skip


def words_of(reason: str | None) -> str | None:
    """A kept reason in the language in use."""
    if not reason:
        return None
    code, text, remedy, places = json.loads(reason)
    return Refusal(code, text, remedy, **places).words()
