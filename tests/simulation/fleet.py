"""Many seeds on all processors: each process has a stage of its own and takes the next few seeds when it is done with those before."""

import gc
import hashlib
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.simulation.history import Event, make_history
from tests.simulation.planted import PLANTED, SHOWN
from tests.simulation.prepared import Stage, on_stage
from tests.simulation.shrink import shrink
from tests.simulation.sim import Violation, run

__all__ = ["Played", "first_failing", "play", "processes", "shrunk"]

_BATCH = 25


@dataclass
class Played:
    """What some seeds showed. `happened`: how often what happened; `failures`: what was broken, by seed."""

    seeds: int = 0
    events: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Played") -> None:
        """Both together."""
        self.seeds += other.seeds
        self.events += other.events
        self.happened += other.happened
        self.failures.update(other.failures)


def processes() -> int:
    """How many at once: one for each processor this process may use."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


_stack = ExitStack()
_stage: Stage | None = None


def _own_stage() -> Stage:
    """This process's stage; it lives as long as the process."""
    global _stage
    if _stage is None:
        gc.disable()  # a process that plays histories only; it collects between them
        _stage = _stack.enter_context(on_stage())
        multiprocessing.util.Finalize(None, _stack.close, exitpriority=100)
    return _stage


def _hunt(name: str, likely: Sequence[int], most_seeds: int) -> Played:
    """Play until the planted bug shows, first where it showed before."""
    found = _play_some([seed for seed in likely if seed < most_seeds], name, True)
    return found if found.failures else _play_some(range(most_seeds), name, True)


def _play_some(seeds: Sequence[int], planted: str = "", stop_at_first: bool = False) -> Played:
    done, stage = Played(), _own_stage()
    for seed in seeds:
        try:
            with ExitStack() as stack:
                if planted:
                    stack.enter_context(PLANTED[planted]())
                simulation = run(seed, stage)
            done.happened += simulation.happened
            done.events += len(simulation.events)
        except Violation as violation:
            done.failures[seed] = str(violation)
        done.seeds += 1
        if done.seeds % 5 == 0:
            gc.collect()
        if done.failures and stop_at_first:
            break
    return done


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))


def play(seeds: range, jobs: int = 0) -> Iterator[Played]:
    """Play all of them; what each batch showed, as it comes."""
    with _pool(jobs or processes()) as pool:
        batches = [pool.submit(_play_some, seeds[i : i + _BATCH]) for i in range(0, len(seeds), _BATCH)]
        for batch in as_completed(batches):
            yield batch.result()


def first_failing(names: Sequence[str], most_seeds: int, jobs: int = 0) -> dict[str, tuple[int, str] | None]:
    """For each planted bug a seed that shows it, with what it showed; None when none of `most_seeds` does. Those of `planted.SHOWN` are
    played first: a change of the histories makes that list old, not wrong.
    """
    found: dict[str, tuple[int, str] | None] = {}
    with _pool(jobs or processes()) as pool:
        hunts = {pool.submit(_hunt, name, SHOWN.get(name, ()), most_seeds): name for name in names}
        for hunt in as_completed(hunts):
            failures = hunt.result().failures
            found[hunts[hunt]] = next(iter(failures.items())) if failures else None
    return found


def shrunk(seed: int, planted: str = "") -> tuple[list[Event], str]:
    """The shortest part of the history of `seed` that still breaks a promise, and what it then shows."""
    told = ""

    def breaks(events: list[Event]) -> bool:
        nonlocal told
        try:
            with ExitStack() as stack:
                if planted:
                    stack.enter_context(PLANTED[planted]())
                run(seed, _own_stage(), events)
        except Violation as violation:
            told = str(violation)
            return True
        return False

    return shrink(make_history(seed), breaks), told


def digest(seeds: Sequence[int]) -> str:
    """Names everything that happened in these histories, and every state they ended in."""
    whole = hashlib.sha256()
    for seed in seeds:
        simulation = run(seed, _own_stage())
        whole.update("\n".join(simulation.log).encode())
        whole.update(repr(simulation.final_states()).encode())
    return whole.hexdigest()
