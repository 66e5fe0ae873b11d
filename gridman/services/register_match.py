"""A household of a register held against what is on file: what is new, what is the same, what changes. The dry run and the import
read the same answer, so the one foretells the other.

Residents are known by ID number, on the whole computer; without one by name and birth date within their household.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gridman.domain.access import Actor, may
from gridman.domain.address import tidy_door, tidy_room
from gridman.domain.building import Dwelling
from gridman.domain.care import AUTOMATIC, BY_RULE, Member, automatic_groups
from gridman.domain.fields import Synced
from gridman.domain.household import Household
from gridman.domain.person import CareTag, Person
from gridman.domain.register_row import CellProblem, RegisterRow
from gridman.kernel.words import N_
from gridman.services.register_plan import HEADS, HouseholdRows
from gridman.store.unit import Reader

__all__ = ["Match", "PersonMatch", "match_households"]

_ALL = 1_000_000
R = TypeVar("R", bound=Synced)


@dataclass
class PersonMatch:
    """One row and the resident it means. `person` None: new. `values`: what would be written. `new_groups`, `ended`: care groups."""

    row: RegisterRow
    person: Person | None
    values: dict[str, Any]
    new_groups: dict[str, str | None] = field(default_factory=dict)
    ended: list[CareTag] = field(default_factory=list)

    def now(self, name: str) -> Any:
        """A field's value after the import."""
        return self.values[name] if name in self.values else getattr(self.person, name, None)

    @property
    def lives_here(self) -> bool:
        """Whether the person counts to the household after the import."""
        return not (self.now("moved_out_on") or self.now("died_on"))


@dataclass
class Match:
    """One household of the register and its place on file. `people`: its rows; `others`: residents on file whom only the rules of
    the care groups concern.
    """

    rows: HouseholdRows
    household: Household | None = None
    dwelling: Dwelling | None = None
    people: list[PersonMatch] = field(default_factory=list)
    others: list[PersonMatch] = field(default_factory=list)
    problems: list[CellProblem] = field(default_factory=list)
    head: PersonMatch | None = None

    @property
    def everyone(self) -> list[PersonMatch]:
        """All whom an import may write."""
        return [*self.people, *self.others]


def match_households(reader: Reader, wanted: Sequence[HouseholdRows], today: str, actor: Actor) -> list[Match]:
    """Hold a batch of households (some hundreds) against what is on file, with a bounded number of questions. Of homes that are none of the
    `actor`'s nothing is told.
    """
    file = _OnFile(reader, wanted, actor)
    return [_match(file, rows, today) for rows in wanted]


class _OnFile:
    """What is on file about the buildings, numbers and people of a batch of households."""

    def __init__(self, reader: Reader, wanted: Sequence[HouseholdRows], actor: Actor) -> None:
        self.actor = actor
        buildings = {rows.building.id for rows in wanted}
        ids = {number for rows in wanted for row in rows.rows if (number := row.person.get("id_number"))}
        dwellings = reader.page(Dwelling, building_id=buildings, limit=_ALL)
        self._doors: dict[tuple[int, str, str], list[Dwelling]] = defaultdict(list)  # two desks may have added the same
        for d in dwellings:
            self._doors[d.building_id, tidy_door(d.unit or ""), tidy_room(d.room or "")].append(d)
        households = reader.page(Household, building_id=buildings, limit=_ALL)
        self._at_door = _by(households, "dwelling_id")
        self._in_building = _by(households, "building_id")
        self.by_id_number = _by(reader.page(Person, id_number=ids, limit=_ALL) if ids else [], "id_number")
        elsewhere = {p.household_id for people in self.by_id_number.values() for p in people} - {
            h.id for h in households
        }
        self._homes = {h.id: h for h in [*households, *reader.page(Household, id=elsewhere, limit=_ALL)]}
        near = {h.id for rows in wanted for h in self.at(rows)}
        self.people_of = _by(reader.page(Person, household_id=near, limit=_ALL) if near else [], "household_id")
        tags = reader.page(CareTag, household_id=near, until_on=None, limit=_ALL) if near else []
        self.tags_of = _by(tags, "person_id")
        self._matched: set[int] = set()

    def dwelling(self, rows: HouseholdRows) -> Dwelling | None:
        return next(iter(self._dwellings(rows)), None)

    def _dwellings(self, rows: HouseholdRows) -> list[Dwelling]:
        return self._doors.get((rows.building.id, rows.address.unit, rows.address.room), [])

    def at(self, rows: HouseholdRows) -> list[Household]:
        """The households at this address."""
        dwellings = self._dwellings(rows)
        if dwellings:
            return [household for dwelling in dwellings for household in self._at_door[dwelling.id]]
        return [h for h in self._in_building[rows.building.id] if h.dwelling_id is None and h.address == rows.text]

    def household(self, rows: HouseholdRows) -> Household | None:
        """The one meant: by number, else the one that has one of these people, else the only one there."""
        found = [h for h in self.at(rows) if h.id not in self._matched and h.number not in rows.neighbours]
        chosen = next((h for h in found if rows.number and h.number == rows.number), None)
        chosen = chosen or self._of_people(rows, found)
        if chosen is None and len(found) == 1 and not rows.number:
            chosen = found[0]
        if chosen is not None:
            self._matched.add(chosen.id)
        return chosen

    def _of_people(self, rows: HouseholdRows, found: Sequence[Household]) -> Household | None:
        homes = {p.household_id for row in rows.rows for p in self.by_id_number[row.person.get("id_number")]}
        return next((h for h in found if h.id in homes), None)

    def home_of(self, person: Person) -> Household | None:
        return self._homes.get(person.household_id)


def _by(records: Iterable[R], name: str) -> dict[Any, list[R]]:
    found: dict[Any, list[R]] = defaultdict(list)
    for record in records:
        found[getattr(record, name)].append(record)
    return found


def _match(file: _OnFile, rows: HouseholdRows, today: str) -> Match:
    match = Match(rows, file.household(rows), file.dwelling(rows))
    here = file.people_of[match.household.id] if match.household else []
    taken: set[int] = set()
    for row in rows.rows:
        problem, person = _find_person(file, row, here, match.household, taken)
        if problem is not None:
            match.problems.append(problem)
            continue
        if person is not None:
            taken.add(person.id)
        match.people.append(PersonMatch(row, person, _changes(row, person)))
    match.others = [PersonMatch(RegisterRow(), p, {}) for p in here if p.id not in taken]
    match.head = _head(match)
    _derive_groups(file, match, today)
    return match


def _find_person(
    file: _OnFile, row: RegisterRow, here: Sequence[Person], household: Household | None, taken: set[int]
) -> tuple[CellProblem | None, Person | None]:
    number = row.person.get("id_number")
    known = file.by_id_number[number] if number else []
    for person in known:
        if household is not None and person.household_id == household.id:
            return None, person
    for person in known:
        if not (person.moved_out_on or person.died_on) and row.lives_here:
            return _elsewhere(row, file.home_of(person), file.actor), None
    for person in here:
        is_same = person.name == row.person.get("name") and person.birth_on == row.person.get("birth_on")
        if is_same and person.id not in taken and not (number and person.id_number):
            return None, person
    return None, None


def _elsewhere(row: RegisterRow, home: Household | None, actor: Actor) -> CellProblem:
    if home is not None and not may(actor, "register.import", home.grid_id):
        # Who knows a number must not learn by it where in the street its owner lives.
        return row.problem(
            "公民身份号码", "", "register.elsewhere", N_("This person is registered already, in a grid that is not yours."),
            N_("Correct the number in the file if it is wrong; otherwise ask the street's office."), {},
        )  # fmt: skip
    return row.problem(
        "公民身份号码", "", "register.elsewhere", N_("This person is registered already: {address}, household {number}."),
        N_("Move the person there in the program, or correct the address in the file."),
        {"address": home.address if home else "?", "number": home.number if home else "?"},
    )  # fmt: skip


def _changes(row: RegisterRow, person: Person | None) -> dict[str, Any]:
    """What the row says and the file does not. A reason for a missing number goes once there is one."""
    if person is None:
        return dict(row.person)
    said = dict(row.person)
    if person.id_number or person.id_unverified_reason:
        said.pop("id_unverified_reason", None)
    if said.get("id_number") and person.id_unverified_reason:
        said["id_unverified_reason"] = None
    return {name: value for name, value in said.items() if getattr(person, name) != value}


def _head(match: Match) -> PersonMatch | None:
    living = [p for p in match.everyone if p.lives_here]
    for relation in HEADS:
        for person in living:
            if person.now("relation") == relation:
                return person
    return None


def _derive_groups(file: _OnFile, match: Match, today: str) -> None:
    """Care groups to begin (with their evidence) and rule-given ones to end, for everybody who lives in the household."""
    living = [p for p in match.everyone if p.lives_here]
    by_rule = automatic_groups([Member(p.now("birth_on"), p.now("political")) for p in living], today)
    for one, groups in zip(living, by_rule, strict=True):
        held = {tag.care_group: tag for tag in file.tags_of[one.person.id]} if one.person else {}
        wanted: dict[str, str | None] = dict.fromkeys(sorted(groups), BY_RULE)
        wanted.update(dict.fromkeys((g for g in one.row.care if g not in wanted), None))
        one.new_groups = {group: evidence for group, evidence in wanted.items() if group not in held}
        one.ended = [
            tag for group, tag in held.items() if group in AUTOMATIC and tag.evidence == BY_RULE and group not in wanted
        ]
