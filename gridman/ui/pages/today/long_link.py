"""A link whose words end in dots where there is no room for all of them."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy

__all__ = ["LongLink"]

_ROOM_PX = 20
_LEAST_PX = 40


class LongLink(QPushButton):
    """See the module; the tip and the accessible name are the whole text. Takes the width that its row leaves."""

    def __init__(self, text: str, clicked: Callable[[], object]) -> None:
        super().__init__()
        self._whole = text
        self.setProperty("kind", "link")
        self.setAutoDefault(False)
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.setMinimumWidth(_LEAST_PX)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.clicked.connect(clicked)
        self._cut()

    def _cut(self) -> None:
        room = max(self.width() - _ROOM_PX, 0)
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room)
        self.setText(shown.replace("&", "&&"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._cut()
