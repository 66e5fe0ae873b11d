"""Garbage is collected in the GUI thread only.

Python's collector runs in whatever thread happens to allocate. When that is a reader thread, and a closed window is among the garbage,
Qt objects are destroyed outside the GUI thread and the process breaks (seen: a segmentation fault in one of three runs of the window's
tests). So the automatic collector is switched off and a timer of the GUI thread does its work, by the same thresholds.
"""

import gc

from PySide6.QtCore import QObject, QTimer

__all__ = ["Collector"]

_EVERY_MS = 1_000


class Collector(QObject):
    """Made once per process, with the application."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.collect)
        self._timer.start(_EVERY_MS)

    @classmethod
    def install(cls, app: QObject) -> None:
        """Make the application's collector, unless it has one."""
        if app.findChild(cls) is None:
            cls(app)

    def collect(self) -> None:
        """Collect the oldest generation whose threshold is passed (that takes the younger ones along)."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return
