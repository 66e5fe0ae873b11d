"""The Map page: buildings lead to households, boundaries are checked as they are drawn and moved with their neighbours."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import shapely
from PySide6.QtPrintSupport import QPrinter
from pytestqt.qtbot import QtBot
from shapely.geometry import box, mapping

from gridman.domain.grid import Grid
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.ui.mapview.view import Drawing
from gridman.ui.pages.map.page import MapPage
from tests.support.desk import Desk
from tests.support.ground import BORDER, NORTH, SOUTH, WEST
from tests.support.keys import Keys
from tests.ui.conftest import unnamed

pytestmark = pytest.mark.gui
Open = Callable[..., Any]


def page_of(session: Any) -> MapPage:
    return session.window.current_page  # type: ignore[no-any-return]


def opened(open_window: Open, qtbot: QtBot, role: str) -> tuple[Any, MapPage, Keys]:
    session = open_window(role, "map")
    page = page_of(session)
    qtbot.waitUntil(lambda: page.map.is_ready, timeout=30_000)
    keys = Keys(qtbot, session)
    keys.rest()
    return session, page, keys


def ground_of(desk: Desk, number: int) -> Any:
    with desk.store.read() as reader:
        return shapely.from_wkb(reader.get(Grid, desk.ids["grids"][number]).shape)


def test_a_building_shows_its_households_and_leads_to_them(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session, page, keys = opened(open_window, qtbot, "grid_worker")
    page.map.picked.emit("building", ground_desk.ids["buildings"][0])
    keys.rest()
    keys.rest()
    assert len(page.households.model.ids) == 10
    page.households.select(page.households.model.ids[3])
    page.households.view.setFocus()
    keys.press("Enter")
    assert session.window.current_page.state().get("household_id") == page.households.model.ids[3]


def test_a_role_without_the_register_sees_the_building_but_no_household(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    _session, page, keys = opened(open_window, qtbot, "street_supervisor")
    page.map.picked.emit("building", ground_desk.ids["buildings"][0])
    keys.rest()
    assert page._facts is not None and page._facts.title == "槐安里小区1号楼"
    assert not page.households.isVisible()


def test_new_incidents_appear_on_the_map(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session, page, keys = opened(open_window, qtbot, "grid_worker")
    before = page.map.requests
    draft = IncidentDraft(
        "A801", "垃圾堆放", place="1号楼前", lng=117.0995, lat=36.6005, grid_id=ground_desk.ids["grids"][0]
    )
    session.background.do(report_incident, draft)
    keys.rest()
    qtbot.waitUntil(lambda: page.map.requests > before, timeout=5_000)
    assert page.map.blocked == []


def test_a_picked_incident_is_opened_by_its_key(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session, page, keys = opened(open_window, qtbot, "grid_worker")
    wanted = ground_desk.ids["incidents"][0]
    page.map.picked.emit("incident", wanted)
    keys.rest()
    keys.rest()
    page.map.engine.view.setFocus()
    keys.press("Ctrl+O")
    assert session.window.current_page.state().get("incident") == wanted


def begin_boundary(page: MapPage, keys: Keys, desk: Desk) -> None:
    page.open_record("grid", desk.ids["grids"][0])
    keys.rest()
    keys.press("Ctrl+B")
    assert page.right.currentWidget() is page.boundary


def draw(page: MapPage, keys: Keys, west: float, south: float, east: float, north: float) -> None:
    page.map.drawn.emit(Drawing("edit", mapping(box(west, south, east, north)), False))
    keys.rest()


def test_overlap_and_gap_are_said_at_once_and_the_neighbours_follow(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    _session, page, keys = opened(open_window, qtbot, "street_supervisor")
    begin_boundary(page, keys, ground_desk)
    panel = page.boundary
    draw(page, keys, WEST, SOUTH, BORDER + 0.0005, NORTH)
    assert panel.finding is not None and "第2网格" in panel.finding.words[0] and panel.finding.marks
    assert not panel._save.isEnabled()
    panel.follow()
    keys.rest()
    assert panel.finding.words == [] and set(panel.finding.moved) == {ground_desk.ids["grids"][1]}
    before = ground_of(ground_desk, 0).area + ground_of(ground_desk, 1).area
    panel._save.setFocus()
    keys.press("Ctrl+Enter")
    one, two = ground_of(ground_desk, 0), ground_of(ground_desk, 1)
    assert one.bounds[2] == pytest.approx(BORDER + 0.0005, abs=1e-8)
    assert one.area + two.area == pytest.approx(before, rel=1e-6)
    assert page.right.currentWidget() is not panel


@pytest.mark.parametrize(
    ("shape", "word"),
    [
        (box(WEST, SOUTH, BORDER, NORTH + 0.001), "outside the community"),
        (shapely.Polygon([(WEST, SOUTH), (BORDER, NORTH), (BORDER, SOUTH), (WEST, NORTH)]), "crosses itself"),
        (box(WEST, SOUTH, BORDER, NORTH - 0.001), "in no grid"),
    ],
)
def test_what_is_wrong_with_a_boundary_is_named(
    open_window: Open, ground_desk: Desk, qtbot: QtBot, shape: Any, word: str
) -> None:
    _session, page, keys = opened(open_window, qtbot, "street_supervisor")
    begin_boundary(page, keys, ground_desk)
    page.map.drawn.emit(Drawing("edit", mapping(shape), False))
    keys.rest()
    assert page.boundary.finding is not None
    assert any(word in text for text in page.boundary.finding.words)
    assert not page.boundary._save.isEnabled()


def test_only_those_with_the_right_may_change_boundaries(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    _session, page, keys = opened(open_window, qtbot, "grid_worker")
    page.open_record("grid", ground_desk.ids["grids"][0])
    keys.rest()
    keys.press("Ctrl+B")
    assert page.right.currentWidget() is not page.boundary


def test_the_view_prints(open_window: Open, ground_desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    _session, page, _keys = opened(open_window, qtbot, "grid_worker")
    printer = QPrinter(QPrinter.PrinterMode.ScreenResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "map.pdf"))
    page.print_on(printer)
    document = pypdfium2.PdfDocument(tmp_path / "map.pdf")
    text = document[0].get_textpage().get_text_range()
    document.close()
    assert "2026-11-23 12:00" in text and "周" in text


def test_every_control_has_a_name(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    _session, page, keys = opened(open_window, qtbot, "street_supervisor")
    begin_boundary(page, keys, ground_desk)
    assert unnamed(page) == []
