"""Visits: a worker logs them with the keyboard alone, and finds them again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from gridman.domain.visit import Visit
from gridman.kernel.clock import from_day
from gridman.services.drafts import load_draft, save_draft
from gridman.services.visits import open_visit
from gridman.ui.entry.when import read_when
from gridman.ui.pages.visits.log_panel import LogPanel
from tests.support.desk import NOON, Desk
from tests.support.keys import Keys
from tests.ui.conftest import unnamed

pytestmark = pytest.mark.gui
Open = Callable[..., Any]


def newest(desk: Desk) -> Visit:
    with desk.store.read() as reader:
        return reader.page(Visit, order_by=("-id",), limit=1)[0]


def panel_of(session: Any) -> LogPanel:
    return session.window.current_page.panel  # type: ignore[no-any-return]


def test_a_whole_visit_takes_less_than_ten_keys_beyond_its_text(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    with ground_desk.store.read() as reader:
        from gridman.services.households import household_rows
        from gridman.services.search import search

        wanted = household_rows(reader, [ground_desk.ids["households"][0]])[0]
        hit = search(reader, "wang", kinds=("household", "person"), limit=1)[0]
    assert wanted.id
    keys.press("Ctrl+L", "w", "a", "n", "g", "Enter", "2", "d", "Enter")
    keys.write("高血压，药快用完，已帮忙预约。")
    keys.press("Ctrl+Enter")
    assert keys.count <= 10
    visit = newest(ground_desk)
    assert visit.household_id == (hit.household_id or hit.record_id)
    assert (visit.outcome, visit.needs, visit.note) == ("2", "d", "高血压，药快用完，已帮忙预约。")
    assert visit.visited_at == NOON


def test_after_saving_the_next_due_household_stands_ready_and_takes_two_keys(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    keys.press("Ctrl+L")
    keys.write("wang")
    keys.press("Enter", "1", "Ctrl+Enter")
    first = newest(ground_desk)
    before = keys.count
    assert panel_of(session).outcome.hasFocus(), "the next household is filled in, the outcome is asked"
    keys.press("1", "Ctrl+Enter")
    second = newest(ground_desk)
    assert keys.count - before == 2
    assert second.id != first.id and second.household_id != first.household_id


def test_what_is_missing_is_said_under_its_field(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    before = newest(ground_desk).id
    keys.press("Ctrl+L", "Ctrl+Enter")
    panel = panel_of(session)
    assert "initials" in panel.problems.labels["household"].text()
    keys.write("wang")
    keys.press("Enter", "Ctrl+Enter")
    assert "digit" in panel.problems.labels["outcome"].text()
    panel.when.setText("never")
    keys.press("1", "Ctrl+Enter")
    assert "never" in panel.problems.labels["visited_at"].text()
    assert newest(ground_desk).id == before


def test_leaving_asks_before_anything_typed_is_lost(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    keys.press("Ctrl+L")
    panel = panel_of(session)
    panel.note.setFocus()
    keys.write("半句话")
    keys.press("Esc")
    assert panel._unsaved.isVisible() and panel.note.toPlainText() == "半句话"
    keys.press("Esc")
    assert not panel._unsaved.isVisible() and panel.note.toPlainText() == "半句话"


def test_a_half_written_visit_survives_a_crash(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    keys.press("Ctrl+L")
    keys.write("wang")
    keys.press("Enter", "2", "c", "Enter")
    keys.write("话没说完")
    panel_of(session).keep_draft()
    keys.rest()
    again = open_window()  # the first window is simply gone
    keys = Keys(qtbot, again)
    keys.press("Ctrl+L")
    panel = panel_of(again)
    assert panel._question.isVisible()
    keys.press("Enter")
    assert panel.note.toPlainText() == "话没说完"
    assert (panel.outcome.code(), panel.needs.codes()) == ("2", ["c"])
    keys.press("Ctrl+Enter")
    assert newest(ground_desk).note == "话没说完"


def test_a_saved_visit_leaves_no_draft(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    keys.press("Ctrl+L", "w", "a", "n", "g", "Enter", "2", "d", "Enter")
    panel = panel_of(session)
    panel._keep.setInterval(60)
    keys.write("高血压，药快用完。")
    user_id = ground_desk.users["grid_worker"].user_id
    qtbot.waitUntil(lambda: load_draft(ground_desk.store, "visit", user_id) is not None)
    keys.press("Ctrl+Enter")
    qtbot.wait(200)
    keys.rest()
    assert load_draft(ground_desk.store, "visit", user_id) is None


def test_photos_come_by_drop_and_by_paste_and_what_is_none_is_named(
    open_window: Open, ground_desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    keys.press("Ctrl+L")
    tray = panel_of(session).photos
    image = QImage(2400, 1200, QImage.Format.Format_RGB32)
    image.fill(QColor("teal"))
    picture, text = tmp_path / "stairs.png", tmp_path / "list.txt"
    image.save(str(picture))
    text.write_text("no picture")
    dropped, pasted = QMimeData(), QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(picture)), QUrl.fromLocalFile(str(text))])
    pasted.setImageData(image)
    assert tray.take(dropped) and tray.take(pasted)
    assert len(tray.pictures()) == 2
    assert "list.txt" in tray._problem.text()
    keys.write("wang")
    keys.press("Enter", "1", "Ctrl+Enter")
    with ground_desk.store.read() as reader:
        photos = open_visit(reader, newest(ground_desk).id).attachments
    assert len(photos) == 2
    assert {(p.width_px, p.height_px) for p in photos} == {(1600, 800)}


def test_the_list_shows_finds_and_opens_visits(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window(page="visits")
    page = session.window.current_page
    assert len(page.list.model.ids) == len(ground_desk.ids["visits"])
    page._outcome.setCurrentIndex(page._outcome.findData("2"))
    Keys(qtbot, session).rest()
    assert len(page.list.model.ids) == 2
    page.open_record("visit", ground_desk.ids["visits"][0])
    Keys(qtbot, session).rest()
    assert page.right.currentWidget() is page.record


def test_a_visit_is_corrected_by_a_new_one_in_its_place(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window(page="visits")
    keys = Keys(qtbot, session)
    page = session.window.current_page
    old = ground_desk.ids["visits"][0]
    page.open_record("visit", old)
    keys.rest()
    page.record._amend()
    keys.rest()
    page.panel.outcome.setFocus()
    keys.press("3", "Ctrl+Enter")
    with ground_desk.store.read() as reader:
        assert reader.get(Visit, old).retired_at is not None
    assert newest(ground_desk).amends_id == old and newest(ground_desk).outcome == "3"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", NOON),
        ("9:05", from_day("2026-11-23", 9, 5)),
        ("昨天 16:30", from_day("2026-11-22", 16, 30)),
        ("yesterday", from_day("2026-11-22", 12, 0)),
        ("11-20 8:00", from_day("2026-11-20", 8, 0)),
        ("12-31 8:00", from_day("2025-12-31", 8, 0)),
        ("20261101", from_day("2026-11-01", 12, 0)),
        ("25:00", None),
        ("soon", None),
        ("2-30 8:00", None),
    ],
)
def test_times_are_read_as_people_write_them(text: str, wanted: int | None) -> None:
    assert read_when(text, NOON) == wanted


def test_every_control_has_a_name(open_window: Open, qtbot: QtBot) -> None:
    session = open_window(page="visits")
    session.window.current_page.do_log()
    Keys(qtbot, session).rest()
    assert unnamed(session.window.current_page) == []


def test_a_future_visit_is_refused_at_its_field_and_in_view(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    keys.press("Ctrl+L")
    keys.write("wang")
    keys.press("Enter", "2")
    panel = panel_of(session)
    panel.when.setText("2030-01-01 9:00")
    keys.press("Ctrl+Enter")
    said = panel.problems.labels["visited_at"]
    assert "future" in said.text() and panel.when.property("tone") == "danger" and panel.when.hasFocus()
    qtbot.waitUntil(lambda: not said.visibleRegion().isEmpty(), timeout=20_000)
    assert said.visibleRegion().boundingRect().height() == said.height(), "the button bar hides nothing of it"
    keys.write("1")
    assert not said.text() and panel.when.property("tone") != "danger"


def test_what_is_chosen_is_not_complained_about_any_more(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    keys.press("Ctrl+L", "Ctrl+Enter")
    panel = panel_of(session)
    assert panel.problems.labels["outcome"].text() and panel.outcome.property("tone") == "danger"
    panel.outcome.setFocus()
    keys.press("2")
    assert not panel.problems.labels["outcome"].text()
    assert panel.problems.labels["household"].text(), "the household is still missing"


def test_a_held_save_key_logs_the_visit_once(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    keys.press("Ctrl+L")
    keys.write("wang")
    keys.press("Enter", "1")
    with ground_desk.store.read() as reader:
        before = reader.count(Visit)
    for _n in range(3):
        panel_of(session).save()
    keys.rest()
    with ground_desk.store.read() as reader:
        assert reader.count(Visit) == before + 1


def test_a_half_written_visit_is_offered_where_a_household_is_chosen_on_another_page(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    user_id = ground_desk.users["grid_worker"].user_id
    save_draft(ground_desk.store, "visit", user_id, {"outcome": "2", "note": "话没说完", "needs": []})
    session = open_window(page="visits")
    keys = Keys(qtbot, session)
    wanted = ground_desk.ids["households"][1]
    session.window.current_page.open_record("household", wanted)
    keys.rest()
    panel = panel_of(session)
    assert panel._question.isVisible() and panel._yes.hasFocus()
    panel._no.click()
    keys.rest()
    assert panel._household_id == wanted and panel.outcome.hasFocus()


def test_a_correction_does_not_take_the_place_of_what_is_being_typed(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    keys.press("Ctrl+L")
    page, panel = session.window.current_page, panel_of(session)
    panel.note.setFocus()
    keys.write("半句话")
    page.open_record("visit", ground_desk.ids["visits"][0])
    keys.rest()
    page.record._amend()
    keys.rest()
    assert page.right.currentWidget() is panel and panel.note.toPlainText() == "半句话" and panel._amends_id is None


def test_a_correction_found_after_a_crash_is_still_one(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window(page="visits")
    keys = Keys(qtbot, session)
    page, old = session.window.current_page, ground_desk.ids["visits"][0]
    page.open_record("visit", old)
    keys.rest()
    page.record._amend()
    keys.rest()
    page.panel.keep_draft()
    keys.rest()
    keys = Keys(qtbot, open_window())
    keys.press("Ctrl+L", "Enter", "Ctrl+Enter")
    assert newest(ground_desk).amends_id == old


def test_a_time_that_was_typed_is_asked_about_too(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window()
    keys = Keys(qtbot, session)
    keys.press("Ctrl+L")
    panel = panel_of(session)
    panel.when.setFocus()
    keys.write("14:30")
    keys.press("Esc")
    assert panel._unsaved.isVisible() and panel.when.text() == "14:30"
