"""The Today page."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from gridman.domain.access import SYSTEM
from gridman.domain.conflict import Conflict
from gridman.domain.incident import Incident
from gridman.services import visits
from gridman.services.households import HouseholdQuery, household_ids
from gridman.ui.pages.today.long_link import LongLink
from gridman.ui.session import DeskSession
from gridman.ui.shell import Going
from tests.support.desk import Desk
from tests.support.waiting import settled


def words_of(page: Any) -> str:
    kinds = (QLabel, QPushButton)
    return " ".join(w.text() for kind in kinds for w in page.findChildren(kind) if w.isVisible())


def going(session: DeskSession) -> list[Going]:
    seen: list[Going] = []
    session.shell.going.disconnect()
    session.shell.going.connect(seen.append)
    return seen


def test_what_waits_is_told_at_a_glance(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    page: Any = session.window.current_page
    shown = words_of(page)
    assert "Today · Mon 23 Nov" in shown and "2 visits logged today" in shown
    assert "5 overdue" in shown and "0 due" in shown and "12 waiting to send" in shown and "1 to review" in shown
    assert "今冬供暖走访安排" in shown and "! " in shown and "refused" not in shown
    assert page._due.rowCount() == 5


@pytest.mark.parametrize("reason", ["concurrent", "lost_desk"])
def test_what_waits_for_a_decision_is_not_called_two_peoples_change(
    qtbot: QtBot, open_session: Callable[..., DeskSession], desk: Desk, reason: str
) -> None:
    """Work that a copied or lost computer handed over stands in the same list."""
    with desk.store.unit(SYSTEM) as unit:
        dispute = unit.first(Conflict, resolution=None)
        assert dispute is not None
        unit.amend(dispute, reason=reason)
        household_id = dispute.record_id
    session = open_session(desk)
    settled(qtbot, session)
    assert "1 entry waits for a decision." in words_of(session.window.current_page)
    session.shell.go("households", "household", household_id)
    settled(qtbot, session)
    assert "1 entry waits for a decision." in words_of(session.window.current_page)


def test_nobody_is_said_to_be_visited_before_the_first_answer(qapp: QApplication, desk: Desk) -> None:
    session = DeskSession(qapp, desk, "en", is_remembered=False)
    session.window.show()
    shown = words_of(session.window.current_page)
    session.close()
    assert "Loading…" in shown and "No visit is due" not in shown


def test_one_key_logs_a_visit_to_the_chosen_household(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    seen = going(session)
    page: Any = session.window.current_page
    assert page._list.hasFocus(), "the list has the keyboard from the start"
    QTest.keyClick(page._list, Qt.Key.Key_Down)
    QTest.keyClick(page._list, Qt.Key.Key_L)
    QTest.keyClick(page._list, Qt.Key.Key_O)
    second = page._due.row_at(1).household_id
    assert seen == [Going("visits", "household", second, "log"), Going("households", "household", second)]


def test_a_visit_logged_takes_the_household_off_the_list(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    page: Any = session.window.current_page
    first, second = page._due.row_at(0).household_id, page._due.row_at(1).household_id
    session.background.do(visits.log_visit, visits.VisitDraft(first, "1"))
    settled(qtbot, session)
    assert page._due.rowCount() == 4 and page._due.row_number(first) is None
    assert page._chosen_id() == second and "3 visits logged today" in words_of(page)


def test_a_round_that_is_done_is_told_as_done(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    page: Any = session.window.current_page
    for number in range(5):
        session.background.do(visits.log_visit, visits.VisitDraft(page._due.row_at(number).household_id, "1"))
    settled(qtbot, session)
    assert page._all_done.isVisible() and not page._list.isVisible() and "No visit is due" in words_of(page)


def test_the_community_sees_the_incidents_it_must_act_on(
    qtbot: QtBot, desk: Desk, open_session: Callable[..., DeskSession]
) -> None:
    session = open_session(desk.as_user("community_staff"))
    settled(qtbot, session)
    page: Any = session.window.current_page
    seen = going(session)
    link = next(b for b in page.findChildren(QPushButton) if b.property("record") == desk.ids["incidents"][1])
    link.click()
    assert seen == [Going("incidents", "incident", desk.ids["incidents"][1])]


def test_who_makes_no_visits_is_shown_none(qtbot: QtBot, desk: Desk, open_session: Callable[..., DeskSession]) -> None:
    session = open_session(desk.as_user("street_supervisor"))
    settled(qtbot, session)
    page: Any = session.window.current_page
    assert not page._due_card.isVisible() and "Due visits" not in words_of(page)
    assert "3 open incidents in your area" in words_of(page)


def test_a_long_incident_ends_in_dots_and_is_whole_in_its_tip(qtbot: QtBot) -> None:
    text = "Road damage, manhole cover missing · Scholar Tree Road 12"
    link = LongLink(text, lambda: None)
    qtbot.addWidget(link)
    link.show()
    link.resize(120, 30)
    assert link.text().endswith("…") and text.startswith(link.text()[:-1])
    assert (link.toolTip(), link.accessibleName()) == (text, text)
    link.resize(900, 30)
    assert link.text() == text


def test_the_figures_count_everything_and_open_what_they_counted(
    qtbot: QtBot, desk: Desk, open_session: Callable[..., DeskSession]
) -> None:
    clerk = desk.as_user("community_staff")
    with desk.store.unit(SYSTEM) as unit:
        model = unit.get(Incident, desk.ids["incidents"][1])
        for number in range(25):
            unit.create(
                Incident(
                    number=f"T{number:03d}", category=model.category, description="路灯不亮", place="东门", grid_id=model.grid_id,
                    reported_at=unit.at, state="reported", creator_id=model.creator_id, holder_id=model.holder_id,
                    due_at=unit.at - 1,
                )
            )  # fmt: skip
    session = open_session(clerk)
    settled(qtbot, session)
    page: Any = session.window.current_page
    count = page._today.to_act_count
    shown = words_of(page)
    assert count >= 25 and f"{count} to act on" in shown and f"8 of {count}" in shown
    late = page._today.overdue_incidents
    assert late >= 25
    session.shell.go("incidents")
    settled(qtbot, session)
    session.window.current_page.chips.text.setText("nothing like this")
    session.window.open_page("today")
    page._see_late()
    settled(qtbot, session)
    assert len(session.window.current_page.list.model.ids) == late


def test_the_figure_of_due_visits_opens_all_of_them(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    page: Any = session.window.current_page
    with session.shell.desk.store.read() as reader:
        due = list(household_ids(reader, HouseholdQuery(is_due=True, order="due")))
    session.shell.go("households")
    settled(qtbot, session)
    session.window.current_page._text.setText("nobody of this name")
    qtbot.wait(200)
    settled(qtbot, session)
    session.window.open_page("today")
    page._see_due()
    settled(qtbot, session)
    assert list(session.window.current_page.table.model.ids) == due


def test_a_new_day_is_seen_though_nothing_was_written(
    qtbot: QtBot, session: DeskSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(qtbot, session)
    page: Any = session.window.current_page
    session.shell.go("visits")
    settled(qtbot, session)
    visits_page: Any = session.window.current_page
    visits_page._period.setCurrentIndex(visits_page._period.findData(1))
    settled(qtbot, session)
    assert len(visits_page.list.model.ids) == 2
    store = session.shell.desk.store
    later = store.clock() + 86_400_000
    monkeypatch.setattr(store, "clock", lambda: later)
    for one in (page, visits_page):
        one._minute.timeout.emit()
    settled(qtbot, session)
    assert len(visits_page.list.model.ids) == 0
    session.window.open_page("today")
    settled(qtbot, session)
    assert "Tue 24 Nov" in words_of(page) and "0 visits logged today" in words_of(page)


def test_the_figure_of_refused_work_opens_what_was_refused(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    seen = going(session)
    session.window.current_page._show_figures(replace(session.window.current_page._today, refused=3))
    figure = next(b for b in session.window.current_page.findChildren(QPushButton) if "3 refused" in b.text())
    figure.click()
    assert seen == [Going("sync", "", 0, "refused")]
