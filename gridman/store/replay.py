"""A desk takes in what the street sent: rows, positions, exits, and at a complete checkpoint the end of its own pending edits.

The tables show base plus overlay (sync design D3): what the street holds, and over it this desk's edits that are not settled yet.
`base_cell` remembers the street's value of every cell that shows a pending one. An edit stops being pending only when everything up to
the number the street answered it at has arrived; any earlier and it would blink out of sight. Desk only, so this speaks SQLite.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from gridman.domain.attachment import Attachment
from gridman.domain.catalog import Noun, noun
from gridman.domain.stamp import ZERO, HybridClock
from gridman.store import indexes, outbox, tables
from gridman.store.batches import batches
from gridman.store.changes import Changes
from gridman.store.drafts import forget_drafts_about
from gridman.store.leaving import households_of, made_for, table_of
from gridman.store.photo_queue import note_leaving
from gridman.store.pushed import keep_for_later
from gridman.store.scrub import note_removal
from gridman.store.store import Store, put_meta
from gridman.store.unit import MANY
from gridman.store.values import pack, unpack

__all__ = ["PulledEntry", "PulledRows", "Replay", "positions", "receiving"]

CellState = tuple[str, str, int | None, int | None]
"""Field, version, who, when."""


@dataclass(frozen=True)
class PulledRows:
    """Rows of one kind as the street has them; the id is the first column. `cells`: by record id, its edited fields."""

    kind: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    cells: dict[int, list[CellState]]


@dataclass(frozen=True)
class PulledEntry:
    """A record is in a scope, or has left it."""

    record_id: int
    scope: str
    kind: str
    seq: int
    is_exit: bool


@contextmanager
def receiving(store: Store, *, is_hasty: bool = False) -> Iterator["Replay"]:
    """One transaction in which a part of the street's answer is taken in; `changes()` of the replay afterwards. ``is_hasty``: its end does
    not wait for the disk; a power cut may take it back (and nothing else), and what was in it comes again.
    """
    with store.database.writing, store.database.transaction(is_hasty=is_hasty) as connection:
        replay = Replay(connection, store.replica, store.clock())
        yield replay
        replay.finish()


def positions(connection: Connection) -> dict[str, tuple[int, int]]:
    """How far each scope has been received: number, and last record of that number."""
    c = tables.cursor.c
    return {scope: (seq, after) for scope, seq, after in connection.execute(select(c.scope, c.seq, c.after_id))}


def received_upto(store: Store) -> int:
    """The number up to which this desk has received every scope it knows; 0 before its first synchronisation."""
    with store.read() as reader:
        return min((seq for seq, _after in positions(reader.connection).values()), default=0)


@dataclass
class Replay:
    """The work of one such transaction."""

    connection: Connection
    replica: int
    now: int
    _touched: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _newest: str = ZERO
    _pending: dict[int, dict[str, Any]] | None = None
    _many: set[str] = field(default_factory=set)
    _starting_over: bool | None = None

    def take_rows(self, pulled: PulledRows) -> int:
        """Write rows, own pending values staying on top; returns how many arrived."""
        known = noun(pulled.kind)
        if known is None:
            self._defer(pulled.kind, pulled.columns, pulled.rows, pulled.cells)
            return 0
        table = table_of(known)
        columns = [c for c in pulled.columns if c in table.c]
        if len(columns) < len(pulled.columns):
            strange = [c for c in pulled.columns if c not in table.c]
            where = [pulled.columns.index(c) for c in ("id", *strange)]
            rows = [tuple(row[i] for i in where) for row in pulled.rows]
            self._defer(pulled.kind, ("id", *strange), rows, pulled.cells)
        places = [pulled.columns.index(c) for c in columns]
        rows = (
            [tuple(row[i] for i in places) for row in pulled.rows] if len(places) < len(pulled.columns) else pulled.rows
        )
        if self._pending is None:
            self._pending = outbox.pending_values(self.connection)
        pending = self._pending
        self._note_changes(known, columns, rows, pulled.cells, pending)
        if rows and self._is_starting_over():
            self._forget_versions(rows)
        self._keep_cells(pulled.cells, pending)
        self._upsert(
            known.kind, columns, [self._overlaid(known.kind, columns, row, pulled.cells, pending) for row in rows]
        )
        self._touched[known.kind].update(row[0] for row in rows)
        return len(rows)

    def _is_starting_over(self) -> bool:
        """Whether what is here was received from an earlier life of the street's data and is being received anew."""
        if self._starting_over is None:
            found = self.connection.exec_driver_sql("SELECT 1 FROM sync_exit WHERE seq = 0 LIMIT 1").first()
            self._starting_over = found is not None
        return self._starting_over

    def _forget_versions(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Versions that the street gave in the life it lost must not look newer than those it gives now."""
        self.connection.exec_driver_sql(
            "DELETE FROM cell WHERE record_id = ? AND field NOT IN "
            "(SELECT field FROM base_cell WHERE base_cell.record_id = cell.record_id)",
            [(row[0],) for row in rows],
        )

    def _overlaid(
        self,
        kind: str,
        columns: Sequence[str],
        row: tuple[Any, ...],
        cells: Mapping[int, list[CellState]],
        pending: Mapping[int, Mapping[str, Any]],
    ) -> tuple[Any, ...]:
        """The row as this desk shows it; the street's value of each pending field is remembered."""
        mine = pending.get(row[0])
        if not mine:
            return row
        versions = {name: version for name, version, _who, _when in cells.get(row[0], ())}
        held = [
            (row[0], name, kind, pack(row[columns.index(name)]), versions.get(name)) for name in mine if name in columns
        ]
        if held:  # none when the street is older and does not know the pending fields
            self.connection.exec_driver_sql(
                "INSERT OR REPLACE INTO base_cell(record_id, field, entity, value, version) VALUES (?,?,?,?,?)", held
            )
        return tuple(mine.get(name, value) for name, value in zip(columns, row, strict=True))

    def _upsert(self, kind: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        names = ", ".join(f'"{c}"' for c in columns)
        marks = ", ".join("?" * len(columns))
        renewed = ", ".join(f'"{c}"=excluded."{c}"' for c in columns[1:])
        self.connection.exec_driver_sql(
            f'INSERT INTO "{kind}" ({names}) VALUES ({marks}) ON CONFLICT(id) DO UPDATE SET {renewed}', list(rows)
        )

    def _note_changes(
        self,
        known: Noun,
        columns: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
        cells: Mapping[int, list[CellState]],
        pending: Mapping[int, Mapping[str, Any]],
    ) -> None:
        """Journal what others changed in records that were here already, by author."""
        table = table_of(known)
        shown = [table.c[c] for c in columns]
        old: dict[int, Any] = {}
        for part in batches(row[0] for row in rows):
            old.update({r[0]: r for r in self.connection.execute(select(*shown).where(table.c.id.in_(part)))})
        entries = []
        for row in rows:
            before = old.get(row[0])
            if before is None:
                continue
            mine = pending.get(row[0], {})
            changed = [i for i, name in enumerate(columns) if row[i] != before[i] and name not in mine]
            if changed:
                entries += self._entries(known.kind, columns, row, before, changed, cells.get(row[0], ()))
        self._journal(entries)

    def _entries(
        self,
        kind: str,
        columns: Sequence[str],
        row: Sequence[Any],
        before: Sequence[Any],
        changed: Iterable[int],
        cells: Iterable[CellState],
    ) -> list[tuple[Any, ...]]:
        authors = {name: (when or self.now, version, who) for name, version, who, when in cells}
        by_author: dict[tuple[int, str, int | None], list[int]] = defaultdict(list)
        for i in changed:
            by_author[authors.get(columns[i], (self.now, ZERO, None))].append(i)
        return [
            (at, stamp, who, kind, row[0], pack({columns[i]: row[i] for i in fields}), pack({columns[i]: before[i] for i in fields}))
            for (at, stamp, who), fields in sorted(by_author.items(), key=lambda item: item[0][:2])
        ]  # fmt: skip

    def _journal(self, entries: list[tuple[Any, ...]]) -> None:
        if entries:
            self.connection.exec_driver_sql(
                "INSERT INTO journal(at, stamp, actor_id, kind, entity, record_id, after, before, origin) "
                "VALUES (?,?,?,'amend',?,?,?,?,'street')",
                entries,
            )

    def _keep_cells(self, cells: Mapping[int, list[CellState]], pending: Mapping[int, Mapping[str, Any]]) -> None:
        rows = []
        for record_id, edited in cells.items():
            mine = pending.get(record_id, {})
            for name, version, who, when in edited:
                self._newest = max(self._newest, version)
                if name not in mine:
                    rows.append((record_id, name, version, who, when))
        if rows:
            self.connection.exec_driver_sql(
                "INSERT OR REPLACE INTO cell(record_id, field, version, actor_id, at) VALUES (?,?,?,?,?)", rows
            )

    def keep_new_cells(self, rows: Sequence[tuple[int, str, str, int | None, int | None]]) -> None:
        """Versions of edited fields (record, field, version, who, when) of records that came for the first time."""
        if rows:
            self._newest = max(self._newest, *(row[2] for row in rows))
            self.connection.exec_driver_sql(
                "INSERT OR REPLACE INTO cell(record_id, field, version, actor_id, at) VALUES (?,?,?,?,?)", list(rows)
            )

    def touch(self, kind: str, ids: Iterable[int]) -> None:
        """These records changed: the indexes and the screens must know."""
        self._touched[kind].update(ids)

    def touch_many(self, kind: str) -> None:
        """Many records of this kind are new, their indexes made already: the screens ask anew."""
        self._many.add(kind)

    def _defer(
        self, kind: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], cells: Mapping[int, list[CellState]]
    ) -> None:
        """Keep what this version does not understand, the newest state of each record, with the versions of its fields."""
        for row in rows:
            record_id = row[columns.index("id")]
            self.connection.exec_driver_sql(
                "DELETE FROM deferred WHERE entity = ? AND record_id = ?", (kind, record_id)
            )
            edited = [cell for cell in cells.get(record_id, ()) if cell[0] in columns]
            whole = {"row": dict(zip(columns, row, strict=True)), "cells": edited}
            keep_for_later(self.connection, None, kind, record_id, whole)

    def take_deferred(self) -> int:
        """After an update of the program: write what an older version could not; returns how many rows found their place."""
        d = tables.deferred.c
        done = []
        for row in self.connection.execute(select(d.id, d.entity, d.record_id, d.payload)).all():
            known, kept = noun(row.entity), unpack(row.payload)
            values = kept["row"]
            if known is None or not values.keys() <= set(known.columns):
                continue
            columns = ("id", *(c for c in values if c != "id"))
            new, edited = tuple(values[c] for c in columns), {row.record_id: [tuple(cell) for cell in kept["cells"]]}
            if not self._add_columns(
                known, columns, new, edited
            ):  # a kind that was unknown: the whole record is new here
                self.take_rows(PulledRows(known.kind, columns, [new], edited))
            done.append((row.id,))
        if done:
            self.connection.exec_driver_sql("DELETE FROM deferred WHERE id = ?", done)
        return len(done)

    def _add_columns(
        self, known: Noun, columns: Sequence[str], row: tuple[Any, ...], cells: Mapping[int, list[CellState]]
    ) -> bool:
        """Fill columns that are new here of a record that is here; False when it is not."""
        pending = outbox.pending_values(self.connection)
        row = self._overlaid(known.kind, columns, row, cells, pending)
        self._keep_cells(cells, pending)
        written = ", ".join(f'"{c}" = ?' for c in columns[1:])
        done = self.connection.exec_driver_sql(f'UPDATE "{known.kind}" SET {written} WHERE id = ?', (*row[1:], row[0]))
        self._touched[known.kind].add(row[0])
        return bool(done.rowcount)

    def place(self, entries: Sequence[PulledEntry]) -> None:
        """Note in which scopes records are; those that left wait for the checkpoint, they may come back in another scope."""
        here = [(e.record_id, e.scope, e.kind, e.seq) for e in entries if not e.is_exit]
        gone = [(e.record_id, e.scope, e.kind, e.seq) for e in entries if e.is_exit]
        run = self.connection.exec_driver_sql
        if here:
            run("INSERT OR REPLACE INTO sync_row(record_id, scope, entity, seq) VALUES (?,?,?,?)", here)
            run("DELETE FROM sync_exit WHERE record_id = ? AND scope = ?", [(i, s) for i, s, _, _ in here])
        if gone:
            run("DELETE FROM sync_row WHERE record_id = ? AND scope = ?", [(i, s) for i, s, _, _ in gone])
            run("INSERT OR REPLACE INTO sync_exit(record_id, scope, entity, seq) VALUES (?,?,?,?)", gone)

    def drop(self, scopes: Iterable[str]) -> None:
        """Scopes taken away: their records leave this computer now. Unsent edits stay in the outbox and go up."""
        run = self.connection.exec_driver_sql
        for scope in scopes:
            rows = run(
                # Those that had left the scope and wait for the checkpoint too: nothing would remember them after this.
                "SELECT record_id, entity FROM (SELECT record_id, entity FROM sync_row WHERE scope = ? "
                "UNION SELECT record_id, entity FROM sync_exit WHERE scope = ?) AS mine WHERE NOT EXISTS "
                "(SELECT 1 FROM sync_row AS other WHERE other.record_id = mine.record_id AND other.scope <> ?)",
                (scope, scope, scope),
            ).all()
            for table in ("sync_row", "sync_exit", "cursor", "snapshot_part"):
                run(f"DELETE FROM {table} WHERE scope = ?", (scope,))
            self._remove_by_kind((kind, record_id) for record_id, kind in rows)

    def move_cursors(self, cursors: Iterable[tuple[str, int, int]]) -> None:
        """Note how far each scope has been received."""
        rows = list(cursors)
        if rows:
            self.connection.exec_driver_sql("INSERT OR REPLACE INTO cursor(scope, seq, after_id) VALUES (?,?,?)", rows)
            self.connection.exec_driver_sql("DELETE FROM snapshot_part WHERE scope = ?", [(s,) for s, _, _ in rows])

    def start_over(self) -> None:
        """The street's data has another life: whatever does not arrive again leaves at the next checkpoint."""
        run = self.connection.exec_driver_sql
        run("INSERT OR REPLACE INTO sync_exit SELECT record_id, scope, entity, 0 FROM sync_row")
        for table in ("sync_row", "cursor", "snapshot_part"):
            run(f"DELETE FROM {table}")
        self._starting_over = None

    def checkpoint(self, seq: int) -> None:
        """Everything up to `seq` is here: let go of what left, and settle the operations answered by then."""
        left = self.connection.exec_driver_sql(
            "SELECT DISTINCT entity, record_id FROM sync_exit AS gone WHERE NOT EXISTS "
            "(SELECT 1 FROM sync_row WHERE sync_row.record_id = gone.record_id)"
        ).all()
        self._remove_by_kind((kind, record_id) for kind, record_id in left)
        self.connection.exec_driver_sql("DELETE FROM sync_exit")
        self._settle(seq)

    def _settle(self, seq: int) -> None:
        j = tables.journal.c
        answered = (
            select(j.op_n, j.kind, j.entity, j.record_id, j.after, j.effects, j.verdict, j.reason)
            .where(j.state == outbox.ACKNOWLEDGED, j.ack_seq <= seq)
            .order_by(j.op_n)
        )
        ops = self.connection.execute(answered).all()
        if not ops:
            return
        still = outbox.pending_values(self.connection, before_settling=seq)
        freed: dict[int, set[str]] = defaultdict(set)
        unsure: set[tuple[str, int]] = set()
        for op in ops:
            if op.verdict == outbox.DEFERRED:
                continue  # the street will know it when it is updated; until then it stays as it is shown
            effects = unpack(op.effects)
            names = unpack(op.after) if op.kind == "amend" else effects.get("fields", ())
            kept = outbox.fields_kept(op.reason)
            self._forget_base(op.record_id, kept)
            freed[op.record_id].update(set(names) - still.get(op.record_id, {}).keys() - kept)
            unsure.update((str(kind), int(i)) for kind, i in effects.get("made", ()))
            unsure.add((op.entity, op.record_id))
        self._show_base(freed)
        placed = self._placed([i for _, i in unsure])
        self._remove_by_kind((kind, i) for kind, i in unsure if i not in placed and i not in still)
        self.connection.exec_driver_sql(
            "UPDATE journal SET state = CASE WHEN verdict IN ('refused', 'set_aside') THEN 'refused' ELSE 'settled' END "
            "WHERE state = 'acknowledged' AND ack_seq <= ?",
            (seq,),
        )

    def _forget_base(self, record_id: int, fields: Iterable[str]) -> None:
        """The street does not know these fields yet, so that what is written here is all there is."""
        forget = "DELETE FROM base_cell WHERE record_id = ? AND field = ?"
        for name in fields:
            self.connection.exec_driver_sql(forget, (record_id, name))

    def _placed(self, ids: Iterable[int]) -> set[int]:
        e = tables.sync_row.c
        return {
            i
            for part in batches(ids)
            for i in self.connection.scalars(select(e.record_id).where(e.record_id.in_(part)))
        }

    def _show_base(self, freed: Mapping[int, set[str]]) -> None:
        """Have cells without a pending edit show the street's value again."""
        b = tables.base_cell.c
        run = self.connection.exec_driver_sql
        for part in batches(i for i, names in freed.items() if names):
            bases = self.connection.execute(
                select(b.record_id, b.field, b.entity, b.value, b.version).where(b.record_id.in_(part))
            )
            for record_id, name, kind, value, version in bases.all():
                if name not in freed[record_id]:
                    continue
                self._show(kind, record_id, name, unpack(value), version)
                key = (record_id, name)
                run("DELETE FROM base_cell WHERE record_id = ? AND field = ?", key)
                if version is None:
                    run("DELETE FROM cell WHERE record_id = ? AND field = ?", key)
                else:
                    run(
                        "INSERT INTO cell(version, record_id, field) VALUES (?,?,?) "
                        "ON CONFLICT(record_id, field) DO UPDATE SET version = excluded.version",
                        (version, *key),
                    )

    def _show(self, kind: str, record_id: int, name: str, value: Any, version: str | None) -> None:
        known = noun(kind)
        if known is None or name not in known.columns:
            return
        column = table_of(known).c[name]
        shown = self.connection.execute(select(column).where(table_of(known).c.id == record_id)).first()
        if shown is None or shown[0] == value:
            return
        self._journal([(self.now, version or ZERO, None, kind, record_id, pack({name: value}), pack({name: shown[0]}))])
        self.connection.exec_driver_sql(f'UPDATE "{kind}" SET "{name}" = ? WHERE id = ?', (value, record_id))
        self.connection.exec_driver_sql(
            "UPDATE cell SET actor_id = NULL, at = NULL WHERE record_id = ? AND field = ?", (record_id, name)
        )
        self._touched[kind].add(record_id)

    def _remove_by_kind(self, records: Iterable[tuple[str, int]]) -> None:
        by_kind: dict[str, list[int]] = defaultdict(list)
        for kind, record_id in records:
            by_kind[kind].append(record_id)
        for kind, ids in by_kind.items():
            self._remove(kind, ids)

    def _remove(self, kind: str, ids: Sequence[int]) -> None:
        """Take records and every trace of their values off this computer; receipts of own work stay without the values."""
        known = noun(kind)
        run = self.connection.exec_driver_sql
        one = [(i,) for i in ids]
        if known is not None:
            households = households_of(self.connection, known, ids)
            if known.cls is Attachment:
                note_leaving(self.connection, self.replica, ids)
            run(f'DELETE FROM "{kind}" WHERE id = ?', one)
            indexes.forget(self.connection, ids)
            self._touched["household"].update(households)
        for table in ("cell", "base_cell", "deferred"):
            run(f"DELETE FROM {table} WHERE record_id = ?", one)
        run("DELETE FROM journal WHERE record_id = ? AND op_n IS NULL", one)
        made = made_for(self.connection, ids)
        run(
            "UPDATE journal SET after = NULL, before = NULL, base = NULL, effects = NULL "
            "WHERE record_id = ? AND state NOT IN ('waiting', 'sent')",
            one,
        )
        forget_drafts_about(self.connection, kind, ids)
        note_removal(self.connection)
        self._touched[kind].update(ids)
        placed = self._placed([i for _, i in made])
        self._remove_by_kind((kind, i) for kind, i in made if i not in placed)

    def finish(self) -> None:
        """Before the commit: the indexes, and the clock that has now seen the street's stamps."""
        if self._touched:
            indexes.refresh(self.connection, self._touched, self.now)
        if self._newest > ZERO:
            clock = HybridClock(self.replica, self.note("last_stamp") or ZERO)
            clock.see(self._newest, self.now)
            put_meta(self.connection, "last_stamp", clock.last)

    def note(self, key: str) -> str:
        """One of the store's own notes about itself, "" when there is none."""
        m = tables.meta.c
        return str(self.connection.execute(select(m.value).where(m.key == key)).scalar() or "")

    def changes(self) -> Changes:
        """What this page changed."""
        few = {k: frozenset(ids) for k, ids in self._touched.items() if 0 < len(ids) <= MANY and k not in self._many}
        many = self._many | {k for k, ids in self._touched.items() if len(ids) > MANY}
        return Changes(few | {k: frozenset() for k in many})
