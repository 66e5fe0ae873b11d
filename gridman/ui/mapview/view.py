"""The map as a widget: a web page when the web engine is there, a plain explanation when it is not."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from gridman.kernel.log import get_log
from gridman.kernel.words import _, language
from gridman.ui.mapview.content import page_of, tile_or_none
from gridman.ui.mapview.scheme import TileAddress, TileAnswer
from gridman.ui.shell import Shell

__all__ = ["LAYERS", "Drawing", "MapView"]

LAYERS = ("base", "grids", "buildings", "incidents")
_log = get_log(__name__)
_PATIENCE_MS = 20_000


@dataclass(frozen=True)
class Drawing:
    """What the person drew. `purpose`: edit, draw or line; `geometry`: GeoJSON; `is_final`: it was asked for by `finish`."""

    purpose: str
    geometry: dict[str, Any]
    is_final: bool


class MapView(QWidget):
    """The live map. Commands given before the page stands wait for it. Ids are whole Python integers on both sides."""

    picked = Signal(str, object)
    """A record was clicked: kind ("incident", "building", "grid"), id."""
    pointed = Signal(float, float)
    """Some place was clicked: longitude, latitude; sent besides `picked`."""
    drawn = Signal(object)
    """A boundary was drawn or changed: a Drawing."""
    stood = Signal()
    """The page is up and takes commands."""

    def __init__(self, shell: Shell, layers: Sequence[str] = LAYERS, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._layers = tuple(layers)
        self._query: Any = None
        self._html = ""
        self.overview: Any = None
        self.failed_tiles = 0
        self._is_idle = False
        self._engine: Any = None
        self._is_ready = False
        self._waiting: list[str] = []
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        # All at once, the message on top: the page has its real size while it loads, and fits the map to it.
        self._stack.setStackingMode(QStackedLayout.StackingMode.StackAll)
        self._message = QLabel()
        self._retry = QPushButton(_("Try again"))
        self._stack.addWidget(self._notice())
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._patience.timeout.connect(self._give_up)
        self.setAccessibleName(_("Map"))
        self._is_started = False
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.shut)

    def _notice(self) -> QWidget:
        panel = QWidget()
        panel.setProperty("kind", "canvas")
        layout = QVBoxLayout(panel)
        layout.addStretch(1)
        self._message.setText(_("Opening the map…"))
        self._message.setProperty("kind", "soft")
        self._message.setWordWrap(True)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self._message)
        self._retry.clicked.connect(self.start)
        self._retry.setVisible(False)
        layout.addWidget(self._retry, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        return panel

    # -- starting and stopping

    def showEvent(self, event: Any) -> None:
        """The page is loaded when it is first seen."""
        super().showEvent(event)
        if not self._is_started:
            self.start()

    def start(self) -> None:
        """Load the page (again)."""
        self.shut()
        self._is_started = True
        self._message.setText(_("Opening the map…"))
        self._retry.setVisible(False)
        theme = "dark" if self._shell.theme.is_dark else "light"
        self._shell.background.ask(
            page_of,
            language(),
            theme,
            self._layers,
            self._shell.theme.is_large,
            self._shell.actor.grid_ids,
            then=self._take_page,
            refused=self._say_refusal,
        )

    def _take_page(self, answer: tuple[str, Any]) -> None:
        self._html, self.overview = answer
        try:
            from gridman.ui.mapview.engine import MapEngine

            engine = MapEngine(self._page, self._ask_tile, self)
        except Exception as error:  # a missing library, a broken driver: the rest of the desk works on
            _log.exception("the web engine does not start")
            self._explain(str(error))
            return
        self._engine = engine
        engine.bridge.was_readied.connect(self._stand)
        engine.bridge.was_picked.connect(self._take_pick)
        engine.bridge.was_drawn.connect(self._take_drawing)
        engine.page.renderProcessTerminated.connect(self._lose)
        engine.view.setAccessibleName(_("Map"))
        self._stack.addWidget(engine.view)
        engine.load(self._shell.theme.colour("window"))
        self._patience.start()

    def _page(self) -> str:
        return self._html

    def _stand(self) -> None:
        if self._engine is None or self.sender() not in (None, self._engine.bridge):
            return  # a page that was given up answers after all
        self._patience.stop()
        self._is_ready = True
        self._stack.setCurrentWidget(self._engine.view)
        self.fit(self.overview.own_box)
        waiting, self._waiting = self._waiting, []
        for script in waiting:
            self._engine.page.runJavaScript(script)
        self.stood.emit()

    def _give_up(self) -> None:
        if not self._is_ready:
            self._explain(_("The page did not answer."))

    def _lose(self, *_status: Any) -> None:
        self._explain(_("The part that draws the map stopped."))

    def _say_refusal(self, refusal: Any) -> None:
        self._explain(refusal.words())

    def _explain(self, why: str) -> None:
        """The designed way out: say what is missing and that everything else goes on."""
        self.shut()
        self._is_started = True
        lead = _("The map cannot be shown on this computer. Lists, search, visits and incidents work without it.")
        self._message.setText(f"{lead}\n{why}")
        self._retry.setVisible(True)

    def shut(self) -> None:
        """Take the page down; a later `start` makes it again."""
        self._patience.stop()
        self._is_ready = False
        self._is_started = False
        engine, self._engine = self._engine, None
        self._stack.setCurrentIndex(0)
        if engine is not None:
            self._stack.removeWidget(engine.view)
            engine.shut()
            engine.view.deleteLater()

    # -- what the page asks

    def _ask_tile(self, address: TileAddress, answer: TileAnswer) -> None:
        def take(content: bytes | None) -> None:
            self.failed_tiles += content is None
            answer(content)

        if isValid(self._shell.background):  # a window that is going away asks nothing more
            self._shell.background.ask(tile_or_none, address, self._query, then=take)
        else:
            answer(None)

    def _take_pick(self, said: dict[str, Any]) -> None:
        lng, lat = said.get("lng"), said.get("lat")
        if isinstance(lng, int | float) and isinstance(lat, int | float):
            self.pointed.emit(float(lng), float(lat))
        kind, record_id = said.get("kind"), read_id(said.get("id"))
        if isinstance(kind, str) and record_id:
            self.picked.emit(kind, record_id)

    def _take_drawing(self, said: dict[str, Any]) -> None:
        geometry = said.get("geometry")
        if isinstance(geometry, dict) and "type" in geometry:
            self.drawn.emit(Drawing(str(said.get("purpose", "")), geometry, bool(said.get("final"))))

    # -- commands

    def show_incidents(self, query: Any) -> None:
        """Show the incidents of this IncidentQuery (None: those that are open)."""
        self._query = query
        self.refresh()

    def refresh(self) -> None:
        """Ask for every visible tile again: the data changed."""
        if self._is_ready:
            self._call("refresh")

    def select(self, kind: str, record_id: int, lng: float | None = None, lat: float | None = None) -> None:
        """Mark a record; with its place, bring it into view."""
        what: dict[str, Any] = {"kind": kind, "id": str(record_id)}
        if lng is not None and lat is not None:
            what |= {"lng": lng, "lat": lat}
        self._call("select", what)

    def unselect(self) -> None:
        """Take the mark away."""
        self._call("select", None)

    def fit(self, box: tuple[float, float, float, float] | None = None) -> None:
        """Show this extent (west, south, east, north; degrees), or the whole street."""
        if box is None and self.overview is not None:
            box = (self.overview.west, self.overview.south, self.overview.east, self.overview.north)
        if box is not None:
            self._call("show", {"bounds": list(box)})

    # -- drawing

    def edit(self, geometry: dict[str, Any], neighbours: dict[str, Any] | None = None) -> None:
        """Let the person change a boundary (GeoJSON); its corners snap to the neighbours'."""
        self._call("edit", geometry, neighbours)

    def draw(self, shape: str = "Polygon", neighbours: dict[str, Any] | None = None) -> None:
        """Let the person draw a boundary ("Polygon") or a line that cuts one ("Line")."""
        self._call("draw", shape, neighbours)

    def mark_problems(self, geojson: dict[str, Any] | None) -> None:
        """Mark what is wrong with the boundary; None takes the marks away."""
        self._call("problems", geojson)

    def stop_drawing(self) -> None:
        """Take the drawing off the map."""
        self._call("cancel")

    def fly_to(self, lng: float, lat: float, zoom: int = 18) -> None:
        """Move to a place."""
        self._call("flyTo", lng, lat, zoom)

    def _call(self, name: str, *arguments: Any) -> None:
        script = f"gridman.{name}({', '.join(json.dumps(a, ensure_ascii=True) for a in arguments)})"
        if self._is_ready:
            self._engine.page.runJavaScript(script)
        else:
            self._waiting.append(script)

    # -- for tests, screenshots and the demonstration's account

    @property
    def is_ready(self) -> bool:
        """Whether the page stands."""
        return self._is_ready

    @property
    def requests(self) -> int:
        """How many requests the page made since it was loaded."""
        return 0 if self._engine is None else int(self._engine.gate.requests)

    @property
    def blocked(self) -> list[str]:
        """The requests to outside that were stopped; empty when all is right."""
        return [] if self._engine is None else list(self._engine.gate.blocked)

    @property
    def engine(self) -> Any:
        """The MapEngine, or None."""
        return self._engine

    @property
    def message(self) -> str:
        """What stands in the map's place while there is none."""
        return self._message.text()

    def is_settled(self) -> bool:
        """Whether the page stands and has drawn everything in view, as far as is known; asking brings the answer up to date."""
        if not self._is_ready:
            return self._engine is None and self._retry.isVisibleTo(self)
        self._engine.page.runJavaScript("gridman.isIdle()", 0, self._take_idle)
        return self._is_idle

    def _take_idle(self, is_idle: Any) -> None:
        self._is_idle = bool(is_idle)

    def picture(self) -> QImage:
        """What the map shows now, for printing."""
        return self.grab().toImage()


def read_id(text: object) -> int:
    """The 64-bit id the page sent as text; 0 when it is none."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 20 else 0
