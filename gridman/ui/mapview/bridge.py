"""What the page and the program say to each other: JSON texts over a QWebChannel, ids as texts (they exceed JavaScript's numbers)."""

import json
from typing import Any

from PySide6.QtCore import QFile, QIODevice, QObject, Signal, Slot
from PySide6.QtWebEngineCore import QWebEngineScript

from gridman.kernel.log import get_log

__all__ = ["OBJECT_NAME", "Bridge", "channel_script"]

OBJECT_NAME = "gridmanBridge"
_log = get_log(__name__)


class Bridge(QObject):
    """The object the page knows as `window.gridmanBridge`. Its signals carry plain dicts; a text that is no JSON object is dropped."""

    was_picked = Signal(object)
    was_drawn = Signal(object)
    was_readied = Signal()

    @Slot(str)
    def picked(self, text: str) -> None:
        """The person clicked: `{"kind": "incident", "id": "123", "lng": .., "lat": ..}`; kind "ground" where nothing is."""
        self._pass_on(self.was_picked, text)

    @Slot(str)
    def drawn(self, text: str) -> None:
        """A boundary was drawn or changed: GeoJSON."""
        self._pass_on(self.was_drawn, text)

    @Slot()
    def ready(self) -> None:
        """The page stands and takes commands."""
        self.was_readied.emit()

    def _pass_on(self, signal: Any, text: str) -> None:
        said = read_message(text)
        if said is None:
            _log.warning("the map page sent something that is not a JSON object (%d characters)", len(text))
        else:
            signal.emit(_Said(said))


class _Said(dict[str, Any]):
    """A dict of its own class, so that Qt hands over the object instead of copying it into a QVariantMap."""


def read_message(text: str) -> dict[str, Any] | None:
    """The JSON object in `text`, or None."""
    try:
        said = json.loads(text)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def channel_script() -> QWebEngineScript:
    """Qt's own channel code, put into the page before any of the page's scripts."""
    file = QFile(":/qtwebchannel/qwebchannel.js")
    if not file.open(QIODevice.OpenModeFlag.ReadOnly):
        raise RuntimeError("Qt's qwebchannel.js is missing from this installation")
    source = bytes(file.readAll().data()).decode()
    file.close()
    script = QWebEngineScript()
    script.setName("qwebchannel")
    script.setSourceCode(source)
    script.setInjectionPoint(QWebEngineScript.InjectionPoint.DocumentCreation)
    script.setWorldId(QWebEngineScript.ScriptWorldId.MainWorld)
    return script
