"""Sync: each piece of work has its receipt, refusals say what to do, conflicts are decided by one key."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.domain.person import Person
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.services import outbox
from gridman.services.audit import page_audit
from gridman.store import outbox as outbox_rows
from gridman.store.outbox import Returned, acknowledge
from gridman.sync.exchange import prepare
from gridman.ui.pages.sync.page import SyncPage
from gridman.ui.pages.sync.status_card import clock_words
from tests.support.desk import NOON, Desk
from tests.support.keys import Keys
from tests.ui.conftest import unnamed

pytestmark = pytest.mark.gui
Open = Callable[..., Any]


def page_of(session: Any) -> SyncPage:
    return session.window.current_page  # type: ignore[no-any-return]


def refuse(desk: Desk, entity: str) -> int:
    """The street refuses this desk's newest operation about such a record."""
    with desk.store.read() as reader:
        every = outbox.receipt_lines(reader, list(outbox.receipt_ids(reader, outbox.ReceiptQuery())))
    number = next(line.id for line in every if line.opens is not None and line.opens[0] == entity)
    reason = (
        "visit.future",
        "A visit cannot lie in the future.",
        "Check the day and the time, and this computer's clock.",
        {},
    )
    with desk.store.database.writing, desk.store.database.writer.begin() as connection:
        acknowledge(connection, [Returned(number, "refused", reason, 7)], NOON)
        connection.exec_driver_sql("UPDATE journal SET state='refused' WHERE op_n=?", (number,))
    return number


def test_every_operation_has_a_receipt_in_words(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "sync")
    page = page_of(session)
    with ground_desk.store.read() as reader:
        lines = outbox.receipt_lines(reader, list(page.list.model.ids))
    assert len(lines) == len(page.list.model.ids) > 10
    assert {line.state for line in lines} == {"waiting"}
    visits = [line for line in lines if line.noun == "Visit"]
    assert len(visits) == len(ground_desk.ids["visits"])
    assert all("望河路18号" in line.record and line.act == "new" for line in visits)
    assert any(line.act == "Accept" and line.noun == "Incident" for line in lines), "a command is named by its step"


def test_what_was_sent_without_an_answer_is_called_waiting_on_every_page(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    """Sync said "on its way" of a visit that the Visits page called waiting, long after the line had fallen."""
    prepare(ground_desk.store)
    session = open_window("grid_worker", "sync")
    page = page_of(session)
    with ground_desk.store.read() as reader:
        lines = outbox.receipt_lines(reader, list(page.list.model.ids))
    (sent,) = {
        line.id for line in lines if line.state == "sent" and line.opens == ("visit", ground_desk.ids["visits"][0])
    }
    page.list.select(sent)
    keys = Keys(qtbot, session)
    keys.rest()
    row = page.list.model.row_number(sent)
    assert row is not None
    here = page.list.model.index(row, 0).data()
    assert here == "! waiting" and "waiting" in {w.text().removeprefix("! ") for w in page.receipt.findChildren(QLabel)}
    session.window.open_page("visits")
    keys.rest()
    visits = session.window.current_page.list.model
    at = visits.row_number(ground_desk.ids["visits"][0])
    column = next(n for n, one in enumerate(visits.columns) if one.key == "waiting")
    assert visits.index(at, column).data() == here


def test_a_refused_operation_says_why_and_opens_its_record(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    number = refuse(ground_desk, "visit")
    session = open_window("grid_worker", "sync")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.begin("refused")
    keys.rest()
    assert list(page.list.model.ids) == [number]
    page.list.select(number)
    keys.rest()
    assert page.receipt._line is not None and "cannot lie in the future" in page.receipt._line.reason
    page.list.view.setFocus()
    keys.press("Enter")
    assert session.window.current_page.record._file.visit.id in ground_desk.ids["visits"]


def test_one_key_restores_the_other_value(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "sync")
    keys = Keys(qtbot, session)
    keys.press("Ctrl+R")
    page = page_of(session)
    line = page.review.current()
    assert line is not None and (line.kept_by, line.lost_by) == ("孙建国", "周小兰")
    keys.press("2")
    with ground_desk.store.read() as reader:
        assert reader.get(Household, line.conflict.record_id).phones == "13900002222"
        assert reader.get(Conflict, line.conflict.id).resolution == "restored"
    assert page.review.list.count() == 0


def test_numbers_under_review_are_covered_until_a_logged_look(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    session = open_window("grid_worker", "sync")
    keys = Keys(qtbot, session)
    keys.press("Ctrl+R")
    review = page_of(session).review
    line = review.current()
    assert line is not None and line.is_covered
    assert "13900001111" not in line.kept_words + line.lost_words and line.kept_words.endswith("1111")
    show = next(b for b in review.findChildren(QPushButton) if b.text().startswith("Show the numbers"))
    show.click()
    keys.rest()
    assert {review.current().kept_words, review.current().lost_words} == {"13900001111", "13900002222"}
    with ground_desk.store.read() as reader:
        looks = [e for e in page_audit(reader, Actor(1, "A", "auditor", 1)) if e.act == "reveal"]
    assert len(looks) == 1
    keys.press("2")
    with ground_desk.store.read() as reader:
        assert reader.get(Household, line.conflict.record_id).phones == "13900002222", "the whole value is put back"


@pytest.mark.parametrize("reason", ["lost_desk", "copied_desk", "scope"])
def test_the_review_says_which_computer_handed_a_value_over(
    open_window: Open, ground_desk: Desk, qtbot: QtBot, reason: str
) -> None:
    with ground_desk.store.unit(SYSTEM) as unit:
        asked = unit.page(Conflict)[0]
        unit.amend(asked, reason=reason, computer="旧笔记本")
    session = open_window("grid_worker", "sync")
    Keys(qtbot, session).press("Ctrl+R")
    review = page_of(session).review
    said = " ".join(each.text() for each in review.findChildren(QLabel))
    line = review.current()
    assert line is not None and (line.lost_by in said)
    assert ("Computer: 旧笔记本; its user: 周小兰" in said) == (reason != "scope")
    assert ("reported lost: whoever holds that computer could have written it" in said) == (reason == "lost_desk")


def test_one_act_waits_as_one(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "sync")
    keys = Keys(qtbot, session)
    with ground_desk.store.read() as reader:
        before, rows = outbox_rows.waiting_acts(reader), outbox_rows.waiting_count(reader)
    keys.press("Ctrl+R", "2")
    with ground_desk.store.read() as reader:
        assert outbox_rows.waiting_count(reader) - rows == 2, "the value and the decision travel apart"
        assert outbox_rows.waiting_acts(reader) - before == 1
    assert f"{before + 1} waiting" in session.window._bar.pill.text()


def test_a_decision_says_what_it_is_about(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    keys = Keys(qtbot, open_window("grid_worker", "sync"))
    keys.press("Ctrl+R", "1")
    with ground_desk.store.read() as reader:
        newest = outbox.receipt_lines(reader, list(outbox.receipt_ids(reader, outbox.ReceiptQuery()))[:1])[0]
        conflict = reader.page(Conflict, order_by=("-id",), limit=1)[0]
        address = reader.get(Household, conflict.record_id).address
    assert (newest.noun, newest.record) == ("Decision", address)


def test_tries_in_vain_are_one_line(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    away = Refusal("sync.unreachable", "The street server {host} does not answer.", "", host="a")
    for n in range(5):
        outbox.note_round(ground_desk.store, NOON + n, refusal=away)
    page = page_of(open_window("grid_worker", "sync"))
    told = page.status._rounds.text()
    assert told.count("does not answer") == 1 and "5 tries in vain" in told


def test_one_key_keeps_what_stands(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "today")
    keys = Keys(qtbot, session)
    session.shell.go("sync", intent="conflicts")
    keys.rest()
    line = page_of(session).review.current()
    assert line is not None
    keys.press("1")
    with ground_desk.store.read() as reader:
        assert reader.get(Household, line.conflict.record_id).phones != "13900002222"
        assert reader.get(Conflict, line.conflict.id).resolution == "kept"


def test_the_last_rounds_and_a_wrong_clock_are_told(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    class Result:
        sent, received, skew_ms = 3, 14, 12 * 60_000

    outbox.note_round(ground_desk.store, NOON, Result())
    outbox.note_round(
        ground_desk.store,
        NOON + 1,
        refusal=Refusal("sync.unreachable", "The street server {host} does not answer.", "", host="a"),
    )
    assert [r.problem for r in outbox.rounds(ground_desk.store)] == ["The street server a does not answer.", ""]
    session = open_window("grid_worker", "sync")
    page = page_of(session)
    assert "3 sent, 14 received" in page.status._rounds.text()
    assert "does not answer" in page.status._rounds.text()
    assert "12 min ahead" in page.status._clock.text()
    assert clock_words(-5_000) == "" and "behind" in clock_words(-180_000)


def test_every_control_has_a_name(open_window: Open, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "sync")
    Keys(qtbot, session).rest()
    assert unnamed(session.window.current_page) == []


def test_doubles_and_what_was_set_aside_say_what_each_key_does(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    homes = ground_desk.ids["households"][::2]
    with ground_desk.store.read() as reader:
        one, two = (reader.first(Person, household_id=home) for home in homes[:2])
    assert one is not None and two is not None
    with ground_desk.store.unit(SYSTEM) as unit:
        for asked in unit.page(Conflict):
            unit.amend(asked, resolved_at=NOON, resolution="kept")
        unit.create(
            Conflict(record_kind="person", record_id=two.id, grid_id=two.grid_id, reason="same_person", kept=f'{{"id": {one.id}}}')
        )  # fmt: skip
        lost = {
            "household_id": homes[2],
            "grid_id": two.grid_id,
            "visited_at": NOON,
            "user_id": 1,
            "outcome": "1",
            "note": "门没开",
        }
        unit.create(
            Conflict(record_kind="visit", record_id=77, grid_id=two.grid_id, reason="scope", lost=json.dumps(lost))
        )
    session = open_window("grid_worker", "sync")
    keys = Keys(qtbot, session)
    keys.press("Ctrl+R")
    review = page_of(session).review
    line = review.current()
    assert line is not None and line.deed == "take_over" and "门没开" in line.lost_words
    offered = {b.text(): b.property("kind") for b in review.findChildren(QPushButton)}
    assert {"Leave it out  1", "Take it over  2"} <= set(offered), offered
    assert offered["Leave it out  1"] != "primary", "what throws a visit away is not offered first"
    keys.press("2")
    with ground_desk.store.read() as reader:
        assert reader.get(Visit, 77).note == "门没开"
    line = review.current()
    assert line is not None and line.deed == "take_off" and (two.name or "?") in line.lost_words
    assert any("Keep both" in b.text() for b in review.findChildren(QPushButton))
    keys.press("2")
    with ground_desk.store.read() as reader:
        assert reader.get(Person, two.id).retired_reason == f"same_person {one.id}"
    assert review.list.count() == 0


def test_what_comes_while_one_is_looked_at_does_not_get_under_the_key(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    session = open_window("grid_worker", "sync")
    keys = Keys(qtbot, session)
    keys.press("Ctrl+R")
    page = page_of(session)
    looked_at = page.review.current()
    assert looked_at is not None
    conflict = looked_at.conflict
    with ground_desk.store.unit(SYSTEM) as unit:
        for _n in range(205):
            unit.create(
                Conflict(
                    record_kind="household", record_id=conflict.record_id, grid_id=conflict.grid_id, reason="concurrent",
                    field="remark", kept='"a"', lost='"b"',
                )
            )  # fmt: skip
    page.refresh(None)
    keys.rest()
    assert page.review.list.count() == 200 and "206" in page.tabs.tabText(1), "all are counted, the newest are shown"
    page.review.list.setCurrentRow(3)
    third = page.review.current()
    assert third is not None
    with ground_desk.store.unit(SYSTEM) as unit:
        unit.create(
            Conflict(record_kind="household", record_id=conflict.record_id, grid_id=conflict.grid_id, reason="concurrent",
                     field="remark", kept='"a"', lost='"c"')
        )  # fmt: skip
    page.refresh(None)
    keys.rest()
    now = page.review.current()
    assert now is not None and now.conflict.id == third.conflict.id
