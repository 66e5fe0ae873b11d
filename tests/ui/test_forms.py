"""Forms derived from the fields."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from gridman.domain.person import Person
from gridman.domain.rules import Invalid
from gridman.kernel.errors import Refusal
from gridman.services import audit, drafts, households
from gridman.ui.background import Background
from gridman.ui.form_controls import CodeControl, DayControl, LineControl
from gridman.ui.forms import Form, Group
from gridman.ui.shell import Shell
from gridman.ui.theme import theme_of
from tests.support.desk import Desk

GROUPS = (
    Group("Identity", ("name", "relation", "id_number", "phones", "sex", "birth_on")),
    Group("More", ("population_type", "ethnic", "workplace", "remark")),
)


@pytest.fixture
def shell(qtbot: QtBot, desk: Desk) -> Iterator[Shell]:
    background = Background(desk)
    yield Shell(desk, background, theme_of())
    background.close()


@pytest.fixture
def form(qtbot: QtBot, shell: Shell) -> Form:
    made = Form(shell, Person, GROUPS)
    qtbot.addWidget(made)
    made.resize(600, 700)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    return made


@pytest.fixture
def person(desk: Desk) -> Person:
    with desk.store.read() as reader:
        return households.open_household(reader, desk.ids["households"][0]).people[0].person


def line(form: Form, name: str) -> Any:
    control = form.rows[name].control
    assert isinstance(control, LineControl)
    return control.line


def settle(qtbot: QtBot, form: Form) -> None:
    qtbot.waitUntil(form.shell.background.is_idle)
    qtbot.wait(5)


def test_a_code_typed_by_its_initials_is_the_code(qtbot: QtBot, form: Form) -> None:
    form.begin(None, "New", "person:new:1")
    control = form.rows["relation"].control
    assert isinstance(control, CodeControl)
    control.box.setFocus()
    QTest.keyClicks(control.box, "hz")
    assert control.value() == "02", "meant already while the list is open"
    QTest.keyClick(control.box._popup(), Qt.Key.Key_Escape)
    form.activateWindow()
    qtbot.waitUntil(form.isActiveWindow)
    form.rows["name"].control.entry.setFocus()
    assert control.value() == "02" and control.box.text() == "02 Head of household"


@pytest.mark.parametrize(("typed", "steps"), [("h", 2), ("hz", 0)])
def test_one_enter_takes_the_highlighted_code_and_goes_on(qtbot: QtBot, form: Form, typed: str, steps: int) -> None:
    form.begin(None, "New", "person:new:1")
    names = list(form.rows)
    control = form.rows["relation"].control
    after = form.rows[names[names.index("relation") + 1]]
    assert isinstance(control, CodeControl)
    control.box.setFocus()
    QTest.keyClicks(control.box, typed)
    popup = control.box._popup()
    matches = list(control.box._matches)
    assert len(matches) > steps
    for _n in range(steps):
        QTest.keyClick(popup, Qt.Key.Key_Down)
    QTest.keyClick(popup, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: form.focusWidget() is after.focus_target)
    assert control.value() == matches[max(steps - 1, 0)].code
    assert not popup.isVisible()


def test_a_short_day_is_shown_whole_when_left(form: Form) -> None:
    form.begin(None, "New", "person:new:1")
    control = form.rows["birth_on"].control
    assert isinstance(control, DayControl)
    control.line.setFocus()
    QTest.keyClicks(control.line, "19380102")
    form.rows["name"].control.entry.setFocus()
    assert control.line.text() == "1938-01-02"


def test_the_id_number_is_checked_while_it_is_typed(form: Form) -> None:
    form.begin(None, "New", "person:new:1")
    told = form.rows["id_number"].control.told  # type: ignore[attr-defined]
    QTest.keyClicks(line(form, "id_number"), "99010119380102311")
    assert told.text() == "17 of 18 characters"
    QTest.keyClicks(line(form, "id_number"), "x")
    assert told.text() == "✓ Checked: Male, born 1938-01-02"
    QTest.keyClick(line(form, "id_number"), Qt.Key.Key_Backspace)
    QTest.keyClicks(line(form, "id_number"), "3")
    assert "does not fit" in told.text()


def test_what_is_missing_is_said_below_the_field(form: Form) -> None:
    form.begin(None, "New", "person:new:1")
    sent: list[Any] = []
    form.submitted.connect(sent.append)
    form.submit()
    assert sent == [] and form.rows["name"].problem.text() == "Name is missing. Fill it in."
    assert form.rows["name"].control.entry.hasFocus()
    assert form.rows["remark"].problem.isHidden()


def test_enter_goes_on_and_ctrl_enter_saves_what_was_changed(qtbot: QtBot, form: Form, person: Person) -> None:
    form.begin(person, "Edit", "person:1")
    form.rows["name"].control.entry.setFocus()
    QTest.keyClick(form.rows["name"].control.entry, Qt.Key.Key_Return)
    qtbot.waitUntil(form.rows["relation"].control.entry.hasFocus)
    sent: list[Any] = []
    form.submitted.connect(sent.append)
    line(form, "workplace").setFocus()
    QTest.keyClicks(line(form, "workplace"), "school")
    QTest.keyClick(line(form, "workplace"), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(sent))
    assert sent == [{"workplace": "school"}]


def test_personal_numbers_are_hidden_until_a_look_that_is_logged(
    qtbot: QtBot, form: Form, person: Person, desk: Desk
) -> None:
    form.begin(person, "Edit", "person:1")
    row = form.rows["id_number"]
    assert row.is_covered and person.id_number is not None
    everything = " ".join(w.text() for kind in (QLabel, QLineEdit) for w in form.findChildren(kind))
    assert person.id_number not in everything and "********" in everything
    row._show.click()
    settle(qtbot, form)
    assert not row.is_covered and line(form, "id_number").text() == person.id_number
    assert not row.is_changed, "a look is no change"
    with desk.store.read() as reader:
        newest = audit.page_audit(reader, desk.users["auditor"], act="reveal")[0]
    assert newest.record_id == person.id


def test_a_refusal_is_shown_where_it_belongs(form: Form, person: Person) -> None:
    form.begin(person, "Edit", "person:1")
    form.take_refusal(
        Invalid("person", {"workplace": Refusal("x", "Workplace is odd."), "grid_id": Refusal("y", "Wrong grid.")})
    )
    assert form.rows["workplace"].problem.text() == "Workplace is odd."
    assert form._notice.isVisible() and form._notice.text.text() == "Wrong grid."
    assert form.save.isEnabled()


def test_what_was_typed_survives_a_crash(qtbot: QtBot, form: Form, person: Person, shell: Shell, desk: Desk) -> None:
    form.begin(person, "Edit", "person:9")
    settle(qtbot, form)
    QTest.keyClicks(line(form, "workplace"), "shop")
    form.drafts.keep()
    settle(qtbot, form)
    again = Form(shell, Person, GROUPS)  # another program, after the crash
    qtbot.addWidget(again)
    again.show()
    again.begin(person, "Edit", "person:9")
    settle(qtbot, again)
    assert line(again, "workplace").text() == "shop" and again._restored.isVisible() and again.is_dirty
    again.finish()
    settle(qtbot, again)
    assert drafts.load_draft(desk.store, "person:9", desk.actor.user_id) is None


def test_typing_is_kept_by_itself_within_seconds(qtbot: QtBot, form: Form, person: Person, desk: Desk) -> None:
    form.drafts._timer.setInterval(10)
    form.begin(person, "Edit", "person:8")
    settle(qtbot, form)
    QTest.keyClicks(line(form, "workplace"), "x")
    qtbot.waitUntil(lambda: drafts.load_draft(desk.store, "person:8", desk.actor.user_id) == {"workplace": "x"})


def test_esc_asks_before_anything_is_lost(qtbot: QtBot, form: Form, person: Person) -> None:
    left: list[bool] = []
    form.cancelled.connect(lambda: left.append(True))
    form.begin(person, "Edit", "person:1")
    QTest.keyClicks(line(form, "workplace"), "x")
    QTest.keyClick(line(form, "workplace"), Qt.Key.Key_Escape)
    assert left == [] and form.unsaved.isVisible()
    form.leave()
    assert not form.unsaved.isVisible() and line(form, "workplace").text() == "x"
    assert not form.may_leave()
    form.unsaved.throw.click()
    assert left == [True]


def test_nothing_typed_is_left_without_asking(form: Form, person: Person) -> None:
    left: list[bool] = []
    form.cancelled.connect(lambda: left.append(True))
    form.begin(person, "Edit", "person:1")
    assert not form.is_dirty
    form.leave()
    assert left == [True]
