"""The desk synchronises by itself: soon after a write, when the street has something, ever more seldom while the street is away."""

import queue
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pytestqt.qtbot import QtBot

from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Cancelled
from gridman.server import run
from gridman.services.households import HouseholdQuery, amend_household, household_ids
from gridman.sync import http
from gridman.sync.listening import Heard
from gridman.sync.rhythm import EVERY_S
from gridman.ui.autosync import AutoSync
from gridman.ui.session import DeskSession


def test_a_connection_is_kept_longer_than_a_desk_pauses() -> None:
    """The desk gives it up first: a server that closes could close in the face of a request."""
    assert EVERY_S * 1.2 < http.KEPT_OPEN_S < run._KEEP_ALIVE_S


def test_a_write_is_sent_soon_and_an_absent_street_is_not_shouted_about(
    open_session: Callable[..., DeskSession], desk: Any, qtbot: QtBot
) -> None:
    session = open_session(desk)
    calls: list[str] = []
    answers: list[BaseException | None] = [Refusal("sync.unreachable", "away"), None, Cancelled()]

    def synchronise(progress: Any, ticket: Any) -> None:
        calls.append("sync")
        answer = answers.pop(0) if answers else None
        if answer is not None:
            raise answer

    desk.synchronise = synchronise
    told: list[Any] = []
    session.background.refused.connect(told.append)
    auto = AutoSync(session.shell, session.window, random.Random(1))
    auto.begin()
    qtbot.waitUntil(lambda: auto._rhythm.is_failing)
    assert told == [] and auto._timer.remainingTime() <= 10_000
    auto.begin()
    qtbot.waitUntil(lambda: len(calls) == 2 and not auto._rhythm.is_failing)
    assert auto._timer.remainingTime() > 60_000
    with desk.store.read() as reader:
        household_id = household_ids(reader, HouseholdQuery())[0]
    session.background.do(amend_household, household_id, {"remark": "x"})
    qtbot.waitUntil(lambda: auto._timer.remainingTime() <= 8_000)
    auto.begin()
    qtbot.waitUntil(lambda: auto._rhythm.is_failing)
    assert auto._timer.isActive(), "a round that was stopped is not the last one"


def test_the_sync_page_follows_the_regular_rounds(
    open_session: Callable[..., DeskSession], desk: Any, qtbot: QtBot
) -> None:
    going_on = threading.Event()
    desk.synchronise = lambda progress, ticket: going_on.wait(10)
    session = open_session(desk)
    card = session.window.open_page("sync").status  # type: ignore[union-attr]
    auto = AutoSync(session.shell, session.window, random.Random(1))
    auto.begin()
    qtbot.waitUntil(lambda: card.stop.isVisible() and not card.now.isEnabled())
    going_on.set()
    qtbot.waitUntil(lambda: not card.stop.isVisible() and card.now.isEnabled())


def test_the_desk_synchronises_when_it_hears_that_there_is_something(
    open_session: Callable[..., DeskSession], desk: Any, qtbot: QtBot
) -> None:
    calls: list[str] = []
    going_on, heard = threading.Event(), queue.Queue[Heard]()

    def synchronise(progress: Any, ticket: Any) -> None:
        calls.append("sync")
        going_on.wait(10)

    def listen(tell: Callable[[Heard], None], ticket: Any) -> None:
        assert threading.current_thread() is not threading.main_thread()
        while not ticket.is_cancelled:
            with suppress(queue.Empty):
                tell(heard.get(timeout=0.05))

    desk.synchronise, desk.listen = synchronise, listen
    session = open_session(desk)
    auto = AutoSync(session.shell, session.window, random.Random(1))
    auto._timer.stop()
    heard.put(Heard.NEWS)
    qtbot.waitUntil(lambda: len(calls) == 1)
    heard.put(Heard.NEWS)  # while the round is under way: it may have passed what is new
    qtbot.waitUntil(lambda: auto._rhythm.has_news)
    going_on.set()
    qtbot.waitUntil(lambda: len(calls) == 2)
    qtbot.waitUntil(lambda: auto._job is None and auto._timer.remainingTime() > 60_000)


def test_a_street_that_is_back_is_asked_soon(open_session: Callable[..., DeskSession], desk: Any, qtbot: QtBot) -> None:
    heard: queue.Queue[Heard] = queue.Queue()

    def listen(tell: Callable[[Heard], None], ticket: Any) -> None:
        while not ticket.is_cancelled:
            with suppress(queue.Empty):
                tell(heard.get(timeout=0.05))

    desk.listen = listen
    session = open_session(desk)
    auto = AutoSync(session.shell, session.window, random.Random(1))
    for _failure in range(6):
        auto._rhythm.fail()
    auto._wait(200)
    heard.put(Heard.THERE)
    qtbot.waitUntil(lambda: auto._timer.remainingTime() <= 5_000)


def test_a_new_window_listens_in_place_of_the_old_one(
    open_session: Callable[..., DeskSession], desk: Any, qtbot: QtBot
) -> None:
    listening: list[Any] = []

    def listen(tell: Callable[[Heard], None], ticket: Any) -> None:
        listening.append(ticket)
        ticket.wait(30)

    desk.listen = listen
    session = open_session(desk)
    first = AutoSync(session.shell, session.window, random.Random(1))
    qtbot.waitUntil(lambda: len(listening) == 1)
    second = AutoSync(session.shell, session.window, random.Random(1))
    qtbot.waitUntil(lambda: len(listening) == 2)
    assert [t.is_cancelled for t in listening] == [True, False]
    qtbot.waitUntil(session.background.is_idle)  # who listens is not at work
    session.background.close()
    assert listening[1].is_cancelled
    del first, second
