"""The map's gate: everything the page asks for is counted, and what is not of this computer is stopped and logged."""

from collections import Counter

from PySide6.QtCore import QObject
from PySide6.QtWebEngineCore import QWebEngineUrlRequestInfo, QWebEngineUrlRequestInterceptor

from gridman.kernel.log import get_log

__all__ = ["LOCAL_SCHEMES", "Gate"]

LOCAL_SCHEMES = frozenset({"gridman", "qrc", "data", "blob"})
_log = get_log(__name__)
_KEPT = 200


class Gate(QWebEngineUrlRequestInterceptor):
    """Stays on in production. `requests`: how many were made; `by_scheme`: of which kind; `blocked`: the refused addresses."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.requests = 0
        self.by_scheme: Counter[str] = Counter()
        self.blocked: list[str] = []

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        """Called by the web engine before each request, whatever started it."""
        url = info.requestUrl()
        self.requests += 1
        self.by_scheme[url.scheme()] += 1
        if url.scheme() in LOCAL_SCHEMES:
            return
        info.block(True)
        if len(self.blocked) < _KEPT:
            self.blocked.append(url.toString())
        # Without the query: it could carry a person's data.
        _log.warning("the map was kept from asking %s://%s", url.scheme(), url.host())
