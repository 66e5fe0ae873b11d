"""A deterministic simulation: real stores, the real protocol, a virtual wire and clocks, one source of chance.

The wire drops, repeats, reorders and delays; both sides crash before and after they commit; clocks jump by days; households move between
grids, grids are granted and withdrawn, people edit the same fields, report and command incidents, and the street edits too.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.kernel.errors import Refusal
from gridman.services.incident_actions import actions_for, targets_for
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.store import indexes
from gridman.sync import exchange
from gridman.sync.protocol import Answer, Request
from tests.simulation.oracle import Oracle, Violation, at_rest
from tests.sync.world import Desk, World, make_world

__all__ = ["Simulation", "Violation", "run"]

FIELDS = ("remark", "remark", "remark", "needs_note", "informed_on", "number", "number")
DAY_MS = 86_400_000
SKEWS_MS = (0, 0, -DAY_MS, -3_600_000, 300_000, 7_200_000, 10 * DAY_MS)


class Crash(Exception):
    """The power went."""


@dataclass
class Message:
    """A request on its way to the street, or an answer on its way back with the street as it was then."""

    desk: Desk
    request: Request
    answer: Answer | None = None
    moment: dict[str, dict[int, dict[str, Any]]] | None = None


@dataclass
class Simulation:
    """One history."""

    seed: int
    world: World
    steps: int = 70
    wire: list[Message] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    count: int = 0
    crash_keeps_answer: bool = False
    """A planted bug: the street answers although its transaction was undone."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.oracle = Oracle(self.world)
        self.houses = [h for g in range(3) for h in self.world.add_households(g, 2)]
        for role, organisation in (
            ("grid_worker", "community"),
            ("grid_worker", "community"),
            ("street_clerk", "street"),
        ):
            grids = self.chance.sample((0, 1, 2), self.chance.choice((2, 2, 1))) if role == "grid_worker" else ()
            self.world.desk(role, organisation, grids)

    def run(self) -> None:
        with self.oracle.watching():
            for desk in self.world.desks:
                desk.sync()
            for _ in range(self.steps):
                self.world.clock.now += self.chance.choice((1, 5, 1_000, 60_000))
                self._tick()
                self._step()
            self._heal()
        self.oracle.judge()

    def _tick(self) -> None:
        for desk in self.world.desks:
            desk.clock.now = self.world.clock.now + self.skew(desk)

    def skew(self, desk: Desk) -> int:
        return self._skews.get(desk.store.replica, 0)

    @property
    def _skews(self) -> dict[int, int]:
        return self.__dict__.setdefault("skews", {})

    def _step(self) -> None:
        r = self.chance
        desk = r.choice(self.world.desks)
        kinds: list[tuple[float, Callable[[Desk], None]]] = [
            (0.30, self._edit),
            (0.03, self._create),
            (0.03 if self.seed % 2 else 0.20, self._incident),
            (0.16, self._ask),
            (0.33, self._deliver),
            (0.04, self._turn_clock),
            (0.05, self._move),
            (0.06, self._regrant),
        ]
        (act,) = r.choices([a for _, a in kinds], [w for w, _ in kinds])
        self.log.append(f"{act.__name__[1:]} {desk.store.replica}")
        act(desk)

    def _edit(self, desk: Desk) -> None:
        with desk.store.read() as reader:
            found = reader.page(Household, limit=1_000, with_retired=True)
        if not found:
            return
        house, name = self.chance.choice(found[:4]), self.chance.choice(FIELDS)
        if self.chance.random() < 0.08:
            desk.amend(house.id, grid_id=self.chance.choice(self.world.grids))
            self.oracle.wrote(desk)
            self.oracle.reads_own_writes(desk)
            return
        self.count += 1
        value = (
            f"20{self.count % 90 + 10}-01-{self.chance.randrange(1, 29):02d}"
            if name == "informed_on"
            else f"v{self.count}"
        )
        desk.amend(house.id, **{name: value})
        self.log.append(f"  {house.id}.{name}={value}")
        self.oracle.wrote(desk)
        self.oracle.reads_own_writes(desk)

    def _create(self, desk: Desk) -> None:
        self.count += 1
        actor = desk.actor
        grids = sorted(actor.grid_ids & set(self.world.grids)) or self.world.grids
        with desk.store.unit(actor) as unit:
            house = unit.create(
                Household(number=f"N{self.count}", grid_id=self.chance.choice(grids), address=f"New {self.count}")
            )
            if self.chance.random() < 0.5:
                unit.flush()
                unit.amend(house, remark=f"n{self.count}")
        self.oracle.wrote(desk)

    def _incident(self, desk: Desk) -> None:
        self.count += 1
        with desk.store.unit(desk.actor) as unit:
            known = unit.page(Incident, limit=100)
            if not known or self.chance.random() < 0.1:
                draft = IncidentDraft(
                    "A101", f"lamp {self.count}", "Lane", grid_id=self.chance.choice(self.world.grids)
                )
                try:
                    report_incident(unit, draft)
                except Refusal:
                    return
            else:
                incident = self.chance.choice(known[:2])
                allowed = actions_for(unit, unit.actor, incident)
                if not allowed:
                    return
                forward = [
                    row for name in ("assign", "accept", "sign", "finish") for row in allowed if row.action == name
                ]
                row = forward[0] if forward and self.chance.random() < 0.7 else self.chance.choice(allowed)
                targets = targets_for(unit, unit.actor, incident, row.action)
                try:
                    perform(
                        unit, incident.id, row.action, note=f"c{self.count}", result="done", is_solved=True, satisfaction=3,
                        target_id=self.chance.choice(targets).id if targets else None,
                    )  # fmt: skip
                except Refusal:
                    return
        self.oracle.wrote(desk)
        self.oracle.reads_own_writes(desk)

    def _ask(self, desk: Desk) -> None:
        page = self.chance.choice((1, 3, 10, 1_000))
        self.wire.append(Message(desk, exchange.prepare(desk.store, page, self.chance.choice((1, 400, 60_000)))))

    def _deliver(self, _desk: Desk) -> None:
        """One message arrives, is lost, or arrives and is still on its way."""
        if not self.wire:
            return
        place = self.chance.randrange(min(len(self.wire), 3))
        message, luck = self.wire[place], self.chance.random()
        if luck < 0.12:
            del self.wire[place]
            return
        if luck < 0.88:
            del self.wire[place]
        if message.answer is None:
            self._at_street(message, self.chance.random() < 0.08)
        else:
            self._at_desk(message, self.chance.random() < 0.08)

    def _at_street(self, message: Message, crash: bool) -> None:
        replica, desk = self.world.replica, message.desk
        answer: Answer | None = None
        try:
            with crashing(self.world.store, crash):
                answer = desk.street.exchange(message.request)
        except Crash:
            self.oracle.undone()
            self.log.append("  street crashed")
            answer = self._ghost if self.crash_keeps_answer else None
        else:
            self.oracle.kept()
        assert replica is self.world.replica
        if answer is not None:
            self.wire.append(Message(desk, message.request, answer, self.oracle.moment_of(desk)))

    @property
    def _ghost(self) -> Answer | None:
        return self.__dict__.get("ghost")

    def _at_desk(self, message: Message, crash: bool) -> None:
        assert message.answer is not None and message.moment is not None
        before = self.oracle.own_cells(message.desk)
        try:
            with crashing_receipt(message.desk, crash):
                done = exchange.absorb(message.desk.store, message.request, message.answer)
        except Crash:
            self.log.append("  desk crashed")
            return
        self.oracle.reads_own_writes(message.desk)
        self.oracle.never_goes_back(message.desk, before, message.moment)
        if done.complete and not done.is_stale:
            self.oracle.matches_moment(message.desk, message.moment)

    def _turn_clock(self, desk: Desk) -> None:
        self._skews[desk.store.replica] = self.chance.choice(SKEWS_MS)
        self._tick()

    def _move(self, _desk: Desk) -> None:
        """The street moves a household, or edits several at once."""
        with self.world.store.unit(SYSTEM) as unit:
            if self.chance.random() < 0.5:
                house = unit.get(Household, self.chance.choice(self.houses))
                self.oracle.street_wrote(house.id, "grid_id", house.grid_id)
                unit.amend(house, grid_id=self.chance.choice(self.world.grids))
                return
            for house_id in self.chance.sample(self.houses, 3):
                self.count += 1
                house = unit.get(Household, house_id)
                self.oracle.street_wrote(house.id, "needs_note", house.needs_note)
                unit.amend(house, needs_note=f"s{self.count}")

    def _regrant(self, desk: Desk) -> None:
        number = self.chance.randrange(3)
        if desk.actor.role != "grid_worker":
            return
        if (desk.user_id, number) in self.world.assigned:
            self.world.withdraw(desk.user_id, number)
        else:
            self.world.assign(desk.user_id, number)

    def _heal(self) -> None:
        """The wire is good from now on: everything must come to rest."""
        self.wire.clear()
        for _ in range(8):
            self.world.clock.now += 1_000
            self._tick()
            for desk in self.world.desks:
                for _ in range(60):
                    request = exchange.prepare(desk.store)
                    answer = desk.street.exchange(request)
                    self.oracle.kept()
                    done = exchange.absorb(desk.store, request, answer)
                    self.oracle.reads_own_writes(desk)
                    if done.complete and at_rest(desk.store):
                        break
                else:
                    raise Violation(f"desk {desk.store.replica} never comes to rest")
            seqs = {d.street.exchange(exchange.prepare(d.store)).seq for d in self.world.desks}
            if len(seqs) == 1 and all(self._is_current(d) for d in self.world.desks):
                return
        raise Violation("the street never comes to rest")

    def _is_current(self, desk: Desk) -> bool:
        answer = desk.street.exchange(exchange.prepare(desk.store))
        return answer.complete and not answer.rows and not answer.entries


@contextmanager
def crashing(store: Any, crash: bool) -> Iterator[None]:
    """When `crash`, the street's next commit fails: everything of its transaction is undone."""
    if not crash:
        yield
        return
    from gridman.store import store as store_module

    inner = store_module.raise_stamp

    def fail(*args: object, **kwargs: object) -> None:
        raise Crash

    store_module.raise_stamp = fail  # the last statement before a unit's commit
    try:
        yield
        if store is not None:
            raise Crash  # a pure pull writes nothing: its answer is lost
    finally:
        store_module.raise_stamp = inner


@contextmanager
def crashing_receipt(desk: Desk, crash: bool) -> Iterator[None]:
    """When `crash`, the desk's transaction is undone at its end."""
    if not crash:
        yield
        return
    from gridman.store.replay import Replay

    inner = Replay.finish

    def fail(self: Replay) -> None:
        raise Crash

    Replay.finish = fail  # type: ignore[method-assign]
    try:
        yield
    finally:
        Replay.finish = inner  # type: ignore[method-assign]


@contextmanager
def without_indexes() -> Iterator[None]:
    """Derived indexes are tested elsewhere and would take half the time."""
    inner = indexes.refresh, indexes.forget, indexes.add_new
    indexes.refresh = lambda *args, **kwargs: None
    indexes.forget = lambda *args, **kwargs: None
    indexes.add_new = lambda *args, **kwargs: None
    try:
        yield
    finally:
        indexes.refresh, indexes.forget, indexes.add_new = inner


def run(seed: int, steps: int = 70, url: str | None = None, **planted: Any) -> Simulation:
    """Play the history of `seed`; raises Violation with the seed and what happened."""
    with without_indexes(), make_world(url) as world:
        simulation = Simulation(seed, world, steps, **planted)
        try:
            simulation.run()
        except Violation as violation:
            raise Violation(f"seed {seed}: {violation}\n" + "\n".join(simulation.log[-40:])) from violation
        return simulation
