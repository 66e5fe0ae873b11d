"""Incidents: list and map are one, the workflow runs by keys, reports carry a place."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from gridman.domain.incident import Incident, IncidentStep
from gridman.domain.organisation import Organisation
from gridman.services.drafts import load_draft
from gridman.services.incidents import perform
from gridman.ui.pages.incidents.page import IncidentsPage
from tests.support.desk import Desk
from tests.support.keys import Keys
from tests.ui.conftest import unnamed

pytestmark = pytest.mark.gui
Open = Callable[..., Any]


def page_of(session: Any) -> IncidentsPage:
    return session.window.current_page  # type: ignore[no-any-return]


def incident(desk: Desk, number: int) -> Incident:
    with desk.store.read() as reader:
        return reader.get(Incident, desk.ids["incidents"][number])


def reported(desk: Desk) -> int:
    with desk.store.read() as reader:
        return reader.count(Incident)


def escalated(desk: Desk) -> int:
    """An incident that has come to the street's office and waits to be accepted there."""
    wanted = desk.ids["incidents"][0]
    with desk.store.unit(desk.users["community_staff"]) as unit:
        perform(unit, wanted, "escalate", note="需要城管部门处理")
    return wanted


def test_a_supervisor_dispatches_with_the_keyboard_alone(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    wanted = escalated(ground_desk)
    session = open_window("street_supervisor", "today")
    keys = Keys(qtbot, session)
    keys.press("Ctrl+4")
    page = page_of(session)
    assert page.list.view.hasFocus()
    while page.record.incident_id != wanted:
        keys.press("Down")
        assert keys.count < 8
    keys.press("Alt+A")  # accept
    assert incident(ground_desk, 0).state == "handling"
    keys.press("Alt+D")  # dispatch
    keys.write("cgs")  # the department's initials
    keys.press("Enter")
    keys.write("请尽快修复井盖")
    keys.press("Ctrl+Enter")
    assert keys.count <= 12
    done = incident(ground_desk, 0)
    assert done.state == "dispatched"
    with ground_desk.store.read() as reader:
        assert reader.get(Organisation, done.holder_id).name == "槐荫街道城管所"


def test_the_keyboard_is_in_the_list_after_a_command(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    wanted = ground_desk.ids["incidents"][0]
    session = open_window("community_staff", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.open_record("incident", wanted)
    keys.rest()
    page.record.start("escalate")
    keys.write("需要城管部门处理")
    keys.press("Ctrl+Enter")
    assert incident(ground_desk, 0).state != "handling"
    assert page.list.view.hasFocus()


def test_a_department_is_whistled_up_by_keys_and_its_task_is_shown(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    escalated(ground_desk)
    wanted = ground_desk.ids["incidents"][0]
    session = open_window("street_supervisor", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.open_record("incident", wanted)
    keys.rest()
    page.record.start("accept")
    keys.rest()
    page.record.start("whistle")
    keys.write("城管")
    keys.press("Enter")
    keys.press("2")
    keys.write("联合整治占道")
    keys.press("Ctrl+Enter")
    keys.rest()
    with ground_desk.store.read() as reader:
        (task,) = reader.page(Incident, parent_id=wanted)
        assert (task.state, task.whistle_case) == ("dispatched", "2")
        assert reader.get(Organisation, task.holder_id).name == "槐荫街道城管所"
    links = [b for b in page.record.findChildren(QPushButton) if b.property("record") == task.id]
    assert len(links) == 1
    links[0].click()
    keys.rest()
    assert page.record.incident_id == task.id


def test_a_double_is_merged_by_keys(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    first, double = ground_desk.ids["incidents"][0], ground_desk.ids["incidents"][1]
    session = open_window("community_staff", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.open_record("incident", double)
    keys.rest()
    page.record.start("merge")
    assert page.record.panel is not None
    keys.write(incident(ground_desk, 0).number or "?")
    keys.press("Enter")
    keys.press("Ctrl+Enter")
    keys.rest()
    assert (incident(ground_desk, 1).state, incident(ground_desk, 1).merged_into_id) == ("voided", first)


def test_what_a_command_lacks_is_said_where_it_is_given(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    escalated(ground_desk)
    session = open_window("street_supervisor", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.open_record("incident", ground_desk.ids["incidents"][0])
    keys.rest()
    page.record.start("refuse")
    keys.press("Ctrl+Enter")
    assert page.record.panel is not None
    assert "reason" in page.record.panel._problem.text()
    assert incident(ground_desk, 0).state == "reported"


def test_a_side_road_is_never_the_button_that_stands_out(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    """A supervisor who only looks at an incident of the community's must not be led to merge it."""
    session = open_window("street_supervisor", "incidents")
    page = page_of(session)
    page.open_record("incident", ground_desk.ids["incidents"][1])
    Keys(qtbot, session).rest()
    first = next(iter(page.record.buttons.values()))
    assert "accept" not in page.record.buttons and first.property("kind") != "primary"


def test_nobody_sees_a_button_for_what_is_not_theirs(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "incidents")
    page = page_of(session)
    page.open_record("incident", ground_desk.ids["incidents"][0])
    Keys(qtbot, session).rest()
    assert set(page.record.buttons) == {"urge"}


def test_choosing_on_either_side_chooses_on_the_other(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    qtbot.waitUntil(lambda: page.map.is_ready, timeout=20_000)
    keys.rest()
    wanted = ground_desk.ids["incidents"][2]
    page.map.picked.emit("incident", wanted)
    keys.rest()
    assert page.list.current_id() == wanted and page.record.incident_id == wanted
    other = ground_desk.ids["incidents"][1]
    page.list.select(other)
    keys.rest()
    heard: list[Any] = []
    page.map.engine.page.runJavaScript("JSON.stringify(gridman.chosen ? gridman.chosen() : null)", 0, heard.append)
    qtbot.waitUntil(lambda: bool(heard), timeout=5_000)
    assert heard[0] in ("null", f'{{"kind":"incident","id":"{other}"}}')
    assert page.record.incident_id == other
    assert page.map.blocked == []


def test_chips_count_the_states_and_filter_the_list(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    chips = page.chips._chips
    assert chips["open"].text().endswith(" 3") and chips["reported"].text().endswith(" 2")
    assert chips["closed"].isHidden()
    chips["handling"].click()
    keys.rest()
    assert list(page.list.model.ids) == [ground_desk.ids["incidents"][0]]
    page.chips.text.setText("垃圾")
    qtbot.wait(250)
    keys.rest()
    assert list(page.list.model.ids) == []


def test_an_incident_is_reported_with_a_click_on_the_map_for_its_place(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    session = open_window("grid_worker", "today")
    keys = Keys(qtbot, session)
    keys.press("Ctrl+I")
    page = page_of(session)
    keys.write("A805")
    keys.press("Enter")
    keys.write("路面塌陷，宽约一米。")
    page.map.pointed.emit(117.1003, 36.6009)
    keys.rest()
    keys.press("Ctrl+Enter")
    with ground_desk.store.read() as reader:
        made = reader.page(Incident, order_by=("-id",), limit=1)[0]
    assert made.description == "路面塌陷，宽约一米。"
    assert (made.lng, made.lat) == (117.1003, 36.6009)
    assert made.grid_id == ground_desk.ids["grids"][0]
    assert page.record.incident_id == made.id


def kept_draft(desk: Desk, form: str) -> Any:
    return load_draft(desk.store, form, desk.users["grid_worker"].user_id)


def test_a_sent_report_leaves_no_draft(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    """Its fields are emptied one after the other, and the first that was empty made a draft of the others."""
    session = open_window("grid_worker", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.panel._draft_keeper._timer.setInterval(60)
    page.do_report()
    keys.write("A805")
    keys.press("Enter")
    keys.write("路面塌陷，宽约一米。")
    page.map.pointed.emit(117.1003, 36.6009)
    keys.rest()
    assert kept_draft(ground_desk, "incident")["description"] == "路面塌陷，宽约一米。"
    keys.press("Ctrl+Enter")
    qtbot.wait(200)
    keys.rest()
    assert kept_draft(ground_desk, "incident") is None
    page.do_report()
    keys.rest()
    assert not page.panel.is_begun() and page.panel._restored.isHidden()


@pytest.mark.parametrize("way", ["report", "discard"])
def test_the_keyboard_is_in_the_list_after_the_form(
    open_window: Open, ground_desk: Desk, qtbot: QtBot, way: str
) -> None:
    """The list is read anew after a report; on a slow computer it makes room for "Reading…", and the keyboard fell onto an action."""
    session = open_window("grid_worker", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    keys.press("Down", "Ctrl+I")
    keys.write("A805")
    keys.press("Enter")
    keys.write("路面塌陷，宽约一米。")
    page.map.pointed.emit(117.1003, 36.6009)
    keys.rest()
    if way == "report":
        keys.press("Ctrl+Enter")
        page.list._show_loading()
    else:
        page.list._show_loading()
        keys.press("Esc", "Tab", "Enter")
    assert page.record.isVisible() and page.window().focusWidget() is page.list
    page.list.reload()
    keys.rest()
    assert page.record.buttons and page.list.view.hasFocus()


def test_the_keyboard_is_in_the_list_after_a_command_was_left(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    session = open_window("community_staff", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.open_record("incident", ground_desk.ids["incidents"][0])
    keys.rest()
    page.record.start("escalate")
    keys.press("Esc")
    assert page.record.panel is None and page.list.view.hasFocus()


def test_the_form_keeps_its_keys_when_the_map_is_clicked(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    qtbot.waitUntil(lambda: page.map.is_ready, timeout=30_000)
    page.do_report()
    keys.write("A805")
    keys.press("Enter")
    keys.write("井盖缺失。")
    page.map.engine.view.setFocus()
    assert not page.panel.description.hasFocus()
    page.map.pointed.emit(117.1003, 36.6009)
    keys.rest()
    assert page.panel.description.hasFocus()
    page.map.engine.view.setFocus()
    keys.press("Esc")
    assert page.panel.unsaved.isVisible()
    page.map.engine.view.setFocus()
    keys.press("Ctrl+Enter")
    with ground_desk.store.read() as reader:
        assert reader.page(Incident, order_by=("-id",), limit=1)[0].description == "井盖缺失。"


def test_a_place_in_somebody_elses_grid_is_said_at_once(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "incidents")
    page = page_of(session)
    page.do_report()
    keys = Keys(qtbot, session)
    keys.rest()
    page.map.pointed.emit(117.1035, 36.6009)
    keys.rest()
    said = page.panel.problems.labels["place"].text()
    assert "not yours" in said
    page.panel.category.set_code("A805")
    page.panel.description.setPlainText("路灯不亮")
    before = reported(ground_desk)
    for _n in range(2):  # Ctrl+Enter used to ask for a grid instead, and to save the place in another one
        keys.press("Ctrl+Enter")
        assert page.panel.problems.labels["place"].text() == said
        assert not page.panel.problems.labels["grid_id"].text() and reported(ground_desk) == before
        page.panel.household.clear()
    page.map.pointed.emit(117.2, 36.7)
    keys.rest()
    assert "no grid" in page.panel.problems.labels["place"].text()


def test_a_place_and_a_grid_that_disagree_are_not_saved(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("community_staff", "incidents")
    keys = Keys(qtbot, session)
    panel = page_of(session).panel
    page_of(session).do_report()
    keys.write("A805")
    keys.press("Enter")
    keys.write("路灯不亮")
    page_of(session).map.pointed.emit(117.1035, 36.6009)
    keys.rest()
    own, other = ground_desk.ids["grids"]
    assert panel.grid.currentData() == other
    panel.grid.setCurrentIndex(panel.grid.findData(own))
    before = reported(ground_desk)
    keys.press("Ctrl+Enter")
    said = panel.problems.labels["place"].text()
    assert "lies in" in said and panel.isVisible() and reported(ground_desk) == before
    panel.grid.setCurrentIndex(panel.grid.findData(other))
    assert not panel.problems.labels["place"].text()
    keys.press("Ctrl+Enter")
    assert reported(ground_desk) == before + 1


@pytest.mark.parametrize("is_slow", [False, True])
def test_an_incident_that_is_opened_by_name_is_uncovered_by_the_filters(
    open_window: Open, ground_desk: Desk, qtbot: QtBot, is_slow: bool
) -> None:
    session = open_window("grid_worker", "today")
    keys = Keys(qtbot, session)
    wanted = ground_desk.ids["incidents"][0]
    with ground_desk.store.unit(ground_desk.users["community_staff"]) as unit:
        perform(unit, wanted, "finish", result="已更换井盖")
    with ground_desk.store.unit(ground_desk.users["grid_worker"]) as unit:
        perform(unit, wanted, "verify_pass")
    if is_slow:
        session.window.open_page("incidents")
        keys.rest()
        page_of(session).list._show_loading()
        page_of(session).list.reload()
    session.shell.go("incidents", "incident", wanted)
    keys.rest()
    keys.rest()
    page = page_of(session)
    assert page.chips.chosen == "all"
    assert page.list.current_id() == wanted and page.record.incident_id == wanted


def test_the_map_lives_on_when_language_and_look_change(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "incidents")
    qtbot.waitUntil(lambda: page_of(session).map.is_ready, timeout=20_000)
    wanted = ground_desk.ids["incidents"][1]
    page_of(session).open_record("incident", wanted)
    Keys(qtbot, session).rest()
    session.restyle("theme", "dark")
    session.restyle("language", "zh_CN")
    qtbot.waitUntil(lambda: page_of(session).map.is_ready, timeout=20_000)
    Keys(qtbot, session).rest()
    page = page_of(session)
    assert page.record.incident_id == wanted
    heard: list[Any] = []
    page.map.engine.page.runJavaScript(
        "document.documentElement.lang + ' ' + !!document.querySelector('.gridman-dark')", 0, heard.append
    )
    qtbot.waitUntil(lambda: bool(heard), timeout=5_000)
    assert heard == ["zh-CN true"]


def test_a_report_without_its_parts_says_which(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("community_staff", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.do_report()
    keys.press("Ctrl+Enter")
    told = {name: problem.text() for name, problem in page.panel.problems.labels.items() if problem.text()}
    assert set(told) == {"category", "description", "place", "grid_id"}


def test_the_complaints_of_an_empty_report_go_with_it(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("community_staff", "incidents")
    keys = Keys(qtbot, session)
    panel = page_of(session).panel
    page_of(session).do_report()
    keys.press("Ctrl+Enter")
    assert panel.category.property("tone") == "danger" and panel.category.hasFocus()
    keys.write("A805")
    assert not panel.problems.labels["category"].text() and panel.problems.labels["description"].text()
    panel.category.clear()
    keys.press("Esc", "Ctrl+I")
    assert not any(problem.text() for problem in panel.problems.labels.values())


def test_somebody_is_looked_up_while_a_report_is_begun(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("community_staff", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.do_report()
    page.panel.description.setPlainText("路灯不亮")
    session.shell.go("households", "household", ground_desk.ids["households"][0])
    assert session.window.current_page is not page
    session.window.open_page("incidents")
    assert page.right.currentWidget() is page.panel and page.panel.description.toPlainText() == "路灯不亮"
    keys.rest()
    session.restyle("theme", "dark")
    again = page_of(session)
    assert again is not page
    keys.rest()
    qtbot.waitUntil(lambda: again.panel.description.toPlainText() == "路灯不亮", timeout=5_000)


def test_every_control_has_a_name(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("street_supervisor", "incidents")
    page = page_of(session)
    page.open_record("incident", ground_desk.ids["incidents"][0])
    Keys(qtbot, session).rest()
    page.record.start("supervise_yellow")
    page.do_report()
    Keys(qtbot, session).rest()
    assert unnamed(page) == []


def test_a_held_send_key_reports_once_and_the_next_report_has_no_grid_yet(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    session = open_window("community_staff", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.do_report()
    keys.rest()
    keys.write("A805")
    keys.press("Enter")
    keys.write("路面塌陷，宽约一米。")
    page.panel.place.setText("小区东门")
    page.panel.grid.setCurrentIndex(page.panel.grid.count() - 1)
    page.panel.source.setCurrentIndex(2)
    with ground_desk.store.read() as reader:
        before = reader.count(Incident)
    for _n in range(3):
        page.panel.save()
    keys.rest()
    with ground_desk.store.read() as reader:
        assert reader.count(Incident) == before + 1
    page.do_report()
    keys.rest()
    assert page.panel.grid.currentData() is None and page.panel.source.currentIndex() == 0


def test_a_held_key_writes_a_note_once(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    wanted = ground_desk.ids["incidents"][0]
    session = open_window("community_staff", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.open_record("incident", wanted)
    keys.rest()
    page.record.start("log")
    keys.write("已电话联系物业")
    for _n in range(3):
        page.record.panel.order()
    keys.rest()
    with ground_desk.store.read() as reader:
        assert reader.count(IncidentStep, incident_id=wanted, note="已电话联系物业") == 1


def test_what_is_typed_for_a_step_waits_while_another_incident_is_looked_at(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    first, other = ground_desk.ids["incidents"][:2]
    session = open_window("community_staff", "incidents")
    keys = Keys(qtbot, session)
    page = page_of(session)
    page.open_record("incident", first)
    keys.rest()
    page.record.start("escalate")
    keys.write("需要城管部门处理")
    page.open_record("incident", other)
    keys.rest()
    assert page.record.panel is None
    page.open_record("incident", first)
    keys.rest()
    page.record.start("escalate")
    assert page.record.panel.note.toPlainText() == "需要城管部门处理"
