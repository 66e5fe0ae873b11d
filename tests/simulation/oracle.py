"""What must be true of any history, kept apart from the code it judges."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from gridman.domain.catalog import noun
from gridman.domain.stamp import MAX_AHEAD_MS, wall_of
from gridman.services.access import scopes_of_user
from gridman.store.store import Store
from gridman.store.unit import Reader, Unit
from gridman.store.values import unpack
from gridman.sync import replica
from gridman.sync.checking import Held
from gridman.sync.codec import digest_of
from gridman.sync.protocol import Op, Verdict
from tests.simulation.copies import PENDING, ask, cells_of_copy, in_scopes, pending_names, rows_of_copy
from tests.simulation.desks import Computer, Moment

__all__ = ["Oracle", "Violation"]

Key = tuple[int, int, str]
"""An operation: device, number, digest of its content."""


class Violation(AssertionError):
    """A history broke a promise of the sync."""


@dataclass(frozen=True)
class Written:
    """One value a desk wrote."""

    key: Key
    kind: str
    record_id: int
    name: str
    value: Any


@dataclass
class Street:
    """What the oracle knows of the present life of the street's data; a restored street goes on with what it knew then. `handed`: operations
    that were handed over for review; `made`: the numbers that records got which they made; `owed`: those that computers let go of when
    they had handed over; `parted`: devices that handed over and destroyed what they had.
    """

    taken: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    verdicts: dict[tuple[int, int], str] = field(default_factory=dict)
    over: set[tuple[int, str, Any]] = field(default_factory=set)
    handed: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    made: dict[Key, tuple[str, int]] = field(default_factory=dict)
    owed: set[Key] = field(default_factory=set)
    parted: set[int] = field(default_factory=set)

    def copy(self) -> "Street":
        """As it is now."""
        return Street(
            copy(self.taken), dict(self.verdicts), set(self.over), copy(self.handed), dict(self.made), set(self.owed), set(self.parted)
        )  # fmt: skip


@dataclass
class Oracle:
    """Watches the street take operations in and compares the copies. `copied`: devices whose file was ever copied; `destroyed`: those that
    ever destroyed what they had; `lives`: how often the street's data began anew.
    """

    store: Store
    street: Street = field(default_factory=Street)
    written: list[Written] = field(default_factory=list)
    stamps: dict[tuple[int, str, Any], set[str]] = field(default_factory=lambda: defaultdict(set))
    copied: set[int] = field(default_factory=set)
    destroyed: set[int] = field(default_factory=set)
    lives: int = 0
    false_conflicts: list[str] = field(default_factory=list)
    first_lost: dict[tuple[int, int], int] = field(default_factory=dict)
    _now: list[tuple[Key, str]] = field(default_factory=list)
    _over_now: list[tuple[int, str, Any]] = field(default_factory=list)
    _handed_now: list[tuple[Key, tuple[str, int] | None]] = field(default_factory=list)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """See every operation the street takes in; `kept` or `undone` says whether its transaction was committed."""
        oracle, inner = self, replica.Intake

        class Watched(inner):  # type: ignore[misc, valid-type]
            def _take_together(self, ops: Sequence[Op]) -> list[Verdict]:
                marks = [len(seen) for seen in oracle.seen()]
                try:
                    return super()._take_together(ops)
                except Exception:
                    for seen, mark in zip(oracle.seen(), marks, strict=True):
                        del seen[mark:]  # taken back: it is taken once more
                    raise

            def take(self, op: Op, place: int | None = None) -> Verdict:
                before = oracle.before(self.unit, op)
                last = oracle.last_line(self.unit) if op.kind == "command" else 0
                verdict = super().take(op, place)
                oracle.saw(self.replica, op, before, verdict)
                if op.kind == "command":
                    self.unit.flush()
                    oracle.replaced_since(self.unit, last)
                return verdict

        kept = replica.Handover

        class WatchedHandover(kept):  # type: ignore[misc, valid-type]
            def keep(self, op: Op) -> Verdict:
                verdict = super().keep(op)
                made = (op.entity, self._renewed.get(op.record_id, op.record_id)) if op.kind == "create" else None
                oracle._handed_now.append(((self.replica, op.n, digest_of(op)), made))
                return verdict

        replica.Intake, replica.Handover = Watched, WatchedHandover  # type: ignore[misc]
        try:
            yield
        finally:
            replica.Intake, replica.Handover = inner, kept  # type: ignore[misc]

    def seen(self) -> tuple[list[Any], ...]:
        """What was seen of the push under way."""
        return self._now, self._over_now, self.false_conflicts

    def before(self, unit: Unit, op: Op) -> dict[str, tuple[Any, str | None]]:
        """The street's value and version of each field the operation edits, before it is applied. What the push gathered so far is written only
        where it matters here.
        """
        known = noun(op.entity)
        if op.kind != "amend" or known is None:
            return {}
        is_changed = unit.has_changed(known.cls, op.record_id)
        run = (unit.connection if is_changed else unit.session.connection()).exec_driver_sql
        row = run(f'SELECT * FROM "{op.entity}" WHERE id = {op.record_id}').mappings().first()
        if row is None:
            return {}
        cells = run(f"SELECT field, version FROM cell WHERE record_id = {op.record_id}").all()
        versions = {str(name): str(version) for name, version in cells}
        before = {name: (row[name], versions.get(name)) for name in op.after if name in row}
        if row["retired_at"] is not None and "retired_at" not in op.after:
            before[""] = (
                None,
                None,
            )  # a closing stands against every edit, known or not: nothing here is a false conflict
        return before

    def saw(self, desk: int, op: Op, before: dict[str, tuple[Any, str | None]], verdict: Verdict) -> None:
        """The street has answered an operation, in a transaction that may still be undone."""
        self._now.append(((desk, op.n, digest_of(op)), verdict.outcome))
        for name, (value, version) in before.items():
            if not name:
                continue
            base = op.base.get(name)
            if base == version or (base is not None and base in self.stamps.get((op.record_id, name, value), ())):
                self._over_now.append((op.record_id, name, value))
                if verdict.outcome == "merged" and len(before) == 1 and value != op.after[name] and not self.lives:
                    self.false_conflicts.append(f"op {desk}:{op.n} knew what it overwrote and lost a value")

    @staticmethod
    def holds_the_same(desk: Computer, scope: str, held: Held) -> None:
        """No disk is spoilt here, so that a check that finds a difference has found a fault: of the sync, or its own."""
        if held != Held.SAME:
            raise Violation(f"{desk.name}: the check finds {scope} {held}")

    @staticmethod
    def last_line(reader: Reader) -> int:
        """Where the street's journal ends."""
        return int(reader.connection.exec_driver_sql("SELECT max(id) FROM journal").scalar() or 0)

    def replaced_since(self, reader: Reader, line: int) -> None:
        """What the street itself replaced since, by its people or on a command, was replaced knowingly."""
        rows = reader.connection.exec_driver_sql(f"SELECT record_id, before FROM journal WHERE id > {line}").all()
        self._over_now += [(i, name, value) for i, before in rows for name, value in unpack(before).items()]

    def kept(self) -> None:
        """The street's transaction was committed."""
        for key, outcome in self._now:
            self.street.taken[key] += 1
            self.street.verdicts.setdefault(key[:2], outcome)
            if outcome != "applied":
                self.first_lost.setdefault(key[:2], self.lives)
        self.street.over.update(self._over_now)
        for key, made in self._handed_now:
            self.street.handed[key] += 1
            if made is not None:
                self.street.made[key] = made
        self.undone()

    def undone(self) -> None:
        """It was not."""
        self._now, self._over_now, self._handed_now = [], [], []

    def parted(self, desk: Computer) -> None:
        """A computer lets go of its work: nothing waits there, and what it did not send in the ordinary way is owed to the review list."""
        if operations(desk, 0, ("waiting", "sent")):
            raise Violation(f"desk {desk.name} lets go of work that waits")
        handed = {n for (n,) in ask(desk.store.database, "SELECT op_n FROM journal WHERE op_n > 0 AND ack_seq = 0")}
        self.street.owed.update(key for key, op in operations(desk, 0) if op.n in handed and op.kind != "none")
        if desk.is_removed:
            self.street.parted.add(desk.store.replica)
            self.destroyed.add(desk.store.replica)

    def wrote(self, desk: Computer) -> None:
        """Note what the desk's newest operations wrote."""
        for key, op in operations(desk, desk.noted_n):
            desk.noted_n = max(desk.noted_n, op.n)
            for name, value in (op.after if op.kind == "amend" else {"": None}).items():
                self.written.append(Written(key, op.entity, op.record_id, name, value))
                self.stamps[op.record_id, name, value].add(op.stamp)

    def acknowledged(self, desk: Computer, life: int) -> None:
        """What the desk holds for answered, the street has taken: this very content, not another under the same number."""
        if life != self.lives:
            return
        for key, op in operations(desk, 0, ("acknowledged",)):
            # What left the desk with a scope was erased from the operation too: only its number can be compared then.
            is_taken = key[:2] in self.street.verdicts if op.kind == "none" else self.street.taken.get(key)
            if not is_taken and not self.street.handed.get(key):
                raise Violation(
                    f"desk {desk.name} holds its operation {key[1]} for answered, but the street has not got it"
                )

    def told_fork(self, desk: Computer) -> None:
        """Only a copy may be told that it is one."""
        if desk.store.replica not in self.copied:
            raise Violation(f"desk {desk.name} was told to be a copy and is none")

    def reads_own_writes(self, desk: Computer) -> None:
        """Every value written here and not settled yet is visible, unless the record left this computer. What an earlier life of the street did
        not take over, and is offered to the restored one again, may be seen again only when the street's row has come. What was handed over
        stays shown over earlier work that is offered again.
        """
        shown: dict[tuple[str, int], dict[str, Any]] = defaultdict(dict)
        unsure: dict[tuple[str, int], set[str]] = defaultdict(set)
        rows = ask(
            desk.store.database,
            "SELECT op_n, entity, record_id, kind, after, effects, ack_seq FROM journal "
            f"WHERE state IN {PENDING} OR (op_n > 0 AND ack_seq = 0) ORDER BY op_n",
        )
        for n, entity, record_id, kind, after, effects, ack_seq in rows:
            values = unpack(after) if kind == "amend" else unpack(effects).get("fields", {})
            if ack_seq == 0:
                for name in values:
                    shown[entity, record_id].pop(name, None)
                continue
            shown[entity, record_id].update(values)
            if self.first_lost.get((desk.store.replica, n), self.lives) < self.lives:
                unsure[entity, record_id].update(values)
        for key, names in unsure.items():
            shown[key] = {name: value for name, value in shown[key].items() if name not in names}
        for (entity, record_id), values in shown.items():
            if not values:
                continue
            names = ", ".join(f'"{name}"' for name in values)
            row = next(iter(ask(desk.store.database, f'SELECT {names} FROM "{entity}" WHERE id = {record_id}')), None)
            if row is not None and tuple(row) != tuple(values.values()):
                raise Violation(f"desk {desk.name} shows {row!r} for its own {entity} {record_id} {values!r}")

    def own_cells(self, desk: Computer) -> tuple[dict[str, int], dict[tuple[str, int, str], Any]]:
        """How far the desk has received each scope, and what it shows in the cells it once wrote."""
        database = desk.store.database
        positions = {str(scope): int(seq) for scope, seq in ask(database, "SELECT scope, seq FROM cursor")}
        names: dict[tuple[str, int], set[str]] = defaultdict(set)
        for entity, record_id, after in ask(
            database,
            "SELECT entity, record_id, after FROM journal WHERE kind = 'amend' AND op_n > 0 AND after IS NOT NULL",
        ):
            names[entity, record_id].update(unpack(after))
        shown = {}
        for (entity, record_id), fields in names.items():
            wanted = sorted(fields)
            columns = ", ".join(f'"{name}"' for name in wanted)
            for row in ask(database, f'SELECT {columns} FROM "{entity}" WHERE id = {record_id}'):
                shown.update({(entity, record_id, name): value for name, value in zip(wanted, row, strict=True)})
        return positions, shown

    def never_goes_back(
        self, desk: Computer, before: tuple[dict[str, int], dict[tuple[str, int, str], Any]], moment: Moment
    ) -> None:
        """An answer moves positions forward only, and changes what the desk wrote only to what the street then held."""
        positions, shown = self.own_cells(desk)
        for scope, seq in before[0].items():
            if positions.get(scope, seq) < seq:
                raise Violation(f"desk {desk.name} went back from {seq} to {positions[scope]} in {scope}")
        for (kind, record_id, name), value in shown.items():
            if before[1].get((kind, record_id, name), value) == value:
                continue
            street = moment[kind].get(record_id)
            if street is not None and street[name] != value:
                raise Violation(f"desk {desk.name}: own {record_id}.{name} blinked to {value!r}")

    def matches_moment(self, desk: Computer, moment: Moment) -> None:
        """At a checkpoint a desk shows the street of that moment, but for its own pending edits and what was made since."""
        pending = pending_names(desk.store.database)
        mine = rows_of_copy(desk.store.database)
        for kind, records in moment.items():
            if not desk.knows(kind, ""):
                continue
            for record_id, row in records.items():
                here = mine[kind].get(record_id)
                if here is None:
                    raise Violation(f"desk {desk.name} misses {kind} {record_id} at a checkpoint")
                if here == row:
                    continue
                for name, value in row.items():
                    if here[name] != value and name not in pending.get(record_id, ()) and desk.knows(kind, name):
                        raise Violation(
                            f"desk {desk.name}: {kind} {record_id}.{name} is {here[name]!r}, street {value!r}"
                        )

    def moment_of(self, desk: Computer) -> Moment:
        """What the desk's user may see on the street now."""
        with self.store.read() as reader:
            scopes = scopes_of_user(reader, desk.user_id)
        return in_scopes(rows_of_copy(self.store.database), scopes)

    def judge(self, desks: Iterable[Computer], now: int) -> None:
        """At rest: every promise, for all desks."""
        desks = list(desks)
        living: dict[tuple[int, int], str] = {}
        for desk in desks:
            living.update({key[:2]: key[2] if op.kind != "none" else "" for key, op in operations(desk, 0)})
        self._exactly_once(living)
        self._handed_over_once()
        self._nothing_lost(living)
        rows, cells = rows_of_copy(self.store.database), cells_of_copy(self.store.database)
        for desk in desks:
            self._same_as_scope_query(desk, rows, cells)
        newest = max(cells.values(), default="")
        if newest and wall_of(newest) > now + MAX_AHEAD_MS + 60_000:
            raise Violation(f"the clock was poisoned: {newest}")
        if self.false_conflicts:
            raise Violation(self.false_conflicts[0])

    def _exactly_once(self, living: dict[tuple[int, int], str]) -> None:
        taken: dict[tuple[int, int], list[str]] = defaultdict(list)
        for (device, n, digest), times in self.street.taken.items():
            taken[device, n] += [digest] * times
        for (device, n), digests in taken.items():
            if len(digests) != 1:
                raise Violation(f"op {device}:{n} was applied {len(digests)} times")
        for (device, n), digest in living.items():
            if self.street.handed.get((device, n, digest)):
                continue
            if digest not in ("", *taken.get((device, n), ["never"])):
                raise Violation(f"op {device}:{n} was not applied, or another in its place")
            if (device, n) not in taken:
                raise Violation(f"op {device}:{n} was never applied")

    def _handed_over_once(self) -> None:
        """What a computer let go of was taken in or handed over, once; and what it made there bears a number of its own."""
        for key in self.street.owed | self.street.handed.keys():
            times = self.street.taken.get(key, 0) + self.street.handed.get(key, 0)
            if times != 1:
                raise Violation(f"op {key[0]}:{key[1]} was taken or handed over {times} times")
        rows = rows_of_copy(self.store.database)
        decided = {
            i for (i,) in ask(self.store.database, "SELECT record_id FROM conflict WHERE resolution = 'restored'")
        }
        numbers: set[tuple[str, int]] = set()
        for key, made in self.street.made.items():
            if made in numbers or (made[1] in rows.get(made[0], {}) and made[1] not in decided):
                raise Violation(f"op {key[0]}:{key[1]} made {made[0]} {made[1]}, which is another record's number")
            numbers.add(made)

    def _nothing_lost(self, living: dict[tuple[int, int], str]) -> None:
        """Every value is current, was knowingly overwritten, or is kept for review."""
        current = {i: row for records in rows_of_copy(self.store.database).values() for i, row in records.items()}
        lost, withheld, reviewed = set(), set(), set()
        for record_id, field_, value in ask(self.store.database, "SELECT record_id, field, lost FROM conflict"):
            kept = json.loads(value) if value else None
            if (
                kept is None and not field_
            ):  # of no known grid: the values stay on the desk that sent them, which was told
                withheld.add(record_id)
            values = {field_: kept} if field_ else kept if isinstance(kept, dict) else {}
            lost.update((record_id, name, each) for name, each in values.items() if not isinstance(each, dict | list))
            reviewed.update((name, each) for name, each in values.items() if not isinstance(each, dict | list))
        for w in self.written:
            if not w.name or w.kind == "conflict":  # of two decisions about one loser the street keeps one
                continue
            if w.name == "retired_at":  # of two closings the first moment stands
                continue
            key = (w.record_id, w.name, w.value)
            if key in lost or key in self.street.over or current.get(w.record_id, {}).get(w.name) == w.value:
                continue
            if self.street.handed.get(w.key) and (w.name, w.value) in reviewed:
                continue  # of a record that got another number
            is_refused = self.street.verdicts.get(w.key[:2]) == "refused"
            if is_refused and (w.record_id not in current or w.record_id in withheld):
                continue  # the record itself was never taken over; the desk was told
            if not self.street.taken.get(w.key) and self._has_died(w.key, living):
                continue
            raise Violation(f"silently lost: op {w.key[0]}:{w.key[1]} {w.record_id}.{w.name}={w.value!r}")

    def _has_died(self, key: Key, living: dict[tuple[int, int], str]) -> bool:
        """Whether no computer has the operation any more: its file was replaced by an older copy, or set up anew after it was told to be a
        copy; or the value was erased with a scope before a restored street asked for it again; or the computer was taken off the list and
        destroyed what it had, and then the street lost the life in which it did.
        """
        if key[0] in self.destroyed - self.street.parted and living.get(key[:2]) != key[2]:
            return True
        if self.lives and living.get(key[:2]) == "":
            return True
        return key[0] in self.copied and living.get(key[:2]) != key[2]

    def _same_as_scope_query(self, desk: Computer, rows: Moment, street_cells: dict[tuple[int, str], str]) -> None:
        with self.store.read() as reader:
            scopes = scopes_of_user(reader, desk.user_id)
        wanted = in_scopes(rows, scopes)
        found, cells = rows_of_copy(desk.store.database), cells_of_copy(desk.store.database)
        for kind, records in wanted.items():
            missing, extra = records.keys() - found[kind].keys(), found[kind].keys() - records.keys()
            if missing or extra:
                raise Violation(f"desk {desk.name} {kind}: missing {sorted(missing)[:2]} extra {sorted(extra)[:2]}")
            for record_id, row in records.items():
                if row != found[kind][record_id]:
                    differ = {
                        k: (found[kind][record_id][k], v) for k, v in row.items() if found[kind][record_id][k] != v
                    }
                    raise Violation(f"desk {desk.name} {kind} {record_id}: (here, street) {differ}")
        here = {i for records in wanted.values() for i in records}
        theirs = {k: v for k, v in street_cells.items() if k[0] in here}
        if cells != theirs:
            differ = {
                k: (cells.get(k), theirs.get(k)) for k in cells.keys() | theirs.keys() if cells.get(k) != theirs.get(k)
            }
            raise Violation(f"desk {desk.name}: versions differ (here, street) {dict(sorted(differ.items())[:3])}")
        left_over = "SELECT (SELECT count(*) FROM base_cell) + (SELECT count(*) FROM sync_exit) + (SELECT count(*) FROM deferred)"
        for (traces,) in ask(desk.store.database, left_over):
            if traces:
                raise Violation(f"desk {desk.name}: {traces} traces left over")


def operations(desk: Computer, after_n: int, states: tuple[str, ...] = ()) -> list[tuple[Key, Op]]:
    """A desk's own operations after a number, as they travel."""
    only = f" AND state IN ({', '.join(repr(s) for s in states)})" if states else ""
    rows = ask(
        desk.store.database,
        "SELECT op_n, kind, entity, record_id, after, base, stamp, at FROM journal "
        f"WHERE op_n > {after_n}{only} ORDER BY op_n",
    )
    found = []
    for n, kind, entity, record_id, after, base, stamp, at in rows:
        op = Op(n, kind if after is not None else "none", entity, record_id, unpack(after), unpack(base), stamp, at)
        found.append(((desk.store.replica, n, digest_of(op)), op))
    return found
