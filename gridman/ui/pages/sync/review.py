"""The review of conflicts: both values side by side, who wrote them and when; one key keeps, one restores."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QSplitter, QVBoxLayout, QWidget

from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.services.conflicts import DEEDS, TITLES, ConflictLine, resolve, reveal_conflict
from gridman.ui.cells import WholeRow
from gridman.ui.shell import Shell
from gridman.ui.widgets import Card, EmptyState, Notice, button, clear, column_in, column_of, label, row_of

__all__ = ["Review"]

_KEEP, _RESTORE = "1", "2"


class _List(QListWidget):
    """A list that says which of the two keys was pressed."""

    decided = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text() in (_KEEP, _RESTORE):
            self.decided.emit("kept" if event.text() == _KEEP else "restored")
            return
        super().keyPressEvent(event)


class Review(QWidget):
    """The newest of what waits for a decision, at the left; the one looked at, at the right."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._lines: list[ConflictLine] = []
        self._is_deciding = False
        self.list = _List()
        self.list.setAccessibleName(_("To review"))
        WholeRow(self.list)
        self.list.currentRowChanged.connect(self._show_row)
        self.list.decided.connect(self.decide)
        self._empty = EmptyState(
            shell.theme, "git-merge", _("Nothing to review"),
            _("When two people change the same thing without knowing of each other, both values are kept and shown here."),
        )  # fmt: skip
        pane = QFrame()
        self._box = column_in(pane, _("Conflict"))
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.list)
        self._split.addWidget(pane)
        self._split.setSizes([420, 580])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._empty)
        outer.addWidget(self._split)

    def show_lines(self, lines: Sequence[ConflictLine]) -> None:
        """Show these conflicts, staying at the one that is looked at, else at the place in the list: a newer one that comes meanwhile must
        not get under the key that decides.
        """
        looked_at = self.current()
        row = max(0, self.list.currentRow())
        self._lines = list(lines)
        if looked_at is not None:
            here = (n for n, line in enumerate(self._lines) if line.conflict.id == looked_at.conflict.id)
            row = next(here, row)
        self.list.blockSignals(True)
        self.list.clear()
        for line in self._lines:
            about = line.field_label or line.reason_words
            item = QListWidgetItem(
                f"{line.record_words}\n{f'{about} · {line.place_words}' if line.place_words else about}"
            )
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{line.record_words}, {line.field_label}")
            self.list.addItem(item)
        self.list.blockSignals(False)
        self._empty.setVisible(not self._lines)
        self._split.setVisible(bool(self._lines))
        self.list.setCurrentRow(min(row, len(self._lines) - 1))
        self._show_row(self.list.currentRow())

    def current(self) -> ConflictLine | None:
        """The conflict shown."""
        row = self.list.currentRow()
        return self._lines[row] if 0 <= row < len(self._lines) else None

    def select(self, conflict_id: int) -> None:
        """Show this conflict."""
        for row, line in enumerate(self._lines):
            if line.conflict.id == conflict_id:
                self.list.setCurrentRow(row)

    def _show_row(self, _row: int) -> None:
        clear(self._box)
        line = self.current()
        if line is None:
            return
        conflict = line.conflict
        kept_title, lost_title = TITLES.get(line.deed, TITLES[""])
        self._box.addLayout(
            column_of(
                label(line.record_words, "title", wraps=True),
                label(" · ".join(part for part in (line.field_label, line.place_words) if part), "heading"),
                label(line.reason_words, "soft", wraps=True),
            )
        )
        if line.source_words:
            is_doubtful = conflict.reason == "lost_desk"
            self._box.addWidget(Notice(line.source_words, "danger" if is_doubtful else "attention"))
        self._box.addLayout(
            row_of(
                _value(_(kept_title), line.kept_words or _("(nothing)"), line.kept_by, conflict.kept_at),
                _value(_(lost_title), line.lost_words or _("(nothing)"), line.lost_by, conflict.lost_at),
                spacing=12,
            )
        )
        if line.is_covered and self._shell.may("reveal"):
            show = button(
                _("Show the numbers; this look is logged"),
                "link",
                theme=self._shell.theme,
                picture="eye",
                clicked=self._reveal,
            )
            self._box.addLayout(row_of(show, None))
        # To leave an entry out throws it away: that is never what is offered first.
        kind = "" if line.is_entry else "primary"
        keep = button(f"{_(line.stay)}  {_KEEP}", kind, clicked=self._keep, tip=_KEEP)
        restore = button(f"{_(DEEDS[line.deed or 'restore'])}  {_RESTORE}", clicked=self._restore, tip=_RESTORE)
        restore.setEnabled(line.is_restorable)
        may = self._shell.may("conflict.resolve")
        keep.setEnabled(may)
        restore.setEnabled(may and line.is_restorable)
        self._box.addLayout(row_of(keep, restore, None))
        if line.by_hand:
            self._box.addWidget(label(_(line.by_hand), "soft", wraps=True))
        if line.household_id is not None and self._shell.may("household.read"):
            self._box.addLayout(row_of(button(_("Open the record"), "link", clicked=self._open), None))
        self._box.addStretch(1)

    def _reveal(self) -> None:
        line = self.current()
        if line is not None:
            self._shell.background.do(reveal_conflict, line.conflict.id, then=self._uncover, refused=self._refused)

    def _uncover(self, line: ConflictLine) -> None:
        row = next((n for n, known in enumerate(self._lines) if known.conflict.id == line.conflict.id), None)
        if row is not None:
            self._lines[row] = line
            self._show_row(row)
            self.list.setFocus()

    def _keep(self) -> None:
        self.decide("kept")

    def _restore(self) -> None:
        self.decide("restored")

    def decide(self, choice: str) -> None:
        """Decide the conflict shown: "kept" or "restored"."""
        line = self.current()
        if line is None or self._is_deciding or (choice == "restored" and not line.is_restorable):
            return
        self._is_deciding = True
        self._shell.background.do(resolve, line.conflict.id, choice, then=self._decided, refused=self._refused)

    def _decided(self, conflict: object) -> None:
        self._is_deciding = False
        self._shell.say(_("Decided. It goes out with the next synchronisation."))

    def _refused(self, refusal: Refusal) -> None:
        self._is_deciding = False
        self._shell.refuse(refusal)

    def _open(self) -> None:
        line = self.current()
        if line is not None and line.household_id is not None:
            self._shell.go("households", "household", line.household_id)


def _value(title: str, words: str, who: str, at: int | None) -> Card:
    card = Card(title)
    card.add(label(words, "figure", wraps=True, selectable=True))
    card.add(label(" · ".join(part for part in (who, show_instant(at) if at else "") if part), "caption", wraps=True))
    return card
