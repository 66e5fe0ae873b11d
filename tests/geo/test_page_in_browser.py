"""The pages in a real browser engine, fed by a tiny local provider: it draws, answers clicks, edits, and asks nobody else."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
import shapely
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWebEngineCore import (
    QWebEnginePage,
    QWebEngineProfile,
    QWebEngineUrlRequestInfo,
    QWebEngineUrlRequestInterceptor,
)
from PySide6.QtWebEngineWidgets import QWebEngineView
from pytestqt.qtbot import QtBot

from gridman.geo.boundary import check_boundary
from gridman.geo.clusters import IncidentPoint
from gridman.geo.page import build_page
from gridman.geo.standalone import IncidentCard, standalone_page
from gridman.geo.tiles import BuildingShape, GridShape, encode_tile
from gridman.kernel.paths import resource
from tests.geo.places import PLANE, houses, oblong, town

pytestmark = pytest.mark.gui

TOWN = town(6, 5)
WEST = GridShape((5 << 43) | 1, "990101001001001", "和平社区第一网格", oblong(0, 0, 240, 400), 1)
EAST = GridShape((5 << 43) | 2, "990101001001002", "和平社区第二网格", oblong(240, 0, 480, 400), 1)
HOUSES = [BuildingShape((6 << 43) | n, f"{n + 1}号楼", house.geometry) for n, house in enumerate(houses(TOWN))]
MIDDLE = PLANE.to_degrees(shapely.Point(240, 200))
SPOT = PLANE.to_degrees(shapely.Point(120, 280))
INCIDENTS = [
    *(IncidentPoint((9 << 43) | n, "reported", SPOT.x, SPOT.y, f"堆{n}") for n in range(3)),
    IncidentPoint((9 << 43) | 9, "closed", *PLANE.to_degrees(shapely.Point(360, 120)).coords[0], "单9"),
]


class Provider(ThreadingHTTPServer):
    """Serves the page, the shipped scripts and the tiles of the test town; remembers what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[str] = []
        self.incidents = list(INCIDENTS)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[str, bytes]:
        if path == "/map":
            return "text/html", build_page(
                f"{self.root}/leaflet/vendor", f"{self.root}/tile", (MIDDLE.x, MIDDLE.y), 17, attribution="测试地图"
            ).encode()
        if path.startswith("/tile/"):
            z, x, y = (int(part) for part in path.split("/")[2:])
            rows = {"base": TOWN.features, "grids": (WEST, EAST), "buildings": HOUSES, "incidents": self.incidents}
            return "application/json", encode_tile(
                z, x, y, **{layer: rows[layer] for layer in query["layers"][0].split(",")}
            )  # type: ignore[arg-type]
        file = resource(*path.strip("/").split("/"))
        return {".js": "text/javascript", ".css": "text/css"}.get(
            file.suffix, "application/octet-stream"
        ), file.read_bytes()


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        url = urlparse(self.path)
        try:
            media, content = self.server.answer(url.path, parse_qs(url.query))
            self.send_response(200)
        except OSError:
            media, content = "text/plain", b""
            self.send_response(404)
        self.send_header("Content-Type", f"{media}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Watch(QWebEngineUrlRequestInterceptor):
    """Remembers every address the engine is about to ask."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        self.addresses.append(info.requestUrl().toString())


class Page(QWebEnginePage):
    def __init__(self, profile: QWebEngineProfile, view: QWebEngineView) -> None:
        super().__init__(profile, view)
        self.complaints: list[str] = []

    def javaScriptConsoleMessage(self, level: Any, message: str, line: int, source: str) -> None:
        self.complaints.append(f"{source}:{line} {message}")


class Browser:
    """One view with its own profile."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.watch = Watch()
        self.profile = QWebEngineProfile()
        self.profile.setUrlRequestInterceptor(self.watch)
        self.view = QWebEngineView()
        self.page = Page(self.profile, self.view)
        self.view.setPage(self.page)
        self.view.resize(1000, 700)
        self.view.show()

    def open(self, url: QUrl) -> None:
        with self.qtbot.waitSignal(self.view.loadFinished, timeout=20_000):
            self.view.load(url)
        self.settle()
        self.js("window.heard = [], window.gridmanBridge = {picked: t => heard.push(t), drawn: t => heard.push(t)}, 0")

    def js(self, code: str) -> Any:
        """The value of an expression (not evaluated by the page itself: its policy may forbid that)."""
        got: list[str] = []
        self.page.runJavaScript(f"JSON.stringify(({code}) ?? null)", 0, got.append)
        self.qtbot.waitUntil(lambda: bool(got), timeout=10_000)
        return json.loads(got[0])

    def settle(self) -> None:
        for _twice in range(2):
            self.qtbot.waitUntil(
                lambda: self.js("Boolean(window.gridman && gridman.isIdle && gridman.isIdle())"), timeout=15_000
            )
            self.qtbot.wait(100)

    def place(self, east_m: float, north_m: float) -> QPoint:
        """Where a place of the town lies in the view."""
        at = PLANE.to_degrees(shapely.Point(east_m, north_m))
        x, y = self.js(f"(p => [p.x, p.y])(map_gridman.latLngToContainerPoint([{at.y}, {at.x}]))")
        return QPoint(round(x), round(y))

    def click(self, at: QPoint) -> None:
        QTest.mouseClick(self.view.focusProxy(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        self.settle()

    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.js("heard.splice(0)")]

    def picture(self) -> QImage:
        return self.view.grab().toImage()

    def shut(self) -> None:
        self.view.setPage(None)  # type: ignore[arg-type]
        self.page.deleteLater()
        self.view.deleteLater()
        self.page.destroyed.connect(self.profile.deleteLater)
        self.qtbot.wait(50)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def browser(qtbot: QtBot) -> Iterator[Browser]:
    made = Browser(qtbot)
    yield made
    made.shut()


@pytest.fixture
def live(browser: Browser, provider: Provider) -> Browser:
    browser.open(QUrl(f"{provider.root}/map"))
    return browser


def test_the_live_page_draws_and_asks_only_its_provider(live: Browser, provider: Provider) -> None:
    assert live.page.complaints == []
    assert {urlparse(address).netloc for address in live.watch.addresses} == {urlparse(provider.root).netloc}
    tiles = [path for path in provider.asked if path.startswith("/tile/")]
    assert len(tiles) == len(set(tiles)) >= 4, "each tile of each kind is asked once"
    picture = live.picture()
    colours = {picture.pixelColor(x, y).name() for x in range(0, 800, 3) for y in range(0, 700, 3)}
    assert {"#f5f3ee", "#ffffff", "#efe4cf", "#2d5fb8"} <= colours, "ground, street, house, grid border"


def test_a_click_on_ground_house_and_outside_says_what_was_hit(live: Browser) -> None:
    live.click(live.place(140, 200))
    live.click(live.place(27, 25))
    live.click(live.place(-60, 200))
    grid, house, nothing = live.heard()
    assert (grid["kind"], grid["id"], grid["label"]) == ("grid", str(WEST.id), WEST.name)
    assert (house["kind"], house["id"], house["label"]) == ("building", str(HOUSES[0].id), "1号楼")
    assert nothing["kind"] == "ground" and nothing["id"] == ""
    assert abs(grid["lng"] - PLANE.to_degrees(shapely.Point(140, 200)).x) < 2e-5


def test_a_cluster_of_one_spot_fans_out_and_each_can_be_picked(live: Browser) -> None:
    live.click(live.place(120, 280))
    fan = [hit for hit in live.js("gridman.hits()") if hit["kind"] == "incident"]
    assert {hit["id"] for hit in fan} == {str(point.id) for point in INCIDENTS}
    chosen = next(hit for hit in fan if hit["id"] == str(INCIDENTS[1].id))
    live.click(QPoint(chosen["x"], chosen["y"]))
    (heard,) = live.heard()
    assert (heard["kind"], heard["id"], heard["state"], heard["label"]) == (
        "incident",
        str(INCIDENTS[1].id),
        "reported",
        "堆1",
    )


def test_choosing_from_the_list_marks_and_moves_the_map(live: Browser) -> None:
    before = live.picture()
    live.js(f"gridman.select({{kind: 'grid', id: '{EAST.id}'}})")
    live.settle()
    at = live.place(300, 200)
    assert live.picture().pixelColor(at) != before.pixelColor(at)
    live.js(f"gridman.select({{kind: 'incident', id: '1', lng: {MIDDLE.x + 0.05}, lat: {MIDDLE.y}}})")
    live.settle()
    assert live.js("gridman.view().lng") == pytest.approx(MIDDLE.x + 0.05, abs=1e-4)


def test_a_refresh_brings_new_incidents_without_asking_for_the_streets_again(live: Browser, provider: Provider) -> None:
    provider.asked.clear()
    new = PLANE.to_degrees(shapely.Point(60, 60))
    provider.incidents.append(IncidentPoint(77, "handling", new.x, new.y, "新"))
    live.js("gridman.refresh()")
    live.settle()
    assert "77" in {hit.get("id") for hit in live.js("gridman.hits()")}
    assert provider.asked and not [path for path in provider.asked if "base" in path]


def test_states_can_be_filtered_and_layers_left_out(live: Browser) -> None:
    live.js("gridman.show({states: ['closed']})")
    live.settle()
    assert [hit["id"] for hit in live.js("gridman.hits()")] == [str(INCIDENTS[3].id)]
    live.js("gridman.show({layers: ['base']})")
    live.settle()
    assert live.js("gridman.hits()") == []
    live.click(live.place(140, 200))
    assert live.heard()[0]["kind"] == "ground"


def test_the_dark_theme_is_dark(live: Browser) -> None:
    def lightness() -> float:
        picture = live.picture()
        return (
            sum(QColor(picture.pixelColor(x, y)).lightness() for x in range(60, 780, 40) for y in range(60, 660, 40))
            / 270
        )

    light = lightness()
    live.js("gridman.setTheme('dark')")
    live.settle()
    assert light > 200 and lightness() < 90


def test_a_moved_corner_is_told_at_once_and_its_problem_shown(live: Browser) -> None:
    live.js(f"gridman.edit({shapely.to_geojson(WEST.geometry)}, null)")
    live.settle()
    mouse = live.view.focusProxy()
    start, end = live.place(240, 400), live.place(300, 400)
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(mouse, button, none, start)
    for step in range(1, 7):
        live.qtbot.wait(30)
        QTest.mouseMove(mouse, start + (end - start) * step / 6)
    QTest.mouseRelease(mouse, button, none, end)
    live.settle()
    told = live.heard()
    assert told and told[-1]["purpose"] == "edit" and told[-1]["final"] is False
    drawn = shapely.from_geojson(json.dumps(told[-1]["geometry"]))
    community = shapely.union_all([WEST.geometry, EAST.geometry])
    problems = {problem.code: problem for problem in check_boundary(drawn, community, {EAST.name: EAST.geometry})}
    assert problems["overlaps"].area_m2 == pytest.approx(60 * 400 / 2, rel=0.1)
    live.js(f"gridman.problems({shapely.to_geojson(problems['overlaps'].where)})")
    live.settle()
    marked = live.picture().pixelColor(live.place(248, 280))
    assert marked.red() > marked.green() + 40
    live.js("gridman.finish()")
    assert live.heard()[-1]["final"] is True
    live.js("gridman.cancel()")


def test_a_page_of_its_own_opens_from_a_file_and_shows_an_incident(browser: Browser, tmp_path: Path) -> None:
    card = IncidentCard(
        INCIDENTS[3].id,
        "closed",
        INCIDENTS[3].lng,
        INCIDENTS[3].lat,
        "SJ0009",
        "<b>占道</b>",
        "幸福里3号楼",
        "2026-11-23",
    )
    path = tmp_path / "incidents.html"
    path.write_text(standalone_page(TOWN.features, [WEST, EAST], [card], language="en"), encoding="utf-8")
    browser.open(QUrl.fromLocalFile(str(path)))
    assert browser.page.complaints == []
    assert [QUrl(address).scheme() for address in browser.watch.addresses] == ["file"]
    (hit,) = browser.js("gridman.hits()")
    browser.click(QPoint(hit["x"], hit["y"]))
    text = browser.js("document.querySelector('.gridman-popup').innerText")
    assert "SJ0009" in text and "<b>占道</b>" in text and "Closed" in text
    # The policy in the page itself forbids what the interceptor did not see.
    browser.js(
        "window.went = 'waiting', fetch('http://127.0.0.1:9/').then(() => went = 'out', () => went = 'stopped'), 0"
    )
    browser.qtbot.waitUntil(lambda: browser.js("went") != "waiting", timeout=5_000)
    assert browser.js("went") == "stopped" and "Content Security Policy" in " ".join(browser.page.complaints)
