"""`gridman sync --watch`: what the street has is at the desk within seconds; the street's absence is waited out; Ctrl+C ends it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any

import pytest

from gridman.cli.watching import watch
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Ticket
from gridman.sync import rhythm
from gridman.sync.listening import Heard
from tests.cli.town import GRIDS, LOGIN, PASSPHRASE, ROOT, Town, do, served

NEVER_S, SOON_S = 3_600, 20.0
AWAY = Refusal("sync.unreachable", "It is away.")


class Watching:
    """The command as a process of its own, and what each of its rounds received."""

    def __init__(self, town: Town) -> None:
        command = [
            sys.executable,
            "-m",
            "gridman",
            "--language",
            "en",
            "sync",
            "--data",
            str(town.desk),
            "--login",
            LOGIN,
        ]
        self.process = subprocess.Popen(
            [*command, "--watch", "--every", str(NEVER_S)],
            cwd=ROOT, env={**os.environ, "GRIDMAN_PASSPHRASE": PASSPHRASE, "PYTHONUTF8": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._received: Queue[int] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"received (\d+)", line):
                self._received.put(int(found[1]))

    def received(self, seconds: float = SOON_S) -> int:
        """What the next round received; -1 when there was none in time."""
        try:
            return self._received.get(timeout=seconds)
        except Empty:
            return -1

    def end(self) -> str:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        self._reader.join(10)
        assert self.process.stdout is not None and self.process.stderr is not None
        with self.process.stdout, self.process.stderr:
            return self.process.stderr.read()


@contextmanager
def watching(town: Town) -> Iterator[Watching]:
    made = Watching(town)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.end()


@pytest.mark.skipif(os.name == "nt", reason="there Ctrl+C is sent by a console, to all of its programs")
def test_what_the_street_has_comes_within_seconds_also_after_it_was_away(town: Town) -> None:
    port = int(json.loads((town.desk / "desk.json").read_text("utf-8"))["users"][0]["server_url"].rsplit(":", 1)[1])
    assign = ["street", "assign", "--data", str(town.street), "--login", LOGIN, "--grid", GRIDS[1]]
    with watching(town) as desk:
        with served(town.street, port):
            assert desk.received(60) >= 0, "the street's absence at the start is waited out"
            time.sleep(2)  # the ear is at the street
            do(*assign)
            assert desk.received() > 0
        do(*assign, "--end")
        with served(town.street, port):
            assert desk.received(60) > 0, "it hears that it is behind as soon as it hears at all"
            told = desk.end()
    assert desk.process.returncode == 3 and "Interrupted" in told


class Scripted:
    """A desk whose rounds are given: a refusal each, or None; the last ends the watch as Ctrl+C does."""

    def __init__(self, *rounds: Refusal | None) -> None:
        self.rounds: list[Refusal | None] = list(rounds)
        self.hurried = 0
        self.hear: Callable[[Callable[[Heard], None], Ticket], None] = lambda tell, ticket: (ticket.wait(30), None)[1]

    def listen(self, tell: Callable[[Heard], None], ticket: Ticket) -> None:
        self.hear(tell, ticket)
        ticket.wait(30)
        ticket.check()

    def hurry(self) -> None:
        self.hurried += 1

    def synchronise(self) -> None:
        if not self.rounds:
            raise KeyboardInterrupt
        if (refusal := self.rounds.pop(0)) is not None:
            raise refusal


def watched(desk: Any, every_s: float = 0.0) -> list[str]:
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        watch(desk, desk.synchronise, told.append, every_s)
    return told


def test_an_absent_street_is_told_and_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rhythm.Retry, "after_failure", lambda self, refusal=None: 0.01)
    assert watched(Scripted(AWAY, None, AWAY)) == [AWAY.words()] * 2


@pytest.mark.parametrize(
    ("rounds", "code"),
    [((Refusal("sync.no_street", "Nowhere."),), "sync.no_street"), ((None, Refusal("desk.destroyed", "Gone.")), "desk.destroyed")],
)  # fmt: skip
def test_what_no_waiting_mends_ends_it(rounds: tuple[Refusal | None, ...], code: str) -> None:
    desk: Any = Scripted(*rounds)
    with pytest.raises(Refusal) as caught:
        watch(desk, desk.synchronise, lambda text: None, 0.0)
    assert caught.value.code == code


def test_news_begins_the_next_round_and_a_round_under_way_hurries() -> None:
    desk = Scripted(None, None)
    is_under_way, may_end = threading.Event(), threading.Event()
    plain = desk.synchronise

    def synchronise() -> None:
        is_under_way.set()
        may_end.wait(10)
        plain()

    def hear(tell: Callable[[Heard], None], ticket: Ticket) -> None:
        is_under_way.wait(10)
        tell(Heard.NEWS)
        may_end.set()

    desk.synchronise, desk.hear = synchronise, hear  # type: ignore[method-assign]
    desk.rounds.pop()
    started = time.monotonic()
    watched(desk, NEVER_S)
    assert time.monotonic() - started < 10 and desk.hurried == 1


def test_a_fault_of_the_one_who_listens_is_not_kept_to_itself() -> None:
    desk: Any = Scripted(None)

    def hear(tell: Callable[[Heard], None], ticket: Ticket) -> None:
        raise ZeroDivisionError

    desk.hear = hear
    with pytest.raises(ZeroDivisionError):
        watch(desk, desk.synchronise, lambda text: None, NEVER_S)
