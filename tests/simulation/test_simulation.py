"""Random histories keep every promise of the sync, and the simulator is sharp enough to notice when one is broken."""

import time

import pytest

from tests.simulation.planted import PLANTED
from tests.simulation.sim import Violation, run
from tests.support.postgres import PostgresServer

SEEDS = 200
ENOUGH_S = 30.0
HUNT_SEEDS = 40
HUNT_S = 60.0


def test_every_history_ends_in_agreement() -> None:
    """As many seeds as fit the time, at least 10; `python -m tests.simulation` plays more."""
    started = time.monotonic()
    for seed in range(SEEDS):
        run(seed)
        if seed >= 10 and time.monotonic() - started > ENOUGH_S:
            break


@pytest.mark.postgres
def test_the_same_histories_hold_on_postgresql(postgres_server: PostgresServer) -> None:
    for seed in range(6):
        run(seed, url=postgres_server.create_database())


@pytest.mark.slow
def test_planted_bugs_are_found() -> None:
    """At least eight different bugs, each within a few dozen histories."""
    found: dict[str, int] = {}
    started = time.monotonic()
    for name, bug in PLANTED.items():
        if len(found) >= 8 and time.monotonic() - started > HUNT_S:
            break
        for seed in range(HUNT_SEEDS if len(found) < 8 else 3):
            try:
                with bug():
                    run(seed)
            except Violation:
                found[name] = seed
                break
    assert len(found) >= 8, f"only {found} of {sorted(PLANTED)}"
