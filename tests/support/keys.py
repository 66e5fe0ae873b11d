"""A keyboard for journeys: every press goes where the focus is, and is counted; text that a person would write anyway is not."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

__all__ = ["Keys"]

_NAMED = {
    "Enter": Qt.Key.Key_Return, "Tab": Qt.Key.Key_Tab, "Esc": Qt.Key.Key_Escape, "Down": Qt.Key.Key_Down, "Up": Qt.Key.Key_Up,
}  # fmt: skip
_HELD = {
    "Ctrl": Qt.KeyboardModifier.ControlModifier,
    "Alt": Qt.KeyboardModifier.AltModifier,
    "Shift": Qt.KeyboardModifier.ShiftModifier,
}


class Keys:
    """`count`: presses so far; a chord like "Ctrl+Enter" is one."""

    def __init__(self, qtbot: QtBot, session: Any) -> None:
        self._qtbot, self._session = qtbot, session
        self.count = 0

    def press(self, *chords: str) -> None:
        """Press these one after the other, waiting after each until the window is at rest."""
        for chord in chords:
            self.count += 1
            self._click(chord)
            self.rest()

    def write(self, text: str) -> None:
        """Text of its own: not counted. Chinese arrives as from an input method."""
        if text.isascii():
            QTest.keyClicks(self._focus(), text)
        else:
            event = QInputMethodEvent()
            event.setCommitString(text)
            QApplication.sendEvent(self._focus(), event)
        self.rest()

    def rest(self) -> None:
        """Until nothing is asked or written any more."""
        self._qtbot.wait(140)  # longer than the pause after typing, and than a button pressed by its key stays down
        self._qtbot.waitUntil(self._session.background.is_idle, timeout=10_000)
        QApplication.processEvents()

    def _click(self, chord: str) -> None:
        *held, key = chord.split("+") if chord != "+" else ["+"]
        modifiers = Qt.KeyboardModifier.NoModifier
        for name in held:
            modifiers |= _HELD[name]
        if key in _NAMED:
            QTest.keyClick(self._focus(), _NAMED[key], modifiers)
        elif held:
            QTest.keyClick(self._focus(), getattr(Qt.Key, f"Key_{key.upper()}"), modifiers)
        else:
            QTest.keyClicks(self._focus(), key)

    def _focus(self) -> QWidget:
        return QApplication.activePopupWidget() or QApplication.focusWidget() or self._session.window
