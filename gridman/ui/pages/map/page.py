"""The Map page: the whole street; a click on a building shows its households; grid boundaries are drawn here."""

from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QPainter, QPixmap
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gridman.kernel.clock import show_instant
from gridman.kernel.words import N_, _
from gridman.services.households import HouseholdQuery, HouseholdRow, household_ids, household_rows
from gridman.ui.actions import Verb
from gridman.ui.changes import Changed
from gridman.ui.mapview.view import MapView
from gridman.ui.page import Page
from gridman.ui.pages.map.boundary_panel import BoundaryPanel
from gridman.ui.pages.map.cards import Facts, read_facts
from gridman.ui.shell import Shell
from gridman.ui.table_pane import Nothing, TablePane
from gridman.ui.tables import Column
from gridman.ui.widgets import EmptyState, button, clear, column_of, facts_form, flow_of, label

__all__ = ["MapPage", "make_page"]

COLUMNS = (
    Column("address", N_("Address"), 150, lambda r: r.address, stretches=True, keeps_end=True),
    Column("head", N_("Head"), 74, lambda r: r.head_name),
    Column("people", N_("People"), 52, lambda r: str(r.people_count), is_right=True),
    Column(
        "due", N_("Due"), 92, lambda r: r.due_on or "", tone=lambda r: "danger" if r.is_overdue else "", is_shown=False
    ),
)


def _household_lines(reader: Any, ids: list[int]) -> list[HouseholdRow]:
    return household_rows(reader, ids)


class MapPage(Page):
    """See the module."""

    concerns = ("grid", "building", "incident", "map_feature", "household", "region")
    verbs: ClassVar[tuple[Verb, ...]] = (
        Verb("whole", N_("Show the whole street"), "Ctrl+0", "maximize"),
        Verb("print", N_("Print this view"), "Ctrl+P", "printer"),
        Verb("boundary", N_("Change the grid's boundary"), "Ctrl+B", "pencil-ruler", "map.edit"),
    )

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._facts: Facts | None = None
        self.map = MapView(shell)
        self._nothing = EmptyState(
            shell.theme,
            "map",
            _("Click on the map"),
            _("A building shows its households, a grid its numbers, an incident its state."),
        )
        self._head = QVBoxLayout()
        self._head.setSpacing(8)
        self.households = TablePane(
            shell, "map-households", COLUMNS, household_ids, _household_lines,
            Nothing(N_("No household here"), N_("None is registered in this building, or none in your grids."), "house"),
        )  # fmt: skip
        self.households.opened.connect(self._open_household)
        self.boundary = BoundaryPanel(shell, self.map)
        self.boundary.left.connect(self._leave_boundary)
        self.right = QStackedWidget()
        self.right.setMinimumWidth(320)
        for part in (self._nothing, self._card(), self.boundary):
            self.right.addWidget(part)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.map)
        split.addWidget(self.right)
        split.setStretchFactor(0, 1)
        split.setSizes([680, 330])
        self.map.setMinimumSize(320, 240)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)
        self.map.picked.connect(self._take_pick)

    def _card(self) -> QFrame:
        pane = QFrame()
        pane.setProperty("kind", "pane")
        head = QWidget()
        head.setLayout(self._head)
        self._head.setContentsMargins(16, 12, 16, 12)
        pane.setLayout(column_of(head, self.households, spacing=0))
        layout = pane.layout()
        if isinstance(layout, QVBoxLayout):
            layout.setStretch(1, 1)
            layout.addStretch(0)
        return pane

    def refresh(self, changes: Changed | None) -> None:
        """The map asks for its tiles again; the card is read again."""
        if changes is not None:
            self.map.refresh()
        if self._facts is not None and self.right.currentWidget() is not self.boundary:
            self._read(self._facts.kind, self._facts.record_id)

    # -- what was clicked

    def _take_pick(self, kind: str, record_id: int) -> None:
        if self.right.currentWidget() is not self.boundary:
            self._read(kind, record_id)

    def _read(self, kind: str, record_id: int) -> None:
        self.shell.background.ask(read_facts, kind, record_id, then=self._show, key="facts")

    def _show(self, facts: Facts) -> None:
        self._facts = facts
        clear(self._head)
        self._head.addWidget(label(facts.title, "title", wraps=True))
        self._head.addLayout(facts_form(facts.lines))
        self._head.addLayout(self._tools(facts))
        is_building = facts.kind == "building" and self.shell.may("household.read")
        self.households.setVisible(is_building)
        if is_building:
            self.households.show_query(HouseholdQuery(building_id=facts.record_id))
        self.right.setCurrentIndex(1)

    def _tools(self, facts: Facts) -> Any:
        theme = self.shell.theme
        tools: list[QWidget] = []
        if facts.kind == "incident":
            tools.append(button(_("Open the incident"), "primary", clicked=self._open_incident, keys="Ctrl+O"))
        if facts.kind == "grid":
            if self.shell.may("roster.print"):
                tools.append(button(_("Print the roster"), theme=theme, picture="printer", clicked=self._print_roster))
            if self.shell.may("map.edit"):
                tools.append(
                    button(
                        _("Change the boundary"),
                        theme=theme,
                        picture="pencil-ruler",
                        clicked=self.do_boundary,
                        tip="Ctrl+B",
                    )
                )
        return flow_of(*tools)

    def _open_incident(self) -> None:
        if self._facts is not None:
            self.shell.go("incidents", "incident", self._facts.record_id)

    def _print_roster(self) -> None:
        if self._facts is not None:
            self.shell.go("reports", "grid", self._facts.record_id)

    def _open_household(self, household_id: int) -> None:
        self.shell.go("households", "household", household_id)

    def open_record(self, kind: str, record_id: int) -> None:
        """Show this building, grid or incident on the map and beside it."""
        if kind in ("building", "grid", "incident"):
            self.shell.background.ask(read_facts, kind, record_id, then=self._show_there, key="facts")

    def _show_there(self, facts: Facts) -> None:
        self._show(facts)
        self.map.select(facts.kind, facts.record_id)
        if facts.place is not None:
            self.map.fly_to(*facts.place, 16 if facts.kind == "grid" else 18)

    # -- verbs

    def do_whole(self) -> None:
        """The whole street."""
        self.map.fit()

    def do_boundary(self) -> None:
        """Change the boundary of the grid shown."""
        if self._facts is None or self._facts.kind != "grid":
            self.shell.say(_("Click the grid on the map first."), "information")
            return
        self.right.setCurrentWidget(self.boundary)
        self.boundary.begin(self._facts.record_id)

    def _leave_boundary(self) -> None:
        self.right.setCurrentIndex(1 if self._facts is not None else 0)

    def do_print(self) -> None:
        """Print what the map shows now."""
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        dialog = QPrintDialog(printer, self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.print_on(printer)

    def print_on(self, printer: QPrinter) -> None:
        """Put the view on this printer, with the day and who prints; origin and scale are in the view itself."""
        printer.setPageOrientation(_orientation(self.map.width() > self.map.height()))
        picture = QPixmap.fromImage(self.map.picture())
        painter = QPainter(printer)
        page = painter.viewport()
        line = printer.resolution() // 5
        painter.setFont(QFont(self.font().families(), 9))
        now = show_instant(int(self.shell.desk.store.clock()))
        painter.drawText(0, line // 2, f"{now}  {self.shell.actor.name}")
        fitted = picture.size().scaled(page.width(), page.height() - line, Qt.AspectRatioMode.KeepAspectRatio)
        painter.drawPixmap(0, line, fitted.width(), fitted.height(), picture)
        painter.end()

    def first_focus(self) -> QWidget | None:
        return self.map

    def is_settled(self) -> bool:
        """Whether the map has drawn everything (for pictures)."""
        return self.map.is_settled()

    def state(self) -> dict[str, Any]:
        return {"kind": self._facts.kind, "id": self._facts.record_id} if self._facts is not None else {}

    def restore_state(self, state: dict[str, Any]) -> None:
        if state.get("id"):
            self.open_record(state["kind"], state["id"])


def _orientation(is_wide: bool) -> Any:
    from PySide6.QtGui import QPageLayout

    return QPageLayout.Orientation.Landscape if is_wide else QPageLayout.Orientation.Portrait


def make_page(shell: Shell) -> MapPage:
    """The page, for the window."""
    return MapPage(shell)
