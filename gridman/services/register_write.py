"""Writing a matched household: dwelling, household, its people and their care groups."""

from collections import Counter

from gridman.domain.address import floor_of_room, walk_order
from gridman.domain.building import Dwelling
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.person import CareTag, Person
from gridman.kernel.clock import day_of
from gridman.services.register_match import Match, PersonMatch
from gridman.store.unit import Unit

__all__ = ["RegisterWriter"]

_ALL = 100_000


class RegisterWriter:
    """Writes within one unit of work. `written`: new records by kind, and "amended" ones."""

    def __init__(self, unit: Unit) -> None:
        self.written: Counter[str] = Counter()
        self._unit = unit
        self._today = day_of(unit.at)
        # Asked before the first write: a question in between would send the records written so far one small group at a time.
        self._grid_codes = {grid.id: grid.code[-6:] for grid in unit.page(Grid, limit=_ALL)}
        self._new_dwellings: dict[tuple[int, str, str], Dwelling] = {}

    def write(self, match: Match) -> None:
        """Write what differs; a household that is on file as the register has it stays untouched."""
        dwelling = self._dwelling(match)
        household = match.household or self._new_household(match, dwelling)
        for one in match.people:
            self._write_person(one, household)
        for one in match.everyone:
            self._write_groups(one, household)
        self._complete(match, household, dwelling)

    def _dwelling(self, match: Match) -> Dwelling | None:
        building, address = match.rows.building, match.rows.address
        if match.dwelling is not None or not address.room:
            return match.dwelling
        door = building.id, address.unit, address.room
        if door not in self._new_dwellings:
            dwelling = Dwelling(building_id=building.id, grid_id=building.grid_id, unit=address.unit or None)
            dwelling.floor, dwelling.room = floor_of_room(address.room), address.room
            self._new_dwellings[door] = self._unit.create(dwelling)
            self.written["dwelling"] += 1
        return self._new_dwellings[door]

    def _new_household(self, match: Match, dwelling: Dwelling | None) -> Household:
        rows, building = match.rows, match.rows.building
        household = Household(
            id=self._unit.new_id(),
            grid_id=building.grid_id,
            building_id=building.id,
            dwelling_id=dwelling.id if dwelling else None,
            address=rows.text,
            walk_order=walk_order(rows.address.building, rows.address.unit, None, rows.address.room, building.compound),
        )
        household.number = rows.number or self._own_number(household)
        self.written["household"] += 1
        return self._unit.create(household)

    def _own_number(self, household: Household) -> str:
        """A number nobody else gives, in the form of the numbers given in the window."""
        return f"{self._grid_codes[household.grid_id]}-{self._unit.replica}-{household.id & 0xFFFFFF:05d}"

    def _write_person(self, one: PersonMatch, household: Household) -> None:
        if one.person is None:
            person = Person(**one.values, household_id=household.id, grid_id=household.grid_id)
            one.person = self._unit.create(person)
            self.written["person"] += 1
        elif one.values:
            self._unit.amend(one.person, **one.values)
            self.written["amended"] += 1

    def _write_groups(self, one: PersonMatch, household: Household) -> None:
        assert one.person is not None
        for tag in one.ended:
            self._unit.amend(tag, until_on=self._today)
            self.written["amended"] += 1
        for group, evidence in one.new_groups.items():
            tag = CareTag(person_id=one.person.id, household_id=household.id, grid_id=household.grid_id)
            tag.care_group, tag.since_on, tag.evidence = group, self._today, evidence
            self._unit.create(tag)
            self.written["care_tag"] += 1

    def _complete(self, match: Match, household: Household, dwelling: Dwelling | None) -> None:
        """Head, dwelling and the office's own number, where the household lacks them."""
        values: dict[str, object] = {}
        current = next(
            (one for one in match.everyone if one.person and one.person.id == household.head_person_id), None
        )
        head = match.head.person if match.head else None
        if head is not None and (current is None or not current.lives_here):
            values["head_person_id"] = head.id
        if household.dwelling_id is None and dwelling is not None:
            values["dwelling_id"] = dwelling.id
        if match.rows.is_rented and household.is_rented is None:
            values["is_rented"] = True
        if match.rows.number:
            values["number"] = match.rows.number
        is_changed = any(getattr(household, name) != value for name, value in values.items())
        if is_changed:
            self._unit.amend(household, **values)
        if is_changed and match.household is not None:
            self.written["amended"] += 1
