"""`python -m tests.simulation --seeds 0:1000`: play histories on all processors, say what happened and which seeds break a promise.

A failing seed is printed with the shortest list of its events that still fails; `--seed N` plays one and prints its schedule; `--planted NAME`
with one of the bugs that the simulator must find (`--planted list` names them); `--digest A:B` names all that happened in these seeds.
"""

import argparse
import sys
import time
from contextlib import ExitStack

from tests.simulation import fleet
from tests.simulation.history import Event, make_history
from tests.simulation.planted import PLANTED
from tests.simulation.prepared import on_stage
from tests.simulation.sim import Violation, run


def _range(text: str) -> range:
    first, end = (int(part) for part in text.split(":"))
    return range(first, end)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=_range, default=range(200), metavar="A:B")
    parser.add_argument("--seed", type=int, metavar="N", help="play this one here and print its schedule")
    parser.add_argument(
        "--events", metavar="LIST", help="with --seed: only these events (as a failing seed prints them)"
    )
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="processes at once")
    parser.add_argument("--planted", default="", metavar="NAME", help="with this bug")
    parser.add_argument("--digest", type=_range, metavar="A:B")
    parser.add_argument("--no-shrink", action="store_true")
    told = parser.parse_args()
    if told.planted == "list":
        print("\n".join(f"{name}: {(bug.__doc__ or '').strip()}" for name, bug in PLANTED.items()))
        return 0
    if told.digest is not None:
        print(fleet.digest(told.digest))
        return 0
    if told.seed is not None:
        return _one(told.seed, told.events, told.planted)
    if told.planted:
        return _hunt(told.planted, told.seeds.stop)
    return _many(told.seeds, told.jobs, not told.no_shrink)


def _one(seed: int, listed: str | None, planted: str) -> int:
    events = [Event.read(text) for text in listed.split()] if listed else make_history(seed)
    with on_stage() as stage, ExitStack() as stack:
        if planted:
            stack.enter_context(PLANTED[planted]())
        try:
            simulation = run(seed, stage, events)
        except Violation as violation:
            print(violation)
            return 1
    print("\n".join(f"{i:3} {line}" for i, line in enumerate(simulation.log)))
    return 0


def _hunt(planted: str, most: int) -> int:
    found = fleet.first_failing([planted], most, 1)[planted]
    if found is None:
        print(f"{planted}: not found in {most} seeds")
        return 1
    _tell(found[0], planted)
    return 0


def _tell(seed: int, planted: str = "") -> None:
    events, what = fleet.shrunk(seed, planted)
    print(f"{what}\n{len(events)} of {len(make_history(seed))} events are enough; again with:", file=sys.stderr)
    bug = f" --planted {planted}" if planted else ""
    print(f"  python -m tests.simulation --seed {seed}{bug} --events '{' '.join(map(str, events))}'\n", file=sys.stderr)


def _many(seeds: range, jobs: int, shrinks: bool) -> int:
    started, whole = time.monotonic(), fleet.Played()
    for part in fleet.play(seeds, jobs):
        whole.add(part)
        for seed, what in part.failures.items():
            if shrinks and len(whole.failures) <= 5:
                _tell(seed)
            else:
                print(what.splitlines()[0], file=sys.stderr)
    took = time.monotonic() - started
    print(", ".join(f"{name} {count}" for name, count in sorted(whole.happened.items())))
    print(
        f"{whole.seeds} seeds, {whole.events} events, {len(whole.failures)} failed, {took:.1f} s, "
        f"{whole.seeds / max(took, 0.001):.1f} seeds/s"
    )
    return 1 if whole.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
