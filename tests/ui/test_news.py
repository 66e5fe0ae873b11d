"""A real window on a real desk at a real street: what the street writes is at the desk within seconds, without anybody asking."""

import random
import time
from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.joining import enrol_desk
from gridman.server.run import ServerThread
from gridman.sync.rhythm import EVERY_S
from gridman.ui.autosync import AutoSync
from gridman.ui.session import DeskSession
from tests.support.streets import PASSWORD, WORKER, town_street

PASS = "a quiet morning"


def test_what_the_street_writes_comes_to_the_window_by_itself(
    open_session: Callable[..., DeskSession], qtbot: QtBot, tmp_path: Path
) -> None:
    with town_street(tmp_path / "street") as town, ServerThread(town.street) as url:
        desk = enrol_desk(tmp_path / "desk", url, WORKER, PASS, password=PASSWORD, clock=town.clock)
        session = open_session(desk)
        auto = AutoSync(session.shell, session.window, random.Random(1))

        def known(number: str) -> bool:
            with desk.store.read() as reader:
                return reader.first(Household, number=number) is not None

        try:
            qtbot.waitUntil(lambda: auto._job is None and auto._timer.remainingTime() > 60_000, timeout=20_000)
            for number in ("NEW-1", "NEW-2"):
                started = time.monotonic()
                with town.street.store.unit(SYSTEM) as unit:
                    unit.create(Household(number=number, grid_id=town.grids[0], address="Lane 3"))
                qtbot.waitUntil(lambda: known(number), timeout=20_000)  # noqa: B023
                print(
                    f"at the desk after {time.monotonic() - started:.1f} s; the regular round comes every {EVERY_S:.0f} s"
                )
            qtbot.waitUntil(lambda: auto._job is None, timeout=20_000)
        finally:
            started = time.monotonic()
            session.close()
            assert time.monotonic() - started < 10, "closing the window does not wait for the street"
            desk.close()
