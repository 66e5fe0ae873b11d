"""One command of the workflow, filled in where it stands: to whom, a note, a result, a rating; Ctrl+Enter does it."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidgetItem, QPlainTextEdit, QVBoxLayout, QWidget

from gridman.domain import codes
from gridman.domain.incident import Transition
from gridman.domain.search_words import readings_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.ui.cells import ShortList
from gridman.ui.entry.choices import Choice, KeyChoices
from gridman.ui.shell import Shell
from gridman.ui.widgets import Foot, button, label

__all__ = ["ActionPanel", "Order", "Target", "needs_nothing"]

_ROWS = 5


@dataclass(frozen=True)
class Order:
    """What `services.incidents.perform` needs besides the incident."""

    action: str
    target_id: int | None = None
    other_id: int | None = None
    case: str = ""
    note: str = ""
    result: str = ""
    is_solved: bool | None = None
    satisfaction: int | None = None


@dataclass(frozen=True)
class Target:
    """What a command may go to: an organisation, or another incident. `words`: how it is called in the list."""

    id: int
    words: str


class ActionPanel(QFrame):
    """`ordered` carries an Order; `left` says that nothing is to be done."""

    ordered = Signal(object)
    left = Signal()

    def __init__(self, shell: Shell, row: Transition, targets: Sequence[Target], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "notice")
        self._row = row
        self._targets = list(targets)
        self._shown: list[Target] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(12, 8, 12, 12)
        self._layout.setSpacing(6)
        self._layout.addWidget(label(_(row.label), "heading"))
        self._first: QWidget | None = None
        self._make_target()
        self._make_case()
        self._make_rating()
        self.note = self._text(_("Result: what was done") if "result" in row.needs else self._note_name())
        self._problem = label("", "problem", wraps=True)
        self._problem.setVisible(False)
        self._layout.addWidget(self._problem)
        self.do_it = button(_(row.label), "primary", clicked=self.order, tip="Ctrl+Enter")
        cancel = button(_("Cancel"), clicked=self.left.emit, tip="Esc")
        self._layout.addWidget(Foot(self.do_it, cancel, margins=(0, 0, 0, 0)))
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.order)
        leave = QShortcut(QKeySequence("Esc"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        leave.activated.connect(self.left)

    @property
    def action(self) -> str:
        """The command that is filled in."""
        return self._row.action

    def begin(self) -> None:
        """Put the keyboard where typing starts."""
        (self._first or self.note).setFocus()

    def _note_name(self) -> str:
        return _("Note *") if "note" in self._row.needs else _("Note (may stay empty)")

    def _make_target(self) -> None:
        is_other = "other" in self._row.needs
        self._search = QLineEdit()
        self._search.setAccessibleName(_("Into which incident") if is_other else _("To whom"))
        self._list = ShortList(_("Incidents") if is_other else _("Organisations"), _ROWS)
        if "target" not in self._row.needs and not is_other:
            self._search.setParent(self)
            self._list.setParent(self)
            self._search.hide()
            self._list.hide()
            return
        self._search.setPlaceholderText(_("Number or words") if is_other else _("Initials or name"))
        self._search.textEdited.connect(self._narrow)
        self._search.installEventFilter(self)
        self._list.setProperty("kind", "suggestions")
        self._list.itemClicked.connect(self._take_target)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._layout.addWidget(label(_("Into which incident *") if is_other else _("To whom *"), "caption"))
        self._layout.addWidget(self._search)
        self._layout.addWidget(self._list)
        self._first = self._search
        self._narrow("")

    def _narrow(self, text: str) -> None:
        wanted = text.strip().casefold()
        self._shown = [
            t for t in self._targets if not wanted or wanted in t.words.casefold() or wanted in _initials(t.words)
        ]
        self._list.clear()
        for target in self._shown:
            self._list.addItem(QListWidgetItem(target.words))
        if not self._shown:
            nothing = QListWidgetItem(_("Nothing in the list fits “{text}”").format(text=text))
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self._list.addItem(nothing)
        self._list.setCurrentRow(0 if self._shown else -1)

    def _take_target(self, *_said: object) -> None:
        """The field reads what was chosen, not what was typed to find it."""
        number = self._list.currentRow()
        if 0 <= number < len(self._shown):
            self._search.setText(self._shown[number].words)
            self._search.setCursorPosition(0)

    def _make_case(self) -> None:
        """The three reasons for which departments may be whistled up."""
        known = codes.table("whistle_case")
        self.case = KeyChoices(_("Reason"), [Choice(row.code, row.code, row.word) for row in known])
        if "case" not in self._row.needs:
            self.case.setParent(self)
            self.case.hide()
            return
        self._layout.addWidget(label(_("Reason *"), "caption"))
        self._layout.addWidget(self.case)

    def _make_rating(self) -> None:
        self.rating = KeyChoices(_("Rating"), [Choice(str(n), str(n), "★" * n) for n in range(1, 6)])
        self.solved = KeyChoices(
            _("Solved, says the resident"), [Choice("y", "1", _("yes")), Choice("n", "0", _("no"))]
        )
        for widget, name in ((self.rating, _("Rating *")), (self.solved, _("Solved, says the resident"))):
            if "rating" not in self._row.needs:
                widget.setParent(self)
                widget.hide()
                continue
            self._layout.addWidget(label(name, "caption"))
            self._layout.addWidget(widget)
            self._first = self._first or widget
        self.rating.finished.connect(self.solved.setFocus)
        self.case.finished.connect(self._go_to_note)

    def _go_to_note(self) -> None:
        self.note.setFocus()

    def _text(self, name: str) -> QPlainTextEdit:
        edit = QPlainTextEdit()
        edit.setAccessibleName(name)
        edit.setTabChangesFocus(True)
        edit.setFixedHeight(edit.fontMetrics().lineSpacing() * 3 + 16)
        self._layout.addWidget(label(name, "caption"))
        self._layout.addWidget(edit)
        return edit

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys choose among the organisations, Enter goes on to the note."""
        if watched is self._search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self._shown:
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                self._list.setCurrentRow((self._list.currentRow() + step) % len(self._shown))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
                self._take_target()
                (self.case if "case" in self._row.needs else self.note).setFocus()
                return True
        return super().eventFilter(watched, event)

    def order(self) -> None:
        """Give the command; what is missing is refused by the service and told here."""
        if not self.do_it.isEnabled():  # it is being carried out: a held key must not write the note twice
            return
        self.do_it.setEnabled(False)
        text = self.note.toPlainText().strip()
        number = self._list.currentRow()
        chosen = self._shown[number].id if 0 <= number < len(self._shown) else None
        self.ordered.emit(
            Order(
                action=self._row.action,
                target_id=chosen if "target" in self._row.needs else None,
                other_id=chosen if "other" in self._row.needs else None,
                case=self.case.code() or "",
                note="" if "result" in self._row.needs else text,
                result=text if "result" in self._row.needs else "",
                is_solved=None if not self.solved.code() else self.solved.code() == "1",
                satisfaction=int(self.rating.code()) if self.rating.code() else None,
            )
        )

    def refuse(self, refusal: Refusal) -> None:
        """Say why it cannot be done."""
        self.do_it.setEnabled(True)
        self._problem.setText(refusal.words())
        self._problem.setVisible(True)


def _initials(name: str) -> str:
    return "".join(readings[0][0] for readings in readings_of(name) if readings and readings[0])


def needs_nothing(row: Transition) -> bool:
    """Whether the command can be given at once: nothing to fill in, and nothing that cannot be taken back easily."""
    return not row.needs and row.action in _AT_ONCE


_AT_ONCE = frozenset({"accept", "sign", "resume", "urge", "mark_urgent", "grant_extension"})
