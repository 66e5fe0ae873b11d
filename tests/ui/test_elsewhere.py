"""Another program works on the same desk's file (`gridman sync` at the command line): the open window shows what came of it by itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gridman.domain.household import Household
from gridman.store.database import open_sqlite
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal
from gridman.store.store import Store
from gridman.ui.session import DeskSession
from tests.support.desk import REPLICA, Desk


@pytest.fixture
def other_program(desk: Desk) -> Iterator[Store]:
    """Connections of its own on the desk's file."""
    assert desk.store.database.path is not None
    database = open_sqlite(desk.store.database.path, bytes(range(32)), must_exist=True)
    yield Store(database, REPLICA, [DeskJournal(), Indexer()], desk.store.clock)
    database.close()


def test_own_writes_are_not_taken_for_those_of_others(desk: Desk, other_program: Store) -> None:
    assert not desk.store.written_elsewhere(), "what was there before this program looked is no news"
    with desk.store.unit(desk.actor) as unit:
        unit.amend(unit.get(Household, desk.ids["households"][0]), remark="mine")
    assert not desk.store.written_elsewhere()
    with other_program.unit(desk.actor) as unit:
        unit.amend(unit.get(Household, desk.ids["households"][0]), remark="theirs")
    assert desk.store.written_elsewhere().concerns(["household"])
    assert not desk.store.written_elsewhere()


def test_the_window_shows_what_another_program_wrote(
    qtbot: QtBot, session: DeskSession, desk: Desk, other_program: Store
) -> None:
    home = desk.ids["households"][0]
    page: Any = session.window.open_page("households")
    page.open_record("household", home)
    qtbot.waitUntil(lambda: page.record.household_id == home and session.background.is_idle(), timeout=10_000)
    with other_program.unit(desk.actor) as unit:
        unit.amend(unit.get(Household, home), remark="gate code changed")
    qtbot.waitUntil(
        lambda: any("gate code changed" in label.text() for label in page.record.findChildren(QLabel)), timeout=20_000
    )
