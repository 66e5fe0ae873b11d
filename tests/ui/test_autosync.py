"""The desk synchronises by itself: soon after a write, spread and ever more seldom while the street is away."""

import random
import threading
from collections.abc import Callable
from typing import Any

from pytestqt.qtbot import QtBot

from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Cancelled
from gridman.server import run
from gridman.services.households import HouseholdQuery, amend_household, household_ids
from gridman.sync import http
from gridman.ui.autosync import EVERY_S, LAST_RETRY_S, AutoSync, Rhythm
from gridman.ui.session import DeskSession


def test_a_connection_is_kept_longer_than_a_desk_pauses() -> None:
    """The desk gives it up first: a server that closes could close in the face of a request."""
    assert EVERY_S * 1.2 < http.KEPT_OPEN_S < run._KEEP_ALIVE_S


def test_failures_wait_longer_and_longer_and_success_forgets_them() -> None:
    rhythm = Rhythm(random.Random(1))
    waits = [rhythm.after_failure() for _n in range(8)]
    assert 12 <= waits[0] <= 18 and waits[1] > waits[0] * 1.2
    assert all(LAST_RETRY_S * 0.8 <= wait <= LAST_RETRY_S * 1.2 for wait in waits[5:])
    assert 0.8 * EVERY_S <= rhythm.after_success() <= 1.2 * EVERY_S and not rhythm.is_failing
    assert rhythm.after_failure() <= 18


def test_two_desks_do_not_call_in_the_same_second() -> None:
    waits = {round(Rhythm(random.Random(seed)).after_failure(), 1) for seed in range(40)}
    assert len(waits) > 25


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
    assert told == [] and auto._timer.remainingTime() <= 18_000
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
