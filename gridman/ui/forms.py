"""Forms derived from the fields' declarations. Enter goes on, Ctrl+Enter saves, Esc asks before anything is lost, and what is typed is
kept every few seconds so that a crash loses nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShortcut
from PySide6.QtWidgets import QGridLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from gridman.domain.fields import Synced, fields_of, kind_of
from gridman.domain.rules import Invalid, check, tidy
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.ui.code_box import CodeBox
from gridman.ui.draft_keeper import DraftKeeper
from gridman.ui.form_rows import FieldRow
from gridman.ui.shell import Shell
from gridman.ui.unsaved import Unsaved
from gridman.ui.widgets import Card, Foot, Notice, button, column_of, label, scrolled

__all__ = ["Form", "Group"]


@dataclass(frozen=True)
class Group:
    """Fields that belong together, shown as a card. `title`: message id; `names`: of the class's declared fields."""

    title: str
    names: tuple[str, ...]


class Form(QWidget):
    """A form over one class. `begin` opens it on a record or on nothing; `submitted` brings the changed values (all filled ones when
    the record is new). The page saves them and calls `finish`, or hands the refusal to `take_refusal`.
    """

    submitted = Signal(object)  # dict: field name -> value
    cancelled = Signal()
    stayed = Signal()  # asked whether to leave, the person goes on typing

    def __init__(self, shell: Shell, cls: type[Synced], groups: Sequence[Group], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shell, self._cls = shell, cls
        self._record: Synced | None = None
        self._extra_changed = False
        self._fields = fields_of(cls)
        self.rows: dict[str, FieldRow] = {}
        self._title = label("", "heading")
        self._top = QVBoxLayout()
        self._top.setContentsMargins(0, 0, 0, 0)
        self._notice = Notice("", "attention")
        self._notice.hide()
        self._restored = Notice(
            _("This was typed before and not saved."),
            "information",
            button(_("Discard it"), clicked=self._drop_restored),
        )
        self._restored.hide()
        self.unsaved = Unsaved()
        self.unsaved.kept.connect(self._keep_editing)
        self.unsaved.thrown.connect(self._discard)
        self._body = QVBoxLayout()
        self._body.setSpacing(12)
        self._body.setContentsMargins(0, 0, 4, 0)
        for group in groups:
            self._body.addWidget(self._make_group(group))
        self._body.addStretch(1)
        inside = QWidget()
        inside.setLayout(self._body)
        self._area: QScrollArea = scrolled(inside, _("Form"))
        self.save = button(_("Save"), "primary", clicked=self.submit, tip="Ctrl+Enter")
        self.cancel = button(_("Cancel"), clicked=self.leave, tip="Esc")
        box = column_of(
            self._title,
            self._restored,
            self.unsaved,
            self._notice,
            self._area,
            Foot(self.save, self.cancel, margins=(0, 0, 0, 0)),
            spacing=8,
        )
        box.setStretch(4, 1)
        self.setLayout(box)
        self.drafts = DraftKeeper(shell, self)
        self.drafts.found.connect(self._take_draft)
        for keys, slot in (("Ctrl+Return", self.submit), ("Ctrl+Enter", self.submit), ("Esc", self.leave)):
            shortcut = QShortcut(keys, self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    def _make_group(self, group: Group) -> Card:
        card = Card(_(group.title))
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        line, side = 0, 0
        for name in group.names:
            row = FieldRow(self._fields[name], self.shell.theme, self._today)
            row.edited.connect(self._edited)
            row.left.connect(self._left)
            row.reveal_asked.connect(self._reveal)
            if isinstance(row.control.entry, CodeBox):  # its open list takes the keys before a filter sees them
                row.control.entry.returnPressed.connect(self._go_on)
            else:
                row.control.entry.installEventFilter(self)
            self.rows[name] = row
            if row.is_wide and side:
                line, side = line + 1, 0
            top = Qt.AlignmentFlag.AlignTop
            if row.is_wide:
                grid.addWidget(row, line, 0, 1, 2, top)
                line += 1
            else:
                grid.addWidget(row, line, side, top)
                line, side = (line, 1) if side == 0 else (line + 1, 0)
        card.add(grid)
        return card

    def _today(self) -> str:
        return day_of(self.shell.desk.store.clock())

    def add_part(self, part: QWidget, at: int | None = None) -> None:
        """Put a part of the page's own (care groups, a choice of building) among the groups; at the end unless `at` is given."""
        self._body.insertWidget(self._body.count() - 1 if at is None else at, part)

    # -- opening ------------------------------------------------------------------------------------------------------

    def begin(self, record: Synced | None, title: str, draft: str, values: Mapping[str, Any] | None = None) -> None:
        """Open on `record` (None: a new one), with `values` already filled in. `draft`: the name under which typing is kept."""
        self._record = record
        self._extra_changed = False
        self._title.setText(title)
        for part in (self._notice, self._restored, self.unsaved):
            part.hide()
        self.save.setEnabled(True)
        for name, row in self.rows.items():
            row.load(getattr(record, name) if record is not None else None, is_masked=record is not None)
            if values and name in values:
                row.type_in(values[name])
                if record is None:
                    row.settle()
        self._area.verticalScrollBar().setValue(0)
        self.drafts.open(draft)
        self.focus_first()

    def focus_first(self) -> None:
        """Give the keyboard to the first field that is empty and required, else to the first."""
        rows = list(self.rows.values())
        first = next((r for r in rows if r.field.is_required and r.value() is None), rows[0])
        first.focus_target.setFocus(Qt.FocusReason.TabFocusReason)

    @property
    def is_dirty(self) -> bool:
        """Whether something typed is not saved."""
        return self._extra_changed or any(row.is_changed for row in self.rows.values())

    def mark_edited(self) -> None:
        """A part of the page's own was changed."""
        self._extra_changed = True
        self.drafts.note(self.changed_values() | self.other_values())

    def other_values(self) -> dict[str, Any]:
        """What a part of the page's own holds that is not saved, for the draft."""
        return {}

    def put_back_others(self, payload: Mapping[str, Any]) -> bool:
        """Take that out of a draft again; whether there was something."""
        return False

    def changed_values(self) -> dict[str, Any]:
        """What saving would write."""
        if self._record is None:
            return {name: row.value() for name, row in self.rows.items() if row.value() is not None}
        return {name: row.value() for name, row in self.rows.items() if row.is_changed}

    # -- typing -------------------------------------------------------------------------------------------------------

    def _edited(self, row: FieldRow) -> None:
        if row.problem.isVisible():
            row.tell(None)
        self.drafts.note(self.changed_values() | self.other_values())

    def _left(self, row: FieldRow) -> None:
        if row.is_changed and row.value() is not None:
            values = tidy(self._cls, {row.field.name: row.value()})
            row.tell(check(self._cls, values, is_new=False, today=self._today()).get(row.field.name))

    def _reveal(self, row: FieldRow) -> None:
        from gridman.services.households import reveal

        if self._record is not None:
            kind, name = kind_of(type(self._record)), row.field.name
            self.shell.background.do(reveal, kind, self._record.id, name, then=row.uncover)

    def _take_draft(self, payload: dict[str, Any]) -> None:
        known = {name: value for name, value in payload.items() if name in self.rows}
        if not self.put_back_others(payload) and not known:
            return
        for name, value in known.items():
            self.rows[name].type_in(value)
        self._restored.show()

    def _drop_restored(self) -> None:
        self.drafts.drop()
        self._restored.hide()
        for name, row in self.rows.items():
            row.load(
                getattr(self._record, name) if self._record is not None else None, is_masked=self._record is not None
            )

    # -- leaving ------------------------------------------------------------------------------------------------------

    def submit(self) -> None:
        """Check, and offer the values to the page."""
        if not self.save.isEnabled():
            return
        is_new = self._record is None
        values = self.changed_values()
        shown = {
            name: problem
            for name, problem in check(self._cls, tidy(self._cls, values), is_new=is_new, today=self._today()).items()
            if name in self.rows
        }
        if shown:
            self._show_problems(shown)
            return
        self._notice.hide()
        self.save.setEnabled(False)
        self.submitted.emit(values)

    def take_refusal(self, refusal: Refusal) -> None:
        """Show why it was not saved: under the fields, or above them when it concerns none."""
        self.save.setEnabled(True)
        problems = refusal.problems if isinstance(refusal, Invalid) else {}
        mine = {name: problem for name, problem in problems.items() if name in self.rows}
        self._show_problems(mine)
        others = [problem.words() for name, problem in problems.items() if name not in self.rows]
        if others or not mine:
            self._notice.tell(" ".join(others) or refusal.words(), "danger")
            self._notice.show()

    def _show_problems(self, problems: Mapping[str, Refusal]) -> None:
        for name, row in self.rows.items():
            row.tell(problems.get(name))
        first = next((self.rows[name] for name in self.rows if name in problems), None)
        if first is not None:
            first.focus_target.setFocus()
            self._area.ensureWidgetVisible(first)

    def finish(self) -> None:
        """It was saved: forget the draft."""
        self.drafts.drop()
        self.save.setEnabled(True)
        for row in self.rows.values():
            row.load(None, is_masked=False)
        self._extra_changed = False

    def may_leave(self) -> bool:
        """Whether nothing typed would be lost; asks inline when something would."""
        if not self.is_dirty:
            return True
        self.drafts.keep()
        self.unsaved.ask()
        return False

    def leave(self) -> None:
        """Cancel; asks first when something was typed."""
        if self.unsaved.isVisible():
            self.unsaved.keep.click()
        elif self.may_leave():
            self.drafts.drop()
            self.cancelled.emit()

    def _keep_editing(self) -> None:
        self.stayed.emit()
        self.focus_first()

    def _discard(self) -> None:
        self.finish()
        self.cancelled.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            not isinstance(event, QKeyEvent)
            or event.type() != QEvent.Type.KeyPress
            or not isinstance(watched, QLineEdit)
        ):
            return False
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self._go_on_soon()
        return False

    def _go_on_soon(self) -> None:
        QTimer.singleShot(0, self._go_on)

    def _go_on(self) -> None:
        rows = [row for row in self.rows.values() if row.isVisible()]
        here = next((i for i, row in enumerate(rows) if row.control.entry is self.focusWidget()), None)
        if here is None:
            return
        if here + 1 < len(rows):
            rows[here + 1].focus_target.setFocus(Qt.FocusReason.TabFocusReason)
            self._area.ensureWidgetVisible(rows[here + 1])
        else:
            self.save.setFocus(Qt.FocusReason.TabFocusReason)
