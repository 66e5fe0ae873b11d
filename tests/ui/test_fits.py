"""Nothing is cut on an old screen: 1366 x 768 at 125 %, less the window's frame and the task bar, with large text."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gridman.services.outbox import Round
from gridman.ui.pages.today.long_link import LongLink
from gridman.ui.session import DeskSession
from gridman.ui.widgets import clear, column_of, facts_form
from tests.support.desk import NOON, Desk

Open = Callable[..., DeskSession]

SCREEN = (1093, 566)


def cut(root: QWidget) -> Iterator[str]:
    """What of the texts and buttons in sight below `root` is not whole, and what scrolls sideways."""
    for one in root.findChildren(QWidget):
        if not one.isVisible():
            continue
        if isinstance(one, QPushButton) and one.text() and one.sizeHint().width() > one.width() + 1:
            yield f"button {one.text()!r} has {one.width()} of {one.sizeHint().width()}"
        elif isinstance(one, QLabel) and one.text():
            if one.wordWrap() and one.heightForWidth(one.width()) > one.height() + 2:
                yield f"text {one.text()!r} has {one.height()} of {one.heightForWidth(one.width())} lines"
            if not one.wordWrap() and one.fontMetrics().horizontalAdvance(one.text().split("\n")[0]) > one.width() + 1:
                yield f"text {one.text()!r} has {one.width()}"
        elif isinstance(one, QAbstractScrollArea) and one.horizontalScrollBar().maximum() > 0:
            yield f"{type(one).__name__} {one.accessibleName()!r} scrolls sideways by {one.horizontalScrollBar().maximum()}"


class Looker:
    """Opens what is to be looked at, and notes what is cut."""

    def __init__(self, qtbot: QtBot, session: DeskSession) -> None:
        self._qtbot, self.session = qtbot, session
        self.found: list[str] = []
        session.window.resize(*SCREEN)

    def page(self, name: str) -> Any:
        page = self.session.window.open_page(name)
        self.rest()
        return page

    def rest(self) -> None:
        """Until nothing is asked any more and all is laid out."""
        for _again in range(2):
            self._qtbot.waitUntil(self.session.background.is_idle, timeout=10_000)
            self._qtbot.wait(80)

    def look(self, name: str) -> None:
        self.rest()
        window = self.session.window
        self.found += [f"{name}: {what}" for what in cut(window)]
        if (window.width(), window.height()) != SCREEN:
            self.found.append(f"{name}: the window outgrows the screen: {window.width()} x {window.height()}")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_what_a_worker_sees_is_whole_in_large_text(qtbot: QtBot, desk: Desk, open_session: Open, language: str) -> None:
    looker = Looker(qtbot, open_session(desk, language, is_large=True))
    looker.page("today")
    looker.look("today")
    page = looker.page("households")
    page.open_record("household", desk.ids["households"][2])  # an entry to review, and what it says takes room
    looker.look("household")
    person = page.record.opened.file.people[0].person.id
    page._retire_person(person)
    looker.look("removing a resident")
    page._move_person(person)
    looker.look("moving a resident")
    page._panel._text.setText("zzz")
    page._panel._ask("zzz")
    looker.look("moving a resident, nothing found")
    page._close_panel()
    page.do_edit()
    looker.look("editing a household")
    page.do_register()
    looker.look("registering a household")
    page._left_form()
    page = looker.page("visits")
    page.list.select_first()
    looker.look("visit")
    page.do_log()
    page.panel.save()
    looker.look("logging a visit")
    page = looker.page("incidents")
    page.list.select_first()
    looker.look("incident")
    page.do_report()
    page.panel.save()
    looker.look("reporting an incident")
    page = looker.page("sync")
    page.list.select_first()
    looker.look("receipts")
    page.do_review()
    looker.look("review")
    for name in ("reports", "settings"):
        looker.page(name)
        looker.look(name)
    assert looker.found == []


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_each_command_of_a_supervisor_is_whole_in_large_text(
    qtbot: QtBot, desk: Desk, open_session: Open, language: str
) -> None:
    looker = Looker(qtbot, open_session(desk.as_user("street_supervisor"), language, is_large=True))
    page = looker.page("incidents")
    page.chips.choose("all")
    page._filter()
    looker.rest()
    page.list.select_first()
    looker.rest()
    assert "merge" in page.record.buttons
    for action in list(page.record.buttons):
        page.record.start(action)
        if page.record.panel is not None:
            looker.look(action)
            page.record._leave_panel()
    assert looker.found == []


def test_a_question_in_a_record_stays_when_the_record_is_read_again(
    qtbot: QtBot, desk: Desk, open_session: Open
) -> None:
    looker = Looker(qtbot, open_session(desk))
    page = looker.page("households")
    page.open_record("household", desk.ids["households"][2])
    looker.rest()
    page._retire()
    page._panel._reason.setText("demolished")
    page.refresh(None)
    looker.rest()
    assert page._panel.isVisible() and page._panel._reason.text() == "demolished"
    page._close_panel()
    looker.rest()
    assert page.record._notices.count() == 1, "what waits for a decision is still told"


def test_a_narrow_search_box_still_tells_its_key(qtbot: QtBot, desk: Desk, open_session: Open) -> None:
    search: Any = open_session(desk).window.search
    search.setMinimumWidth(0)
    for width in (900, 240):
        search.setMaximumWidth(width)
        search.resize(width, search.height())
        hint = search.placeholderText()
        assert "Ctrl+K" in hint and search.fontMetrics().horizontalAdvance(hint) < width


def test_a_value_that_now_needs_two_lines_gets_them(qtbot: QtBot, qapp: QApplication) -> None:
    """A form layout of Qt kept the row heights of the facts that stood there before."""
    head, box = QWidget(), QVBoxLayout()
    head.setLayout(box)
    pane, rest = QWidget(), QWidget()
    pane.setLayout(column_of(head, rest, None))
    qtbot.addWidget(pane)
    pane.resize(260, 400)
    pane.show()
    for facts, is_shown in (
        ([("Grid", "one"), ("Floors", "6")], True),
        ([("Grid", "one"), ("Incidents", "word " * 20)], False),
    ):
        clear(box)
        box.addLayout(facts_form(facts))
        rest.setVisible(is_shown)
        qtbot.wait(60)
    assert [what for what in cut(pane) if "lines" in what] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_list_that_has_the_keyboard_shows_it(qtbot: QtBot, desk: Desk, open_session: Open, theme: str) -> None:
    looker = Looker(qtbot, open_session(desk, theme=theme))
    page = looker.page("households")
    view = page.table.view
    page.table.select_first()
    view.setFocus()
    looker.rest()
    accent = looker.session.theme.colour("accent").rgb()
    row = view.visualRect(view.model().index(view.currentIndex().row(), 0))

    def is_marked() -> bool:
        return view.viewport().grab(row).toImage().pixelColor(1, row.height() // 2).rgb() == accent

    assert is_marked()
    looker.session.window.search.setFocus()
    looker.rest()
    assert not is_marked()


def test_where_there_is_something_to_act_on_is_told_whole(qtbot: QtBot, desk: Desk, open_session: Open) -> None:
    """Beside the due visits the category stood there with dots for the place."""
    looker = Looker(qtbot, open_session(desk.as_user("community_staff")))
    page = looker.page("today")
    links = page.findChildren(LongLink)
    assert links
    for link in links:
        assert link.text() == link.accessibleName()


def test_a_low_window_has_its_room_for_the_receipts(qtbot: QtBot, desk: Desk, open_session: Open) -> None:
    looker = Looker(qtbot, open_session(desk))
    page = looker.page("sync")
    rounds = [Round(NOON - n, n, n) for n in range(3)]
    status = desk.status()
    page.status.show_status(status, NOON, rounds)
    assert page.status._rounds.text().count("\n") == 0
    looker.session.window.resize(1366, 700)
    page.status.show_status(status, NOON, rounds)
    assert page.status._rounds.text().count("\n") == 2


def test_the_filters_of_a_narrow_list_take_more_lines_before_they_are_cut(
    qtbot: QtBot, desk: Desk, open_session: Open
) -> None:
    looker = Looker(qtbot, open_session(desk.as_user("community_staff"), is_large=True))
    page = looker.page("households")
    for combo in (page._care, page._grid):
        assert combo.isVisible() and combo.shown_text() == combo.currentText()
