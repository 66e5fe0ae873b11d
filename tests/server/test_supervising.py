"""The supervisor of the workers, when the system interrupts its waiting: Windows does so at Ctrl+C, with an error."""

import multiprocessing
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from gridman.kernel.errors import Refusal
from gridman.server import workers
from gridman.server.workers import Team


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """A street that is not there: its workers end at once."""
    return Team(tmp_path / "nowhere", "postgresql://nobody@127.0.0.1:9/nothing", 1)


def test_ctrl_c_while_it_waits_stops_it_like_any_other(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, wait = threading.Event(), workers.waiting.wait

    def interrupted(*args: Any) -> Any:
        if stop.is_set():
            return wait(*args)
        stop.set()
        raise InterruptedError(4, "Interrupted system call")

    monkeypatch.setattr(workers.waiting, "wait", interrupted)
    monkeypatch.setattr(workers._Supervisor, "_start", _sleeper)
    told: list[str] = []
    workers.serve_team(team, port=0, ready=told.append, stop=stop)
    assert told == []


def test_workers_that_end_at_once_are_told_in_words(team: Team) -> None:
    with pytest.raises(Refusal) as refused:
        workers.serve_team(team, port=0, ready=lambda address: None)
    assert refused.value.code == "server.no_workers"


def _sleeper(self: workers._Supervisor, place: int) -> workers._Worker:
    """A worker that says nothing until its pipe ends."""
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    process = spawn.Process(target=theirs.poll, args=(30,))
    process.start()
    return workers._Worker(process, mine, time.monotonic())
