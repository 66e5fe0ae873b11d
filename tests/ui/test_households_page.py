"""The Households page, driven as a person does."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from gridman.services import audit, households
from gridman.services.drafts import load_draft
from gridman.services.households import HouseholdFile
from gridman.ui.pages.households.people_card import PersonBlock
from gridman.ui.pages.households.record_words import change_words, receipt
from gridman.ui.session import DeskSession
from tests.support.desk import Desk
from tests.support.waiting import settled

CTRL = Qt.KeyboardModifier.ControlModifier


def read(desk: Desk, household_id: int) -> HouseholdFile:
    with desk.store.read() as reader:
        return households.open_household(reader, household_id)


@pytest.fixture
def page(qtbot: QtBot, session: DeskSession) -> Any:
    made = session.window.open_page("households")
    settled(qtbot, session)
    return made


def show(qtbot: QtBot, session: DeskSession, page: Any, household_id: int) -> None:
    page.open_record("household", household_id)
    settled(qtbot, session)
    assert page.record.household_id == household_id


def words_of(page: Any) -> str:
    return " ".join(w.text() for w in page.record.findChildren(QLabel) if w.isVisible())


def type_line(page: Any, form: str, name: str, text: str) -> None:
    line = getattr(page, form).rows[name].control.entry
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)


def test_the_first_household_is_open_at_once(page: Any, desk: Desk) -> None:
    assert page.table.current_id() == page.record.household_id != 0


def test_the_record_shows_people_with_masked_numbers(qtbot: QtBot, session: DeskSession, page: Any, desk: Desk) -> None:
    home = desk.ids["households"][0]
    show(qtbot, session, page, home)
    person = read(desk, home).people[0].person
    shown = words_of(page)
    assert person.name in shown and "Elder living alone" in shown
    assert person.id_number not in shown and "990101********" in shown


def test_arrow_keys_walk_through_the_records(qtbot: QtBot, session: DeskSession, page: Any) -> None:
    page.table.view.setFocus()
    before = page.record.household_id
    QTest.keyClick(page.table.view, Qt.Key.Key_Down)
    settled(qtbot, session)
    assert page.record.household_id == page.table.current_id() != before


def test_typing_initials_filters_the_list(qtbot: QtBot, session: DeskSession, page: Any) -> None:
    QTest.keyClick(page, Qt.Key.Key_F, CTRL)
    qtbot.waitUntil(page._text.hasFocus)
    QTest.keyClicks(page._text, "ouy")
    qtbot.waitUntil(lambda: len(page.table.model.ids) == 1)
    settled(qtbot, session)
    assert "欧阳䶮" in words_of(page)


def test_a_correction_is_saved_and_its_receipt_shown(qtbot: QtBot, session: DeskSession, page: Any, desk: Desk) -> None:
    home = desk.ids["households"][2]
    show(qtbot, session, page, home)
    QTest.keyClick(page, Qt.Key.Key_E, CTRL)
    qtbot.waitUntil(page.household_form.isVisible)
    settled(qtbot, session)
    type_line(page, "household_form", "plate_numbers", "A12345")
    QTest.keyClick(page.household_form.rows["plate_numbers"].control.entry, Qt.Key.Key_Return, CTRL)
    settled(qtbot, session)
    assert read(desk, home).household.plate_numbers == "A12345"
    assert page.record.isVisible() and session.window.toasts == ["Saved."]
    page.record._tabs.setCurrentIndex(3)
    settled(qtbot, session)
    shown = words_of(page)
    assert "Vehicles: (empty) → A12345" in shown and "Waiting to be sent" in shown


def test_a_new_household_and_its_head_are_registered_from_the_keyboard(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    QTest.keyClick(session.window, Qt.Key.Key_H, CTRL | Qt.KeyboardModifier.ShiftModifier)
    settled(qtbot, session)
    form = page.household_form
    assert form.isVisible() and form.place._grid.currentText() == "第1网格"
    form.place._room.setFocus()
    QTest.keyClicks(form.place._room, "1801")
    QTest.keyClick(form.place._room, Qt.Key.Key_Return, CTRL)
    settled(qtbot, session)
    home = page.record.household_id
    made = read(desk, home)
    assert (
        made.household.address == "望河路槐安里小区1号楼1801"
        and made.dwelling is not None
        and made.dwelling.room == "1801"
    )
    assert page.person_form.isVisible() and page.person_form.rows["relation"].value() == "02", "its head comes next"
    type_line(page, "person_form", "name", "Ann Li")
    type_line(page, "person_form", "id_number", "99010119380102311x")
    type_line(page, "person_form", "phones", "13900001234")
    assert page.person_form.rows["sex"].value() == "1", "sex and birth date follow from the number"
    QTest.keyClick(page.person_form.rows["phones"].control.entry, Qt.Key.Key_Return, CTRL)
    settled(qtbot, session)
    people = read(desk, home).people
    assert [(p.person.name, p.person.birth_on, p.person.id_number) for p in people] == [
        ("Ann Li", "1938-01-02", "99010119380102311X")
    ]
    assert made.household.informed_on is None and "not yet given" in words_of(page), "nobody said that they were told"


def test_a_saved_form_leaves_no_draft(qtbot: QtBot, session: DeskSession, page: Any, desk: Desk) -> None:
    show(qtbot, session, page, desk.ids["households"][0])
    page.perform("edit")
    form = page.household_form
    assert form.isVisible()
    form.drafts._timer.setInterval(60)
    type_line(page, "household_form", "plate_numbers", "A12345")
    user_id = session.shell.actor.user_id
    qtbot.waitUntil(lambda: load_draft(desk.store, form.drafts._form, user_id) is not None)
    QTest.keyClick(form.rows["plate_numbers"].control.entry, Qt.Key.Key_Return, CTRL)
    settled(qtbot, session)
    qtbot.wait(200)
    settled(qtbot, session)
    assert not form.isVisible() and load_draft(desk.store, form.drafts._form, user_id) is None


def test_a_number_already_on_file_is_told_while_registering(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    known = read(desk, desk.ids["households"][0]).people[1].person
    show(qtbot, session, page, desk.ids["households"][4])
    page.do_add_person()
    settled(qtbot, session)
    type_line(page, "person_form", "id_number", known.id_number or "")
    page.person_form.rows["phones"].control.entry.setFocus()
    settled(qtbot, session)
    assert page.person_form._known.isVisible() and known.name in page.person_form._known.text.text()


def test_care_groups_begin_and_end_in_the_residents_form(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    home = desk.ids["households"][0]
    show(qtbot, session, page, home)
    page._edit_person(read(desk, home).people[0].person.id)
    settled(qtbot, session)
    for code in ("V03", "V13"):
        page.person_form.care._chips[code].click()
    assert page.person_form.is_dirty
    page.person_form.submit()
    settled(qtbot, session)
    assert sorted(tag.care_group for tag in read(desk, home).people[0].care) == ["V01", "V13"]


def test_care_groups_survive_a_crash_with_the_rest_of_the_form(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    home = desk.ids["households"][0]
    show(qtbot, session, page, home)
    line = read(desk, home).people[0]
    page._edit_person(line.person.id)
    settled(qtbot, session)
    page.person_form.care._chips["V13"].click()
    page.person_form.drafts.keep()
    settled(qtbot, session)
    page.person_form.begin(line.person, "again", f"person:{line.person.id}")
    page.person_form.care.set_codes([tag.care_group for tag in line.care])
    settled(qtbot, session)
    assert "V13" in page.person_form.care.codes() and page.person_form.is_dirty
    page.person_form._drop_restored()
    settled(qtbot, session)
    assert "V13" not in page.person_form.care.codes() and not page.person_form.is_dirty


def test_a_care_group_that_comes_while_the_form_is_open_stays(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    home = desk.ids["households"][0]
    show(qtbot, session, page, home)
    line = read(desk, home).people[0]
    had = [tag.care_group for tag in line.care]
    page._edit_person(line.person.id)
    settled(qtbot, session)
    page.person_form.care._chips["V13"].click()
    session.background.do(households.set_care_groups, line.person.id, [*had, "V17"])
    settled(qtbot, session)
    page.person_form.submit()
    settled(qtbot, session)
    held = {tag.care_group for tag in read(desk, home).people[0].care}
    assert held == set(had) ^ {"V13"} | {"V17"}


def test_a_household_is_closed_with_a_reason_and_brought_back(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    home = desk.ids["households"][6]
    show(qtbot, session, page, home)
    page._retire()
    reason = page._panel.findChild(QLineEdit)
    QTest.keyClick(reason, Qt.Key.Key_Return)
    settled(qtbot, session)
    assert read(desk, home).household.retired_at is None and "reason is needed" in page._panel._problem.text()
    QTest.keyClicks(reason, "demolished")
    QTest.keyClick(reason, Qt.Key.Key_Return)
    settled(qtbot, session)
    closed = read(desk, home)
    assert closed.household.retired_reason == "demolished" and closed.people == []
    assert page.table.model.row_number(home) is None
    session.window._toasts.undo()
    settled(qtbot, session)
    back = read(desk, home)
    assert back.household.retired_at is None and len(back.people) == 3


def test_a_resident_moves_to_another_household_and_back(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    here, there = desk.ids["households"][4], desk.ids["households"][6]
    person = read(desk, here).people[1].person
    show(qtbot, session, page, here)
    page._move_person(person.id)
    text = page._panel.findChild(QLineEdit)
    QTest.keyClicks(text, "ouyang")
    settled(qtbot, session)
    QTest.keyClick(text, Qt.Key.Key_Return)
    settled(qtbot, session)
    assert person.id in [p.person.id for p in read(desk, there).people]
    assert person.name not in words_of(page), "the record asks again by itself"
    session.window._toasts.undo()
    settled(qtbot, session)
    assert person.id in [p.person.id for p in read(desk, here).people]


def test_nobody_moves_to_what_was_found_for_less_than_was_typed(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    home, first, wanted = desk.ids["households"][:3]
    show(qtbot, session, page, home)
    person = read(desk, home).people[0].person
    page._move_person(person.id)
    panel = page._panel
    panel._ask(read(desk, first).household.number)
    settled(qtbot, session)
    panel._ask(read(desk, wanted).household.number)
    panel._decide()
    settled(qtbot, session)
    assert person.id in {line.person.id for line in read(desk, wanted).people}


def test_a_resident_entered_twice_is_removed_and_restored(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    home = desk.ids["households"][4]
    person = read(desk, home).people[1].person
    show(qtbot, session, page, home)
    page._retire_person(person.id)
    QTest.keyClicks(page._panel.findChild(QLineEdit), "twice")
    QTest.keyClick(page._panel.findChild(QLineEdit), Qt.Key.Key_Return)
    settled(qtbot, session)
    assert person.id not in [p.person.id for p in read(desk, home).people]
    session.window._toasts.undo()
    settled(qtbot, session)
    assert person.id in [p.person.id for p in read(desk, home).people]


def test_a_masked_number_in_the_record_is_shown_on_asking(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    home = desk.ids["households"][0]
    show(qtbot, session, page, home)
    person = read(desk, home).people[0].person
    first = next(b for b in page.record.findChildren(QPushButton) if b.accessibleName().startswith("Show ID number"))
    first.click()
    settled(qtbot, session)
    assert person.id_number in words_of(page)


def test_something_typed_keeps_one_on_the_page(qtbot: QtBot, session: DeskSession, page: Any) -> None:
    page.do_edit()
    settled(qtbot, session)
    type_line(page, "household_form", "plate_numbers", "x")
    assert session.window.open_page("today") is None and session.window.current_page is page
    assert page.household_form.unsaved.isVisible()
    page.household_form.unsaved.throw.click()
    assert session.window.open_page("today") is not None


def test_a_record_asked_for_meanwhile_is_opened_after_the_answer(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    other = desk.ids["households"][4]
    page.do_edit()
    settled(qtbot, session)
    type_line(page, "household_form", "plate_numbers", "x")
    session.shell.go("households", "household", other)
    assert page.household_form.unsaved.isVisible()
    page.household_form.unsaved.throw.click()
    settled(qtbot, session)
    assert page.record.household_id == other


def test_nothing_typed_into_a_new_household_is_nothing_to_ask_about(
    qtbot: QtBot, session: DeskSession, page: Any
) -> None:
    page.do_register()
    settled(qtbot, session)
    assert page.household_form.rows["address"].value(), "the building's address stands there by itself"
    assert page.may_leave()
    page.household_form.place._room.setText("101")
    assert not page.may_leave()


def test_a_record_changed_elsewhere_is_shown_anew(qtbot: QtBot, session: DeskSession, page: Any, desk: Desk) -> None:
    home = desk.ids["households"][2]
    show(qtbot, session, page, home)
    session.background.do(households.amend_household, home, {"address": "槐安里小区9号楼"})
    settled(qtbot, session)
    assert "槐安里小区9号楼" in words_of(page)
    row = page.table.model.row_at(page.table.model.row_number(home))
    assert row.address == "槐安里小区9号楼"


def test_those_who_may_only_look_find_no_way_to_write(
    qtbot: QtBot, desk: Desk, open_session: Callable[..., DeskSession]
) -> None:
    session = open_session(desk.as_user("street_supervisor"))
    assert session.window.open_page("households") is None
    assert session.window.toasts == ["! Your role has no page for this."] or session.window.toasts == [
        "Your role has no page for this."
    ]


def test_history_is_told_in_words_with_masks() -> None:
    told = change_words("person", "amend", {"phones": "13900001111", "sex": "2"}, {"phones": "13800001111", "sex": "1"})
    assert told == "Phone: 138****1111 → 139****1111； Sex: Male → Female"
    assert change_words("care_tag", "create", {"care_group": "V01"}, {}) == "Care group added: Elder living alone"
    assert (
        change_words("household", "amend", {"retired_at": 1, "retired_reason": "gone"}, {"retired_at": None})
        == "Closed: gone"
    )
    assert change_words("household", "amend", {"retired_at": None}, {"retired_at": 1}) == "Brought back"


@pytest.mark.parametrize(
    ("state", "words", "tone"),
    [
        ("waiting", "Waiting to be sent", "attention"), ("sent", "Waiting to be sent", "attention"),
        ("settled", "At the street, no. 7", "good"), ("refused", "Refused: too late", "danger"), (None, "From the street", "neutral"),
    ],
)  # fmt: skip
def test_every_receipt_has_its_words(state: str | None, words: str, tone: str) -> None:
    assert receipt(state, "too late", 7) == (words, tone)


class Painted(QObject):
    """The residents' blocks as they are painted, with their heights."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[PersonBlock, int]] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and isinstance(watched, PersonBlock):
            self.seen.append((watched, watched.height()))
        return False


def test_residents_are_not_painted_squashed_after_saving(
    qapp: QApplication, qtbot: QtBot, session: DeskSession, desk: Desk, page: Any
) -> None:
    page.open_record("household", desk.ids["households"][2])
    settled(qtbot, session)
    page.do_edit()
    settled(qtbot, session)
    page.household_form.rows["remark"].control.entry.setPlainText("two dogs")
    painted = Painted()
    qapp.installEventFilter(painted)
    page.household_form.save.click()
    settled(qtbot, session)
    qtbot.wait(200)
    qapp.removeEventFilter(painted)
    heights = [(height, block.height()) for block, height in painted.seen if isValid(block) and block.isVisible()]
    assert heights and all(was == now for was, now in heights)


def test_opening_a_sensitive_record_is_remembered_once(
    qtbot: QtBot, session: DeskSession, page: Any, desk: Desk
) -> None:
    def looked() -> list[int | None]:
        with desk.store.read() as reader:
            return [line.record_id for line in audit.page_audit(reader, desk.users["auditor"], act="open")]

    before = looked()
    sensitive = next(h for h in desk.ids["households"][::2] if read(desk, h).people[0].care and h not in before)
    plain = next(
        h for h in desk.ids["households"][::2]
        if not any(p.care for p in read(desk, h).people) and not read(desk, h).household.needs_note
    )  # fmt: skip
    for household_id in (sensitive, plain, sensitive):
        show(qtbot, session, page, household_id)
    assert looked() == [sensitive, *before]
