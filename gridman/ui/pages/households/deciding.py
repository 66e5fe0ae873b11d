"""Small panels over the record for acts that need a reason or a target: what will change, and that it can be undone."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidgetItem, QWidget

from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.ui.cells import ShortList
from gridman.ui.shell import Shell
from gridman.ui.widgets import button, column_of, label, row_of

__all__ = ["MovePanel", "ReasonPanel", "focus_soon"]

_MOST_ROWS = 4


class ReasonPanel(QFrame):
    """Asks why. `decided` brings the reason."""

    decided = Signal(str)
    left = Signal()

    def __init__(self, title: str, text: str, act: str) -> None:
        super().__init__()
        self.setProperty("kind", "notice")
        self.setProperty("tone", "attention")
        self.setAccessibleName(title)
        self._reason = QLineEdit()
        self._reason.setAccessibleName(_("Reason"))
        self._reason.setPlaceholderText(_("Reason, for example: demolished, entered twice"))
        self._reason.returnPressed.connect(self._decide)
        self._problem = label("", "problem", wraps=True)
        self._problem.hide()
        go = button(act, "danger", clicked=self._decide, tip=_("Enter"))
        stay = button(_("Cancel"), clicked=self._leave, tip="Esc")
        self.setLayout(
            column_of(
                label(title, "heading", wraps=True), label(text, wraps=True), self._reason, self._problem, row_of(None, stay, go),
                margins=(12, 8, 12, 12),
            )
        )  # fmt: skip
        QShortcut("Esc", self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut).activated.connect(self._leave)
        self.setFocusProxy(self._reason)

    def _decide(self) -> None:
        self.decided.emit(self._reason.text().strip())

    def _leave(self) -> None:
        self.left.emit()

    def take_refusal(self, refusal: Refusal) -> None:
        """Show why not."""
        self._problem.setText(refusal.words())
        self._problem.show()


class MovePanel(QFrame):
    """Asks where to. `decided` brings the household's id."""

    decided = Signal(object)
    left = Signal()

    def __init__(self, shell: Shell, title: str, here_id: int) -> None:
        super().__init__()
        self._shell, self._here = shell, here_id
        self._is_answered, self._enter_waits = False, False
        self.setProperty("kind", "notice")
        self.setAccessibleName(title)
        self._text = QLineEdit()
        self._text.setAccessibleName(_("Move to"))
        self._text.setPlaceholderText(_("Name, initials or address of the other household"))
        self._text.textEdited.connect(self._ask)
        self._text.returnPressed.connect(self._decide)
        self._list = ShortList(_("Households found"), _MOST_ROWS)
        self._list.setProperty("kind", "suggestions")
        self._list.hide()
        self._list.itemActivated.connect(self._decide)
        self._problem = label("", "problem", wraps=True)
        self._problem.hide()
        text = label(
            _("Visits stay with the household where they were made. The move can be undone."), "soft", wraps=True
        )
        go = button(_("Move"), "primary", clicked=self._decide)
        stay = button(_("Cancel"), clicked=self._leave)
        self.setLayout(
            column_of(
                label(title, "heading", wraps=True), text, self._text, self._list, self._problem, row_of(None, stay, go),
                margins=(12, 8, 12, 12),
            )
        )  # fmt: skip
        QShortcut("Esc", self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut).activated.connect(self._leave)
        self.setFocusProxy(self._text)

    def _ask(self, text: str) -> None:
        from gridman.services.search import search

        self._is_answered, self._enter_waits = False, False
        kinds = ("household", "person")
        self._shell.background.ask(search, text, kinds=kinds, limit=12, then=self._take, key="households")

    def _take(self, hits: Sequence[Any]) -> None:
        self._list.clear()
        seen = {self._here}
        for hit in hits:
            if hit.household_id and hit.household_id not in seen:
                seen.add(hit.household_id)
                item = QListWidgetItem(f"{hit.title} · {hit.detail}")
                item.setData(Qt.ItemDataRole.UserRole, hit.household_id)
                self._list.addItem(item)
        if self._list.count():
            self._list.setCurrentRow(0)
        else:
            nothing = QListWidgetItem(_("Nothing found on this computer for “{text}”.").format(text=self._text.text()))
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self._list.addItem(nothing)
        self._list.setVisible(bool(self._text.text().strip()))
        self._is_answered = True
        if self._enter_waits:
            self._enter_waits = False
            self._decide()

    def _decide(self, item: object = None) -> None:
        if not self._is_answered:  # what the list shows was found for less than was typed
            self._enter_waits = True
            return
        chosen = self._list.currentItem()
        if chosen is not None and chosen.data(Qt.ItemDataRole.UserRole) is not None:
            self.decided.emit(chosen.data(Qt.ItemDataRole.UserRole))

    def _leave(self) -> None:
        self.left.emit()

    def take_refusal(self, refusal: Refusal) -> None:
        """Show why not."""
        self._problem.setText(refusal.words())
        self._problem.show()


def focus_soon(panel: QWidget) -> None:
    """Give the keyboard to a panel that has just been shown."""
    panel.show()
    panel.setFocus(Qt.FocusReason.OtherFocusReason)
