"""Photos of a record, small, from the thumbnails that travel with the rows; a click shows the whole picture."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPixmap
from PySide6.QtWidgets import QLabel, QWidget

from gridman.kernel.words import _
from gridman.ui.entry.whole_photo import WholePhoto
from gridman.ui.flow import FlowLayout
from gridman.ui.shell import Shell

__all__ = ["PhotoStrip"]

_THUMB_PX = 96


class PhotoStrip(QWidget):
    """Thumbnails of attachments side by side."""

    def __init__(self, shell: Shell, attachments: Sequence[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self.setAccessibleName(_("Photos"))
        flow = FlowLayout(self, 8)
        for number, attachment in enumerate(attachments, start=1):
            thumb = _Thumb(attachment, number)
            thumb.pressed.connect(self._show)
            flow.addWidget(thumb)

    def _show(self, attachment: Any) -> None:
        WholePhoto(self._shell, attachment, self.window()).begin()


class _Thumb(QLabel):
    pressed = Signal(object)

    def __init__(self, attachment: Any, number: int) -> None:
        super().__init__()
        self._attachment = attachment
        side = round(_THUMB_PX * self.devicePixelRatioF())
        image = QImage.fromData(attachment.thumbnail or b"")
        if image.isNull():
            self.setText(_("Photo"))
        else:
            small = image.scaled(
                side, side, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
            ).copy(0, 0, side, side)
            small.setDevicePixelRatio(self.devicePixelRatioF())
            self.setPixmap(QPixmap.fromImage(small))
        self.setFixedSize(_THUMB_PX, _THUMB_PX)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(attachment.caption or _("Photo {n}").format(n=number))
        self.setToolTip(self.accessibleName())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit(self._attachment)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit(self._attachment)
        else:
            super().keyPressEvent(event)
