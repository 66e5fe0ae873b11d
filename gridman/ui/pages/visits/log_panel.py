"""Log a visit with the keyboard alone: household by initials, outcome by digit, needs by letters, note, Ctrl+Enter, the next one."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from gridman.domain import codes
from gridman.kernel.clock import day_of, show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.services.drafts import drop_draft, load_draft, save_draft
from gridman.services.households import HouseholdRow, household_rows
from gridman.services.photos import PhotoDraft
from gridman.services.visits import DueRow, VisitDraft, log_visit, next_due
from gridman.ui.combo import Combo
from gridman.ui.entry.choices import KeyChoices
from gridman.ui.entry.finder import RecordFinder
from gridman.ui.entry.photos import PhotoTray
from gridman.ui.entry.when import read_when
from gridman.ui.pages.visits.fields import choices_of, facts_of, field
from gridman.ui.problems import Problems
from gridman.ui.shell import Shell
from gridman.ui.unsaved import Unsaved
from gridman.ui.widgets import Foot, Notice, button, column_of, label, row_of, scrolled

__all__ = ["LogPanel"]

FORM = "visit"
_KEEP_EVERY_MS = 2_000
_NOTE_LINES = 3


class LogPanel(QFrame):
    """The form. `saved` carries the visit's id; `left` says that the person is done with logging."""

    saved = Signal(object)
    left = Signal()

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "pane")
        self._shell = shell
        self._household_id: int | None = None
        self._amends_id: int | None = None
        self._make_fields()
        self._lay_out()
        self._keep = QTimer(self, interval=_KEEP_EVERY_MS)
        self._keep.setSingleShot(True)
        self._keep.timeout.connect(self.keep_draft)
        save = QShortcut(QKeySequence("Ctrl+Return"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        save.activated.connect(self.save)
        save_too = QShortcut(QKeySequence("Ctrl+Enter"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        save_too.activated.connect(self.save)
        leave = QShortcut(QKeySequence("Esc"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        leave.activated.connect(self.leave)

    # -- parts

    def _make_fields(self) -> None:
        self.household = RecordFinder(
            self._shell, _("Household"), ("household", "person"), _("Initials, name, address, phone's end")
        )
        self.household.chosen.connect(self._take_hit)
        self.household.cleared.connect(self._forget_household)
        self.outcome = KeyChoices(_("Outcome"), choices_of("visit_outcome"))
        self.needs = KeyChoices(_("Needs"), choices_of("visit_need"), is_many=True)
        self.note = QPlainTextEdit()
        self.note.setTabChangesFocus(True)
        self.note.setAccessibleName(_("Note"))
        self.note.setPlaceholderText(_("What was seen and said"))
        self.note.setFixedHeight(self.note.fontMetrics().lineSpacing() * (_NOTE_LINES + 1) + 16)
        self.note.installEventFilter(self)
        self.kind = Combo(_("Visit type"))
        for code in codes.table("visit_kind"):
            self.kind.addItem(code.word, code.code)
        self.when = QLineEdit()
        self.when.setAccessibleName(_("When"))
        self.when.setPlaceholderText(_("now, or 14:30"))
        self.when.setToolTip(_("now; or 14:30, 11-23 16:00"))
        self.measure = QLineEdit()
        self.measure.setAccessibleName(_("What was done"))
        self.photos = PhotoTray(self._shell, _("Photos"))
        self.outcome.finished.connect(self.needs.setFocus)
        self.needs.finished.connect(self.note.setFocus)
        for signal in (
            self.outcome.changed, self.needs.changed, self.note.textChanged, self.measure.textEdited, self.when.textEdited,
            self.photos.changed,
        ):  # fmt: skip
            signal.connect(self._touch)

    def _lay_out(self) -> None:
        self._facts = label("", "caption", wraps=True)
        self._facts.hide()
        self.problems = Problems(
            self,
            {
                "household": (self.household.line, (self.household.line.textChanged,)),
                "outcome": (self.outcome, (self.outcome.changed,)),
                "note": (self.note, (self.note.textChanged,)),
                "visited_at": (self.when, (self.when.textEdited,)),
                "measure": (self.measure, (self.measure.textEdited,)),
            },
            {"visit.future": "visited_at"},
        )
        told = self.problems.labels
        self._notice = Notice("", "good")
        self._notice.setVisible(False)
        self._question = self._make_question()
        self._unsaved = Unsaved()
        self._unsaved.kept.connect(self.note.setFocus)
        self._unsaved.thrown.connect(self._throw_away)
        last = row_of(field(_("Visit type"), self.kind), field(_("When"), self.when), spacing=12)
        last.setStretch(0, 1)
        last.setStretch(1, 1)
        body = QWidget()
        box = column_of(
            self._notice,
            self._question,
            self._unsaved,
            field(_("Household"), self.household, is_required=True),
            self._facts,
            told["household"],
            field(_("Outcome"), self.outcome, is_required=True),
            told["outcome"],
            field(_("Needs (letters; Enter goes on)"), self.needs),
            field(_("Note"), self.note),
            told["note"],
            self.photos,
            last,
            told["visited_at"],
            field(_("What was done"), self.measure),
            told["measure"],
            told["form"],
            None,
            spacing=8,
            margins=(16, 8, 16, 12),
        )
        body.setLayout(box)
        self._save = button(_("Save and go to the next"), "primary", clicked=self.save, tip="Ctrl+Enter")
        self._leave = button(_("Done"), clicked=self.leave, tip="Esc")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        head = QWidget()
        head.setLayout(row_of(label(_("Log a visit"), "title"), None, margins=(16, 12, 16, 4)))
        outer.addWidget(head)
        outer.addWidget(scrolled(body, _("Log a visit")), 1)
        outer.addWidget(Foot(self._save, self._leave))

    def _make_question(self) -> Notice:
        """Asked instead of a dialog when a visit was found again after a crash."""
        self._yes = button(_("Go on with it"), clicked=self._answer_yes)
        self._no = button(_("Discard it"), "danger", clicked=self._answer_no)
        for one in (self._yes, self._no):
            one.setAutoDefault(True)  # Enter answers
        notice = Notice(
            _("A visit that was not saved was found on this computer."), "attention", self._yes, self._no, is_tall=True
        )
        notice.setVisible(False)
        self._found: dict[str, Any] = {}
        return notice

    # -- beginning

    def begin(self, household_id: int | None = None) -> None:
        """Start a visit; to this household when it is known already."""
        self._hide_question()
        if household_id is not None:
            self._notice.setVisible(False)
            self._reset()
            self._shell.background.ask(household_rows, [household_id], then=self._take_rows)
        else:
            self.household.setFocus()
        if (
            not self._is_begun()
        ):  # asked for a known household too: the first key typed there would write over the draft
            store_draft = load_draft, FORM, self._shell.actor.user_id
            self._shell.background.keep(*store_draft, then=self._offer_draft)

    def begin_amendment(self, visit: Any) -> None:
        """Write a corrected visit in the place of one that was wrong; a visit itself is never edited."""
        self._hide_question()
        self._reset()
        self._amends_id = visit.id
        self.outcome.set_codes([visit.outcome])
        self.needs.set_codes((visit.needs or "").split(";"))
        self.note.setPlainText(visit.note or "")
        self.measure.setText(visit.measure or "")
        self.when.setText(show_instant(visit.visited_at))
        self.kind.setCurrentIndex(max(0, self.kind.findData(visit.kind)))
        self._keep.stop()
        self._notice.tell(_("The corrected visit takes the place of the old one, which stays on file."), "information")
        self._notice.setVisible(True)
        self._shell.background.ask(household_rows, [visit.household_id], then=self._take_rows)

    def _reset(self) -> None:
        self._household_id = None
        self._amends_id = None
        self.problems.clear()
        self.household.clear()
        self._tell_facts("")
        self.outcome.set_codes(())
        self.needs.set_codes(())
        for line in (self.when, self.measure):
            line.clear()
        self.note.clear()
        self.kind.setCurrentIndex(0)
        self.photos.clear()
        self._keep.stop()

    def _is_begun(self) -> bool:
        typed = self.note.toPlainText().strip() or self.measure.text().strip() or self.when.text().strip()
        return bool(typed or self.outcome.codes() or self.needs.codes() or self.photos.pictures())

    def _take_hit(self, hit: Any) -> None:
        household_id = hit.household_id or hit.record_id
        self._shell.background.ask(household_rows, [household_id], then=self._take_rows)

    def _take_rows(self, rows: Sequence[HouseholdRow]) -> None:
        if not rows:
            return
        row = rows[0]
        self._household_id = row.id
        self.household.show_taken(" · ".join(part for part in (row.address, row.head_name) if part), row)
        self._tell_facts(facts_of(row))
        self.problems.tell("household", "")
        if not self._question.isVisible():
            self.outcome.setFocus()

    def _tell_facts(self, text: str) -> None:
        self._facts.setText(text)
        self._facts.setVisible(bool(text))

    def _forget_household(self) -> None:
        self._household_id = None
        self._tell_facts("")

    # -- saving

    def save(self) -> None:
        """Save; what is missing is said under its field."""
        if not self._save.isEnabled():  # it is being saved: a held key must not log the visit twice
            return
        draft = self._read()
        if draft is None:
            return
        self._save.setEnabled(False)
        self._shell.background.do(log_visit, draft, self._shell.desk.blobs, then=self._after, refused=self._refused)

    def _read(self) -> VisitDraft | None:
        when = read_when(self.when.text(), self._now())
        wrong: dict[str, str] = {}
        if self._household_id is None:
            wrong["household"] = _("Choose the household: type initials, Enter takes the first one found.")
        if not self.outcome.code():
            wrong["outcome"] = _("Choose the outcome: its digit.")
        if when is None:
            text = _("“{text}” is no day and time; write 14:30, or 2026-11-23 14:30.")
            wrong["visited_at"] = text.format(text=self.when.text())
        self.problems.show_all(wrong)
        if wrong or self._household_id is None:
            return None
        return VisitDraft(
            household_id=self._household_id,
            outcome=self.outcome.code(),
            kind=self.kind.currentData(),
            needs=";".join(self.needs.codes()),
            note=self.note.toPlainText().strip(),
            measure=self.measure.text().strip(),
            visited_at=when if self.when.text().strip() else None,
            amends_id=self._amends_id,
            photos=[PhotoDraft(picture.data, picture.name) for picture in self.photos.pictures()],
        )

    def _now(self) -> int:
        return int(self._shell.desk.store.clock())

    def _after(self, visit: Any) -> None:
        self._save.setEnabled(True)
        who = self.household.line.text()
        self._reset()
        self._shell.background.keep(drop_draft, FORM, self._shell.actor.user_id)
        self._notice.tell(_("Saved: {household}").format(household=who), "good")
        self._notice.setVisible(True)
        self.saved.emit(visit.id)
        grids = sorted(self._shell.actor.grid_ids)
        today = day_of(self._now())
        self._shell.background.ask(next_due, visit.household_id, grids, today, then=self._offer_next)

    def _offer_next(self, due: DueRow | None) -> None:
        if due is None:
            self._notice.tell(self._notice.text.text() + " " + _("No other visit is due in your grids."), "good")
            self.household.setFocus()
            return
        said = _("Next in walking order: {address}. Another household: Shift+Tab and type; Esc when done.")
        self._notice.tell(f"{self._notice.text.text()}\n{said.format(address=due.address)}", "good")
        self._shell.background.ask(household_rows, [due.household_id], then=self._take_rows)

    def _refused(self, refusal: Refusal) -> None:
        self._save.setEnabled(True)
        self.problems.refuse(refusal)

    # -- leaving, drafts

    def leave(self) -> None:
        """Done; asks before anything typed is lost."""
        if self._unsaved.isVisible():
            self._unsaved.keep.click()
        elif self._question.isVisible():
            self._no.click()
        elif self._is_begun():
            self._unsaved.ask()
        else:
            self._reset()
            self._notice.setVisible(False)
            self.left.emit()

    def has_unsaved(self) -> bool:
        """Whether something typed is not saved."""
        return self._is_begun()

    def _hide_question(self) -> None:
        self._question.setVisible(False)
        self._unsaved.setVisible(False)

    def _throw_away(self) -> None:
        self._reset()
        self._shell.background.keep(drop_draft, FORM, self._shell.actor.user_id)
        self._notice.setVisible(False)
        self.left.emit()

    def _answer_yes(self) -> None:
        self._hide_question()
        self._put_back(self._found)

    def _answer_no(self) -> None:
        self._hide_question()
        self._shell.background.keep(drop_draft, FORM, self._shell.actor.user_id)
        (self.household if self._household_id is None else self.outcome).setFocus()

    def _touch(self, *_said: Any) -> None:
        if not self._keep.isActive():
            self._keep.start()

    def keep_draft(self) -> None:
        """Keep what is typed now."""
        if not self._is_begun():
            return
        payload = {
            "household_id": self._household_id, "outcome": self.outcome.code(), "needs": self.needs.codes(), "note": self.note.toPlainText(),
            "kind": self.kind.currentData(), "when": self.when.text(), "measure": self.measure.text(),
            "amends_id": self._amends_id,
        }  # fmt: skip
        self._shell.background.keep(save_draft, FORM, self._shell.actor.user_id, payload)

    def _offer_draft(self, found: dict[str, Any] | None) -> None:
        if found and not self._is_begun():
            self._found = found
            self._question.setVisible(True)
            self._yes.setFocus()

    def _put_back(self, found: dict[str, Any]) -> None:
        self._amends_id = found.get("amends_id")
        self.outcome.set_codes([found.get("outcome", "")])
        self.needs.set_codes(found.get("needs", ()))
        self.note.setPlainText(found.get("note", ""))
        self.when.setText(found.get("when", ""))
        self.measure.setText(found.get("measure", ""))
        self.kind.setCurrentIndex(max(0, self.kind.findData(found.get("kind", ""))))
        if found.get("household_id"):
            self._shell.background.ask(household_rows, [found["household_id"]], then=self._take_rows)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A picture pasted into the note is a photo."""
        is_key = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if watched is self.note and is_key and event.matches(QKeySequence.StandardKey.Paste):  # type: ignore[attr-defined]
            return self.photos.paste()
        return super().eventFilter(watched, event)
