"""What happens on the wire and with USB sticks: messages that are lost, late, twice, and power that fails where they arrive."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random
from unittest.mock import patch

from msgspec.structs import replace

from gridman.kernel.errors import Refusal, Trouble
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal
from gridman.store.store import Store
from gridman.sync import exchange
from gridman.sync.farewell import hear, last_words
from gridman.sync.protocol import Request
from tests.simulation.desks import Computer, Message, Stick, older_version
from tests.simulation.faults import Crash
from tests.simulation.oracle import Violation

__all__ = ["Wire"]

_LONGEST_PARTING = 1_000


class Wire:
    """The part of a simulation that the wire plays."""

    def _ask(self, desk: Computer, chance: Random) -> None:
        if desk.is_removed or (desk.is_forked and chance.random() < 0.5):
            return self._part(desk, chance)
        page, push = chance.choice((1, 3, 10, 1_000)), chance.choice((1, 400, 60_000))
        with older_version(desk.hidden):
            request = self._checking(exchange.prepare(desk.store, page, push))
        self.wire.append(Message(desk, request))
        self.say(f"{len(request.ops)} operations, page {page}")

    def _checking(self, request: Request) -> Request:
        """Every third request has a scope compared, whenever its day comes: nothing that happens may make a sound desk differ."""
        scopes = [c.scope for c in request.cursors]
        if not scopes or len(self.log) % 3:
            return request
        return replace(request, check=scopes[len(self.log) // 3 % len(scopes)])

    def _sync(self, desk: Computer, chance: Random) -> None:
        """A request and its answer one after the other, as on a good day; the power may still fail on either side."""
        if desk.is_parting:
            return self._part(desk, chance)
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

    def _part(self, desk: Computer, chance: Random | None) -> None:
        """A copy, or a computer taken off the list, hands over what waits; when it is through it is set up anew. `chance`: the line may fall
        and the power fail anywhere, None: nothing fails. Without a network it goes to the counter.
        """
        if chance and chance.random() < 0.25:
            self._carry(desk, chance)
            self._plug_in(self.sticks[-1], chance)
            if self.sticks[-1].is_back and chance.random() < 0.7:
                self._plug_in(self.sticks[-1], chance)
            return
        for turn in count():
            words = last_words(
                desk.store, chance.choice((1, 400, 60_000)) if chance else 60_000, is_rescue=desk.is_forked
            )
            if turn and not words.ops:
                break
            if turn > _LONGEST_PARTING:
                raise Violation(f"{desk.name} never comes to the end of what it hands over")
            luck, is_cut = (chance.random(), chance.random() < 0.2) if chance else (1.0, False)
            if is_cut and luck < 0.5:
                return self.say("lost")
            answer = None
            with self._failing(Message(desk, words), chance or Random(0), luck < 0.1, is_full=False):
                answer = desk.street.farewell(words)
                self.oracle.kept()
            if answer is None or is_cut:
                return self.say("lost")
            heard = False
            with self._failing(
                Message(desk, words, answer), chance or Random(0), luck > 0.9 and luck < 1, is_full=False
            ):
                hear(desk.store, words, answer)
                heard = True
            if not heard:
                return
            self.happened["handed over"] += len(words.ops)
            self.say([v.outcome for v in answer.verdicts])
        if desk.is_removed:
            desk.street.farewell(last_words(desk.store, is_end=True))
        self.oracle.parted(desk)
        self._set_up_anew(desk)

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
        if message.request.replica != desk.store.replica or desk.is_removed:
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
        if refusal.code == "auth.device_revoked" and desk.is_removed:
            return
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
        if done.held is not None:
            self.happened["scope compared"] += 1
            self.oracle.holds_the_same(desk, message.request.check, done.held)
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
        self._plug_in(stick, chance)

    def _plug_in(self, stick: Stick, chance: Random) -> None:
        """Power may fail while it is taken in."""
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
            if refusal.code.startswith(("bundle.", "handover.")):
                self.oracle.undone()
                return self.say(refusal.code)
            self._refused(desk, refusal)

    def _plugged(self, stick: Stick) -> None:
        desk = stick.desk
        if not stick.is_back:
            out = self._file("back")
            with (
                patch.object(self.replica, "exchange", self._each_kept(self.replica.exchange)),
                patch.object(self.replica, "farewell", self._each_kept(self.replica.farewell)),
            ):
                taken = self.counter.take(stick.path, out)
            if taken.parted is not None:
                self.happened["last words carried"] += 1
                if not taken.parted.source.is_removed:
                    self.oracle.told_fork(desk)
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
