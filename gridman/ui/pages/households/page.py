"""The Households page: the list at the left, the chosen record at the right; forms and decisions take the record's place."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLineEdit, QSplitter, QStackedWidget, QWidget

from gridman.domain import codes
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.person import Person
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.services import households
from gridman.services.households import HouseholdQuery, household_ids, household_rows
from gridman.services.reading import note_opened
from gridman.ui.actions import Verb
from gridman.ui.changes import Changed, ids_of
from gridman.ui.combo import Combo
from gridman.ui.page import Page
from gridman.ui.pages.households.asking import household_of, list_facts, move_resident
from gridman.ui.pages.households.deciding import MovePanel, ReasonPanel, focus_soon
from gridman.ui.pages.households.editing import HouseholdForm, PersonForm, as_widget, save_household, save_person
from gridman.ui.pages.households.list_columns import COLUMNS
from gridman.ui.pages.households.record_panel import RecordPanel
from gridman.ui.pages.households.record_words import OpenedFile, open_file
from gridman.ui.shell import Shell
from gridman.ui.table_pane import Nothing, TablePane
from gridman.ui.widgets import EmptyState, button, clear, row_of

__all__ = ["HouseholdsPage", "make_page"]

_TYPING_MS = 120


class HouseholdsPage(Page):
    """See the module."""

    concerns: ClassVar = ("household", "person", "care_tag", "visit", "dwelling", "incident", "conflict")
    verbs: ClassVar[tuple[Verb, ...]] = (
        Verb("find", N_("Find in this list"), "Ctrl+F", "search"),
        Verb("edit", N_("Edit the household"), "Ctrl+E", "pencil", "household.write"),
        Verb("add_person", N_("Add a resident"), "Ctrl+Shift+P", "user-plus", "household.write"),
    )

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._query = HouseholdQuery()
        self._open_id = 0  # asked for last: what is shown follows, but never goes back to what was shown before
        self._follows_list = False
        self._editing_id: int | None = None
        self._panel: QWidget | None = None
        self._held: tuple[str, int] | None = None  # a record asked for while something typed was in the way
        self._list = self._make_list()
        self.record = RecordPanel(shell)
        self.record.wanted.connect(self._do_wanted)
        self.household_form = HouseholdForm(shell)
        self.person_form = PersonForm(shell)
        self.household_form.submitted.connect(self._save_household)
        self.person_form.submitted.connect(self._save_person)
        self._right = QStackedWidget()
        self._blank = EmptyState(
            shell.theme, "house", _("No household chosen"),
            _("Choose one in the list, or search with Ctrl+K for a name, an address or the end of a phone number."),
        )  # fmt: skip
        self._places = {
            "blank": self._blank, "record": self.record, "household": as_widget(self.household_form),
            "person": as_widget(self.person_form),
        }  # fmt: skip
        for one in self._places.values():
            self._right.addWidget(one)
        for form in (self.household_form, self.person_form):
            form.cancelled.connect(self._left_form)
            form.stayed.connect(self._stay)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setAccessibleName(_("List and record"))
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._list)
        splitter.addWidget(self._right)
        splitter.setStretchFactor(0, 4)
        splitter.setStretchFactor(1, 5)
        splitter.setSizes([460, 540])
        self._right.setMinimumWidth(380)
        self._list.setMinimumWidth(320)
        self.setLayout(row_of(splitter))

    def _make_list(self) -> QWidget:
        shell = self.shell
        nothing = Nothing(
            N_("No household here"),
            N_("No household fits these filters."),
            "search",
            N_("Show all"),
            self._clear_filters,
        )
        self.table = TablePane(shell, "households", COLUMNS, household_ids, household_rows, nothing)
        self.table.view.setAccessibleName(_("Households"))
        self.table.chosen.connect(self._chosen)
        self.table.opened.connect(self._opened)
        self.table.sorted_by.connect(self._sort)
        self.table.counted.connect(self._counted)
        self._text = QLineEdit()
        self._text.setProperty("kind", "search")
        self._text.setPlaceholderText(_("Name, initials, address, phone"))
        self._text.setAccessibleName(_("Filter the list"))
        self._text.setClearButtonEnabled(True)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._filter)
        self._text.textChanged.connect(self._typed)
        self._text.returnPressed.connect(self._to_list)
        self._due = button(_("Visit due"), "chip", clicked=self._filter, tip=_("Only households with a visit due"))
        self._due.setCheckable(True)
        self._care = Combo(_("Care group"), 11)
        self._care.addItem(_("All care groups"), "")
        for row in codes.table("care_group"):
            self._care.addItem(row.word, row.code)
        self._grid = Combo(_("Grid"), 11)
        self._grid.addItem(_("All grids"), None)
        self._grid.hide()
        for box in (self._care, self._grid):
            box.currentIndexChanged.connect(self._filter)
        new = button(
            _("Register"), theme=shell.theme, picture="house-plus", clicked=self.do_register, tip="Ctrl+Shift+H"
        )
        if not shell.may("household.write"):
            new.hide()
        for filter_ in (self._due, self._care, self._grid):
            self.table.add_filter(filter_)
        self.table.add_head(self._text, new)
        return self.table

    # -- asking -------------------------------------------------------------------------------------------------------

    def refresh(self, changes: Changed | None) -> None:
        if changes is None:
            grids = sorted(self.shell.actor.grid_ids)
            self.shell.background.ask(list_facts, grids, then=self._take_facts, key="facts")
            self._ask()
        elif ids_of(changes, "household") == frozenset() and not {"person", "care_tag", "visit"} & set(changes.touched):
            pass  # an incident or a conflict: the list's lines stay as they are
        else:
            self.table.renew(None)
            self.table.reload()
        if self._open_id:
            self._open(self._open_id)

    def _ask(self) -> None:
        self.table.show_query(self._query)

    def _take_facts(self, facts: tuple[list[Grid], int]) -> None:
        grids, total = facts
        self.table.set_total(total)
        if total:
            self.table.explain_nothing(_("No household here"), _("No household fits these filters."), acts=True)
        else:
            self.table.explain_nothing(
                _("No household on this computer yet"), _("Synchronise once (F9), or register the first with Ctrl+Shift+H."), acts=False,
            )  # fmt: skip
        if len(grids) > 1 and self._grid.count() == 1:
            for grid in grids:
                self._grid.addItem(grid.name, grid.id)
            self._grid.show()

    def first_focus(self) -> QWidget | None:
        return self.table.view if self._right.currentWidget() in (self._blank, self.record) else None

    def open_record(self, kind: str, record_id: int) -> None:
        if not self.may_leave():
            self._held = (kind, record_id)
            return
        if kind == "person":
            self.shell.background.ask(household_of, record_id, then=self._open_household)
        elif kind == "building":
            self._query = HouseholdQuery(building_id=record_id, order=self._query.order)
            self._ask()
        else:
            self._open_household(record_id)

    def _left_form(self) -> None:
        self._show_record()
        held, self._held = self._held, None
        if held is not None:
            self.open_record(*held)
        self.freed.emit(True)

    def _stay(self) -> None:
        self._held = None
        self.freed.emit(False)

    def _open_household(self, household_id: int) -> None:
        self.table.select(household_id)
        self._open(household_id)

    def _chosen(self, household_id: int | None) -> None:
        if household_id is None or self._right.currentWidget() in (self._places["household"], self._places["person"]):
            return
        self._open(household_id)

    def _counted(self, count: int) -> None:
        if self._follows_list or not self._open_id:
            self._follows_list = False
            self.table.select_first()

    def _opened(self, household_id: int) -> None:
        if self.may_leave():
            self._open(household_id)

    def _open(self, household_id: int) -> None:
        self._open_id = household_id
        self.shell.background.ask(open_file, household_id, then=self._take_file, refused=self._lost, key="file")

    def _take_file(self, opened: OpenedFile) -> None:
        if self.record.household_id != opened.file.household.id:
            self._close_panel()
            self.shell.background.do(note_opened, opened.file.household.id)
        self.record.show_file(opened)
        if self._right.currentWidget() is self._blank:
            self._show_record()

    def _lost(self, refusal: Refusal) -> None:
        self.record.opened, self._open_id = None, 0
        self._right.setCurrentWidget(self._blank)
        self.shell.refuse(refusal)

    # -- filters ------------------------------------------------------------------------------------------------------

    def _typed(self, text: str) -> None:
        self._typing.start()

    def _filter(self, what: object = None) -> None:
        self._follows_list = True
        grid = self._grid.currentData()
        self._query = HouseholdQuery(
            grid_ids=(grid,) if grid else (), text=self._text.text(), care_group=self._care.currentData() or "",
            is_due=True if self._due.isChecked() else None, order=self._query.order, descending=self._query.descending,
        )  # fmt: skip
        self._ask()

    def _clear_filters(self) -> None:
        self._text.clear()
        self._care.setCurrentIndex(0)
        self._grid.setCurrentIndex(0)
        self._due.setChecked(False)
        self._filter()

    def _sort(self, order: str, is_descending: bool) -> None:
        from dataclasses import replace

        self._query = replace(self._query, order=order, descending=is_descending)
        self._ask()

    def _to_list(self) -> None:
        self.table.view.setFocus()
        self.table.select_first()

    # -- verbs --------------------------------------------------------------------------------------------------------

    def begin(self, intent: str) -> None:
        if intent == "new":
            self.do_register()
        elif intent == "due":
            for filter_ in (self._text, self._care, self._grid):  # what was looked for before must not hide any of them
                filter_.blockSignals(True)
            self._text.clear()
            self._care.setCurrentIndex(0)
            self._grid.setCurrentIndex(0)
            for filter_ in (self._text, self._care, self._grid):
                filter_.blockSignals(False)
            self._due.setChecked(True)
            self._query = HouseholdQuery(order="due")
            self.table.mark_order("due", False)
            self._filter()

    def do_find(self) -> None:
        """Take the keyboard to the filter."""
        self._text.setFocus()
        self._text.selectAll()

    def do_register(self) -> None:
        """Open the form of a new household."""
        if self.may_leave():
            self._editing_id = None
            self._right.setCurrentWidget(self._places["household"])
            self.household_form.register()

    def do_edit(self) -> None:
        """Edit the household shown."""
        opened = self.record.opened
        if opened is not None and opened.file.household.retired_at is None and self.may_leave():
            self._editing_id = opened.file.household.id
            self._right.setCurrentWidget(self._places["household"])
            self.household_form.edit(opened.file.household)

    def do_add_person(self) -> None:
        """Add a resident to the household shown."""
        opened = self.record.opened
        if opened is not None and opened.file.household.retired_at is None and self.may_leave():
            self._editing_id = None
            self._right.setCurrentWidget(self._places["person"])
            self.person_form.add(opened.file.household.id, is_first=not opened.file.people)

    def _do_wanted(self, verb: str, record_id: int) -> None:
        acts: dict[str, Callable[[], None]] = {
            "edit": self.do_edit, "add_person": self.do_add_person, "retire": self._retire, "restore": partial(self._restore, record_id),
            "edit_person": partial(self._edit_person, record_id), "move_person": partial(self._move_person, record_id),
            "retire_person": partial(self._retire_person, record_id),
        }  # fmt: skip
        acts[verb]()

    def _person(self, person_id: int) -> Person | None:
        opened = self.record.opened
        lines = opened.file.people if opened is not None else []
        return next((line.person for line in lines if line.person.id == person_id), None)

    def _edit_person(self, person_id: int) -> None:
        opened = self.record.opened
        if opened is None or not self.may_leave():
            return
        line = next(line for line in opened.file.people if line.person.id == person_id)
        self._editing_id = person_id
        self._right.setCurrentWidget(self._places["person"])
        self.person_form.edit(line.person, [tag.care_group for tag in line.care], line.person.name)

    # -- saving -------------------------------------------------------------------------------------------------------

    def _save_household(self, values: dict[str, Any]) -> None:
        home, dwelling = self.household_form.place.values() if self._editing_id is None else ({}, None)
        self.shell.background.do(
            save_household, self._editing_id, {**values, **home}, dwelling, then=self._household_saved,
            refused=self.household_form.take_refusal,
        )  # fmt: skip

    def _household_saved(self, household: Household) -> None:
        is_new = self._editing_id is None
        self._stay()
        self.household_form.finish()
        self._show_record()
        self._open_household(household.id)
        if is_new:
            self.shell.say(_("Household {number} registered. Now add its head.").format(number=household.number))
            self.shell.background.ask(open_file, household.id, then=self._add_head, key="head")
        else:
            self.shell.say(_("Saved."))

    def _add_head(self, opened: OpenedFile) -> None:
        self.record.show_file(opened)
        self.do_add_person()

    def _save_person(self, values: dict[str, Any]) -> None:
        self.shell.background.do(
            save_person, self.record.household_id, self._editing_id, values, self.person_form.care.codes(),
            self.person_form.groups_were, then=self._person_saved, refused=self.person_form.take_refusal,
        )  # fmt: skip

    def _person_saved(self, person: Person) -> None:
        self._stay()
        self.person_form.finish()
        self._show_record()
        self.shell.say(_("{name} saved.").format(name=person.name))

    # -- deciding -----------------------------------------------------------------------------------------------------

    def _retire(self) -> None:
        opened = self.record.opened
        if opened is None:
            return
        n = len(opened.file.people)
        text = _(
            "{n} residents are closed with it. Visits and history stay on file, and it can be brought back."
        ).format(n=n)
        panel = ReasonPanel(_("Close this household?"), text, _("Close household"))
        panel.decided.connect(self._retire_decided)
        self._show_panel(panel)

    def _retire_decided(self, reason: str) -> None:
        self.shell.background.do(
            households.retire_household,
            self.record.household_id,
            reason,
            then=self._retired,
            refused=self._panel_refused,
        )

    def _retired(self, household: Household) -> None:
        self._close_panel()
        self.shell.say(_("Household closed."), undo=partial(self._restore, household.id))

    def _restore(self, household_id: int) -> None:
        self.shell.background.do(households.restore_record, "household", household_id, then=self._restored)

    def _restored(self, household: Household) -> None:
        self.shell.say(_("Brought back."))
        self._open_household(household.id)

    def _retire_person(self, person_id: int) -> None:
        person = self._person(person_id)
        if person is None:
            return
        text = _(
            "For someone entered twice or by mistake. Who moved away or died is edited instead: write the day in the form."
        )
        panel = ReasonPanel(_("Remove {name} from the register?").format(name=person.name), text, _("Remove"))
        panel.decided.connect(partial(self._retire_person_decided, person_id))
        self._show_panel(panel)

    def _retire_person_decided(self, person_id: int, reason: str) -> None:
        self.shell.background.do(
            households.retire_person, person_id, reason, then=self._person_retired, refused=self._panel_refused
        )

    def _person_retired(self, person: Person) -> None:
        self._close_panel()
        self.shell.say(_("{name} removed.").format(name=person.name), undo=partial(self._restore_person, person.id))

    def _restore_person(self, person_id: int) -> None:
        self.shell.background.do(households.restore_record, "person", person_id)

    def _move_person(self, person_id: int) -> None:
        person = self._person(person_id)
        if person is None:
            return
        panel = MovePanel(
            self.shell, _("Move {name} to another household").format(name=person.name), self.record.household_id
        )
        panel.decided.connect(partial(self._move_decided, person_id))
        self._show_panel(panel)

    def _move_decided(self, person_id: int, to_id: int) -> None:
        self.shell.background.do(
            move_resident, person_id, to_id, self.record.household_id, then=self._moved, refused=self._panel_refused
        )

    def _moved(self, done: tuple[Person, int]) -> None:
        person, from_id = done
        self._close_panel()
        self.shell.say(_("{name} moved.").format(name=person.name), undo=partial(self._move_back, person.id, from_id))

    def _move_back(self, person_id: int, to_id: int) -> None:
        self.shell.background.do(households.move_person, person_id, to_id)

    # -- what is at the right -----------------------------------------------------------------------------------------

    def _show_panel(self, panel: ReasonPanel | MovePanel) -> None:
        self._close_panel()
        panel.left.connect(self._close_panel)
        self._panel = panel
        self.record.deciding.addWidget(panel)
        self.record.show_top()
        focus_soon(panel)

    def _panel_refused(self, refusal: Refusal) -> None:
        if isinstance(self._panel, ReasonPanel | MovePanel):
            self._panel.take_refusal(refusal)
        else:
            self.shell.refuse(refusal)

    def _close_panel(self) -> None:
        if self._panel is not None:
            self._panel = None
            clear(self.record.deciding)
            self.table.view.setFocus()

    def _show_record(self) -> None:
        self._right.setCurrentWidget(self.record if self.record.opened is not None else self._blank)
        self.table.view.setFocus()

    def may_leave(self) -> bool:
        here = self._right.currentWidget()
        if here is self._places["household"]:
            return self.household_form.may_leave()
        if here is self._places["person"]:
            return self.person_form.may_leave()
        return True

    def state(self) -> dict[str, Any]:
        return {"household_id": self.record.household_id}

    def restore_state(self, state: dict[str, Any]) -> None:
        if state.get("household_id"):
            self._open_household(state["household_id"])


def make_page(shell: Shell) -> Page:
    """The page, for `navigation.py`."""
    return HouseholdsPage(shell)
