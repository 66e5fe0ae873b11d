"""The live map in a real web engine: offline, both ways, and its way out when the engine is missing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gridman.services.incidents import IncidentQuery
from gridman.ui.background import Background
from gridman.ui.mapview.view import MapView
from gridman.ui.shell import Shell
from gridman.ui.theme import apply_theme, register_fonts, theme_of
from tests.support.desk import Desk, make_desk
from tests.support.ground import ATTRIBUTION, BORDER, EAST, WEST, lay_ground

pytestmark = pytest.mark.gui
MIDDLE = "map_gridman.getCenter().lng"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(tmp_path)
    lay_ground(made)
    yield made
    made.close()


@pytest.fixture
def shell(qapp: QApplication, desk: Desk) -> Iterator[Shell]:
    theme = theme_of("light")
    register_fonts()
    apply_theme(qapp, theme)
    background = Background(desk)
    yield Shell(desk, background, theme)
    background.close()


@pytest.fixture
def view(qtbot: QtBot, shell: Shell) -> Iterator[MapView]:
    made = MapView(shell)
    qtbot.addWidget(made)
    made.resize(900, 640)
    made.show()
    qtbot.waitUntil(lambda: made.is_ready, timeout=20_000)
    settle(qtbot, made)
    yield made
    made.shut()


def js(qtbot: QtBot, view: MapView, code: str) -> Any:
    """What the page answers."""
    heard: list[Any] = []
    view.engine.page.runJavaScript(f"JSON.stringify(eval({json.dumps(code)}) ?? null)", 0, heard.append)
    qtbot.waitUntil(lambda: bool(heard), timeout=10_000)
    return json.loads(heard[0])


def settle(qtbot: QtBot, view: MapView) -> None:
    """Wait until the page has asked for everything in view and drawn it."""
    for _twice in range(2):  # a movement asks for its tiles a frame later
        qtbot.waitUntil(lambda: js(qtbot, view, "gridman.isIdle()") is True, timeout=15_000)
        qtbot.wait(120)


def test_the_map_asks_nothing_from_outside_while_it_is_panned_and_zoomed(qtbot: QtBot, view: MapView) -> None:
    before = view.requests
    for lng, lat, zoom in ((117.1, 36.6, 18), (117.103, 36.601, 16), (117.1015, 36.6005, 19), (117.1, 36.6, 14)):
        view.fly_to(lng, lat, zoom)
        settle(qtbot, view)
    assert view.requests > before + 4, "panning and zooming asks for tiles"
    assert view.blocked == []
    assert view.failed_tiles == 0
    assert set(view.engine.gate.by_scheme) <= {"gridman", "qrc", "data", "blob"}
    assert view.engine.page.complaints == []


def test_the_map_opens_on_the_own_grids_and_draws_their_boundaries_stronger(
    qtbot: QtBot, shell: Shell, desk: Desk
) -> None:
    """A worker's map: the own grid fills it, the street's other grids do not; the whole street is one key away."""
    first, other = desk.ids["grids"]
    desk.actor = replace(desk.actor, grid_ids=frozenset({first}))
    own = MapView(shell)
    qtbot.addWidget(own)
    own.resize(900, 640)
    own.show()
    qtbot.waitUntil(lambda: own.is_ready, timeout=20_000)
    settle(qtbot, own)
    assert own.overview.own == (first,) and own.overview.own_box[2] == pytest.approx(BORDER)
    assert js(qtbot, own, MIDDLE) == pytest.approx((WEST + BORDER) / 2, abs=1e-4)
    marked = own.picture()
    own.fit()
    settle(qtbot, own)
    assert js(qtbot, own, MIDDLE) == pytest.approx((WEST + EAST) / 2, abs=1e-4)
    own.fit(own.overview.own_box)
    settle(qtbot, own)
    own.shut()
    desk.actor = replace(desk.actor, grid_ids=frozenset({first, other}))
    both = MapView(shell)
    qtbot.addWidget(both)
    both.resize(900, 640)
    both.show()
    qtbot.waitUntil(lambda: both.is_ready, timeout=20_000)
    assert both.overview.own == () and both.overview.own_box is None, "all of it is the own: nothing to mark"
    both.fit(own.overview.own_box)
    settle(qtbot, both)
    assert both.picture() != marked
    both.shut()


def test_a_request_to_outside_is_stopped_and_noted(qtbot: QtBot, view: MapView) -> None:
    js(qtbot, view, "fetch('https://tiles.example.org/1/2/3.png').catch(() => null); 1")
    qtbot.waitUntil(lambda: bool(view.blocked), timeout=5_000)
    assert view.blocked == ["https://tiles.example.org/1/2/3.png"]


def test_the_page_cannot_read_files_of_this_computer(qtbot: QtBot, view: MapView) -> None:
    js(
        qtbot,
        view,
        "window.said = ''; fetch('gridman://app/leaflet/..%2F..%2Fpyproject.toml')"
        ".then(a => window.said = 'ok: ' + a.ok, () => window.said = 'failed'); 1",
    )
    qtbot.waitUntil(lambda: js(qtbot, view, "window.said") != "", timeout=5_000)
    assert js(qtbot, view, "window.said") in ("failed", "ok: false")


def test_the_page_says_where_the_map_comes_from(qtbot: QtBot, view: MapView) -> None:
    assert ATTRIBUTION in js(qtbot, view, "document.querySelector('.leaflet-control-attribution').textContent")


def test_clicking_an_incident_on_the_map_picks_its_record(qtbot: QtBot, view: MapView, desk: Desk) -> None:
    view.fly_to(117.1, 36.6, 19)
    settle(qtbot, view)
    hits = js(qtbot, view, "gridman.hits()")
    wanted = desk.ids["incidents"][0]
    at = next(hit for hit in hits if hit["id"] == str(wanted))
    with qtbot.waitSignal(view.picked, timeout=5_000) as heard:
        QTest.mouseClick(view.engine.view.focusProxy(), Qt.MouseButton.LeftButton, pos=QPoint(at["x"], at["y"]))
    assert heard.args == ["incident", wanted]


def test_clicking_bare_ground_tells_the_place_and_the_grid(qtbot: QtBot, view: MapView, desk: Desk) -> None:
    view.fly_to(117.1030, 36.6015, 17)
    settle(qtbot, view)
    places: list[tuple[float, float]] = []
    view.pointed.connect(lambda lng, lat: places.append((lng, lat)))
    with qtbot.waitSignal(view.picked, timeout=5_000) as heard:
        QTest.mouseClick(view.engine.view.focusProxy(), Qt.MouseButton.LeftButton, pos=view.engine.view.rect().center())
    assert heard.args == ["grid", desk.ids["grids"][1]]
    lng, lat = places[0]
    assert abs(lng - 117.1030) < 1e-4 and abs(lat - 36.6015) < 1e-4


def test_selecting_in_the_program_marks_it_on_the_map(qtbot: QtBot, view: MapView, desk: Desk) -> None:
    plain = view.picture()
    wanted = desk.ids["incidents"][1]
    view.select("incident", wanted, 117.1007, 36.6004)
    settle(qtbot, view)
    qtbot.waitUntil(lambda: view.picture() != plain, timeout=5_000)


def test_the_map_shows_only_the_incidents_of_the_list(qtbot: QtBot, view: MapView) -> None:
    view.fly_to(117.1007, 36.6004, 19)
    settle(qtbot, view)
    assert len(js(qtbot, view, "gridman.hits()")) >= 1
    view.show_incidents(IncidentQuery(states=("closed",)))
    qtbot.waitUntil(lambda: js(qtbot, view, "gridman.hits()") == [], timeout=10_000)


def test_without_the_web_engine_the_desk_says_so_and_offers_to_try_again(
    qtbot: QtBot, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gridman.ui.mapview.engine as engine

    def broken(*_arguments: Any) -> None:
        raise ImportError("libnss3.so: cannot open shared object file")

    monkeypatch.setattr(engine, "MapEngine", broken)
    view = MapView(shell)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitUntil(lambda: "libnss3" in view.message, timeout=10_000)
    assert "work without it" in view.message
    monkeypatch.undo()
    view.start()
    qtbot.waitUntil(lambda: view.is_ready, timeout=20_000)
    view.shut()


def test_a_lost_renderer_is_told_and_the_map_can_be_opened_again(qtbot: QtBot, view: MapView) -> None:
    view.engine.page.renderProcessTerminated.emit(
        view.engine.page.RenderProcessTerminationStatus.CrashedTerminationStatus, 9
    )
    assert not view.is_ready
    assert "stopped" in view.message
    view.start()
    qtbot.waitUntil(lambda: view.is_ready, timeout=20_000)


def test_before_a_map_was_received_the_remedy_is_told(qtbot: QtBot, tmp_path: Path, qapp: QApplication) -> None:
    bare = make_desk(tmp_path)
    background = Background(bare)
    view = MapView(Shell(bare, background, theme_of("light")))
    qtbot.addWidget(view)
    view.show()
    qtbot.waitUntil(lambda: view.message != "" and "Opening" not in view.message, timeout=10_000)
    assert "Synchronise once" in view.message
    view.shut()
    background.close()
    bare.close()
