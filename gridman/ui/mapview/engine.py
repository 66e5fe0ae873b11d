"""One web view with its own profile: no disk cache, no cookies, no way out, and a page that speaks to the bridge."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication, QObject, Qt, QUrl
from PySide6.QtGui import QColor
from PySide6.QtWebChannel import QWebChannel
from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile, QWebEngineSettings
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from gridman.kernel.log import get_log
from gridman.ui.mapview.bridge import OBJECT_NAME, Bridge, channel_script
from gridman.ui.mapview.interceptor import Gate
from gridman.ui.mapview.scheme import PAGE_URL, SCHEME, LocalFiles, TileAddress, TileAnswer

__all__ = ["MapEngine"]

_log = get_log(__name__)
_QUIET = ("willReadFrequently",)


class MapPage(QWebEnginePage):
    """The map's page: stays on its address, opens no window, and writes its complaints into the program's log."""

    def __init__(self, profile: QWebEngineProfile, parent: QObject) -> None:
        super().__init__(profile, parent)
        self.complaints: list[str] = []

    def acceptNavigationRequest(self, url: QUrl | str, type: QWebEnginePage.NavigationType, isMainFrame: bool) -> bool:
        """The page never leaves the map; a link inside (an attribution) leads nowhere."""
        return QUrl(url).scheme().encode() == SCHEME

    def javaScriptConsoleMessage(
        self, level: QWebEnginePage.JavaScriptConsoleMessageLevel, message: str, lineNumber: int, sourceID: str
    ) -> None:
        """Called by the web engine for each console line."""
        if level == QWebEnginePage.JavaScriptConsoleMessageLevel.InfoMessageLevel or any(q in message for q in _QUIET):
            return
        self.complaints.append(f"{sourceID.rpartition('/')[2]}:{lineNumber}: {message}"[:500])
        _log.warning("map page: %s", self.complaints[-1])


class MapEngine(QObject):
    """Everything of the web engine that one map needs. `view` is the widget to place; `shut` takes it down in the order that
    the engine wants: page before profile.
    """

    def __init__(
        self,
        make_page: Callable[[], str],
        ask_tile: Callable[[TileAddress, TileAnswer], None],
        host: QWidget,
    ) -> None:
        super().__init__(host)
        self.gate = Gate(self)
        self.bridge = Bridge(self)
        self.view = QWebEngineView(host)
        # Off the record, and held by the application: the page must go first, however the view ends, or Chromium breaks the process.
        self._profile: QWebEngineProfile | None = QWebEngineProfile(QCoreApplication.instance())
        self._profile.setUrlRequestInterceptor(self.gate)
        self._files = LocalFiles(make_page, ask_tile, self)
        self._profile.installUrlSchemeHandler(SCHEME, self._files)
        self.page = MapPage(self._profile, self.view)
        self.page.destroyed.connect(partial(_release, self._profile))
        self.page.scripts().insert(channel_script())
        self._channel = QWebChannel(self)
        self._channel.registerObject(OBJECT_NAME, self.bridge)
        self.page.setWebChannel(self._channel)
        _restrict(self.page.settings())
        self.view.setPage(self.page)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def load(self, background: QColor) -> None:
        """Load the page; `background` is what shows until it stands."""
        self.page.setBackgroundColor(background)
        self.page.load(QUrl(PAGE_URL))

    def shut(self) -> None:
        """Take the page down; its profile goes after it. May be called from within one of the page's own signals."""
        page, profile = self.page, self._profile
        if profile is None or not isValid(page):
            return
        self.view.setPage(None)  # type: ignore[arg-type]  # None is how Qt lets go of a page
        page.setParent(None)
        page.deleteLater()
        self._profile = None


def _release(profile: QWebEngineProfile, *_destroyed: object) -> None:
    if isValid(profile):
        profile.deleteLater()


def _restrict(settings: QWebEngineSettings) -> None:
    attribute = QWebEngineSettings.WebAttribute
    for name in (
        attribute.LocalContentCanAccessRemoteUrls,
        attribute.LocalContentCanAccessFileUrls,
        attribute.JavascriptCanOpenWindows,
        attribute.JavascriptCanAccessClipboard,
        attribute.PluginsEnabled,
        attribute.PdfViewerEnabled,
        attribute.ErrorPageEnabled,
        attribute.HyperlinkAuditingEnabled,
        attribute.DnsPrefetchEnabled,
        attribute.WebGLEnabled,
        attribute.FocusOnNavigationEnabled,  # a map that has loaded must not take the keyboard away
    ):
        settings.setAttribute(name, False)
