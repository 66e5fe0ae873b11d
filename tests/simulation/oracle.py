"""What must be true of any history, kept apart from the code it judges."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gridman.domain.catalog import NOUNS, noun
from gridman.domain.conflict import Conflict
from gridman.domain.stamp import MAX_AHEAD_MS, wall_of
from gridman.services.access import scopes_of_user
from gridman.store.store import Store
from gridman.store.unit import Reader
from gridman.store.values import unpack
from gridman.sync import replica
from gridman.sync.protocol import Op, Verdict
from tests.sync.world import Desk, World

__all__ = ["Oracle", "Violation"]

Cell = tuple[int, str]


class Violation(AssertionError):
    """A history broke a promise of the sync."""


@dataclass
class Written:
    """One value a desk wrote, under the stamp it gave it."""

    desk: int
    n: int
    record_id: int
    name: str
    value: Any
    stamp: str


@dataclass
class Oracle:
    """Watches the street take operations in and compares the copies."""

    world: World
    written: list[Written] = field(default_factory=list)
    taken: dict[tuple[int, int], int] = field(default_factory=dict)
    verdicts: dict[tuple[int, int], str] = field(default_factory=dict)
    over: set[tuple[int, str, Any]] = field(default_factory=set)
    stamps: dict[tuple[int, str, Any], str] = field(default_factory=dict)
    false_conflicts: list[str] = field(default_factory=list)
    _now: list[tuple[tuple[int, int], str]] = field(default_factory=list)
    _over_now: list[tuple[int, str, Any]] = field(default_factory=list)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """See every operation the street takes in; `kept` or `undone` says whether its transaction was committed."""
        oracle, inner = self, replica.Intake

        class Watched(inner):  # type: ignore[misc, valid-type]
            def take(self, op: Op) -> Verdict:
                before = oracle.before(self.unit, op)
                verdict = super().take(op)
                oracle.saw(self.replica, op, before, verdict)
                return verdict

        replica.Intake = Watched  # type: ignore[misc]
        try:
            yield
        finally:
            replica.Intake = inner  # type: ignore[misc]

    def before(self, reader: Reader, op: Op) -> dict[str, tuple[Any, str | None]]:
        """The street's value and version of each field the operation edits, before it is applied."""
        known = noun(op.entity)
        if op.kind != "amend" or known is None:
            return {}
        record = reader.find(known.cls, op.record_id)
        if record is None:
            return {}
        rows = reader.connection.exec_driver_sql(
            f"SELECT field, version FROM cell WHERE record_id = {op.record_id}"
        ).all()
        versions = {str(name): str(version) for name, version in rows}
        return {name: (getattr(record, name), versions.get(name)) for name in op.after}

    def saw(self, desk: int, op: Op, before: dict[str, tuple[Any, str | None]], verdict: Verdict) -> None:
        self._now.append(((desk, op.n), verdict.outcome))
        for name, (value, version) in before.items():
            knew = op.base.get(name) == version or op.base.get(name) == self.stamps.get((op.record_id, name, value), "")
            if knew:
                self._over_now.append((op.record_id, name, value))
                if verdict.outcome == "merged" and len(before) == 1 and value != op.after[name]:
                    self.false_conflicts.append(f"op {desk}:{op.n} knew what it overwrote and lost a value")

    def kept(self) -> None:
        """The street's transaction was committed."""
        for key, outcome in self._now:
            self.taken[key] = self.taken.get(key, 0) + 1
            self.verdicts.setdefault(key, outcome)
        self.over.update(self._over_now)
        self._now, self._over_now = [], []

    def undone(self) -> None:
        """The street crashed before it committed."""
        self._now, self._over_now = [], []

    def wrote(self, desk: Desk) -> None:
        """Note what the desk's newest operations wrote."""
        known = {(w.desk, w.n) for w in self.written}
        with desk.store.read() as reader:
            rows = reader.connection.exec_driver_sql(
                "SELECT op_n, record_id, kind, after, stamp FROM journal WHERE op_n IS NOT NULL AND state = 'waiting'"
            ).all()
        for n, record_id, kind, after, stamp in rows:
            if (desk.store.replica, n) in known:
                continue
            for name, value in (unpack(after) if kind == "amend" else {"": None}).items():
                self.written.append(Written(desk.store.replica, n, record_id, name, value, stamp))
                self.stamps[record_id, name, value] = stamp

    def street_wrote(self, record_id: int, name: str, replaced: Any) -> None:
        """The street itself replaced a value, knowingly."""
        self.over.add((record_id, name, replaced))

    def reads_own_writes(self, desk: Desk) -> None:
        """Every value written here and not settled yet is visible, unless the record left this computer."""
        shown: dict[Cell, tuple[str, Any]] = {}
        with desk.store.read() as reader:
            rows = reader.connection.exec_driver_sql(
                "SELECT entity, record_id, kind, after, effects FROM journal "
                "WHERE state IN ('waiting', 'sent', 'acknowledged') ORDER BY op_n"
            ).all()
            for entity, record_id, kind, after, effects in rows:
                values = unpack(after) if kind == "amend" else unpack(effects).get("fields", {})
                for name, value in values.items():
                    shown[record_id, name] = (entity, value)
            for (record_id, name), (entity, value) in shown.items():
                row = reader.connection.exec_driver_sql(
                    f'SELECT "{name}" FROM "{entity}" WHERE id = {record_id}'
                ).first()
                if row is not None and row[0] != value:
                    raise Violation(
                        f"desk {desk.store.replica} shows {row[0]!r} for its own {record_id}.{name}={value!r}"
                    )

    def own_cells(self, desk: Desk) -> tuple[dict[str, int], dict[tuple[str, int, str], Any]]:
        """How far the desk has received each scope, and what it shows in the cells it once wrote."""
        with desk.store.read() as reader:
            run = reader.connection.exec_driver_sql
            positions = {str(scope): int(seq) for scope, seq in run("SELECT scope, seq FROM cursor").all()}
            shown = {}
            for entity, record_id, after in run(
                "SELECT entity, record_id, after FROM journal WHERE kind = 'amend' AND op_n IS NOT NULL AND after IS NOT NULL"
            ).all():
                row = run(f'SELECT * FROM "{entity}" WHERE id = {record_id}').mappings().first()
                if row is not None:
                    shown.update({(entity, record_id, name): row[name] for name in unpack(after)})
        return positions, shown

    def never_goes_back(
        self,
        desk: Desk,
        before: tuple[dict[str, int], dict[tuple[str, int, str], Any]],
        moment: dict[str, dict[int, dict[str, Any]]],
    ) -> None:
        """An answer moves positions forward only, and changes what the desk wrote only to what the street then held."""
        positions, shown = self.own_cells(desk)
        for scope, seq in before[0].items():
            if positions.get(scope, seq) < seq:
                raise Violation(f"desk {desk.store.replica} went back from {seq} to {positions[scope]} in {scope}")
        for (kind, record_id, name), value in shown.items():
            if before[1].get((kind, record_id, name), value) == value:
                continue
            street = moment[kind].get(record_id)
            if street is not None and street[name] != value:
                raise Violation(f"desk {desk.store.replica}: own {record_id}.{name} blinked to {value!r}")

    def matches_moment(self, desk: Desk, moment: dict[str, dict[int, dict[str, Any]]]) -> None:
        """At a checkpoint a desk shows the street of that moment, but for its own pending edits and what was made since."""
        pending: dict[int, set[str]] = {}
        with desk.store.read() as reader:
            rows = reader.connection.exec_driver_sql(
                "SELECT record_id, kind, after, effects FROM journal WHERE state IN ('waiting', 'sent', 'acknowledged')"
            ).all()
            for record_id, kind, after, effects in rows:
                values = unpack(after) if kind == "amend" else unpack(effects).get("fields", {})
                pending.setdefault(record_id, set()).update(values)
            mine = rows_of_copy(reader)
        for kind, records in moment.items():
            for record_id, row in records.items():
                here = mine[kind].get(record_id)
                if here is None:
                    raise Violation(f"desk {desk.store.replica} misses {kind} {record_id} at a checkpoint")
                for name, value in row.items():
                    if here[name] != value and name not in pending.get(record_id, ()):
                        raise Violation(
                            f"desk {desk.store.replica}: {kind} {record_id}.{name} is {here[name]!r}, street {value!r}"
                        )

    def moment_of(self, desk: Desk) -> dict[str, dict[int, dict[str, Any]]]:
        """What the desk's user may see on the street now."""
        with self.world.store.read() as reader:
            scopes = scopes_of_user(reader, desk.user_id)
            return in_scopes(rows_of_copy(reader), scopes)

    def judge(self) -> None:
        """At rest: every promise, for all desks."""
        self._exactly_once()
        self._nothing_lost()
        for desk in self.world.desks:
            self._same_as_scope_query(desk)
        with self.world.store.read() as reader:
            newest = reader.connection.exec_driver_sql("SELECT max(version) FROM cell").scalar()
        if newest and wall_of(str(newest)) > self.world.clock.now + MAX_AHEAD_MS + 60_000:
            raise Violation(f"the clock was poisoned: {newest}")
        if self.false_conflicts:
            raise Violation(self.false_conflicts[0])

    def _exactly_once(self) -> None:
        for desk in self.world.desks:
            with desk.store.read() as reader:
                last = reader.connection.exec_driver_sql("SELECT coalesce(max(op_n), 0) FROM journal").scalar()
            for n in range(1, int(last or 0) + 1):
                times = self.taken.get((desk.store.replica, n), 0)
                if times != 1:
                    raise Violation(f"op {desk.store.replica}:{n} was applied {times} times")

    def _nothing_lost(self) -> None:
        """Every value is current, was knowingly overwritten, or is kept for review."""
        import json

        with self.world.store.read() as reader:
            conflicts = reader.page(Conflict, limit=100_000)
            rows = rows_of_copy(reader)
        lost = {(c.record_id, c.field, json.loads(c.lost)) for c in conflicts if c.lost and c.field}
        current = {i: row for records in rows.values() for i, row in records.items()}
        for w in self.written:
            if not w.name:
                continue
            key = (w.record_id, w.name, w.value)
            if key in lost or key in self.over or current.get(w.record_id, {}).get(w.name) == w.value:
                continue
            if self.verdicts.get((w.desk, w.n)) == "refused" and w.record_id not in current:
                continue  # the record itself was never taken over; the desk was told
            raise Violation(f"silently lost: op {w.desk}:{w.n} {w.record_id}.{w.name}={w.value!r}")

    def _same_as_scope_query(self, desk: Desk) -> None:
        with self.world.store.read() as reader:
            scopes = scopes_of_user(reader, desk.user_id)
            wanted = in_scopes(rows_of_copy(reader), scopes)
            street_cells = cells_of_copy(reader)
        with desk.store.read() as reader:
            found = rows_of_copy(reader)
            cells = cells_of_copy(reader)
            left_over = reader.connection.exec_driver_sql(
                "SELECT (SELECT count(*) FROM base_cell) + (SELECT count(*) FROM sync_exit)"
            ).scalar()
        name = desk.store.replica
        for kind, records in wanted.items():
            missing, extra = records.keys() - found[kind].keys(), found[kind].keys() - records.keys()
            if missing or extra:
                raise Violation(f"desk {name} {kind}: missing {sorted(missing)[:2]} extra {sorted(extra)[:2]}")
            for record_id, row in records.items():
                if row != found[kind][record_id]:
                    raise Violation(f"desk {name} {kind} {record_id}: {found[kind][record_id]} street {row}")
        here = {i for records in wanted.values() for i in records}
        if cells != {k: v for k, v in street_cells.items() if k[0] in here}:
            raise Violation(f"desk {name}: versions differ")
        if left_over:
            raise Violation(f"desk {name}: {left_over} traces left over")


def rows_of_copy(reader: Reader) -> dict[str, dict[int, dict[str, Any]]]:
    """All records of a copy by kind and id."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for known in NOUNS:
        rows = reader.connection.exec_driver_sql(f'SELECT * FROM "{known.kind}"').mappings()
        found[known.kind] = {row["id"]: dict(row) for row in rows}
    return found


def cells_of_copy(reader: Reader) -> dict[Cell, str]:
    """All versions of a copy."""
    rows = reader.connection.exec_driver_sql("SELECT record_id, field, version FROM cell").all()
    return {(i, name): version for i, name, version in rows}


def in_scopes(
    copy: dict[str, dict[int, dict[str, Any]]], scopes: frozenset[str]
) -> dict[str, dict[int, dict[str, Any]]]:
    """The scope query: what a user may see, asked of the records themselves and not of the feed."""
    incident = noun("incident")
    assert incident is not None
    places = {i: frozenset(incident.scopes(_Row(row))) for i, row in copy["incident"].items()}
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for known in NOUNS:
        found[known.kind] = {
            i: row
            for i, row in copy[known.kind].items()
            if (places.get(row.get(known.follows) or 0) or frozenset(known.scopes(_Row(row)))) & scopes
        }
    return found


class _Row:
    """A row that answers like a record."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def at_rest(store: Store) -> bool:
    """Whether a desk has nothing pending."""
    with store.read() as reader:
        return not reader.connection.exec_driver_sql(
            "SELECT count(*) FROM journal WHERE state IN ('waiting', 'sent', 'acknowledged')"
        ).scalar()
