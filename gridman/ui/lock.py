"""The lock over the window after a time without keys or mouse: back to the passphrase, with everything open behind it."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QWidget

from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.ui.shell import Shell
from gridman.ui.widgets import Card, button, column_of, label, row_of

__all__ = ["IDLE_MS", "IdleWatch", "LockScreen"]

IDLE_MS = 15 * 60_000
_ACTS = {
    QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.Wheel, QEvent.Type.TouchBegin,
}  # fmt: skip


class IdleWatch(QObject):
    """Watches a window for keys and mouse; `idle` after `IDLE_MS` without. It listens at the window's native handle, where only input
    passes: a filter on the whole application would see every event of every widget.
    """

    idle = Signal()

    def __init__(self, parent: QObject, idle_ms: int = IDLE_MS) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(idle_ms)
        self._timer.timeout.connect(self.idle)
        self._timer.start()

    def watch(self, window: QWidget) -> None:
        """Listen to this window too; it must have been shown, for it has no native handle before."""
        handle = window.windowHandle()
        if handle is not None:
            handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _ACTS:
            self._timer.start()
        return False


class LockScreen(QFrame):
    """Covers the window. `unlock(passphrase)` raises a Refusal when it is the wrong one; it takes half a second on purpose."""

    opened = Signal()
    left = Signal()  # somebody else wants to sign in

    def __init__(self, shell: Shell, unlock: Callable[[str], Any], window: QWidget) -> None:
        super().__init__(window)
        self._shell, self._unlock = shell, unlock
        self.setProperty("kind", "canvas")
        self.setAutoFillBackground(True)
        self.setAccessibleName(_("Locked"))
        self._line = QLineEdit()
        self._line.setEchoMode(QLineEdit.EchoMode.Password)
        self._line.setAccessibleName(_("Passphrase of this computer"))
        self._line.returnPressed.connect(self._try)
        self._problem = label("", "problem", wraps=True)
        self._button = button(_("Unlock"), "primary", clicked=self._try)
        card = Card(_("This desk is locked"))
        card.setFixedWidth(400)
        card.add(
            label(_("{name} is signed in. What is open stays open.").format(name=shell.actor.name), "soft", wraps=True)
        )
        card.add(label(_("Passphrase of this computer"), "caption"))
        card.add(self._line)
        card.add(self._problem)
        other = button(_("Sign in as another user"), "link", clicked=self.left.emit)
        card.add(row_of(other, None, self._button))
        QWidget.setTabOrder(self._line, self._button)
        QWidget.setTabOrder(self._button, other)
        self.setLayout(column_of(None, row_of(None, card, None), None))
        self.setFocusProxy(self._line)
        self.setGeometry(window.rect())
        window.installEventFilter(self)
        self.show()
        self.raise_()
        self._line.setFocus(Qt.FocusReason.OtherFocusReason)

    def _try(self) -> None:
        self._button.setEnabled(False)
        self._line.setReadOnly(True)
        self._shell.background.run(_unlocking, self._unlock, self._line.text(), then=self._done, refused=self._refused)

    def _done(self, result: object) -> None:
        self.opened.emit()

    def _refused(self, refusal: Refusal) -> None:
        self._button.setEnabled(True)
        self._line.setReadOnly(False)
        self._line.clear()
        self._line.setFocus()
        self._problem.setText(refusal.words())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QResizeEvent) and watched is self.parentWidget():
            self.setGeometry(0, 0, event.size().width(), event.size().height())
        return False


def _unlocking(unlock: Callable[[str], Any], passphrase: str, progress: Any, ticket: Any) -> None:
    unlock(passphrase)
