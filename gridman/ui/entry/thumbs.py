"""Photos of a record, small, from the thumbnails that travel with the rows; a click shows the whole picture."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPixmap
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from gridman.kernel.words import _
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
        data = self._shell.desk.blobs.get(attachment.sha256) if self._shell.desk.blobs is not None else None
        image = QImage.fromData(data) if data else QImage.fromData(attachment.thumbnail or b"")
        if not data:
            self._shell.say(
                _("The whole picture is not on this computer yet; it comes with the next synchronisation."),
                "information",
            )
        if not image.isNull():
            _Whole(image, self.window()).show()


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


class _Whole(QDialog):
    """One picture as large as the window allows; Esc closes it."""

    def __init__(self, image: QImage, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Photo"))
        room = parent.size() * 0.9
        picture = QLabel()
        picture.setAccessibleName(_("Photo"))
        fitted = image.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
        picture.setPixmap(QPixmap.fromImage(fitted if fitted.width() < image.width() else image))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(picture)
