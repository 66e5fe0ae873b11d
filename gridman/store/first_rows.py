"""A desk takes in a segment of a snapshot: many rows at once, from columns straight into the tables (sync design D7). Desk only: SQLite.

Rows that are new here take the short way. A row that is here already, or that one of this desk's own operations waits for, takes the way
every pulled row takes (`store/replay.py`); and one that is here as of a later number than the snapshot's stays as it is.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from sqlalchemy import Connection, select

from gridman.domain.catalog import Noun, noun
from gridman.store import indexes, outbox, tables
from gridman.store.batches import batches
from gridman.store.leaving import table_of
from gridman.store.replay import CellState, PulledRows, Replay
from gridman.store.values import pack, unpack

__all__ = ["Begun", "SnapshotColumns", "begun_snapshots", "note_segment", "take_columns"]


@dataclass(frozen=True)
class Begun:
    """A snapshot of which the segments before number `next` are here. `hashes`: SHA-256 of each of its segments."""

    ident: bytes
    seq: int
    next: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True)
class SnapshotColumns:
    """Rows of one kind, by column; ids ascend. `cells`: index of a row -> its edited fields."""

    kind: str
    columns: dict[str, Sequence[Any]]
    cells: dict[int, list[CellState]] = field(default_factory=dict)


def begun_snapshots(connection: Connection) -> dict[str, Begun]:
    """The snapshots of which the beginning is here, by scope."""
    p = tables.snapshot_part.c
    rows = connection.execute(select(p.scope, p.ident, p.seq, p.next, p.hashes))
    return {r.scope: Begun(r.ident, r.seq, r.next, tuple(unpack(r.hashes))) for r in rows}


def note_segment(replay: Replay, scope: str, begun: Begun) -> None:
    """Remember how far the scope's snapshot is here; a scope whose last segment is here has its cursor at the snapshot's number.

    Call it before the segment's rows are taken: when another snapshot was under way, what came of that leaves at the next checkpoint
    unless it comes again.
    """
    run = replay.connection.exec_driver_sql
    if begun.next == 1:
        run(
            "INSERT OR REPLACE INTO sync_exit SELECT record_id, scope, entity, 0 FROM sync_row WHERE scope = ?",
            (scope,),
        )
        run("DELETE FROM sync_row WHERE scope = ?", (scope,))
    if begun.next >= len(begun.hashes):
        replay.move_cursors([(scope, begun.seq, 1 << 62)])
        return
    run(
        "INSERT OR REPLACE INTO snapshot_part(scope, ident, seq, next, hashes) VALUES (?,?,?,?,?)",
        (scope, begun.ident, begun.seq, begun.next, pack(list(begun.hashes))),
    )


def take_columns(replay: Replay, scope: str, seq: int, parts: Sequence[SnapshotColumns]) -> int:
    """Write the rows of one segment, all of which are in `scope` as of number `seq`; returns how many arrived."""
    pending = outbox.pending_values(replay.connection)
    fresh: dict[str, dict[str, Sequence[Any]]] = {}
    count = 0
    for part in parts:
        ids = part.columns["id"]
        count += len(ids)
        known = noun(part.kind)
        if known is None or not part.columns.keys() <= set(known.columns):
            replay.take_rows(_as_rows(part, range(len(ids))))
            _place(replay, scope, part.kind, seq, ids)
            continue
        part = _completed(part, known)
        here = _standing(replay.connection, known, ids)
        slow = here | (pending.keys() & set(ids)) if pending else here
        if not slow:
            _insert(replay, known, part)
            fresh[known.kind] = part.columns
        else:
            _mixed(replay, known, part, seq, slow)
        _place(replay, scope, known.kind, seq, ids)
    if fresh:
        for kind in fresh:
            replay.touch_many(kind)
        indexes.add_new(replay.connection, fresh, replay.now)
    return count


def _completed(part: SnapshotColumns, known: Noun) -> SnapshotColumns:
    """With the columns that an older street does not know, empty."""
    nothing = [None] * len(part.columns["id"])
    return SnapshotColumns(part.kind, {name: part.columns.get(name, nothing) for name in known.columns}, part.cells)


def _mixed(replay: Replay, known: Noun, part: SnapshotColumns, seq: int, slow: Collection[int]) -> None:
    """Some rows are here already or waited for: each goes its own way."""
    ids = part.columns["id"]
    newer = _newer(replay.connection, slow, seq)
    replay.take_rows(
        _as_rows(part, [i for i, record_id in enumerate(ids) if record_id in slow and record_id not in newer])
    )
    new = [i for i, record_id in enumerate(ids) if record_id not in slow]
    if new:
        columns: dict[str, Sequence[Any]] = {name: [values[i] for i in new] for name, values in part.columns.items()}
        cells = {place: part.cells[i] for place, i in enumerate(new) if i in part.cells}
        _insert(replay, known, SnapshotColumns(part.kind, columns, cells))
        replay.touch(known.kind, columns["id"])


def _as_rows(part: SnapshotColumns, places: Sequence[int]) -> PulledRows:
    names = ("id", *(name for name in part.columns if name != "id"))
    columns = [part.columns[name] for name in names]
    rows = [tuple(column[i] for column in columns) for i in places]
    ids = part.columns["id"]
    return PulledRows(part.kind, names, rows, {ids[i]: part.cells[i] for i in places if i in part.cells})


def _standing(connection: Connection, known: Noun, ids: Sequence[int]) -> set[int]:
    """Those of `ids` that have a row here."""
    if connection.exec_driver_sql(f'SELECT 1 FROM "{known.kind}" LIMIT 1').first() is None:
        return set()
    column = table_of(known).c.id
    lowest, highest = min(ids), max(ids)
    within = f'SELECT 1 FROM "{known.kind}" WHERE id BETWEEN ? AND ? LIMIT 1'
    if connection.exec_driver_sql(within, (lowest, highest)).first() is None:
        return set()
    return {i for part in batches(ids) for i in connection.scalars(select(column).where(column.in_(part)))}


def _newer(connection: Connection, ids: Collection[int], seq: int) -> set[int]:
    """Those of `ids` that this desk has, or has seen leave a scope, as of `seq` or later."""
    found: set[int] = set()
    for table in (tables.sync_row, tables.sync_exit):
        c = table.c
        for part in batches(ids):
            found.update(connection.scalars(select(c.record_id).where(c.record_id.in_(part), c.seq >= seq)))
    return found


def _insert(replay: Replay, known: Noun, part: SnapshotColumns) -> None:
    # A value that all rows share is written into the statement, an empty one left out: binding it for each row would take half the time.
    same = {name: values[0] for name, values in part.columns.items() if _is_plain(values[0]) and _is_same(values)}
    varying = {name: values for name, values in part.columns.items() if name not in same or name == "id"}
    fixed = {name: str(int(v)) for name, v in same.items() if v is not None and name not in varying}
    names = ", ".join(f'"{name}"' for name in (*varying, *fixed))
    marks = ", ".join([*("?" * len(varying)), *fixed.values()])
    rows = list(zip(*varying.values(), strict=True))
    replay.connection.exec_driver_sql(f'INSERT INTO "{known.kind}" ({names}) VALUES ({marks})', rows)
    ids = part.columns["id"]
    replay.keep_new_cells([(ids[i], *cell) for i, edited in part.cells.items() for cell in edited])


def _text(value: str) -> str:
    """A text as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def _is_plain(value: Any) -> bool:
    return value is None or type(value) is int


def _is_same(values: Sequence[Any]) -> bool:
    return values.count(values[0]) == len(values) and not any(type(v) is float for v in values)


def _place(replay: Replay, scope: str, kind: str, seq: int, ids: Sequence[int]) -> None:
    """The state of these records is known as of the snapshot's number, whenever they changed last."""
    run = replay.connection.exec_driver_sql
    rows = list(zip(ids, repeat(scope), repeat(kind), repeat(seq)))
    run("INSERT OR REPLACE INTO sync_row(record_id, scope, entity, seq) VALUES (?,?,?,?)", rows)
    if run("SELECT 1 FROM sync_exit WHERE scope = ? LIMIT 1", (scope,)).first() is not None:
        run("DELETE FROM sync_exit WHERE record_id = ? AND scope = ?", [(i, scope) for i in ids])
