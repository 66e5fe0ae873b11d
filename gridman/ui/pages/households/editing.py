"""The forms of the page: a household, a new household with its place, a resident with care groups."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from gridman.domain import codes
from gridman.domain.building import Building, tidy_number
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.id_number import IdNumber, read_id_number
from gridman.domain.person import CareTag, Person
from gridman.kernel.words import N_, _, listed
from gridman.services import doubles, households
from gridman.ui.combo import Combo
from gridman.ui.form_controls import ChoiceChips
from gridman.ui.form_rows import FieldRow
from gridman.ui.forms import Form, Group
from gridman.ui.shell import Shell
from gridman.ui.widgets import Card, Notice, column_of, label, row_of

__all__ = ["HouseholdForm", "PersonForm", "save_household", "save_person"]

_HOME = (
    Group(N_("Household"), ("address", "phones", "plate_numbers", "is_vacant", "is_rented")),
    Group(N_("Situation"), ("protection", "informed_on", "needs_note", "remark")),
)
_PERSON = (
    Group(
        N_("Identity"),
        ("name", "relation", "id_number", "phones", "sex", "birth_on", "id_kind", "id_unverified_reason"),
    ),
    Group(N_("Residence"), ("population_type", "household_match", "registered_address", "moved_out_on", "died_on")),
    Group(N_("More"), ("ethnic", "political", "marital", "education", "workplace", "remark")),
)


_CARE = "care_groups"


class PlacePart(Card):
    """Where a new household is: grid, building, unit, room; from them the address is put together."""

    changed = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__(_("Place"))
        self._shell = shell
        self._grid = Combo(_("Grid"))
        self._building = Combo(_("Building"))
        self._building.setMaxVisibleItems(20)
        self._unit, self._room = QLineEdit(), QLineEdit()
        named = (
            (self._grid, _("Grid")),
            (self._building, _("Building")),
            (self._unit, _("Unit")),
            (self._room, _("Room")),
        )
        captions = []
        for widget, name in named:
            widget.setAccessibleName(name)
            captions.append(
                column_of(label(name + (" *" if widget is self._grid else ""), "caption"), widget, spacing=2)
            )
        for pair in (captions[:2], captions[2:]):
            row = row_of(*pair, spacing=12)
            row.setStretch(0, 1)
            row.setStretch(1, 1)
            self.add(row)
        self._buildings: list[Building] = []
        self.setFocusProxy(self._building)
        self._grid.currentIndexChanged.connect(self._show_buildings)
        self._building.currentIndexChanged.connect(self._tell)
        self._unit.textEdited.connect(self._tell)
        self._room.textEdited.connect(self._tell)

    def forget(self) -> None:
        """Take out what was typed."""
        self._unit.clear()
        self._room.clear()

    def begin(self) -> None:
        """Read the grids and buildings of this user's scope."""
        self.forget()
        self._shell.background.ask(_places, sorted(self._shell.actor.grid_ids), then=self._take)

    def _take(self, places: tuple[list[Grid], list[Building]]) -> None:
        grids, self._buildings = places
        self._grid.clear()
        for grid in grids:
            self._grid.addItem(grid.name, grid.id)

    def _show_buildings(self, number: int) -> None:
        self._building.clear()
        self._building.addItem(_("(none)"), None)
        for building in self._buildings:
            if building.grid_id == self._grid.currentData():
                self._building.addItem(_building_words(building), building.id)
        if self._building.count() > 1:
            self._building.setCurrentIndex(1)

    def _tell(self, what: object = None) -> None:
        self.changed.emit()

    @property
    def is_typed(self) -> bool:
        """Whether something was typed here."""
        return bool(self._unit.text().strip() or self._room.text().strip())

    def address(self) -> str:
        """The address in words, as far as it is known."""
        building = next((b for b in self._buildings if b.id == self._building.currentData()), None)
        parts = (
            [f"{building.road or ''}{building.door_plate or ''}{_building_words(building)}"]
            if building is not None
            else []
        )
        if self._unit.text().strip():
            parts.append(tidy_number(self._unit.text()) + "单元")
        parts.append(self._room.text().strip())
        return "".join(parts)

    def values(self) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """What goes into the household, and into its dwelling (None without a building)."""
        building_id, room = self._building.currentData(), self._room.text().strip()
        home = {"grid_id": self._grid.currentData(), "building_id": building_id}
        if building_id is None or not room:
            return home, None
        return home, {"building_id": building_id, "unit": tidy_number(self._unit.text()) or None, "room": room}


def _building_words(building: Building) -> str:
    number = f"{building.number}号楼" if building.number and building.number.isdigit() else building.number or ""
    return f"{building.compound}{number}"


def _places(reader: Any, grid_ids: Sequence[int]) -> tuple[list[Grid], list[Building]]:
    grids = reader.page(Grid, order_by=("code",), **({"id": grid_ids} if grid_ids else {}))
    return grids, reader.page(Building, grid_id=[g.id for g in grids], order_by=("compound", "number"), limit=2_000)


class HouseholdForm(Form):
    """A household's own fields; for a new one its place comes first."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell, Household, _HOME)
        self.place = PlacePart(shell)
        self.place.changed.connect(self._compose)
        self.add_part(self.place, 0)
        self._composed = ""

    def edit(self, household: Household) -> None:
        """Open on a household."""
        self.place.hide()
        self.begin(household, _("Edit the household"), f"household:{household.id}")

    def register(self) -> None:
        """Open for a new household."""
        self._composed = ""
        self.place.show()
        self.place.begin()
        self.begin(None, _("Register a household"), "household:new")
        self.place.setFocus(Qt.FocusReason.TabFocusReason)

    @property
    def is_dirty(self) -> bool:
        return super().is_dirty or (self.place.isVisibleTo(self) and self.place.is_typed)

    def finish(self) -> None:
        super().finish()
        self.place.forget()

    def _compose(self) -> None:
        row = self.rows["address"]
        if (row.control.value() or "") in ("", self._composed):
            self._composed = self.place.address()
            row.type_in(self._composed)
            row.settle()


class PersonForm(Form):
    """A resident and the care groups; sex and birth date follow from a valid ID number, and a number already on file is told."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell, Person, _PERSON)
        self._person_id: int | None = None
        self._groups_were: list[str] = []
        self.care = ChoiceChips(codes.table("care_group"))
        self.care.edited.connect(self.mark_edited)
        card = Card(_("Care groups"))
        card.add(self.care)
        self.add_part(card, 1)
        self._known = Notice("", "attention")
        self._known.hide()
        self.add_part(self._known, 0)
        self.rows["id_number"].left.connect(self._follow_number)

    def edit(self, person: Person, groups: list[str], words: str) -> None:
        """Open on a resident."""
        self._open(person, groups, _("Edit {name}").format(name=person.name), f"person:{person.id}", None)
        self.setAccessibleName(words)

    def add(self, household_id: int, is_first: bool) -> None:
        """Open for a new resident; the first one is the head."""
        values = {"population_type": "01", "household_match": "01", "ethnic": "01"}
        if is_first:
            values["relation"] = "02"
        self._open(None, [], _("Add a resident"), f"person:new:{household_id}", values)

    def _open(
        self, person: Person | None, groups: list[str], title: str, draft: str, values: Mapping[str, Any] | None
    ) -> None:
        self._person_id = person.id if person is not None else None
        self._groups_were = list(groups)
        self.care.set_codes(groups)
        self._known.hide()
        for name in ("moved_out_on", "died_on"):
            self.rows[name].setVisible(person is not None)
        self.begin(person, title, draft, values)

    @property
    def groups_were(self) -> list[str]:
        """The care groups when the form was opened."""
        return list(self._groups_were)

    @property
    def is_dirty(self) -> bool:
        return super().is_dirty or self.care.codes() != self._groups_were

    def other_values(self) -> dict[str, Any]:
        return {_CARE: self.care.codes()} if self.care.codes() != self._groups_were else {}

    def put_back_others(self, payload: Mapping[str, Any]) -> bool:
        if _CARE in payload:
            self.care.set_codes(payload[_CARE])
        return _CARE in payload

    def _drop_restored(self) -> None:
        super()._drop_restored()
        self.care.set_codes(self._groups_were)
        self._extra_changed = False

    def finish(self) -> None:
        super().finish()
        self._groups_were = []
        self.care.set_codes([])

    def _follow_number(self, row: FieldRow) -> None:
        read = read_id_number(str(row.value() or ""))
        if not isinstance(read, IdNumber):
            self._known.hide()
            return
        for name, value in (("sex", read.sex), ("birth_on", read.birth_on)):
            if self.rows[name].value() is None:
                self.rows[name].type_in(value)
        self.shell.background.ask(doubles.duplicates_of, read.text, self._person_id, then=self._tell_known, key="known")

    def _tell_known(self, found: list[Person]) -> None:
        self._known.setVisible(bool(found))
        if found:
            names = listed(person.name for person in found)
            text = _(
                "This ID number is already on file: {names}. Move that resident here instead of registering twice."
            )
            self._known.tell(text.format(names=names), "attention")


def save_household(
    unit: Any, household_id: int | None, values: dict[str, Any], dwelling: dict[str, Any] | None
) -> Household:
    """Write the form down."""
    if household_id is None:
        return households.register_household(unit, values, dwelling)
    return households.amend_household(unit, household_id, values)


def save_person(
    unit: Any,
    household_id: int,
    person_id: int | None,
    values: dict[str, Any],
    groups: Sequence[str],
    were: Sequence[str] = (),
) -> Person:
    """Write the form and the care groups down, in one unit. `were`: the groups when the form was opened; those that came meanwhile from
    another computer stay, as other fields do that were not touched here.
    """
    if person_id is None:
        return households.add_person(unit, household_id, values, groups)
    person = households.amend_person(unit, person_id, values)
    now = {tag.care_group for tag in unit.page(CareTag, person_id=person_id, until_on=None)}
    households.set_care_groups(unit, person_id, sorted(now - (set(were) - set(groups)) | (set(groups) - set(were))))
    return person


def as_widget(form: Form) -> QWidget:
    """The form in a pane with the page's margins."""
    holder = QWidget()
    holder.setLayout(row_of(form, margins=(16, 12, 12, 12)))
    return holder
