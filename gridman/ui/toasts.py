"""Results told in passing, at the bottom of the window over the lists, where no form has its buttons, with Undo where there is one.
They never take the keyboard, and go after a while or with the page.
"""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from gridman.kernel.words import _
from gridman.ui.shell import Toast
from gridman.ui.theme import Theme
from gridman.ui.widgets import MARKS, button, icon_button, label, row_of

__all__ = ["ToastArea"]

_SHORT_MS, _LONG_MS, _PROBLEM_MS = 5_000, 12_000, 20_000
_MOST = 3
_WIDE_PX, _NARROW_PX, _ROOMY_PX = 440, 340, 1200
"""How wide messages are at a text of 14 px, and the least width of the page at which they are wide: beside them stand the buttons below a list."""


class _Slip(QFrame):
    """One message."""

    gone = Signal(object)

    def __init__(self, theme: Theme, toast: Toast, parent: QWidget) -> None:
        super().__init__(parent)
        self.toast = toast
        self.setProperty("kind", "toast")
        self.setProperty("tone", toast.tone)
        self.setAccessibleName(toast.text)
        self.text = label(MARKS.get(toast.tone, "") + toast.text, wraps=True)
        parts: list[QWidget] = [self.text]
        self.undo: QPushButton | None = None
        if toast.undo is not None:
            self.undo = button(toast.undo_label or _("Undo"), "link", clicked=self._undo, keys="Ctrl+Alt+Z")
            parts.append(self.undo)
        parts.append(icon_button(theme, "x", _("Close this message"), self.close_slip))
        for part in parts[1:]:
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row = row_of(*parts, margins=(12, 4, 4, 4))
        row.setStretch(0, 1)
        self.setLayout(row)
        lasts = _PROBLEM_MS if toast.tone == "danger" else _LONG_MS if toast.undo is not None else _SHORT_MS
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(self.close_slip)
        timer.start(lasts)

    def _undo(self) -> None:
        act = self.toast.undo
        self.close_slip()
        if act is not None:
            act()

    def close_slip(self) -> None:
        """Take the message away."""
        self.gone.emit(self)


class ToastArea(QWidget):
    """Lies over the bottom of its parent; as high as its messages."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._slips: list[_Slip] = []
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(8)
        self.setAccessibleName(_("Messages"))
        parent.installEventFilter(self)
        self.hide()

    def tell(self, toast: Toast) -> None:
        """Show a message; the oldest goes when there are too many."""
        same = next((s for s in self._slips if s.toast.text == toast.text), None)
        if same is not None:
            self._drop(same)
        while len(self._slips) >= _MOST:
            self._drop(self._slips[0])
        slip = _Slip(self._theme, toast, self)
        slip.gone.connect(self._drop)
        self._slips.append(slip)
        self._box.addWidget(slip)
        self._place()

    def texts(self) -> list[str]:
        """What is shown now."""
        return [slip.toast.text for slip in self._slips]

    def turn_page(self) -> None:
        """Another page is shown: what was told about the one before goes; what can be undone may stay."""
        for slip in list(self._slips):
            if slip.undo is None and slip.toast.tone != "good":
                self._drop(slip)

    def undo(self) -> None:
        """Undo what the newest message offers to undo."""
        for slip in reversed(self._slips):
            if slip.undo is not None:
                slip.undo.click()
                return

    def _drop(self, slip: _Slip) -> None:
        if slip in self._slips:
            self._slips.remove(slip)
            slip.hide()
            self._box.removeWidget(slip)
            slip.deleteLater()
            self._place()

    def _place(self) -> None:
        parent = self.parentWidget()
        self.setVisible(bool(self._slips))
        if parent is None or not self._slips:
            return
        self._box.activate()
        grown = self._theme.sizes["base"] / 14
        width = round((_WIDE_PX if parent.width() >= _ROOMY_PX else _NARROW_PX) * grown)
        height = sum(max(s.heightForWidth(width), s.minimumSizeHint().height()) for s in self._slips) + 8 * len(
            self._slips
        )
        self.setGeometry(16, parent.height() - height - 16, width, height)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False
