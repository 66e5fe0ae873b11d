"""What happens to machines: clocks, disks, backups, copies of a desk's data, older versions of the program."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest.mock import patch

from gridman.domain.access import SYSTEM
from gridman.domain.grid import Assignment
from gridman.kernel.errors import Refusal, Trouble
from gridman.services.enrolment import LOST, RETIRED, revoke_device
from gridman.store import accounts
from gridman.store.backup import begin_new_life
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal
from gridman.store.replay import receiving
from gridman.store.store import Store
from gridman.sync.bundle import introduce
from gridman.sync.protocol import Op, Verdict
from gridman.sync.push import Intake
from tests.simulation.copies import last_number
from tests.simulation.desks import Computer, Copied
from tests.simulation.people import AT_DESK
from tests.simulation.prepared import Slot
from tests.sync.world import InProcess, Watch, empty_file

__all__ = ["STREET_ID", "Machines"]

DAY_MS = 86_400_000
SKEWS_MS = (0, 0, -DAY_MS, -10 * DAY_MS, -3_600_000, 300_000, 7_200_000, 10 * DAY_MS)
STREET_ID = "0123456789abcdef"


class Machines:
    """The part of a simulation that machines play."""

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
        self.clock.now += 60_000  # unpacking a backup takes its time
        self._tick()
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
            with self.store.read() as reader:  # removals made since the backup must be made again
                device = accounts.device_of(reader, each.store.replica)
            each.is_removed = device is not None and device.revoked_at is not None

    def _copy_desk(self, desk: Computer, _chance: Random) -> None:
        """Somebody copies the desk's folder."""
        path = self.stage.prepared.folder / f"copy-{desk.slot.path.name}"
        desk.copy = Copied(path, last_number(desk.slot.database))
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
        other.hidden, other.is_forked, other.is_removed = desk.hidden, desk.is_forked, desk.is_removed
        self.desks.append(other)
        self.oracle.copied.add(desk.store.replica)

    def _remove(self, desk: Computer, chance: Random) -> None:
        """The street takes the computer, and every copy of it, off its list."""
        with self.store.read() as reader:
            if accounts.device_of(reader, desk.store.replica) is None:
                return  # the street was put back from before its enrolment
        revoked_as = chance.choice((LOST, RETIRED))
        with self.store.unit(SYSTEM) as unit:
            revoke_device(unit, desk.store.replica, revoked_as)
        for each in self.desks:
            each.is_removed |= each.store.replica == desk.store.replica
        self.say(revoked_as)

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
        refused: set[tuple[int, int]] = set()

        def apply(self: Intake, op: Op, stamp: str) -> Verdict:
            verdict = inner(self, op, stamp)
            simulation.refusing -= 1
            if simulation.refusing == 0:
                refused.add((self.replica, op.n))
            if (self.replica, op.n) in refused and op.kind != "none":  # each time it is tried, as a true reason would
                raise Refusal("sim.refused", "Refused.")
            return verdict

        with patch.object(Intake, "_apply", apply):
            yield
