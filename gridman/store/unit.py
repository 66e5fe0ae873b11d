"""The unit of work: one transaction in which records change, the journal is written, and `Changes` come out.

Capture sits in the session's flush, below every service: whatever mapped record is new or dirty when a unit commits is
journaled in the same transaction. Deleting and bulk statements on records are refused, so no write goes around the journal.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection, func, inspect, select, update
from sqlalchemy.orm import Session, UOWTransaction, object_session
from sqlalchemy.orm.attributes import get_history

from gridman.domain.access import Actor
from gridman.domain.catalog import noun_of
from gridman.domain.fields import Record, Synced, attribute
from gridman.domain.stamp import HybridClock
from gridman.kernel.clock import Clock
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import COUNTER_BITS
from gridman.kernel.words import N_
from gridman.store import tables
from gridman.store.batches import batches
from gridman.store.changes import Changes

__all__ = ["Captured", "Origin", "Reader", "Recorder", "Unit"]

R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=Synced)

_SHARED_BLOCK = 16
MANY = 5_000
"""Past this many touched records of one kind a unit says "many" instead of naming them."""


class Reader:
    """A consistent view of the data. Records it returns are complete and detached: nobody changes them, any thread may hold them."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self.session = session
        self.clock = clock
        self._connection: Connection | None = None

    @property
    def now(self) -> int:
        """The present instant."""
        return self.clock()

    @property
    def connection(self) -> Connection:
        """For the store's own queries only."""
        if self._connection is None:
            self._connection = self.session.connection()
        return self._connection

    def find(self, cls: type[R], record_id: int | None) -> R | None:
        """The record with this id, or None."""
        return None if record_id is None else self.session.get(cls, record_id)

    def get(self, cls: type[R], record_id: int | None) -> R:
        """The record with this id; refuses with ``record.missing``."""
        found = self.find(cls, record_id)
        if found is None:
            raise Refusal(
                "record.missing",
                N_("There is no {kind} number {id} on this computer."),
                N_("It may have moved to another grid; synchronise and search again."),
                kind=cls.__tablename__,
                id=record_id,
            )
        return found

    def first(self, cls: type[R], **equal: Any) -> R | None:
        """Some record whose fields equal these values, or None. A retired record is not found."""
        return next(iter(self.page(cls, limit=1, **equal)), None)

    def page(
        self,
        cls: type[R],
        *,
        order_by: Sequence[str] = ("id",),
        limit: int = 1_000,
        offset: int = 0,
        with_retired: bool = False,
        **equal: Any,
    ) -> list[R]:
        """At most `limit` records whose fields equal these values (a list or set: any of them; None: empty), in order.

        ``order_by``: field names, "-" before a name for descending.
        """
        query = select(cls)
        for name, value in equal.items():
            query = query.where(_matches(cls, name, value))
        if not with_retired and issubclass(cls, Synced):
            query = query.where(cls.retired_at.is_(None))
        for name in order_by:
            query = query.order_by(attribute(cls, name[1:]).desc() if name.startswith("-") else attribute(cls, name))
        return list(self.session.scalars(query.limit(limit).offset(offset)))

    def count(self, cls: type[Record], **equal: Any) -> int:
        """How many records have these values, retired ones left out."""
        query = select(func.count()).select_from(cls)
        for name, value in equal.items():
            query = query.where(_matches(cls, name, value))
        if issubclass(cls, Synced):
            query = query.where(cls.retired_at.is_(None))
        return self.session.scalar(query) or 0


def _matches(cls: type[Record], name: str, value: Any) -> Any:
    column = attribute(cls, name)
    if value is None:
        return column.is_(None)
    if isinstance(value, list | tuple | set | frozenset):
        return column.in_(sorted(value))
    return column == value


class Origin(NamedTuple):
    """When a change was made (ms), under which stamp, on which computer."""

    at: int
    stamp: str
    replica: int


@dataclass
class Captured:
    """One record's change within a unit: values written (`after`), values replaced (`before`; empty when the record is new), and whence."""

    kind: str  # create, amend, command; command: `after` is then the command's payload
    record: Synced
    after: dict[str, Any]
    origin: Origin
    before: dict[str, Any] = field(default_factory=dict)


class Recorder(Protocol):
    """What a store does with captured changes, inside the transaction: a desk numbers its operations, a street orders them."""

    def record(self, unit: "Unit", captured: list[Captured]) -> None: ...

    def finish(self, unit: "Unit") -> None: ...


class Unit(Reader):
    """A transaction that writes. Made by `Store.unit`; commits when its block ends without an exception."""

    def __init__(
        self, session: Session, clock: Clock, actor: Actor, ticking: HybridClock, recorders: Sequence[Recorder], at: int
    ) -> None:
        """`ticking`: the copy's clock, whose last stamp is this unit's own; `at`: the instant of that."""
        super().__init__(session, clock)
        self.actor = actor
        self.replica = ticking.replica
        self.origin = "here"
        self._ticking = ticking
        self._recorders = recorders
        self._touched: dict[str, set[int]] = {}
        self._ids: Iterator[int] = iter(())
        self._block = 1 if self.is_alone else _SHARED_BLOCK
        self.changes = Changes()
        self.at = at
        self.stamp = ticking.last
        self.author_replica = actor.replica or ticking.replica
        self.ledger: dict[str, Any] = {}
        """Where recorders keep what they gather until `finish`; it dies with the unit, so a failed one leaves nothing behind."""
        self._gathering: _Gathering | None = None

    @property
    def is_alone(self) -> bool:
        """Whether no other program can write until this unit ends, as on SQLite."""
        return super().connection.dialect.name == "sqlite"

    @property
    def connection(self) -> Connection:
        """For the store's own queries only: they see all that was changed so far."""
        if self._gathering is not None and self._gathering.origins:
            self.flush()
        return super().connection

    @property
    def origin_of_change(self) -> Origin:
        """What is changed now is changed then and there."""
        return Origin(self.at, self.stamp, self.author_replica)

    def find(self, cls: type[R], record_id: int | None) -> R | None:
        """The record with this id, or None."""
        made = None if self._gathering is None else self._gathering.made.get((cls, record_id))
        return super().find(cls, record_id) if made is None else made

    def hold(self, cls: type[R], record_id: int) -> R | None:
        """The record as it is now, or None; until this unit ends nobody else changes it."""
        if self.is_alone:
            return self.find(cls, record_id)
        self.flush()
        return self.session.get(cls, record_id, with_for_update={"key_share": True})

    def hold_all(self, cls: type[R], record_ids: Iterable[int]) -> list[R]:
        """Those of these records that there are, each as `hold` gives it. The caller keeps them as long as they are to be at hand."""
        found: list[R] = []
        for part in batches(record_ids):
            query = select(cls).where(attribute(cls, "id").in_(part)).order_by(attribute(cls, "id"))
            if not self.is_alone:
                query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
            found += self.session.scalars(query)
        return found

    def new_id(self) -> int:
        """An id for a new record, from this replica's counter. Asks the counter in growing blocks, so imports ask seldom."""
        try:
            return next(self._ids)
        except StopIteration:
            last = self._draw()
            first = last - self._block + 1
            self._ids = iter(range(self.replica << COUNTER_BITS | first, (self.replica << COUNTER_BITS | last) + 1))
            self._block = min(self._block * 4, 1_024)
            return next(self._ids)

    def _draw(self) -> int:
        """Take a block of ids, the last of it. Where other programs write too, it is settled at once: nobody waits for this unit's end."""
        counter = tables.replica_counter
        drawn = (
            update(counter)
            .where(counter.c.replica == self.replica)
            .values(last=counter.c.last + self._block)
            .returning(counter.c.last)
        )
        if self.is_alone:
            return int(self.connection.execute(drawn).scalar_one())
        with self.connection.engine.begin() as own:
            return int(own.execute(drawn).scalar_one())

    def create(self, record: S) -> S:
        """Add a new record; it gets its id here unless it has one."""
        if inspect(record).dict.get("id") is None:
            record.id = self.new_id()
        if self._gathering is not None:
            self._gathering.made[type(record), record.id] = record
            self._sign(record)
        self.session.add(record)
        return record

    def amend(self, record: S, **values: Any) -> S:
        """Write `values` into a record read in this unit; equal values change nothing."""
        if object_session(record) is not self.session:
            raise RuntimeError(f"{record!r} was not read in this unit")
        for name, value in values.items():
            if getattr(record, name) != value:
                self._sign(record)
                setattr(record, name, value)
        return record

    def command(self, record: Synced, payload: Mapping[str, Any]) -> None:
        """Say that what this unit does to `record` is the doing of one command, for example {"action": "assign", "target_id": 7}.

        On a desk the command travels in place of the edits: the fields it changes that only the street may write, and the lines it
        adds to the record's log, are shown at once and replaced by the street's answer. On the street it is journaled.
        """
        self.flush()
        if self._gathering is not None:
            self._gathering.count += 1
        self.capture([Captured("command", record, dict(payload), self.origin_of_change)])

    def see(self, stamp: str) -> None:
        """Learn a stamp from elsewhere: what is written after this unit sorts after it."""
        self._ticking.see(stamp, self.clock())

    @property
    def last_stamp(self) -> str:
        """The newest stamp given or seen here."""
        return max(self._ticking.last, self.stamp)

    @contextmanager
    def as_of(self, at: int, stamp: str, replica: int) -> Iterator[None]:
        """Write the block's changes as another computer made them: at its instant, under its stamp, whole or not at all (an exception
        undoes them and goes on upward; the unit stays open). Within `together` nothing is undone before that block ends.
        """
        is_together = self._gathering is not None
        if self._gathering is not None:
            self._gathering.turn += 1
        else:
            self.flush()
        mine = self.at, self.stamp, self.author_replica
        self.at, self.stamp, self.author_replica = at, stamp, replica
        try:
            if is_together:
                yield
                return
            with self.session.begin_nested():
                yield
                self.flush()
        except BaseException:
            if not is_together:  # what others in the block decided still waits to be written
                self._undone()
            raise
        finally:
            self.at, self.stamp, self.author_replica = mine

    @contextmanager
    def together(self) -> Iterator[None]:
        """Gather the changes of many `as_of` blocks and write them in few statements, each under its own origin. All of them or none: an
        exception undoes the whole block and goes on upward; `changed_count` tells whether there is anything to undo.
        """
        self.flush()
        self._gathering = _Gathering()
        try:
            with self.session.begin_nested():
                yield
                self.flush()
        except BaseException:
            self._undone()
            raise
        finally:
            self._gathering = None

    def _undone(self) -> None:
        """What was written since some point was taken back."""
        self._ids = iter(())  # a block of ids taken within was given back
        self.ledger["undone"] = True
        self.ledger.pop("versions", None)

    @property
    def changed_count(self) -> int:
        """Within `together`: how often something was changed there."""
        return 0 if self._gathering is None else self._gathering.count

    def has_changed(self, cls: type[Record], record_id: int | None = None) -> bool:
        """Within `together`: whether this record was changed there; without an id, any of its class."""
        if self._gathering is None:
            return True
        return ((cls, record_id) if record_id is not None else cls) in self._gathering.changed

    def note_change(self, record: Synced) -> None:
        """Something that belongs to this record was changed (its versions) without the record itself."""
        if self._gathering is not None:
            self._gathering.count += 1
            self._gathering.changed |= {type(record), (type(record), record.id)}

    def _sign(self, record: Synced) -> None:
        """Within `together`: remember whose change of this record waits to be written. Two origins of one record are written one by one."""
        if self._gathering is None:
            return
        self.note_change(record)
        turn, key = self._gathering.turn, (type(record), record.id)
        if self._gathering.origins.get(key, (turn,))[0] != turn:
            self.flush()
        self._gathering.origins.setdefault(key, (turn, self.origin_of_change))

    def signed(self, captured: list[Captured]) -> list[Captured]:
        """What is about to be written, each with its origin, in the order in which it was changed."""
        if self._gathering is None or not self._gathering.origins:
            return captured
        origins, self._gathering.origins = self._gathering.origins, {}
        places = {key: place for place, key in enumerate(origins)}

        def place_of(change: Captured) -> int:
            return places.get((type(change.record), change.record.id), len(places))

        for change in captured:
            _turn, change.origin = origins.get((type(change.record), change.record.id), (0, change.origin))
        return sorted(captured, key=place_of)

    def retire(self, record: Synced, reason: str) -> None:
        """Take a record out of use; it stays on file with the reason, and can be brought back."""
        self.amend(record, retired_at=self.at, retired_reason=reason)

    def restore(self, record: Synced) -> None:
        """Bring a retired record back."""
        self.amend(record, retired_at=None, retired_reason=None)

    def flush(self) -> None:
        """Write and journal what changed so far; the transaction stays open."""
        self.session.flush()

    def touch(self, kind: str, record_id: int) -> None:
        """Say that a record changed, for screens."""
        self._touched.setdefault(kind, set()).add(record_id)

    def capture(self, captured: list[Captured]) -> None:
        """Called by the session at each flush."""
        for change in captured:
            self.touch(noun_of(change.record).kind, change.record.id)
        for recorder in self._recorders:
            recorder.record(self, captured)

    def finish(self) -> Changes:
        """Last statements before the commit, and what was changed."""
        self.flush()
        for recorder in self._recorders:
            recorder.finish(self)
        return Changes({k: frozenset(ids) if len(ids) <= MANY else frozenset() for k, ids in self._touched.items()})


@dataclass
class _Gathering:
    """What a unit gathers within `together`. `turn`: number of the `as_of` block; `origins`: of changes that wait to be written, each with its
    turn; `made`: records that are new; `changed`: classes and (class, id) that were made or amended; `count`: how often anything was.
    """

    turn: int = 0
    origins: dict[tuple[type, int], tuple[int, Origin]] = field(default_factory=dict)
    made: dict[tuple[type, int | None], Any] = field(default_factory=dict)
    changed: set[Any] = field(default_factory=set)
    count: int = 0


def captured_of(session: Session, origin: Origin) -> list[Captured]:
    """What the coming flush will write."""
    if session.deleted:
        raise RuntimeError(f"records are retired, never deleted: {list(session.deleted)!r}")
    found = [
        Captured("create", record, _values_of_new(record), origin)
        for record in session.new
        if isinstance(record, Synced)
    ]
    for record in session.dirty:
        if not isinstance(record, Synced):
            continue
        change = Captured("amend", record, {}, origin)
        for name in noun_of(record).columns:
            history = get_history(record, name)
            if history.has_changes():
                change.after[name] = history.added[0] if history.added else None
                change.before[name] = history.deleted[0] if history.deleted else None
        if change.after:
            found.append(change)
    return found


def _values_of_new(record: Synced) -> dict[str, Any]:
    """What a new record was given. Read past the mapped attributes, which ask the database's side for each that is not set."""
    given = vars(record)
    return {c: v for c in noun_of(record).columns if c != "id" and (v := given.get(c)) is not None}


class UnitSession(Session):
    """A session that knows its unit, for the flush hooks."""

    unit: Unit | None = None
    pending: list[Captured] | None = None


def before_flush(session: UnitSession, context: UOWTransaction, instances: object) -> None:
    """Session event: note what is about to be written."""
    unit = session.unit
    if unit is not None:
        session.pending = unit.signed(captured_of(session, unit.origin_of_change))


def after_flush(session: UnitSession, context: UOWTransaction) -> None:
    """Session event: the rows are in, journal them."""
    pending, session.pending = session.pending, None
    if pending and session.unit is not None:
        session.unit.capture(pending)


def forbid_bulk(state: Any) -> None:
    """Session event `do_orm_execute`: UPDATE and DELETE on mapped records would bypass the capture."""
    if (state.is_update or state.is_delete or state.is_insert) and state.bind_mapper is not None:
        raise RuntimeError("records are written through a unit's create and amend, never by bulk statements")
