"""Random histories keep every promise of the sync, whatever machines and people do, on SQLite and on PostgreSQL alike."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import fleet
from tests.simulation.history import KINDS, Event, make_history
from tests.simulation.prepared import on_stage
from tests.simulation.shrink import shrink
from tests.simulation.sim import run
from tests.support.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 5_000
ALIKE = 12


@pytest.mark.slow
def test_every_history_ends_in_agreement() -> None:
    """A failing seed is played again, with its shortest list of events, by ``python -m tests.simulation --seeds N:N+1``."""
    whole = fleet.Played()
    for part in fleet.play(range(SEEDS)):
        whole.add(part)
    assert not whole.failures, "\n".join(
        f"{seed}: {what.splitlines()[0]}" for seed, what in sorted(whole.failures.items())
    )
    assert whole.seeds == SEEDS
    seldom = {
        name
        for name in (
            *KINDS,
            "power failed",
            "disk.full",
            "sync.fork",
            "stale",
            "lost",
            "handed over",
            "last words carried",
        )
        if whole.happened[name] < 5
    }
    assert not seldom, f"what never happens is not tested: {seldom}"


def test_histories_hold_at_once() -> None:
    """The first few, for those who leave the slow tests out."""
    with on_stage() as stage:
        for seed in range(15):
            run(seed, stage)


def _digest(hash_seed: str) -> str:
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--digest", "0:8"],
        cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return told.stdout.strip()


def test_a_seed_always_plays_the_same_history() -> None:
    """What happened and every final state are the same in another process that orders its sets otherwise."""
    assert _digest("1") == _digest("2") != ""


def test_leaving_an_event_out_leaves_the_others_as_they_were() -> None:
    events = make_history(7)
    assert events == make_history(7) != make_history(8)
    assert [Event.read(str(event)) for event in events] == events


def test_a_failing_history_is_shrunk_to_the_events_that_matter() -> None:
    events = [Event("edit", 0, number) for number in range(60)]
    tried: list[int] = []

    def breaks(left: list[Event]) -> bool:
        tried.append(len(left))
        return {17, 41} <= {event.seed for event in left}

    assert [event.seed for event in shrink(events, breaks)] == [17, 41]
    assert len(tried) < 100


@pytest.mark.postgres
@pytest.mark.slow
def test_the_same_histories_end_in_equal_states_on_postgresql(postgres_server: PostgresServer) -> None:
    there_url = postgres_server.create_database()
    with on_stage(is_compared=True) as here, on_stage(there_url, is_compared=True) as there:
        for seed in range(ALIKE):
            one, other = run(seed, here), run(seed, there)
            assert one.log == other.log, f"seed {seed} went another way"
            assert one.final_states() == other.final_states(), f"seed {seed}"
            assert one.feed() == other.feed(), f"seed {seed}"
