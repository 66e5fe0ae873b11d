"""The soak: a real server process over HTTPS, real desks (encrypted files, outbox, HTTPS client) in this process on few threads.

Each desk is due every minute or so: some of a worker's work, then a synchronisation. At the end every desk's rows are held against the
street's scope query. What bounds it: all desks share this process's one interpreter, so on two processors the desks' own work (SQLite,
ORM, journal) and not the server sets how many synchronisations a second there are; how far behind the plan they fall is printed.
"""

import heapq
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from gridman.kernel.errors import Refusal
from gridman.server.certificates import street_tls
from gridman.services.street import open_street
from gridman.store import tables
from tests.benchmarks.measures import percentile
from tests.support.fleet import Fleet, desk_digest, found_fleet, street_digest
from tests.support.street_process import StreetProcess, street_process
from tests.support.streets import CHEAP_HASHER

__all__ = ["Outcome", "Plan", "run"]

_COME_LATER = ("http.busy", "server.stopping", "http.too_many")
_LOOK_S = 15.0
_MOST_ROUNDS = 20


@dataclass(frozen=True)
class Plan:
    """How many desks, for how long, each due how often, on how many threads; PostgreSQL and workers where told."""

    desks: int = 300
    minutes: float = 10.0
    every_s: float = 60.0
    threads: int = 6
    seed: int = 1
    database: str | None = None
    workers: int = 1


@dataclass
class Outcome:
    """What came of it. Times in seconds; `memory_mb`: (minute, megabytes of the server)."""

    requests_s: list[float] = field(default_factory=list)
    rounds_s: list[float] = field(default_factory=list)
    written: int = 0
    taken: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    told_to_come_later: int = 0
    most_behind_s: float = 0.0
    memory_mb: list[tuple[float, float]] = field(default_factory=list)
    equal: int = 0
    desks: int = 0
    set_up_s: float = 0.0
    ran_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """No error, and every desk has what the street gives it."""
        return not self.errors and self.equal == self.desks

    def lines(self) -> list[str]:
        """For people."""
        memory = [mb for _, mb in self.memory_mb]
        return [
            f"{self.desks} desks for {self.ran_s / 60:.1f} minutes (set up in {self.set_up_s:.0f} s)",
            f"requests: {_told(self.requests_s)}",
            f"synchronisations: {_told(self.rounds_s)}",
            f"records written at the desks: {self.written:,}; operations taken in by the street: {self.taken:,}",
            f"most behind the plan: {self.most_behind_s:.1f} s; told to come later: {self.told_to_come_later}",
            "server memory, MB: " + " ".join(f"{at:.1f}min={mb:.0f}" for at, mb in _thinned(self.memory_mb)),
            f"server memory: {memory[0]:.0f} MB at the start, at most {max(memory):.0f} MB"
            if memory
            else "server memory: not told",
            f"errors: {sum(self.errors.values())} {dict(self.errors) or ''}".rstrip(),
            f"desks equal to the street's scope query: {self.equal} of {self.desks}",
        ]


def _told(seconds: list[float]) -> str:
    ms = [s * 1_000 for s in seconds] or [0.0]
    shown = ", ".join(f"p{share:g} {percentile(ms, share / 100):.0f} ms" for share in (50, 95, 99))
    return f"{len(seconds):,}, {shown}, longest {max(ms):.0f} ms"


def _thinned(looks: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return looks[:: max(1, len(looks) // 10)]


def run(folder: Path, plan: Plan, say: Callable[[str], None] = lambda text: None) -> Outcome:
    """Play the plan in `folder`."""
    outcome, started = Outcome(desks=plan.desks), time.monotonic()
    street = open_street(folder / "street", plan.database, hasher=CHEAP_HASHER)
    fleet = found_fleet(street, folder / "desks", plan.desks, homes_a_grid=40)
    fleet.authority = street_tls(street).authority
    street.close()
    extra = ["--database", plan.database, "--workers", str(plan.workers)] if plan.database else []
    try:
        with street_process(folder / "street", *extra) as server:
            fleet.url = server.url
            soak = _Soak(fleet, plan, server, outcome, say)
            soak.together(soak.finish)
            outcome.set_up_s = time.monotonic() - started
            say(f"{plan.desks} desks have received their grids after {outcome.set_up_s:.0f} s; the work begins")
            fleet.traffic.taken_s.clear()
            outcome.rounds_s.clear()
            soak.work()
            outcome.requests_s = list(fleet.traffic.taken_s)
            say("the last synchronisations")
            worked_s = len(outcome.rounds_s)
            for _pass in range(2):  # the second brings what the other worker of the grid sent in the first
                soak.together(soak.finish)
            del outcome.rounds_s[worked_s:]
        _compare(folder, plan, fleet, outcome)
    finally:
        fleet.close()
    return outcome


class _Soak:
    def __init__(
        self, fleet: Fleet, plan: Plan, server: StreetProcess, outcome: Outcome, say: Callable[[str], None]
    ) -> None:
        self._fleet, self._plan, self._server, self._outcome, self._say = fleet, plan, server, outcome, say
        self._mutex = threading.Lock()
        self._chance = random.Random(plan.seed)

    def together(self, work: Callable[[int], None]) -> None:
        """`work` for every desk, on the plan's threads."""
        numbers = iter(range(self._plan.desks))

        def some() -> None:
            while (number := self._next(numbers)) is not None:
                work(number)

        self._on_threads(some)

    def _next(self, numbers: Iterator[int]) -> int | None:
        with self._mutex:
            return next(numbers, None)

    def _on_threads(self, work: Callable[[], None]) -> None:
        threads = [threading.Thread(target=work, daemon=True) for _ in range(self._plan.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def finish(self, number: int) -> None:
        """Until the desk has everything."""
        for _round in range(_MOST_ROUNDS):
            if self.synchronise(number):
                return
            time.sleep(0.2)
        self._note_error("never complete")

    def synchronise(self, number: int) -> bool:
        """One synchronisation; whether everything is through."""
        started = time.perf_counter()
        try:
            is_complete = bool(self._fleet.desk(number).synchronise().complete)
        except Refusal as refusal:
            if refusal.code in _COME_LATER:
                self._outcome.told_to_come_later += 1
            else:
                self._note_error(refusal.code)
            return False
        except Exception as error:  # a bug of ours is an outcome as well, not the end of a thread
            self._note_error(repr(error)[:200])
            return False
        with self._mutex:
            self._outcome.rounds_s.append(time.perf_counter() - started)
        return is_complete

    def _note_error(self, what: str) -> None:
        with self._mutex:
            self._outcome.errors[what] += 1

    def work(self) -> None:
        """Every desk at work and synchronising when it is due, until the time is over."""
        plan = self._plan
        begun = time.monotonic()
        end = begun + plan.minutes * 60
        due = [(begun + plan.every_s * n / plan.desks, n) for n in range(plan.desks)]
        heapq.heapify(due)
        watching = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(begun, watching), daemon=True)
        watcher.start()

        def some() -> None:
            while (turn := self._take(due, end)) is not None:
                at, number = turn
                self._turn(number)
                with self._mutex:
                    self._outcome.most_behind_s = max(self._outcome.most_behind_s, time.monotonic() - at)
                    heapq.heappush(
                        due,
                        (
                            max(at, time.monotonic() - plan.every_s) + plan.every_s * self._chance.uniform(0.7, 1.3),
                            number,
                        ),
                    )

        self._on_threads(some)
        watching.set()
        watcher.join()
        self._outcome.ran_s = time.monotonic() - begun

    def _take(self, due: list[tuple[float, int]], end: float) -> tuple[float, int] | None:
        with self._mutex:
            if not due or due[0][0] >= end or time.monotonic() >= end:
                return None
            turn = heapq.heappop(due)
        time.sleep(max(0.0, turn[0] - time.monotonic()))
        return turn

    def _turn(self, number: int) -> None:
        with self._mutex:
            visits, corrections = self._chance.randint(1, 2), self._chance.randint(0, 1)
            incidents, word = int(self._chance.random() < 0.1), f"{self._chance.randrange(10**6):06d}"
        try:
            written = self._fleet.work(number, visits, corrections, incidents, word)
        except Exception as error:
            self._note_error(repr(error)[:200])
            return
        with self._mutex:
            self._outcome.written += written
        self.synchronise(number)

    def _watch(self, begun: float, ended: threading.Event) -> None:
        looks = 0
        while True:
            minute = (time.monotonic() - begun) / 60
            self._outcome.memory_mb.append((minute, self._server.memory_mb()))
            if looks % 4 == 0:
                done = len(self._outcome.rounds_s)
                done, wrong = len(self._outcome.rounds_s), sum(self._outcome.errors.values())
                mb = self._outcome.memory_mb[-1][1]
                self._say(f"{minute:4.1f} min: {done:,} synchronisations, server {mb:.0f} MB, errors {wrong}")
            looks += 1
            if ended.wait(min(_LOOK_S, self._plan.minutes * 60 / 4)):
                return


def _compare(folder: Path, plan: Plan, fleet: Fleet, outcome: Outcome) -> None:
    street = open_street(folder / "street", plan.database, must_exist=True)
    try:
        with street.store.read() as reader:
            outcome.taken = int(
                reader.connection.execute(select(func.count()).select_from(tables.sync_op)).scalar_one()
            )
        for number, enrolled in enumerate(fleet.enrolled):
            outcome.equal += desk_digest(fleet.desk(number)) == street_digest(street, enrolled.user_id)
    finally:
        street.close()
