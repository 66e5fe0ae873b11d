"""One photo, whole: from this computer, or fetched from the street while the small one is shown. Esc stops and closes."""

from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QDialog, QLabel, QProgressBar, QWidget

from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.ui.jobs import Job
from gridman.ui.shell import Shell
from gridman.ui.widgets import button, column_of, label, row_of

__all__ = ["WholePhoto"]

_AWAY = ("sync.unreachable", "sync.cut_off")
_SMALLEST = QSize(420, 300)
_ROOM = 0.86
_PER_CENT = 100


class WholePhoto(QDialog):
    """`state`: "fetching", "whole", "stopped", "offline" or "refused"; the picture is the small one until it is "whole"."""

    def __init__(self, shell: Shell, attachment: Any, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(attachment.caption or _("Photo"))
        self.setModal(True)
        self._shell, self._attachment = shell, attachment
        self._job: Job | None = None
        self.state = ""
        self.picture = QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setAccessibleName(attachment.caption or _("Photo"))
        self.words = label("", "soft", wraps=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Fetching the photo"))
        self.stop_button = button(_("Stop"), clicked=self.stop)
        self.again_button = button(_("Try again"), "primary", clicked=self.begin)
        self.close_button = button(_("Close"), clicked=self.reject, tip="Esc")
        self.setLayout(
            column_of(
                self.picture, self.words, self._bar, row_of(None, self.stop_button, self.again_button, self.close_button),
                margins=(12, 12, 12, 12),
            )
        )  # fmt: skip
        small = QImage.fromData(attachment.thumbnail or b"")
        if not small.isNull():
            self._draw(small, at_least=_SMALLEST)

    def begin(self) -> None:
        """Show it, and bring the whole picture."""
        self._bar.setRange(0, 0)
        self.show()
        self._enter("fetching", _("The small picture is shown while the whole one comes."))
        self._job = self._shell.background.fetch(
            self._shell.desk.fetch_photo, self._attachment.sha256, told=self._told, then=self._arrived, refused=self._refused
        )  # fmt: skip

    def stop(self) -> None:
        """What came so far is kept; the next time it goes on from there."""
        if self._job is not None and self.state == "fetching":
            self._job.cancel()
            self._enter("stopped", _("Stopped. What came so far is kept, and it goes on from there."))

    def _told(self, done: int, total: int) -> None:
        if self.state == "fetching":
            self._bar.setRange(0, _PER_CENT)
            self._bar.setValue(done * _PER_CENT // max(1, total))
            self.words.setText(_("{done} of {total} kB").format(done=done // 1024, total=total // 1024))

    def _arrived(self, data: bytes) -> None:
        if self.state != "fetching":
            return
        image = QImage.fromData(data)
        if image.isNull():
            self._enter("refused", _("This computer cannot show the picture."))
            return
        self._draw(image)
        taken = self._attachment.taken_at
        self._enter("whole", _("Taken at {when}").format(when=show_instant(taken)) if taken else "")

    def _refused(self, refusal: Refusal) -> None:
        if self.state != "fetching":
            return
        if refusal.code in _AWAY:
            self._enter(
                "offline",
                _("The street cannot be reached now, so the small picture is shown. The whole one comes when you are connected."),
            )  # fmt: skip
        else:
            self._enter("refused", refusal.words())

    def _enter(self, state: str, words: str) -> None:
        self.state = state
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self._bar.setVisible(state == "fetching")
        self.stop_button.setVisible(state == "fetching")
        self.again_button.setVisible(state in ("stopped", "offline", "refused"))
        (self.again_button if self.again_button.isVisible() else self.close_button).setFocus()
        self.adjustSize()

    def _draw(self, image: QImage, at_least: QSize | None = None) -> None:
        """As large as the window allows, never larger than it is, but for the small one."""
        parent = self.parentWidget()
        room = parent.size() * _ROOM - QSize(24, 120) if parent is not None else _SMALLEST
        is_fitting = at_least is None and image.width() <= room.width() and image.height() <= room.height()
        smooth = Qt.TransformationMode.SmoothTransformation
        fitted = image if is_fitting else image.scaled(at_least or room, Qt.AspectRatioMode.KeepAspectRatio, smooth)
        self.picture.setPixmap(QPixmap.fromImage(fitted))
        self.picture.setMinimumSize(fitted.size())
        self.adjustSize()

    def done(self, result: int) -> None:
        """However it is closed, what is under way stops."""
        if self._job is not None:
            self._job.cancel()
        super().done(result)
