"""The live map with ten thousand incidents.

`python -m tests.benchmarks.bench_map [--small]`: milliseconds and bytes of each tile that covers the grids, zoom by zoom; and the map page in
a real off-screen web engine, from nothing until everything in view is drawn. Yardstick: an empty page in the same engine until its first
animation frame.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.crowd import make_crowd
from tests.benchmarks.measures import Figure, arguments, percentile, print_figures, processor_ms, timed
from tests.support.desk import Desk
from tests.support.ground import EAST, NORTH, SOUTH, WEST

__all__ = ["measure"]

INCIDENTS, PEOPLE = 10_000, 2_000
_ZOOMS = (13, 14, 15, 16, 17, 18)
_PATIENCE_S = 60.0
_EMPTY = "<!doctype html><title>empty</title><p>.</p>"


def _application() -> Any:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from gridman.ui.app import make_application

    return make_application(["gridman"])


def _wait(app: Any, until: Callable[[], bool], every_s: float = 0.002) -> None:
    limit = time.monotonic() + _PATIENCE_S
    while not until():
        if time.monotonic() > limit:
            raise TimeoutError("the page did not come up")
        app.processEvents()
        time.sleep(every_s)


def _bury() -> None:
    """Delete what waits for it now: without a running event loop Qt would keep the pages, and with them their profiles."""
    from PySide6.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def tile_figures(desk: Desk) -> list[Figure]:
    """Time and size of every tile over the ground, by zoom. Yardstick of the time: the same tile without incidents."""
    from gridman.geo.tiles import tiles_in
    from gridman.ui.mapview.content import tile_bytes
    from gridman.ui.mapview.scheme import TileAddress

    layers = ("base", "grids", "buildings", "incidents")
    figures: list[Figure] = []
    for z in _ZOOMS:
        whole: list[float] = []
        bare: list[float] = []
        sizes: list[float] = []
        alone: list[float] = []
        for x, y in tiles_in((WEST, SOUTH, EAST, NORTH), z):
            for asked, taken in ((layers, whole), (layers[:3], bare)):
                with desk.store.read() as reader:
                    found: list[bytes] = []
                    address = TileAddress(z, x, y, asked)
                    taken.append(timed(lambda a=address, r=reader, f=found: f.append(tile_bytes(r, a, None))))  # type: ignore[misc]
                    if asked == layers:
                        alone.append(processor_ms(partial(tile_bytes, reader, address, None)))
                if asked == layers:
                    sizes.append(len(found[0]) / 1024)
        middle = statistics.median
        figures.append(
            Figure("map", f"a tile at zoom {z}, p50", middle(whole), yardstick=("without incidents", middle(bare)))
        )
        figures.append(Figure("map", f"a tile at zoom {z}, slowest of {len(whole)}", percentile(whole, 1.0)))
        figures.append(Figure("map", f"a tile at zoom {z}, p50 of processor time", middle(alone)))
        figures.append(Figure("map", f"a tile at zoom {z}, largest", max(sizes), "KB"))
    return figures


def _open_map(app: Any, shell: Any) -> float:
    """Milliseconds from making the map until everything in view is drawn."""
    from gridman.ui.mapview.view import MapView

    started = time.perf_counter()
    view = MapView(shell)
    view.resize(900, 640)
    view.show()
    _wait(app, view.is_settled)
    taken = (time.perf_counter() - started) * 1_000
    if view.engine is None or view.failed_tiles:
        raise RuntimeError(f"the map did not come up: {view.message}")
    view.close()
    view.shut()
    view.deleteLater()
    _wait(app, shell.background.is_idle)
    _bury()
    return taken


def _open_empty(app: Any) -> float:
    """Milliseconds from making a bare page of the same engine until its first animation frame."""
    from PySide6.QtCore import QUrl
    from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile
    from PySide6.QtWebEngineWidgets import QWebEngineView

    started = time.perf_counter()
    view = QWebEngineView()
    profile = QWebEngineProfile()
    page = QWebEnginePage(profile, view)
    view.setPage(page)
    view.resize(900, 640)
    loaded: list[bool] = []
    drawn: list[Any] = []
    page.loadFinished.connect(loaded.append)
    page.setHtml(_EMPTY, QUrl("about:blank"))
    view.show()
    _wait(app, lambda: bool(loaded))
    page.runJavaScript("window.isDrawn = false; requestAnimationFrame(() => { window.isDrawn = true }); 0")

    def is_drawn() -> bool:
        page.runJavaScript("window.isDrawn", 0, drawn.append)
        return True in drawn

    _wait(app, is_drawn)
    taken = (time.perf_counter() - started) * 1_000
    view.close()
    view.setPage(None)  # type: ignore[arg-type]  # lets go of the page, which goes before its profile
    page.setParent(None)
    page.destroyed.connect(partial(_release, profile))
    page.deleteLater()
    view.deleteLater()
    _bury()
    return taken


def _release(profile: Any, *_destroyed: object) -> None:
    profile.deleteLater()


def page_figures(desk: Desk, rounds: int) -> list[Figure]:
    """The page's first sight against the empty one's; the very first of the process, which starts the engine, is told apart."""
    app = _application()
    from gridman.ui.background import Background
    from gridman.ui.shell import Shell
    from gridman.ui.theme import theme_of

    background = Background(desk)
    shell = Shell(desk, background, theme_of("light"))
    try:
        cold = _open_empty(app)
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            times[0].append(_open_map(app, shell))
            times[1].append(_open_empty(app))
    finally:
        background.close()
    ours, empty = (statistics.median(taken) for taken in times)
    return [
        Figure("map", "page, all in view drawn", ours, yardstick=("an empty page", empty)),
        Figure("map", "an empty page, the engine's start included", cold),
    ]


def measure(desk: Desk, is_small: bool = False) -> list[Figure]:
    """Tiles and page of a crowd's desk with incidents."""
    return tile_figures(desk) + page_figures(desk, 2 if is_small else 7)


def main(is_small: bool) -> list[Figure]:
    """Make the incidents and measure."""
    with tempfile.TemporaryDirectory(prefix="gridman-bench-") as folder:
        share = 100 if is_small else 1
        desk = make_crowd(Path(folder), max(100, PEOPLE // share), INCIDENTS // share)
        try:
            return measure(desk, is_small)
        finally:
            desk.close()


if __name__ == "__main__":
    print_figures(main(arguments("The live map with many incidents")))
