"""A code is typed by code, pinyin initials or name; the list below narrows as one types, and leaving takes the likeliest."""

from typing import Any

from PySide6.QtCore import QEvent, QObject, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QCompleter, QLineEdit

from gridman.domain.codes import Code, CodeTable
from gridman.kernel.words import _
from gridman.ui.typed import matching_codes

__all__ = ["CodeBox"]


class CodeBox(QLineEdit):
    """A line that holds one code of a table. `code()` is None when empty; text that is in no list stays as typed, for the form to
    complain about.
    """

    code_changed = Signal()

    def __init__(self, table: CodeTable) -> None:
        super().__init__()
        self._table = table
        self._code: str | None = None
        self._matches: list[Code] = list(table)
        self._model = QStringListModel(self)
        self._completer = QCompleter(self._model, self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setMaxVisibleItems(10)
        self._completer.setWidget(self)
        self._popup().setProperty("kind", "suggestions")
        self._completer.activated.connect(self._chosen)
        self.setPlaceholderText(_("code, initials or name"))
        self.textEdited.connect(self._narrow)
        self.editingFinished.connect(self._settle)
        self.installEventFilter(self)

    def code(self) -> str | None:
        """The code chosen, the bare text when it is none of the table, None when empty."""
        return self._meant()

    def set_code(self, code: str | None) -> None:
        """Show this code."""
        self._code = code or None
        row = self._table.get(self._code)
        self.setText(_shown(row) if row is not None else (code or ""))
        self.setCursorPosition(0)

    def _narrow(self, text: str) -> None:
        self._matches = matching_codes(self._table, text)
        found = [_shown(row) for row in self._matches] or [_("Nothing in the list fits “{text}”").format(text=text)]
        self._model.setStringList(found)
        self._completer.complete()

    def _popup(self) -> QAbstractItemView:
        popup = self._completer.popup()
        assert popup is not None
        return popup

    def _offer_all(self) -> None:
        self._narrow("")

    def _chosen(self, shown: Any) -> None:
        row = next((row for row in self._matches if _shown(row) == shown), None)
        if row is not None:
            self._take(row.code)

    def _settle(self) -> None:
        if not self._popup().isVisible():
            self._take(self._meant())

    def _meant(self) -> str | None:
        text = self.text().strip()
        current = self._table.get(self._code)
        if not text or (current is not None and text == _shown(current)):
            return self._code if text else None
        code = self._table.read(text)
        if code is None:
            found = matching_codes(self._table, text)
            code = found[0].code if found else text
        return code

    def _take(self, code: str | None) -> None:
        is_new = code != self._code
        row = self._table.get(code)
        if is_new or (row is not None and self.text() != _shown(row)):
            self.set_code(code)
        if is_new:
            self.code_changed.emit()

    def _focus_moved(self, event: QFocusEvent) -> None:
        reason = Qt.FocusReason
        if event.gotFocus() and event.reason() in (
            reason.TabFocusReason,
            reason.BacktabFocusReason,
            reason.ShortcutFocusReason,
        ):
            QTimer.singleShot(0, self.selectAll)
        elif event.lostFocus() and event.reason() not in (reason.PopupFocusReason, reason.ActiveWindowFocusReason):
            self._popup().hide()
            self._settle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes the highlighted match, else the likeliest, and goes on (`returnPressed`): one press, list open or not."""
        is_open = self._popup().isVisible()
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or not is_open:
            super().keyPressEvent(event)
            return
        index = self._popup().currentIndex()
        self._popup().hide()
        if 0 <= index.row() < len(self._matches):
            self._take(self._matches[index.row()].code)
        super().keyPressEvent(event)
        event.accept()  # else the list below would take it once more

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress and not self.isReadOnly():
            QTimer.singleShot(0, self._offer_all)
        if isinstance(event, QFocusEvent):
            self._focus_moved(event)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Down:
            self._offer_all()
            return True
        return False


def _shown(row: Code) -> str:
    return f"{row.code} {row.word}"
