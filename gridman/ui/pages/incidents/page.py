"""The Incidents page: the list and the map show the same incidents, and choosing on either side chooses on the other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from gridman.domain import codes
from gridman.geo.symbols import incident_symbols
from gridman.kernel.clock import day_of
from gridman.kernel.words import N_, _
from gridman.services.incidents import IncidentQuery, IncidentRow, counts_by_state, incident_ids, incident_rows
from gridman.ui.actions import Verb
from gridman.ui.changes import Changed, ids_of
from gridman.ui.mapview.symbols import state_word
from gridman.ui.mapview.view import MapView
from gridman.ui.page import Page
from gridman.ui.pages.incidents.filters import ALL, OVERDUE, Chips
from gridman.ui.pages.incidents.record import IncidentRecord, read_incident
from gridman.ui.pages.incidents.report_panel import ReportPanel
from gridman.ui.shell import Shell
from gridman.ui.table_pane import Nothing, TablePane
from gridman.ui.tables import Column, words_of
from gridman.ui.widgets import EmptyState, button

__all__ = ["IncidentsPage", "make_page"]

_SIDE_BY_SIDE_PX = 1500


def _tone(row: IncidentRow) -> str:
    return {
        "reported": "attention",
        "returned": "danger",
        "closed": "good",
        "rated": "good",
        "self_handled": "good",
    }.get(row.state, "")


def _state_words() -> list[str]:
    return [state_word(code) for code in incident_symbols() if code]


COLUMNS = (
    Column("state", N_("State"), 118, lambda r: state_word(r.state), "state", tone=_tone, words=_state_words),
    Column("category", N_("Category"), 116, lambda r: codes.word("incident_category", r.category), "category",
           words=lambda: words_of("incident_category"), cuts=True),
    Column("description", N_("Description"), 150, lambda r: r.description, stretches=True),
    Column("due", N_("Due"), 92, lambda r: day_of(r.due_at) if r.due_at else "", "due", tone=lambda r: "danger" if r.is_overdue else ""),
    Column("number", N_("Incident no."), 120, lambda r: r.number, "number", is_shown=False),
    Column("place", N_("Place"), 150, lambda r: r.place, "place", is_shown=False, cuts=True),
    Column("grid", N_("Grid"), 90, lambda r: r.grid_name, is_shown=False, cuts=True),
    Column("holder", N_("Held by"), 120, lambda r: r.holder_name, is_shown=False, cuts=True),
    Column("reported", N_("Reported at"), 92, lambda r: day_of(r.reported_at), "reported", is_shown=False),
    Column("waiting", N_("Sent"), 76, lambda r: _("waiting") if r.waiting else _("sent"), is_shown=False,
           tone=lambda r: "attention" if r.waiting else ""),
)  # fmt: skip


class IncidentsPage(Page):
    """See the module."""

    concerns = ("incident", "incident_step", "attachment", "organisation", "grid")
    verbs: ClassVar[tuple[Verb, ...]] = (
        Verb("report", N_("Report an incident"), "Ctrl+N", "triangle-alert", "incident.report"),
        Verb("find", N_("Find in this list"), "Ctrl+F", "search"),
        Verb("act", N_("First action of the incident"), "", "play", "incident.act"),
    )

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._query = IncidentQuery()
        self._wanted: int | None = None
        self._opened: int | None = None
        self.chips = Chips(shell)
        self.list = TablePane(
            shell, "incidents", COLUMNS, incident_ids, incident_rows,
            Nothing(N_("No incident in this list"), N_("Choose “All”, or report one with Ctrl+I."), "circle-check"),
        )  # fmt: skip
        report = button(_("Report"), theme=shell.theme, picture="triangle-alert", clicked=self.do_report, tip="Ctrl+I")
        if not shell.may("incident.report"):
            report.hide()
        self.list.add_to_bar(self.chips.text, report)
        self.map = MapView(shell)
        self.record = IncidentRecord(shell)
        self.panel = ReportPanel(shell)
        self._empty = EmptyState(
            shell.theme, "triangle-alert", _("Choose an incident"), _("in the list or on the map; or report one."),
            button(_("Report an incident"), "primary", clicked=self.do_report, tip="Ctrl+I"),
        )  # fmt: skip
        self._lay_out()
        self._connect()
        self._query = replace(self._query, states=self.chips.states)

    def _lay_out(self) -> None:
        upper = QFrame()
        upper.setProperty("kind", "pane")
        box = QVBoxLayout(upper)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.chips)
        box.addWidget(self.list, 1)
        self._both = QSplitter(Qt.Orientation.Vertical)
        self._both.setChildrenCollapsible(False)
        self._both.addWidget(upper)
        self._both.addWidget(self.map)
        self._both.setSizes([300, 300])
        self.map.setMinimumSize(240, 160)
        self.right = QStackedWidget()
        self.right.setMinimumWidth(390)
        for part in (self._empty, self.record, self.panel):
            self.right.addWidget(part)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self._both)
        split.addWidget(self.right)
        split.setStretchFactor(0, 1)
        split.setSizes([620, 400])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)

    def _connect(self) -> None:
        self.chips.changed.connect(self._filter)
        self.list.chosen.connect(self._choose)
        self.list.sorted_by.connect(self._sort)
        self.list.opened.connect(self._enter_record)
        self.map.picked.connect(self._take_pick)
        self.map.pointed.connect(self._take_point)
        self.record.placed.connect(self._show_place)
        self.record.acted.connect(self._go_back_to_list)
        self.panel.saved.connect(self._show_saved)
        self.panel.left.connect(self._leave_panel)
        self.panel.placed.connect(self._mark_place)
        self._form_keys = [
            self._form_key(*key)
            for key in (("Ctrl+Return", self.panel.save), ("Ctrl+Enter", self.panel.save), ("Esc", self.panel.leave))
        ]
        self.right.currentChanged.connect(self._switch_form_keys)

    def _form_key(self, keys: str, act: Callable[[], None]) -> QShortcut:
        """A key of the report that works wherever on the page the keyboard is: a click on the map takes it there."""
        shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(act)
        shortcut.setEnabled(False)
        return shortcut

    def _switch_form_keys(self) -> None:
        for shortcut in self._form_keys:
            shortcut.setEnabled(self.right.currentWidget() is self.panel)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A wide window shows list, map and record side by side."""
        super().resizeEvent(event)
        is_wide = event.size().width() >= _SIDE_BY_SIDE_PX
        self._both.setOrientation(Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical)

    # -- asking

    def refresh(self, changes: Changed | None) -> None:
        """List, counts, map and the shown record are asked again."""
        if changes is None or changes.concerns(("incident",)):
            self._ask()
        if changes is not None:
            self.list.renew(ids_of(changes, "incident"))
            self.map.refresh()
        if self._wanted is not None and self.right.currentWidget() is self.record:
            self._read(self._wanted)

    def _ask(self) -> None:
        self.list.show_query(self._query)
        self.map.show_incidents(self._query)
        self.shell.background.ask(_counts, self._query, then=self._show_counts, key="counts")

    def _show_counts(self, answer: tuple[dict[str, int], int]) -> None:
        self.chips.show_counts(*answer)

    def _filter(self) -> None:
        self._query = replace(
            self._query,
            states=self.chips.states,
            is_overdue=True if self.chips.chosen == OVERDUE else None,
            text=self.chips.text.text(),
        )
        self._ask()

    def _sort(self, order: str, is_descending: bool) -> None:
        self._query = replace(self._query, order=order, descending=is_descending)
        self._ask()

    # -- one incident

    def _choose(self, incident_id: int | None) -> None:
        if incident_id is None:
            if self.right.currentWidget() is self.record:
                self.right.setCurrentWidget(self._empty)
            self._wanted = None
            self.map.unselect()
            return
        self._read(incident_id)

    def _read(self, incident_id: int) -> None:
        self._wanted = incident_id
        self.shell.background.ask(read_incident, self.shell.actor, incident_id, then=self._show, key="incident")

    def _show(self, read: Any) -> None:
        self.record.show_read(read)
        incident = read[0].incident
        if incident.id == self._opened:
            self._opened = None
            self._uncover(incident)
        self.map.select("incident", incident.id, incident.lng, incident.lat)
        if self.right.currentWidget() is not self.panel:
            self.right.setCurrentWidget(self.record)

    def _uncover(self, incident: Any) -> None:
        """A record that was asked for by name is in the list, even when the filters would hide it."""
        is_hidden = bool(self._query.states) and incident.state not in self._query.states
        if is_hidden or self._query.is_overdue or self._query.text:
            self._choose_chip(ALL)
            self.list.select(incident.id)

    def _choose_chip(self, key: str) -> None:
        """Filter by this alone."""
        self.chips.choose(key)
        self.chips.text.blockSignals(True)
        self.chips.text.clear()
        self.chips.text.blockSignals(False)
        self._filter()

    def _take_pick(self, kind: str, record_id: int) -> None:
        if self.right.currentWidget() is self.panel:
            return  # a click sets the place of the report
        if kind == "incident":
            self.open_record(kind, record_id)

    def _take_point(self, lng: float, lat: float) -> None:
        if self.right.currentWidget() is self.panel:
            self.panel.set_point(lng, lat)

    def _mark_place(self, point: tuple[float, float] | None) -> None:
        self.map.mark_problems({"type": "Point", "coordinates": list(point)} if point is not None else None)

    def _show_place(self) -> None:
        rows = self.record.incident_id
        if rows is not None:
            self.shell.background.ask(incident_rows, [rows], then=self._fly)

    def _fly(self, rows: list[IncidentRow]) -> None:
        if rows and rows[0].lng is not None and rows[0].lat is not None:
            self.map.fly_to(rows[0].lng, rows[0].lat, 18)

    def _enter_record(self, incident_id: int) -> None:
        first = next(iter(self.record.buttons.values()), None)
        if first is not None:
            first.setFocus()

    def _go_back_to_list(self) -> None:
        """A command was done: its form and buttons go, so the keyboard returns to the list, unless it is elsewhere by now."""
        holder = QApplication.focusWidget()
        if holder is None or self.record.isAncestorOf(holder):
            self.list.first_focus().setFocus()

    def open_record(self, kind: str, record_id: int) -> None:
        """Show this incident; filters that hide it are taken away."""
        if kind != "incident":
            return
        self._opened = record_id
        self.list.select(record_id)
        if self.right.currentWidget() is not self.panel:
            self.right.setCurrentWidget(self.record)
        self._read(record_id)

    # -- reporting

    def begin(self, intent: str) -> None:
        """ "report": the form; "overdue": all that is late, whatever the list was filtered by before."""
        if intent in ("report", "new"):
            self.do_report()
        elif intent == OVERDUE:
            self._choose_chip(OVERDUE)

    def do_report(self) -> None:
        """Open the form."""
        self.right.setCurrentWidget(self.panel)
        self.panel.begin()

    def do_find(self) -> None:
        """Go to the list's own search."""
        self.chips.text.setFocus()
        self.chips.text.selectAll()

    def do_act(self) -> None:
        """The record's first action."""
        first = next(iter(self.record.buttons), None)
        if first is not None and self.right.currentWidget() is self.record:
            self.record.start(first)

    def _show_saved(self, incident_id: int) -> None:
        self.right.setCurrentWidget(self.record)
        self.list.first_focus().setFocus()  # first: a list that gets the keyboard chooses its first row
        self.open_record("incident", incident_id)

    def _leave_panel(self) -> None:
        current = self.list.current_id()
        self.right.setCurrentWidget(self.record if current is not None else self._empty)
        if current is not None:
            self._read(current)
        self.list.first_focus().setFocus()

    def first_focus(self) -> QWidget | None:
        """The form when it is open, else the list."""
        return self.panel.category if self.right.currentWidget() is self.panel else self.list.first_focus()

    def is_settled(self) -> bool:
        """Whether the map has drawn everything (for pictures)."""
        return self.map.is_settled()

    def may_leave(self) -> bool:
        """Yes: a begun report stays in the form, and a draft is kept; leaving may make the window anew."""
        if self.panel.is_begun():
            self.panel.keep_draft()
        return True

    def state(self) -> dict[str, Any]:
        is_reporting = self.right.currentWidget() is self.panel
        return {"incident": self._wanted, "chip": self.chips.chosen, "is_reporting": is_reporting}

    def restore_state(self, state: dict[str, Any]) -> None:
        if state.get("chip"):
            self.chips.choose(state["chip"])
            self._filter()
        if state.get("incident"):
            self.open_record("incident", state["incident"])
        if state.get("is_reporting"):
            self.do_report()


def _counts(reader: Any, query: IncidentQuery) -> tuple[dict[str, int], int]:
    plain = replace(query, states=(), is_overdue=None)
    return counts_by_state(reader, plain), len(incident_ids(reader, replace(plain, is_overdue=True)))


def make_page(shell: Shell) -> IncidentsPage:
    """The page, for the window."""
    return IncidentsPage(shell)
