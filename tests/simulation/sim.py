"""A deterministic simulation: real stores, the real protocol, a virtual wire and clocks, and a list of events that happen.

The wire drops, repeats, reorders and delays; bundles come late and twice; both sides lose power before and after they commit, and run out of
disk; clocks jump by days; grids are granted, withdrawn and redrawn; people edit the same fields, report and command incidents, and the
street edits too; desks are put back from copies, run twice, and know less than the street; the street comes back from a backup.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from unittest.mock import patch

from gridman.domain.access import SYSTEM
from gridman.domain.grid import Assignment
from gridman.kernel.errors import Refusal, Trouble
from gridman.store import accounts
from gridman.store.backup import begin_new_life
from gridman.store.blobs import BlobStore
from gridman.store.feed import StreetFeed
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal, StreetJournal
from gridman.store.replay import positions, receiving
from gridman.store.store import Store
from gridman.sync import exchange
from gridman.sync.bundle import StreetBundles, introduce
from gridman.sync.protocol import Op, Verdict
from gridman.sync.push import Intake
from gridman.sync.replica import Replica
from gridman.sync.seal import Keys
from gridman.sync.snapshots import Snapshots
from tests.simulation.copies import ask, cells_of_copy, is_at_rest, rows_of_copy
from tests.simulation.desks import HIDDEN, Computer, Copied, Message, Stick, older_version
from tests.simulation.faults import Crash, Fuse
from tests.simulation.history import Event, make_history
from tests.simulation.oracle import Oracle, Violation
from tests.simulation.oracle import Street as Known
from tests.simulation.people import AT_DESK, AT_STREET
from tests.simulation.prepared import ROLES, Slot, Stage, determined
from tests.sync.world import KEY, NOON, InProcess, Watch, empty_file

__all__ = ["Simulation", "Violation", "run"]

DAY_MS = 86_400_000
SKEWS_MS = (0, 0, -DAY_MS, -10 * DAY_MS, -3_600_000, 300_000, 7_200_000, 10 * DAY_MS)
STREET_ID = "0123456789abcdef"
_TURNS = 12
_NOTED = frozenset({"lost", "stale", "power failed", "disk.full", "sync.fork", "complete"})


@dataclass
class Simulation:
    """One history. `sticks`: every USB bundle that lies about."""

    seed: int
    stage: Stage
    events: list[Event]
    wire: list[Message] = field(default_factory=list)
    sticks: list[Stick] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    count: int = 0
    refusing: int = 0

    def __post_init__(self) -> None:
        chance, prepared = Random(self.seed ^ 0x5EED), self.stage.prepared
        self.clock = Watch(NOON + 3_600_000)
        self.grids, self.assigned = prepared.grids, dict(prepared.assigned)
        self.street_file = self.stage.street
        self.street_file.fresh()
        shutil.rmtree(self._snapshots, ignore_errors=True)  # another history's, of the same beginning
        self._open_street()
        self.oracle = Oracle(self.store)
        self.saved: tuple[str, Known] | None = None
        self.skews: dict[int, int] = {}
        self.desks: list[Computer] = []
        self._spare = iter(range(1_000))
        for number in sorted(chance.sample(range(len(ROLES)), chance.choice((2, 3, 3)))):
            slot = self.stage.slot(f"stage-desk{number + 2}")
            slot.load(prepared.folder / f"desk{number + 2}.db")
            self.desks.append(self._computer(slot, prepared.users[number], number + 2))
        if chance.random() < 0.3:
            chance.choice(self.desks).hidden = chance.choice(HIDDEN)
        self.chance = chance

    @property
    def _snapshots(self) -> Path:
        return self.stage.prepared.folder / "snapshots"

    def _open_street(self) -> None:
        recorders = [StreetJournal(), StreetFeed(), Indexer()]
        self.store = Store(self.street_file.database, 1, recorders, self.clock)
        # Even the smallest scope begins with a snapshot, of tiny segments.
        snapshots = Snapshots(
            self._snapshots, KEY, self.clock, least_rows=2, segment_rows=3, least_bytes=1, row_bytes=1, making_s=1e9
        )
        self.replica = Replica(self.store, Keys.from_seed(KEY).public, snapshots=snapshots)
        blobs = BlobStore(self.stage.prepared.folder / "blobs", KEY)
        self.counter = StreetBundles(self.store, self.replica, blobs, KEY, STREET_ID)

    def _computer(self, slot: Slot, user_id: int, replica: int) -> Computer:
        clock = Watch(self.clock.now)
        store = Store(slot.database, replica, [DeskJournal(), Indexer()], clock)
        desk = Computer(
            store, user_id, InProcess(self.replica, lambda: self._device_actor(desk)), clock, slot, STREET_ID
        )
        desk.noted_n = _last_n(slot)
        return desk

    def _device_actor(self, desk: Computer):  # type: ignore[no-untyped-def]
        from gridman.services.access import actor_of_user

        with self.store.read() as reader:
            return actor_of_user(reader, desk.user_id, desk.store.replica)

    def next_number(self) -> int:
        """A number that no value of this history bears yet."""
        self.count += 1
        return self.count

    # -- the course of events ----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Play the events, then have everything come to rest, then judge."""
        with self.oracle.watching(), self._refusals():
            for event in self.events:
                chance = Random(event.seed)
                self.clock.now += chance.choice((1, 5, 1_000, 60_000))
                self._tick()
                desk = self.desks[event.desk % len(self.desks)]
                self.log.append(f"{event.kind} {desk.name}")
                self.happened[event.kind] += 1
                self._happens(event.kind)(desk, chance)
            self.log.append("from here on nothing fails")
            self._heal()
        self.oracle.judge(self.desks, self.clock.now)

    def _happens(self, kind: str) -> Callable[[Computer, Random], None]:
        if kind in AT_DESK or kind == "redraw":
            return lambda desk, chance: self._work(kind, desk, chance)
        if kind in AT_STREET:
            return lambda _desk, chance: self._office(kind, chance)
        return getattr(self, f"_{kind}")  # type: ignore[no-any-return]

    def _tick(self) -> None:
        for desk in self.desks:
            desk.clock.now = self.clock.now + self.skews.get(id(desk), 0)

    def say(self, what: object) -> None:
        """Add to the line of the event."""
        self.log[-1] += f": {what}" if self.log[-1].count(":") == 0 else f"; {what}"
        if isinstance(what, str) and what in _NOTED:
            self.happened[what] += 1

    # -- people ------------------------------------------------------------------------------------------------------

    def _work(self, kind: str, desk: Computer, chance: Random, fuse: Fuse | None = None) -> None:
        """One unit at a desk; what its rules refuse is not done."""
        if kind == "redraw":
            if chance.random() < 0.5:
                return self._office(kind, chance)
            kind = "redraw_at_desk"
        try:
            with desk.store.unit(desk.actor) as unit:
                self.say(AT_DESK[kind](self, desk, unit, chance))
        except Refusal as refusal:
            self.say(refusal.code)
        self.oracle.wrote(desk)
        self.oracle.reads_own_writes(desk)

    def _office(self, kind: str, chance: Random) -> None:
        with self.store.unit(SYSTEM) as unit:
            last = self.oracle.last_line(unit)
            try:
                self.say(AT_STREET[kind](self, unit, chance))
            except Refusal as refusal:
                self.say(refusal.code)
            unit.flush()
            self.oracle.replaced_since(unit, last)
        self.oracle.kept()

    def _regrant(self, desk: Computer, chance: Random) -> None:
        number, role = chance.randrange(3), ROLES[self.stage.prepared.users.index(desk.user_id)][0]
        if role != "grid_worker":
            return
        with self.store.unit(SYSTEM) as unit:
            made = self.assigned.pop((desk.user_id, number), None)
            if made is not None:
                unit.amend(unit.get(Assignment, made), until_on="2026-01-01")
            else:
                new = unit.create(Assignment(user_id=desk.user_id, grid_id=self.grids[number]))
                self.assigned[desk.user_id, number] = new.id
        self.say(f"{'-' if made is not None else '+'}{number}")

    # -- the wire ----------------------------------------------------------------------------------------------------

    def _ask(self, desk: Computer, chance: Random) -> None:
        if desk.is_forked and chance.random() < 0.5:
            return self._set_up_anew(desk)
        page, push = chance.choice((1, 3, 10, 1_000)), chance.choice((1, 400, 60_000))
        with older_version(desk.hidden):
            request = exchange.prepare(desk.store, page, push)
        self.wire.append(Message(desk, request))
        self.say(f"{len(request.ops)} operations, page {page}")

    def _sync(self, desk: Computer, chance: Random) -> None:
        """A request and its answer one after the other, as on a good day; the power may still fail on either side."""
        if desk.is_forked:
            return self._set_up_anew(desk)
        before = len(self.wire)
        self._ask(desk, chance)
        while len(self.wire) > before:
            message = self.wire.pop()
            with self._failing(message, chance, chance.random() < 0.06, is_full=False):
                self._arrive(message)

    def _deliver(self, desk: Computer, chance: Random) -> None:
        """One message arrives, is lost, or arrives and is still on its way; power may fail where it arrives."""
        if not self.wire:
            return self._ask(desk, chance)
        place = chance.randrange(min(len(self.wire), 3))
        message, luck = self.wire[place], chance.random()
        if luck < 0.88:
            del self.wire[place]
        if luck < 0.10:
            return self.say("lost")
        with self._failing(message, chance, chance.random() < 0.10, is_full=False):
            self._arrive(message)

    @contextmanager
    def _failing(self, message: Message, chance: Random, fails: bool, *, is_full: bool) -> Iterator[None]:
        fuse = message.desk.slot.fuse if message.answer is not None else self.street_file.fuse
        if not fails:
            yield
            return
        try:
            with fuse.lit(chance, is_full=is_full):
                yield
        except Crash:
            self._start_again(message.desk, message.answer is None)
        except Trouble as trouble:
            if not is_full or not fuse.blew:
                raise
            self.oracle.undone()
            self.say(trouble.code)

    def _start_again(self, desk: Computer, is_street: bool) -> None:
        """After the power failed: a new process on what was committed."""
        self.oracle.undone()
        self.say("power failed")
        if is_street:
            self._open_street()
            self.oracle.store = self.store
            for each in self.desks:
                each.street.replica = self.replica
        else:
            desk.use(Store(desk.slot.database, desk.store.replica, [DeskJournal(), Indexer()], desk.clock))

    def _arrive(self, message: Message) -> None:
        if message.answer is None:
            self._at_street(message)
        else:
            self._at_desk(message)

    def _at_street(self, message: Message) -> None:
        desk = message.desk
        self.say(f"at the street from {desk.name}")
        if message.request.replica != desk.store.replica:
            return  # of the computer before it was set up anew: its sign-in is gone
        try:
            answer = desk.street.exchange(message.request)
        except Trouble:
            raise
        except Refusal as refusal:
            return self._refused(desk, refusal)
        self.oracle.kept()
        self.wire.append(Message(desk, message.request, answer, self.oracle.moment_of(desk), self.oracle.lives))
        self.say([v.outcome for v in answer.verdicts])

    def _refused(self, desk: Computer, refusal: Refusal) -> None:
        self.oracle.undone()
        self.say(refusal.code)
        if refusal.code != "sync.fork":
            raise Violation(f"desk {desk.name} was refused: {refusal.code}")
        self.oracle.told_fork(desk)
        desk.is_forked = True

    def _at_desk(self, message: Message) -> None:
        desk = message.desk
        assert message.answer is not None and message.moment is not None
        self.say(f"at {desk.name}")
        if message.request.replica != desk.store.replica:
            return
        before = self.oracle.own_cells(desk)
        try:
            with older_version(desk.hidden):
                done = exchange.absorb(desk.store, message.request, message.answer)
        except Trouble:
            raise
        except Refusal as refusal:
            return self._refused(desk, refusal)
        if done.is_stale:
            return self.say("stale")
        self.oracle.reads_own_writes(desk)
        self.oracle.acknowledged(desk, message.life)
        if not message.answer.is_reset:
            self.oracle.never_goes_back(desk, before, message.moment)
        if done.complete:
            self.oracle.matches_moment(desk, message.moment)
            self.say("complete")

    def _carry(self, desk: Computer, _chance: Random) -> None:
        """Write what waits to a stick."""
        path = self._file("out")
        with older_version(desk.hidden):
            written = desk.side.write(path)
        self.sticks.append(Stick(desk, path))
        self.say(f"{written.operations} operations")

    def _plug(self, _desk: Computer, chance: Random) -> None:
        """A stick is put in where it belongs, for the first time or again."""
        if not self.sticks:
            return
        place = chance.randrange(len(self.sticks))
        stick = self.sticks[place]
        if chance.random() < 0.6:
            del self.sticks[place]
        desk = stick.desk
        fuse = desk.slot.fuse if stick.is_back else self.street_file.fuse
        fails = chance.random() < 0.15
        self.say(f"{'answer for' if stick.is_back else 'from'} {desk.name}")
        try:
            if fails:
                with fuse.lit(chance, is_full=False):
                    self._plugged(stick)
            else:
                self._plugged(stick)
        except Crash:
            self._start_again(desk, not stick.is_back)
        except Refusal as refusal:
            if refusal.code.startswith("bundle."):
                self.oracle.undone()
                return self.say(refusal.code)
            self._refused(desk, refusal)

    def _plugged(self, stick: Stick) -> None:
        desk = stick.desk
        if not stick.is_back:
            out = self._file("back")
            with patch.object(self.replica, "exchange", self._each_kept(self.replica.exchange)):
                taken = self.counter.take(stick.path, out)
            self.sticks.append(Stick(desk, out, True, self.oracle.moment_of(desk), self.oracle.lives))
            return self.say(f"{taken.fresh} new, {taken.repeated} again")
        with older_version(desk.hidden):
            done = desk.side.take_back(stick.path)
        if done.is_stale:
            return self.say("stale")
        self.oracle.reads_own_writes(desk)
        self.oracle.acknowledged(desk, stick.life)
        if done.complete:
            assert stick.moment is not None
            self.oracle.matches_moment(desk, stick.moment)

    def _each_kept(self, inner: Callable[..., object]) -> Callable[..., object]:
        """A bundle is several transactions, each of them final."""

        def exchanged(*arguments: object) -> object:
            answer = inner(*arguments)
            self.oracle.kept()
            return answer

        return exchanged

    def _file(self, what: str) -> Path:
        return self.stage.prepared.folder / f"{what}{len(self.log)}.gridman"

    # -- machines ----------------------------------------------------------------------------------------------------

    def _clock(self, desk: Computer, chance: Random) -> None:
        self.skews[id(desk)] = chance.choice(SKEWS_MS)
        self._tick()

    def _full_disk(self, desk: Computer, chance: Random) -> None:
        """The disk is full while a message arrives, or while somebody works."""
        if self.wire and chance.random() < 0.7:
            message = self.wire.pop(chance.randrange(min(len(self.wire), 3)))
            with self._failing(message, chance, True, is_full=True):
                self._arrive(message)
            return
        fuse = desk.slot.fuse
        try:
            with fuse.lit(chance, is_full=True), desk.store.unit(desk.actor) as unit:
                self.say(AT_DESK["edit"](self, desk, unit, chance))
        except Trouble as trouble:
            self.say(trouble.code)
        self.oracle.wrote(desk)
        self.oracle.reads_own_writes(desk)

    def _back_up(self, _desk: Computer, _chance: Random) -> None:
        self.saved = self.street_file.save(), self.oracle.street.copy()

    def _roll_back(self, desk: Computer, chance: Random) -> None:
        """The street's machine is lost; its backup begins a new life."""
        if self.saved is None:
            return self._back_up(desk, chance)
        self.happened["street restored"] += 1
        self.street_file.put_back(self.saved[0])
        self._open_street()
        with self.store.unit(SYSTEM) as unit:
            begin_new_life(unit)
        self.oracle.store, self.oracle.street = self.store, self.saved[1].copy()
        self.oracle.lives += 1
        with self.store.read() as reader:
            self.assigned = {
                (a.user_id, self.grids.index(a.grid_id)): a.id
                for a in reader.page(Assignment, limit=1_000) if a.until_on is None
            }  # fmt: skip
        for each in self.desks:
            each.street.replica = self.replica

    def _copy_desk(self, desk: Computer, _chance: Random) -> None:
        """Somebody copies the desk's folder."""
        path = self.stage.prepared.folder / f"copy-{desk.slot.path.name}"
        desk.copy = Copied(path, _last_n(desk.slot))
        desk.slot.save(path)
        self.say(f"at operation {desk.copy.last_n}")

    def _put_back(self, desk: Computer, chance: Random) -> None:
        """The copy is put in the place of the desk's data."""
        if desk.copy is None:
            return self._copy_desk(desk, chance)
        self.happened["older copy put back"] += 1
        desk.slot.load(desk.copy.path)
        desk.use(Store(desk.slot.database, desk.store.replica, [DeskJournal(), Indexer()], desk.clock))
        desk.noted_n = desk.copy.last_n
        self.oracle.copied.add(desk.store.replica)

    def _clone(self, desk: Computer, _chance: Random) -> None:
        """The desk's folder is copied to another computer and used there too."""
        if len(self.desks) > 4:
            return
        slot = self._new_slot()
        desk.slot.save(slot.path)
        other = self._computer(slot, desk.user_id, desk.store.replica)
        other.hidden = desk.hidden
        self.desks.append(other)
        self.oracle.copied.add(desk.store.replica)

    def _new_slot(self) -> Slot:
        slot = self.stage.slot(f"stage-spare{next(self._spare)}")
        slot.load(empty_file())
        return slot

    def _set_up_anew(self, desk: Computer) -> None:
        """What the refusal tells the user to do: enrol the computer again."""
        with self.store.unit(SYSTEM) as unit:
            replica = accounts.add_device(unit, desk.user_id, "again", "digest")
        place = self.desks.index(desk)
        self.desks[place] = fresh = self._computer_of(desk, replica)
        introduce(fresh.store, SYSTEM, fresh.street)
        self.say(f"set up as {replica}")

    def _computer_of(self, desk: Computer, replica: int) -> Computer:
        slot = self._new_slot()
        clock = Watch(desk.clock.now)
        store = Store(slot.database, replica, [DeskJournal(), Indexer()], clock)
        fresh = Computer(
            store, desk.user_id, InProcess(self.replica, lambda: self._device_actor(fresh)), clock, slot, STREET_ID
        )
        fresh.sync()
        return fresh

    def _upgrade(self, desk: Computer, _chance: Random) -> None:
        """A newer version of the program starts on the desk."""
        desk.hidden = None
        with receiving(desk.store) as replay:
            replay.take_deferred()

    def _refusal(self, _desk: Computer, chance: Random) -> None:
        self.refusing = chance.randrange(1, 4)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """An operation that the street refuses for a reason of its own stops nothing behind it."""
        simulation, inner = self, Intake._apply

        def apply(self: Intake, op: Op, stamp: str) -> Verdict:
            verdict = inner(self, op, stamp)
            simulation.refusing -= 1
            if simulation.refusing == 0 and op.kind != "none":
                raise Refusal("sim.refused", "Refused.")
            return verdict

        with patch.object(Intake, "_apply", apply):
            yield

    # -- rest --------------------------------------------------------------------------------------------------------

    def _heal(self) -> None:
        """The wire is good from now on: everything must come to rest."""
        self.wire.clear()
        self.refusing = 0
        for turn in range(_TURNS):
            if turn == 1:  # the last ones get today's version when they are up to date with yesterday's
                for desk in self.desks:
                    self._upgrade(desk, self.chance)
            restless = [d for d in self.desks if d.quiet_seq != self._seq() or not is_at_rest(d.store.database)]
            if not restless and turn:
                return
            for desk in restless:
                self.clock.now += 1_000
                self._tick()
                self._round(desk)
        raise Violation(f"{[d.name for d in restless]} never come to rest")

    def _round(self, desk: Computer) -> None:
        if desk.is_forked:
            return self._set_up_anew(desk)
        try:
            with older_version(desk.hidden):
                exchange.round(desk.store, _Keeping(desk.street, self.oracle))  # type: ignore[arg-type]
        except Refusal as refusal:
            return self._refused(desk, refusal)
        self.oracle.reads_own_writes(desk)
        with desk.store.read() as reader:
            desk.quiet_seq = min(seq for seq, _after in positions(reader.connection).values())

    def final_states(self) -> list[object]:
        """Records and versions of the street and of every desk."""
        return [
            (
                sorted((kind, sorted(rows.items())) for kind, rows in rows_of_copy(d).items()),
                sorted(cells_of_copy(d).items()),
            )
            for d in (self.store.database, *(desk.store.database for desk in self.desks))
        ]

    def feed(self) -> list[list[object]]:
        """The street's feed: what is where since when, what left, and which operations it has taken."""
        return [
            sorted(map(tuple, ask(self.store.database, f"SELECT {columns} FROM {table}")))
            for table, columns in (
                ("sync_row", "record_id, scope, entity, seq"),
                ("sync_exit", "record_id, scope, entity, seq"),
                ("sync_op", "replica, n, digest, seq"),
                ("sync_clock", "n, epoch"),
            )
        ]

    def _seq(self) -> int:
        return int(ask(self.store.database, "SELECT n FROM sync_clock")[0][0])


class _Keeping:
    """A street whose every answer means that its transaction was committed."""

    def __init__(self, street: InProcess, oracle: Oracle) -> None:
        self._street, self._oracle = street, oracle

    def exchange(self, request):  # type: ignore[no-untyped-def]
        answer = self._street.exchange(request)
        self._oracle.kept()
        return answer


def _last_n(slot: Slot) -> int:
    return int(ask(slot.database, "SELECT coalesce(max(op_n), 0) FROM journal")[0][0])


def run(seed: int, stage: Stage, events: Iterable[Event] | None = None) -> Simulation:
    """Play the history of `seed`, or these of its events; raises Violation, with what happened, when a promise is broken."""
    with determined("life"):
        simulation = Simulation(seed, stage, list(events) if events is not None else make_history(seed))
        try:
            simulation.run()
        except Violation as violation:
            raise Violation(f"seed {seed}: {violation}\n" + "\n".join(simulation.log)) from violation
        except (AttributeError, ImportError, NameError, TypeError):
            raise  # a mistake in the simulator, or a planted bug that does not fit the program any more
        except Exception as error:
            raise Violation(f"seed {seed}: {type(error).__name__}: {error}\n" + "\n".join(simulation.log)) from error
        return simulation
