"""The Visits page: the list with its filters, and on the right one visit or the form to log one."""

from dataclasses import replace
from typing import Any, ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSplitter, QStackedWidget, QWidget

from gridman.domain import codes
from gridman.kernel.clock import day_of, show_lately
from gridman.kernel.words import N_, _, listed
from gridman.services.visits import VisitFile, VisitQuery, VisitRow, open_visit, visit_ids, visit_rows
from gridman.ui.actions import Verb
from gridman.ui.changes import Changed, ids_of
from gridman.ui.combo import Combo
from gridman.ui.page import Page
from gridman.ui.pages.visits.log_panel import LogPanel
from gridman.ui.pages.visits.record import VisitRecord, outcome_tone
from gridman.ui.shell import Shell
from gridman.ui.table_pane import Nothing, TablePane
from gridman.ui.tables import Column, words_of
from gridman.ui.widgets import EmptyState, button

__all__ = ["VisitsPage", "make_page"]

_DAY_MS = 86_400_000
_PERIODS = (
    (N_("Any day"), 0),
    (N_("Today"), 1),
    (N_("Last 7 days"), 7),
    (N_("Last 30 days"), 30),
    (N_("Last 365 days"), 365),
)
_PAUSE_MS = 200


def _needs(row: VisitRow) -> str:
    return listed(codes.word("visit_need", code) for code in row.needs.split(";") if code)


COLUMNS = (
    Column("when", N_("Visited at"), 92, lambda r: show_lately(r.visited_at), "when"),
    Column("address", N_("Address"), 160, lambda r: r.address, stretches=True, keeps_end=True),
    Column("head", N_("Head"), 74, lambda r: r.head_name),
    Column("outcome", N_("Outcome"), 132, lambda r: codes.word("visit_outcome", r.outcome), "outcome", tone=lambda r: outcome_tone(r.outcome),
           words=lambda: words_of("visit_outcome"), cuts=True),
    Column("needs", N_("Needs"), 110, _needs, is_shown=False, cuts=True),
    Column("kind", N_("Visit type"), 100, lambda r: codes.word("visit_kind", r.kind), is_shown=False, cuts=True,
           words=lambda: words_of("visit_kind")),
    Column("note", N_("Note"), 160, lambda r: r.note, is_shown=False, cuts=True),
    Column("who", N_("Visited by"), 80, lambda r: r.user_name, is_shown=False),
    Column("photos", N_("Photos"), 56, lambda r: str(r.photo_count or ""), is_right=True, is_shown=False),
    Column("waiting", N_("Sent"), 78, lambda r: _("waiting") if r.waiting else _("sent"), tone=lambda r: "attention" if r.waiting else ""),
)  # fmt: skip


class VisitsPage(Page):
    """See the module."""

    concerns = ("visit", "household", "person", "attachment")
    verbs: ClassVar[tuple[Verb, ...]] = (
        Verb("log", N_("Log a visit"), "Ctrl+N", "footprints", "visit.write"),
        Verb("find", N_("Find in this list"), "Ctrl+F", "search"),
    )

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._query = VisitQuery()
        self._wanted: int | None = None
        self.list = TablePane(
            shell, "visits", COLUMNS, visit_ids, visit_rows,
            Nothing(N_("No visit in this list"), N_("Log one with Ctrl+L, or take the filters away."), "footprints", N_("Log a visit"), self.do_log),
        )  # fmt: skip
        self._make_filters()
        self.record = VisitRecord(shell)
        self.panel = LogPanel(shell)
        self._empty = EmptyState(
            shell.theme, "footprints", _("Choose a visit"), _("or log one: household, outcome, needs, note, Ctrl+Enter."),
            button(_("Log a visit"), "primary", clicked=self.do_log, tip="Ctrl+L"),
        )  # fmt: skip
        self.right = QStackedWidget()
        self.right.setMinimumWidth(380)
        for part in (self._empty, self.record, self.panel):
            self.right.addWidget(part)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.list)
        split.addWidget(self.right)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([620, 390])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)
        self.list.chosen.connect(self._choose)
        self.list.sorted_by.connect(self._sort)
        self.list.mark_order("when", True)
        self.record.amending.connect(self._amend)
        self.panel.saved.connect(self._note_saved)
        self.panel.left.connect(self._leave_panel)

    def _make_filters(self) -> None:
        self._text = QLineEdit()
        self._text.setProperty("kind", "search")
        self._text.setPlaceholderText(_("Name, initials or address"))
        self._text.setAccessibleName(_("Find in this list"))
        self._text.setClearButtonEnabled(True)
        self._outcome = Combo(_("Outcome"), 10)
        self._outcome.addItem(_("Any outcome"), "")
        for code in codes.table("visit_outcome"):
            self._outcome.addItem(code.word, code.code)
        self._period = Combo(_("Period"), 10)
        for words, days in _PERIODS:
            self._period.addItem(_(words), days)
        log = button(_("Log visit"), theme=self.shell.theme, picture="footprints", clicked=self.do_log, tip="Ctrl+L")
        if not self.shell.may("visit.write"):
            log.hide()
        self.list.add_head(self._text, log)
        self.list.add_filter(self._outcome)
        self.list.add_filter(self._period)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._filter)
        self._text.textChanged.connect(self._pause.start)
        self._outcome.currentIndexChanged.connect(self._filter)
        self._period.currentIndexChanged.connect(self._filter)

    # -- asking

    def refresh(self, changes: Changed | None) -> None:
        """The list stays where it is; changed rows and the shown visit are read again."""
        if changes is None:
            self._filter()  # its days count from today
        elif changes.concerns(("visit",)):
            self._ask()
        if changes is not None:
            self.list.renew(ids_of(changes, "visit") if not changes.concerns(("household", "person")) else None)
        shown = self.list.current_id()
        if self.right.currentWidget() is self.record and shown is not None:
            self._choose(shown)

    def _ask(self) -> None:
        self.list.show_query(self._query)

    def _filter(self, *_said: Any) -> None:
        days = int(self._period.currentData())
        since = day_of(int(self.shell.desk.store.clock()) - (days - 1) * _DAY_MS) if days else ""
        self._query = replace(self._query, text=self._text.text(), outcome=self._outcome.currentData(), since_on=since)
        self._ask()

    def _sort(self, order: str, is_descending: bool) -> None:
        self._query = replace(self._query, order=order, descending=is_descending)
        self._ask()

    # -- one visit

    def _choose(self, visit_id: int | None) -> None:
        if self.right.currentWidget() is self.panel:
            return  # logging goes on; the list only shows what was saved
        if visit_id is None:
            self.right.setCurrentWidget(self._empty)
        else:
            self.shell.background.ask(open_visit, visit_id, then=self._show, key="visit")

    def _show(self, file: VisitFile) -> None:
        self.record.show_file(file)
        if self.right.currentWidget() is not self.panel:
            self.right.setCurrentWidget(self.record)

    def open_record(self, kind: str, record_id: int) -> None:
        """A visit is shown; for a household a visit is begun."""
        if kind == "household":
            if self._may_begin():
                self.panel.begin(record_id)
            self.right.setCurrentWidget(self.panel)
            return
        self.right.setCurrentWidget(self.record)
        self.list.select(record_id)
        self.shell.background.ask(open_visit, record_id, then=self._show, key="visit")

    def _may_begin(self) -> bool:
        """Whether nothing typed is in the form; says so where something is."""
        if self.panel.has_unsaved():
            self.shell.say(_("A visit is being logged: save it or leave it first."), "attention")
        return not self.panel.has_unsaved()

    def begin(self, intent: str) -> None:
        """ "log": the form, ready for the household's initials."""
        if intent not in ("log", "new"):
            return
        if self.right.currentWidget() is not self.panel:
            self.do_log()
        elif not self.panel.has_unsaved():
            self.panel.household.setFocus()

    def do_log(self) -> None:
        """Open the form."""
        self.right.setCurrentWidget(self.panel)
        self.panel.begin()

    def do_find(self) -> None:
        """Go to the list's own search."""
        self._text.setFocus()
        self._text.selectAll()

    def _amend(self, visit: Any) -> None:
        self.right.setCurrentWidget(self.panel)
        if self._may_begin():
            self.panel.begin_amendment(visit)

    def _note_saved(self, visit_id: int) -> None:
        self._wanted = visit_id

    def _leave_panel(self) -> None:
        self.right.setCurrentWidget(self._empty)
        self.list.view.setFocus()
        if self._wanted is not None:
            self.open_record("visit", self._wanted)
            self._wanted = None
        else:
            self._choose(self.list.current_id())

    # -- leaving

    def first_focus(self) -> QWidget | None:
        """The form when it is open, else the list."""
        return self.panel.household if self.right.currentWidget() is self.panel else self.list.view

    def may_leave(self) -> bool:
        """Yes: what is typed stays in the form, and a draft is kept."""
        self.panel.keep_draft()
        return True

    def state(self) -> dict[str, Any]:
        return {"visit": self.list.current_id(), "is_logging": self.right.currentWidget() is self.panel}

    def restore_state(self, state: dict[str, Any]) -> None:
        if state.get("visit"):
            self.open_record("visit", state["visit"])
        if state.get("is_logging"):
            self.do_log()


def make_page(shell: Shell) -> VisitsPage:
    """The page, for the window."""
    return VisitsPage(shell)
