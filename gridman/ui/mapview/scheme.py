"""The map's own address space, `gridman://app/...`: the page, the scripts and fonts that ship with it, and the tiles.

The scheme must be known to the web engine before the QApplication exists (`register_scheme`). Nothing is read from the
network and nothing below the three served folders can be reached by a crafted path.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject
from PySide6.QtWebEngineCore import QWebEngineUrlRequestJob, QWebEngineUrlScheme, QWebEngineUrlSchemeHandler
from shiboken6 import isValid

from gridman.kernel.log import get_log
from gridman.kernel.paths import resource

__all__ = [
    "FONT_URL",
    "PAGE_URL",
    "SCRIPT_URL",
    "TILE_URL",
    "LocalFiles",
    "TileAddress",
    "read_tile_address",
    "register_scheme",
]

SCHEME = b"gridman"
_HOST = "gridman://app"
PAGE_URL = f"{_HOST}/map"
SCRIPT_URL = f"{_HOST}/leaflet/vendor"
TILE_URL = f"{_HOST}/tile"
FONT_URL = f"{_HOST}/fonts"

_MEDIA = {
    ".js": b"text/javascript",
    ".css": b"text/css",
    ".html": b"text/html",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".json": b"application/json",
    ".ttf": b"font/ttf",
    ".woff2": b"font/woff2",
}
_MAX_ZOOM = 22
_log = get_log(__name__)


def register_scheme() -> None:
    """Make `gridman:` known to the web engine. Call before the QApplication is made; a second call does nothing.

    Chromium refuses to start its sandbox for root (servers, containers): for root alone the sandbox is left out.
    """
    if sys.platform == "linux" and hasattr(os, "geteuid") and os.geteuid() == 0:
        os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
    if QWebEngineUrlScheme.schemeByName(SCHEME).name() == SCHEME:
        return
    scheme = QWebEngineUrlScheme(SCHEME)
    scheme.setSyntax(QWebEngineUrlScheme.Syntax.Host)
    flag = QWebEngineUrlScheme.Flag
    scheme.setFlags(flag.SecureScheme | flag.CorsEnabled | flag.FetchApiAllowed)
    QWebEngineUrlScheme.registerScheme(scheme)


@dataclass(frozen=True)
class TileAddress:
    """Which tile of which layers the page asks for."""

    z: int
    x: int
    y: int
    layers: tuple[str, ...]


def read_tile_address(path: str, query: str) -> TileAddress | None:
    """`/tile/16/34567/23456` with `layers=base,grids`; None when it is no tile of this world."""
    parts = path.removeprefix("/tile/").split("/")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 9 for part in parts):
        return None
    z, x, y = (int(part) for part in parts)
    if z > _MAX_ZOOM or x >= 1 << z or y >= 1 << z:
        return None
    layers = parse_qs(query).get("layers", [""])[0]
    return TileAddress(z, x, y, tuple(layer for layer in layers.split(",") if layer))


TileAnswer = Callable[[bytes | None], None]
"""Called in the window's thread with the tile's JSON, or None when it could not be made."""


class LocalFiles(QWebEngineUrlSchemeHandler):
    """Answers the page's requests. `page` gives the HTML, `ask_tile` makes a tile elsewhere and calls back with its bytes."""

    def __init__(
        self,
        page: Callable[[], str],
        ask_tile: Callable[[TileAddress, TileAnswer], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_page = page
        self._ask_tile = ask_tile
        self._folders = {"leaflet": resource("leaflet").resolve(), "fonts": resource("fonts").resolve()}

    def requestStarted(self, job: QWebEngineUrlRequestJob) -> None:
        """Called by the web engine for each address of the scheme."""
        if job.requestMethod().toStdString() != "GET":
            job.fail(QWebEngineUrlRequestJob.Error.RequestDenied)
            return
        url = job.requestUrl()
        path = unquote(url.path())
        if path == "/map":
            _reply(job, b"text/html", self._make_page().encode())
        elif path.startswith("/tile/"):
            self._tile(job, read_tile_address(path, url.query()))
        else:
            self._file(job, path)

    def _tile(self, job: QWebEngineUrlRequestJob, address: TileAddress | None) -> None:
        if address is None:
            job.fail(QWebEngineUrlRequestJob.Error.UrlInvalid)
            return

        def answer(content: bytes | None) -> None:
            # The page may have panned on and dropped the request meanwhile.
            if not isValid(job):
                return
            if content is None:
                job.fail(QWebEngineUrlRequestJob.Error.RequestFailed)
            else:
                _reply(job, b"application/json", content)

        self._ask_tile(address, answer)

    def _file(self, job: QWebEngineUrlRequestJob, path: str) -> None:
        found = self.find_file(path)
        if found is None:
            _log.warning("the map asked for %s, which does not ship with the program", path)
            job.fail(QWebEngineUrlRequestJob.Error.UrlNotFound)
            return
        _reply(job, _MEDIA.get(found.suffix, b"application/octet-stream"), found.read_bytes())

    def find_file(self, path: str) -> Path | None:
        """The shipped file behind `/leaflet/...` or `/fonts/...`; None when there is none or it lies outside the folder."""
        room, _slash, rest = path.lstrip("/").partition("/")
        folder = self._folders.get(room)
        if folder is None or not rest or "\0" in rest:
            return None
        found = (folder / rest).resolve()
        return found if found.is_relative_to(folder) and found.is_file() else None


def _reply(job: QWebEngineUrlRequestJob, media: bytes, content: bytes) -> None:
    buffer = QBuffer(job)  # lives as long as the request
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    job.reply(QByteArray(media), buffer)
