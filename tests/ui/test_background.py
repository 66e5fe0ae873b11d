"""The door out of the GUI thread."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Cancelled
from gridman.services import households
from gridman.ui.background import Background
from tests.support.desk import Desk

MAIN = threading.main_thread()


@pytest.fixture
def background(qtbot: QtBot, desk: Desk) -> Iterator[Background]:
    made = Background(desk)
    yield made
    made.close()


class Taker(QObject):
    """Takes answers, like a page."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Any] = []
        self.threads: list[threading.Thread] = []

    def take(self, answer: Any) -> None:
        self.answers.append(answer)
        self.threads.append(threading.current_thread())


def test_a_question_is_read_elsewhere_and_answered_here(qtbot: QtBot, background: Background) -> None:
    taker = Taker()
    background.ask(lambda reader: (reader.now, threading.current_thread()), then=taker.take)
    qtbot.waitUntil(background.is_idle)
    (now, thread) = taker.answers[0]
    assert now > 0 and thread is not MAIN and taker.threads == [MAIN]


def test_a_write_commits_and_tells_what_changed(qtbot: QtBot, background: Background, desk: Desk) -> None:
    home = desk.ids["households"][0]
    changes: list[Any] = []
    background.changed.connect(changes.append)
    background.do(households.amend_household, home, {"remark": "门口有台阶"})
    qtbot.waitUntil(background.is_idle)
    assert changes[0].touched["household"] == frozenset({home})
    with desk.store.read() as reader:
        assert households.open_household(reader, home).household.remark == "门口有台阶"


def test_a_write_that_refuses_leaves_nothing_and_says_why(qtbot: QtBot, background: Background, desk: Desk) -> None:
    home = desk.ids["households"][0]

    def half(unit: Any) -> None:
        households.amend_household(unit, home, {"remark": "half"})
        raise Refusal("test.no", "No.")

    told: list[Refusal] = []
    background.refused.connect(told.append)
    background.do(half)
    qtbot.waitUntil(background.is_idle)
    assert [r.code for r in told] == ["test.no"]
    with desk.store.read() as reader:
        assert households.open_household(reader, home).household.remark is None


def test_a_bug_is_told_as_a_bug(qtbot: QtBot, background: Background) -> None:
    bugs: list[Any] = []
    background.failed.connect(bugs.append)
    background.ask(lambda reader: 1 // 0)
    qtbot.waitUntil(background.is_idle)
    assert isinstance(bugs[0].error, ZeroDivisionError) and "1 // 0" in bugs[0].trace


def test_only_the_newest_of_the_same_questions_is_answered(qtbot: QtBot, background: Background) -> None:
    taker = Taker()
    for number in range(20):
        background.ask(lambda reader, n: n, number, then=taker.take, key="typing")
    qtbot.waitUntil(background.is_idle)
    assert taker.answers == [19]


def test_an_answer_for_a_closed_page_is_dropped(qtbot: QtBot, background: Background) -> None:
    taker, gate = Taker(), threading.Event()
    background.ask(lambda reader: gate.wait(5), then=taker.take)
    delete(taker)
    gate.set()
    qtbot.waitUntil(background.is_idle)


def test_long_work_tells_how_far_it_is_and_can_be_stopped(qtbot: QtBot, background: Background) -> None:
    seen: list[tuple[int, int, str]] = []
    begun = threading.Event()

    def count(progress: Any, ticket: Any) -> None:
        progress(1, 10, "counting")
        begun.set()
        while True:
            ticket.check()

    background.work_changed.connect(lambda job: seen.append((job.done, job.total, job.step)))
    job = background.run(count, title="Counting")
    qtbot.waitUntil(begun.is_set)
    qtbot.waitUntil(lambda: (1, 10, "counting") in seen)
    job.cancel()
    qtbot.waitUntil(background.is_idle)
    assert isinstance(job.error, Cancelled) and job.is_over


def test_writes_asked_for_before_the_end_are_done(qtbot: QtBot, desk: Desk) -> None:
    background = Background(desk)
    home = desk.ids["households"][0]
    background.do(households.amend_household, home, {"remark": "last words"})
    background.close()
    with desk.store.read() as reader:
        assert households.open_household(reader, home).household.remark == "last words"
    assert background.ask(lambda reader: 1).is_over, "nothing is begun any more"


@pytest.mark.parametrize(("code", "ends"), [("desk.destroyed", True), ("desk.shut", True), ("sync.fork", False)])
def test_a_desk_that_is_shut_or_destroyed_leaves_the_screen(
    qtbot: QtBot, background: Background, code: str, ends: bool
) -> None:
    """Whoever holds a lost computer reads nothing on it while it tries to hand its work over."""
    ended: list[Refusal] = []
    refused: list[Refusal] = []
    background.ended.connect(ended.append)
    background.refused.connect(refused.append)

    def work(reader: Any) -> None:
        raise Refusal(code, "Told.")

    background.ask(work, then=Taker().take)
    qtbot.waitUntil(background.is_idle)
    assert ([r.code for r in ended], [r.code for r in refused]) == (([code], []) if ends else ([], [code]))
