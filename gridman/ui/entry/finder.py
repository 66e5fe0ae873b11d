"""Find a household, person, incident or building by typed initials, and take it with Enter."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidgetItem, QVBoxLayout, QWidget

from gridman.kernel.words import _
from gridman.services.search import search
from gridman.ui.cells import ShortList
from gridman.ui.shell import Shell

__all__ = ["RecordFinder"]

_SHOWN = 8
_PAUSE_MS = 60


class RecordFinder(QWidget):
    """A line to type into and, below it, what was found. `chosen` carries the Hit; `cleared` says that the choice was undone."""

    chosen = Signal(object)
    cleared = Signal()

    def __init__(self, shell: Shell, name: str, kinds: Sequence[str], hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._kinds = tuple(kinds)
        self._hits: list[Any] = []
        self._taken: Any = None
        self._enter_waits = False
        self.line = QLineEdit()
        self.line.setPlaceholderText(hint)
        self.line.setAccessibleName(name)
        self.line.setClearButtonEnabled(True)
        self.line.textEdited.connect(self._take_typing)
        self.line.installEventFilter(self)
        self.found = ShortList(_("Found: {what}").format(what=name), _SHOWN)
        self.found.setProperty("kind", "suggestions")
        self.found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.found.setVisible(False)
        self.found.itemClicked.connect(self._take_item)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self.setFocusProxy(self.line)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(self.found)

    @property
    def hit(self) -> Any:
        """The record taken, or None."""
        return self._taken

    def show_taken(self, words: str, hit: Any) -> None:
        """Put a record in without typing (from a list, from "next")."""
        self._taken = hit
        self._hits = []
        self.line.setText(words)
        self.line.setCursorPosition(0)
        self._hide()

    def clear(self) -> None:
        """Start anew."""
        self._taken = None
        self.line.clear()
        self._hide()

    def _take_typing(self, text: str) -> None:
        if self._taken is not None:
            self._taken = None
            self.cleared.emit()
        self._enter_waits = False
        if text.strip():
            self._pause.start()
        else:
            self._hide()

    def _ask(self) -> None:
        text = self.line.text().strip()
        if text:
            self._shell.background.ask(search, text, kinds=self._kinds, limit=_SHOWN, then=self._show, key="find")

    def _show(self, hits: list[Any]) -> None:
        if self._taken is not None:
            return
        self._hits = list(hits)
        self.found.clear()
        for hit in self._hits:
            item = QListWidgetItem(f"{hit.title}    {hit.detail}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{hit.title}, {hit.detail}")
            self.found.addItem(item)
        if not self._hits:
            item = QListWidgetItem(_("Nothing found on this computer for “{text}”.").format(text=self.line.text()))
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.found.addItem(item)
        self.found.setCurrentRow(0 if self._hits else -1)
        self.found.setVisible(True)
        if self._enter_waits and self._hits:
            self._take_row(0)

    def _hide(self) -> None:
        self._pause.stop()
        self._enter_waits = False
        self.found.setVisible(False)

    def _take_item(self, item: QListWidgetItem) -> None:
        self._take_row(self.found.row(item))

    def _take_row(self, row: int) -> None:
        if not 0 <= row < len(self._hits):
            return
        hit = self._hits[row]
        self.show_taken(f"{hit.title} · {hit.detail}" if hit.detail else hit.title, hit)
        self.chosen.emit(hit)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys move in the list, Enter takes; a person who types Enter before the answer came gets the first one."""
        if watched is self.line and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                return False
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self.found.isVisible():
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                self.found.setCurrentRow((self.found.currentRow() + step) % max(1, len(self._hits)))
                return True
            if (
                event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
                and self._taken is None
                and self.line.text().strip()
            ):
                self._enter()
                return True
            if event.key() == Qt.Key.Key_Escape and self.found.isVisible():
                self._hide()
                return True
        return super().eventFilter(watched, event)

    def _enter(self) -> None:
        if self._pause.isActive() or not self.found.isVisible():
            self._pause.stop()
            self._enter_waits = True
            self._ask()
        else:
            self._take_row(self.found.currentRow())
