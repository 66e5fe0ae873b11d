"""The Reports page: choose a report and what it is about; the pages stand beside it at once; print or save them."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from gridman.kernel.clock import day_of, show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _, listed
from gridman.services.visits import visit_rows
from gridman.ui.actions import Verb
from gridman.ui.cells import ShortList
from gridman.ui.changes import Changed
from gridman.ui.combo import Combo
from gridman.ui.entry.finder import RecordFinder
from gridman.ui.page import Page
from gridman.ui.pages.reports.making import Made, Wish, make_preview
from gridman.ui.pages.reports.press import Press
from gridman.ui.pages.reports.preview import Preview, labelled
from gridman.ui.pages.reports.subjects import buildings_of, grids_of, visits_of
from gridman.ui.shell import Shell
from gridman.ui.widgets import button, column_of, flow_of, label, scrolled

__all__ = ["ReportsPage", "make_page"]

_PAUSE_MS = 350
_ABOUT = {"F02": ("household", "person"), "F05": ("incident",), "F06": ("household", "person")}
_REPORT_OF = {"household": "F02", "person": "F02", "incident": "F05", "visit": "F06", "grid": "F01"}


class ReportsPage(Page):
    """See the module."""

    concerns = ("household", "person", "care_tag", "incident", "incident_step", "visit", "grid", "building")
    verbs: ClassVar[tuple[Verb, ...]] = (
        Verb("print", N_("Print"), "Ctrl+P", "printer"),
        Verb("save", N_("Save as PDF"), "Ctrl+S", "download"),
    )

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._wish: Wish | None = None
        self._made: Made | None = None
        self._target = 0
        self._is_making = False
        self._wanted_grid: int | None = None
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self._make_choices()
        self.preview = Preview(shell)
        self._press = Press(shell, self.preview, self)
        self._press.over.connect(self._printed)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self._left())
        split.addWidget(self.preview)
        split.setStretchFactor(1, 1)
        split.setSizes([320, 680])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)
        self.reports.setCurrentRow(0)
        self._show_fields()

    # -- parts

    def _make_choices(self) -> None:
        from gridman.reports.catalogue import REPORTS

        self.reports = ShortList(_("Reports"), len(REPORTS))
        for report in REPORTS:
            if not self.shell.may("report.incident" if report.id == "F05" else "roster.print"):
                continue
            item = QListWidgetItem(f"{_(report.title)}  ·  {report.id}")
            item.setData(Qt.ItemDataRole.UserRole, report.id)
            self.reports.addItem(item)
        self.reports.currentRowChanged.connect(self._choose_report)
        self.grid = self._combo(_("Grid"))
        self.building = self._combo(_("Building"))
        self.visit = self._combo(_("Visit"))
        self.grid.currentIndexChanged.connect(self._choose_grid)
        self.building.currentIndexChanged.connect(self._touch)
        self.visit.currentIndexChanged.connect(self._touch)
        self.finders = {
            "F02": self._finder(_("Household"), "F02", _("Initials, name, address")),
            "F05": self._finder(_("Incident"), "F05", _("Number or words")),
            "F06": self._finder(_("Household"), "F06", _("Initials, name, address")),
        }
        self.purpose = QLineEdit()
        self.purpose.setAccessibleName(_("Purpose"))
        self.purpose.setPlaceholderText(_("Why; it is printed on every page"))
        self.purpose.setMaxLength(100)
        self.purpose.textEdited.connect(self._touch)
        self._problem = label("", "problem", wraps=True)
        self._problem.setVisible(False)
        self._print = button(
            _("Print"), "primary", theme=self.shell.theme, picture="printer", clicked=self.do_print, tip="Ctrl+P"
        )
        self._save = button(
            _("Save as PDF"), theme=self.shell.theme, picture="download", clicked=self.do_save, tip="Ctrl+S"
        )

    def _combo(self, name: str) -> Combo:
        return Combo(name, 12)

    def _finder(self, name: str, report_id: str, hint: str) -> RecordFinder:
        finder = RecordFinder(self.shell, name, _ABOUT[report_id], hint)
        finder.chosen.connect(self._take_hit)
        return finder

    def _left(self) -> QFrame:
        body = QWidget()
        self._fields = {
            "grid": labelled(_("Grid"), self.grid),
            "building": labelled(_("Building"), self.building),
            "F02": labelled(_("Household"), self.finders["F02"]),
            "F05": labelled(_("Incident"), self.finders["F05"]),
            "F06": labelled(_("Household"), self.finders["F06"]),
            "visit": labelled(_("Visit"), self.visit),
        }
        masked = label(
            _("ID numbers and phones are masked. Printing and saving are noted with batch number, user and purpose."),
            "small",
            wraps=True,
        )
        body.setLayout(
            column_of(
                label(_("Reports"), "title"),
                self.reports,
                *self._fields.values(),
                labelled(_("Purpose"), self.purpose),
                self._problem,
                flow_of(self._print, self._save),
                masked,
                None,
                spacing=12,
                margins=(16, 12, 16, 12),
            )
        )
        pane = QFrame()
        pane.setProperty("kind", "pane")
        pane.setMinimumWidth(300)
        layout = QVBoxLayout(pane)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(body, _("Reports")))
        return pane

    # -- choosing

    @property
    def report_id(self) -> str:
        """The chosen report's form number."""
        item = self.reports.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ""

    def _choose_report(self, _row: int) -> None:
        self._target = 0
        for finder in self.finders.values():
            finder.clear()
        self.visit.clear()
        self._show_fields()
        self._touch()

    def _show_fields(self) -> None:
        shown = {"F01": ("grid", "building"), "F02": ("F02",), "F05": ("F05",), "F06": ("F06", "visit")}.get(
            self.report_id, ()
        )
        for name, field in self._fields.items():
            field.setVisible(name in shown)

    def _take_hit(self, hit: Any) -> None:
        if self.report_id == "F05":
            self._target = hit.record_id
        elif self.report_id == "F02":
            self._target = hit.household_id or hit.record_id
        else:
            self.shell.background.ask(visits_of, hit.household_id or hit.record_id, then=self._take_visits)
            return
        self._ask()

    def _take_visits(self, visits: list[tuple[int, str]]) -> None:
        self.visit.clear()
        for visit_id, words in visits:
            self.visit.addItem(words, visit_id)
        if not visits:
            self.preview.tell(_("This household has no visit on this computer."))

    def _choose_grid(self, _index: int) -> None:
        grid_id = self.grid.currentData()
        if grid_id is not None:
            self.shell.background.ask(buildings_of, grid_id, then=self._take_buildings, key="buildings")
        self._touch()

    def _take_buildings(self, buildings: list[tuple[int, str]]) -> None:
        chosen = self.building.currentData()
        self.building.blockSignals(True)
        self.building.clear()
        self.building.addItem(_("the whole grid"), None)
        for building_id, words in buildings:
            self.building.addItem(words, building_id)
        self.building.setCurrentIndex(max(0, self.building.findData(chosen)))
        self.building.blockSignals(False)

    def refresh(self, changes: Changed | None) -> None:
        """The grids on offer and the preview are read again."""
        self.shell.background.ask(grids_of, self.shell.actor.grid_ids, then=self._take_grids)

    def _take_grids(self, grids: list[tuple[int, str]]) -> None:
        chosen = self._wanted_grid or self.grid.currentData()
        self._wanted_grid = None
        self.grid.blockSignals(True)
        self.grid.clear()
        for grid_id, name in grids:
            self.grid.addItem(name, grid_id)
        self.grid.setCurrentIndex(max(0, self.grid.findData(chosen)))
        self.grid.blockSignals(False)
        self._choose_grid(0)

    def open_record(self, kind: str, record_id: int) -> None:
        """The report about this record."""
        report_id = _REPORT_OF.get(kind, "")
        for row in range(self.reports.count()):
            if self.reports.item(row).data(Qt.ItemDataRole.UserRole) == report_id:
                self.reports.setCurrentRow(row)
                break
        else:
            return
        if kind == "grid":
            self._wanted_grid = record_id
            self.refresh(None)
            return
        self._target = record_id
        if kind == "visit":
            self.shell.background.ask(visit_rows, [record_id], then=self._take_one_visit)
        self._ask()

    def _take_one_visit(self, rows: Any) -> None:
        self._take_visits([(row.id, f"{show_instant(row.visited_at)} {row.address}") for row in rows])

    # -- preview

    def _touch(self, *_said: Any) -> None:
        self._pause.start()

    def _current_wish(self) -> Wish | None:
        purpose = self.purpose.text().strip()
        if self.report_id == "F01":
            grid_id = self.grid.currentData()
            return Wish("F01", grid_id, self.building.currentData(), purpose) if grid_id is not None else None
        target = self.visit.currentData() if self.report_id == "F06" and self.visit.count() else self._target
        return Wish(self.report_id, target, None, purpose) if self.report_id and target else None

    def _ask(self) -> None:
        self._pause.stop()
        wish = self._current_wish()
        self._wish, self._made = wish, None
        self._enable(False)
        if wish is None:
            self._is_making = False
            self.preview.tell(_("Choose what the report is about; the pages appear here at once."))
            return
        self._is_making = True
        if self.preview.document.pageCount() == 0:
            self.preview.tell(_("Laying out the pages…"))
        self.shell.background.ask(
            make_preview,
            self.shell.actor,
            wish,
            self.shell.desk.blobs,
            then=self._show,
            refused=self._refused,
            key="preview",
        )

    def _show(self, made: Made) -> None:
        self._is_making = False
        if made.wish != self._wish:
            return
        self._made = made
        self.preview.show_pdf(made.pdf)
        self._tell(
            _("No font has a character of: {names}. It is printed as its code.").format(
                names=listed(made.undrawable[:5])
            )
            if made.undrawable
            else ""
        )
        self._enable(True)

    def _refused(self, refusal: Refusal) -> None:
        self._is_making = False
        self.preview.forget()
        self.preview.tell(refusal.words())

    def _enable(self, is_on: bool) -> None:
        self._print.setEnabled(is_on)
        self._save.setEnabled(is_on)

    def _tell(self, text: str) -> None:
        self._problem.setText(text)
        self._problem.setVisible(bool(text))

    # -- printing and saving

    def do_print(self) -> None:
        """Choose a printer; then the batch number is given and the pages are printed."""
        if not self._may_make():
            return
        printer, made = QPrinter(QPrinter.PrinterMode.HighResolution), self._made
        dialog = QPrintDialog(printer, self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self._made = self._made or made  # laid out anew while the dialog stood open: something was synchronised
            self.print_on(printer)

    def print_on(self, printer: QPrinter) -> None:
        """Give the batch number and print on this printer."""
        if self._may_make():
            self._begin(printer)

    def do_save(self) -> None:
        """Choose a file; then the batch number is given and the PDF is written."""
        if not self._may_make() or self._made is None:
            return
        name = f"{self._title()} {day_of(int(self.shell.desk.store.clock()))}.pdf"
        made = self._made
        path, _used = QFileDialog.getSaveFileName(self, _("Save as PDF"), str(Path.home() / name), "PDF (*.pdf)")
        if path:
            self._made = self._made or made
            self.save_to(Path(path))

    def save_to(self, path: Path) -> None:
        """Give the batch number and write the PDF there."""
        if not path.parent.is_dir():
            self._tell(_("There is no folder {folder}. Choose one that is there.").format(folder=path.parent))
        elif self._may_make():
            self._begin(path)

    def _title(self) -> str:
        item = self.reports.currentItem()
        return item.text().split("  ·")[0] if item is not None else ""

    def _may_make(self) -> bool:
        if self._made is None:
            return False
        wish, made = self._current_wish(), self._made.wish
        if (
            wish is None or replace(wish, purpose=made.purpose) != made
        ):  # another was chosen, whose pages are still to come
            self._ask()
            return False
        if not self.purpose.text().strip():
            self._tell(_("Write the purpose: it stands on every page and in the audit."))
            self.purpose.setFocus()
            return False
        if self._made.wish.purpose != self.purpose.text().strip():
            self._made = replace(self._made, wish=replace(self._made.wish, purpose=self.purpose.text().strip()))
        self._tell("")
        return True

    def _begin(self, target: Path | QPrinter) -> None:
        if self._made is not None:
            self._enable(False)
            self._press.put(self._made, target)

    def _printed(self, problem: str) -> None:
        self._enable(self._made is not None)
        self._tell(problem)

    def is_settled(self) -> bool:
        """Whether the preview stands (for pictures)."""
        return not self._is_making and not self._pause.isActive() and self.preview.is_painted()

    def first_focus(self) -> QWidget | None:
        return self.reports

    def state(self) -> dict[str, Any]:
        return {"row": self.reports.currentRow(), "target": self._target, "purpose": self.purpose.text()}

    def restore_state(self, state: dict[str, Any]) -> None:
        self.reports.setCurrentRow(state.get("row", 0))
        self._target = state.get("target", 0)
        self.purpose.setText(state.get("purpose", ""))
        self._ask()


def make_page(shell: Shell) -> ReportsPage:
    """The page, for the window."""
    return ReportsPage(shell)
