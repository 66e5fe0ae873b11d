"""A deterministic simulation: real stores, the real protocol, a virtual wire and clocks, and a list of events that happen.

The wire drops, repeats, reorders and delays; bundles come late and twice; both sides lose power before and after they commit, and run out of
disk; clocks jump by days; grids are granted, withdrawn and redrawn; people edit the same fields, report and command incidents, and the
street edits too; desks are put back from copies, run twice, are taken off the street's list, and know less than the street; the street comes
back from a backup.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from msgspec.structs import replace

from gridman.domain.access import SYSTEM
from gridman.domain.grid import Assignment
from gridman.kernel.errors import Refusal
from gridman.store.blobs import BlobStore
from gridman.store.feed import StreetFeed
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal, StreetJournal
from gridman.store.replay import positions
from gridman.store.store import Store
from gridman.sync import exchange
from gridman.sync.bundle import StreetBundles
from gridman.sync.checking import ask_all_again
from gridman.sync.replica import Replica
from gridman.sync.seal import Keys
from gridman.sync.snapshots import Snapshots
from tests.simulation.copies import ask, cells_of_copy, is_at_rest, last_number, rows_of_copy
from tests.simulation.desks import HIDDEN, Computer, Message, Stick, older_version
from tests.simulation.faults import Fuse
from tests.simulation.history import Event, make_history
from tests.simulation.machines import STREET_ID, Machines
from tests.simulation.oracle import Oracle, Violation
from tests.simulation.oracle import Street as Known
from tests.simulation.people import AT_DESK, AT_STREET
from tests.simulation.prepared import ROLES, Slot, Stage, determined
from tests.simulation.wire import Wire
from tests.sync.world import KEY, NOON, InProcess, Watch

__all__ = ["Simulation", "Violation", "run"]

_TURNS = 12
_NOTED = frozenset({"lost", "stale", "power failed", "disk.full", "sync.fork", "complete"})


@dataclass
class Simulation(Wire, Machines):
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
        self._snapshots = prepared.folder / "snapshots"
        shutil.rmtree(self._snapshots, ignore_errors=True)  # another history's, of the same beginning
        self.street_file = self.stage.street
        self.street_file.fresh()
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
        desk.noted_n = last_number(slot.database)
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
                return self._compare_at_rest()
            for desk in restless:
                self.clock.now += 1_000
                self._tick()
                self._round(desk)
        raise Violation(f"{[d.name for d in restless]} never come to rest")

    def _compare_at_rest(self) -> None:
        """Each desk holds of a scope what the street's check says; the oracle looks at all of them past the program."""
        for desk in self.desks:
            for scope in self.chance.sample(
                ask_all_again(desk.store), 1
            ):  # all of them would take half the time of a history
                with older_version(desk.hidden):
                    request = replace(exchange.prepare(desk.store), check=scope)
                    held = exchange.absorb(desk.store, request, desk.street.exchange(request)).held
                if held is None:
                    raise Violation(f"{desk.name}: {scope} could not be compared at rest")
                self.oracle.holds_the_same(desk, scope, held)

    def _round(self, desk: Computer) -> None:
        if desk.is_parting:
            return self._part(desk, None)
        try:
            with older_version(desk.hidden):
                done = exchange.round(desk.store, _Keeping(desk.street, self.oracle))  # type: ignore[arg-type]
        except Refusal as refusal:
            return self._refused(desk, refusal)
        if done.held is not None:
            self.oracle.holds_the_same(desk, "a scope", done.held)
        self.oracle.reads_own_writes(desk)
        with desk.store.read() as reader:
            desk.quiet_seq = min((seq for seq, _after in positions(reader.connection).values()), default=-1)

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
