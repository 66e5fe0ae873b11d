"""The open store: units for writing, readers for reading, one writer at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, bindparam, event, select
from sqlalchemy.orm import Session

from gridman.domain.access import Actor
from gridman.domain.stamp import ZERO, HybridClock
from gridman.kernel.clock import Clock, system_clock
from gridman.kernel.errors import Refusal, Trouble
from gridman.kernel.ids import STREET_REPLICA, counter_at
from gridman.store import indexes, tables
from gridman.store.changes import Changes, everything
from gridman.store.committing import Line, Waiting
from gridman.store.database import Database
from gridman.store.migrations import upgrade
from gridman.store.turns import take_turn
from gridman.store.unit import Reader, Recorder, Unit, UnitSession, after_flush, before_flush, forbid_bulk

__all__ = ["Outcome", "Store", "open_store"]

T = TypeVar("T")
_STAMP = "last_stamp"
_TURNS = 5

event.listen(UnitSession, "before_flush", before_flush)
event.listen(UnitSession, "after_flush", after_flush)
event.listen(UnitSession, "do_orm_execute", forbid_bulk)


_META = select(tables.meta.c.value).where(tables.meta.c.key == bindparam("key"))
_PUT_META = tables.meta.update().where(tables.meta.c.key == bindparam("of")).values(value=bindparam("to"))


@dataclass
class Outcome:
    """What a unit did; `changes` is filled at its commit."""

    changes: Changes


class Store:
    """One copy of the data: a desk's or a street's."""

    def __init__(
        self, database: Database, replica: int, recorders: Sequence[Recorder], clock: Clock = system_clock
    ) -> None:
        self.database = database
        self.replica = replica
        self.clock = clock
        self._recorders = tuple(recorders)
        self._others: int | None = None
        self._line = Line(database.writing, self._write_group)
        with database.writing, database.writer.begin() as connection:
            take_turn(connection)
            known = select(tables.replica_counter.c.replica).where(tables.replica_counter.c.replica == replica)
            if connection.execute(known).first() is None:
                # A desk's number may have been another's, in a life of the street's data that was lost.
                first = 0 if replica == STREET_REPLICA else counter_at(clock())
                connection.execute(tables.replica_counter.insert().values(replica=replica, last=first))
            if _meta(connection, _STAMP) is None:
                connection.execute(tables.meta.insert().values(key=_STAMP, value=ZERO))

    def written_elsewhere(self) -> Changes:
        """Everything, when another program has written into the desk's file since this was asked last (a synchronisation at the command line);
        else nothing.
        """
        before, self._others = self._others, self.database.writes_of_others()
        return Changes() if before in (None, self._others) else everything()

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A consistent view for the length of the block."""
        with Session(self.database.reader, expire_on_commit=False, autoflush=False) as session:
            yield Reader(session, self.clock)

    @contextmanager
    def unit(self, actor: Actor) -> Iterator[Unit]:
        """A unit of work: commits when the block ends, leaves nothing behind when it raises. Its changes: `unit.changes`."""
        with self.database.writing, self._unit_on(self.database.writer, actor) as unit:
            yield unit

    def write(self, actor: Actor, work: Callable[[Unit], T]) -> T:
        """Do `work` in a unit of work and return what it returns, once it is durable; for what many do at the same time.

        On SQLite works that wait for the writer share a commit; each is undone alone when it raises. On PostgreSQL, where several programs
        write, a work that crossed another's way is done again. So `work` may be done several times: it touches nothing but its unit, and
        done twice it comes to the same as done once (it may have become durable though the commit told of trouble).
        """
        if self.database.is_sqlite:
            mine = Waiting(actor, work)
            self._line.do(mine)
            return mine.result  # type: ignore[no-any-return]
        for turn in range(_TURNS):
            try:
                with self.unit(actor) as unit:
                    return work(unit)
            except Trouble as trouble:
                if trouble.code != "store.crossed" or turn == _TURNS - 1:
                    raise
        raise AssertionError("unreachable")

    def _write_group(self, take: Callable[[], Waiting | None]) -> None:
        """Works in one transaction, a savepoint each. Where more than a refusal goes wrong, each is done again in its own."""
        first = take()
        group: list[Waiting] = []
        answers: list[tuple[Waiting, Any, Refusal | None]] = []
        try:
            with self.database.writer.begin() as connection:
                one = first
                while one is not None:
                    group.append(one)
                    try:
                        with self._unit_on(connection, one.actor) as unit:
                            result = one.work(unit)
                        answers.append((one, result, None))
                    except Trouble:
                        raise
                    except Refusal as refusal:
                        answers.append((one, None, refusal))
                    one = take()
        except Exception as error:
            if len(group) == 1:
                group[0].fail(error)
            else:
                for one in group:
                    self._write_alone(one)
            return
        for one, result, refused in answers:
            if refused is None:
                one.succeed(result)
            else:
                one.fail(refused)

    def _write_alone(self, one: Waiting) -> None:
        try:
            with self._unit_on(self.database.writer, one.actor) as unit:
                result = one.work(unit)
        except Exception as error:
            one.fail(error)
        else:
            one.succeed(result)

    @contextmanager
    def _unit_on(self, bind: Engine | Connection, actor: Actor) -> Iterator[Unit]:
        """A unit in a transaction of its own, or in a savepoint of the connection's."""
        with UnitSession(
            bind, expire_on_commit=False, autoflush=True, join_transaction_mode="create_savepoint"
        ) as session:
            connection = session.connection()
            at = self.clock()
            unit = Unit(session, self.clock, actor, self._ticking(connection, at), self._recorders, at)
            session.unit = unit
            yield unit
            unit.changes = unit.finish()
            raise_stamp(connection, unit.last_stamp)
            session.commit()

    def _ticking(self, connection: Connection, at: int) -> HybridClock:
        """This copy's clock, moved on to a stamp that no other unit has. Where other programs write too, that is settled at once."""
        if self.database.is_sqlite:
            ticking = HybridClock(self.replica, _meta(connection, _STAMP) or ZERO)
            ticking.tick(at)
            return ticking
        m = tables.meta.c
        with self.database.writer.begin() as own:
            last = own.execute(select(m.value).where(m.key == _STAMP).with_for_update()).scalar()
            ticking = HybridClock(self.replica, str(last or ZERO))
            raise_stamp(own, ticking.tick(at))
        return ticking

    def close(self) -> None:
        """Close every connection."""
        self.database.close()


def _meta(connection: Any, key: str) -> str | None:
    value = connection.execute(_META, {"key": key}).scalar()
    return None if value is None else str(value)


def get_meta(reader: Reader, key: str) -> str | None:
    """One of the store's own notes about itself."""
    return _meta(reader.connection, key)


def raise_stamp(connection: Connection, stamp: str) -> None:
    """Keep the newest stamp this copy gave or saw. The last statement of every unit."""
    m = tables.meta
    connection.execute(m.update().where(m.c.key == _STAMP, m.c.value < stamp).values(value=stamp))


def put_meta(connection: Any, key: str, value: str) -> None:
    """Keep a note of the store about itself."""
    changed = connection.execute(_PUT_META, {"of": key, "to": value})
    if not changed.rowcount:
        connection.execute(tables.meta.insert().values(key=key, value=value))


def open_store(database: Database, replica: int, recorders: Sequence[Recorder], clock: Clock = system_clock) -> Store:
    """Bring the schema up to this version (a copy of the file is kept when it is older) and open the store. A database that cannot be opened
    is closed again.
    """
    try:
        upgrade(database)
        if database.is_sqlite:
            with database.writing, database.writer.begin() as connection:
                indexes.ensure(connection)
                if _meta(connection, indexes.WITHOUT) is not None:
                    indexes.rebuild(connection, clock())
                    connection.execute(tables.meta.delete().where(tables.meta.c.key == indexes.WITHOUT))
        return Store(database, replica, recorders, clock)
    except BaseException:
        database.close()
        raise
