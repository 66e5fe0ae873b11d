"""A register's rows sorted out before anything is written: each row gets its building, rows become households, and what cannot be
imported is said row by row. Works on the whole file, so that what is wrong between rows shows as well.
"""

import difflib
import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from gridman.domain.access import Actor, may
from gridman.domain.address import Address, compose_address, tidy_compound, tidy_door
from gridman.domain.building import Building
from gridman.domain.grid import Grid
from gridman.domain.register_row import CellProblem, RegisterRow
from gridman.kernel.clock import day_of
from gridman.kernel.words import N_
from gridman.store.unit import Reader

__all__ = ["HouseholdRows", "RegisterPlan", "UnknownPlace", "plan_register"]

_ALL = 1_000_000
_RENTED = re.compile("租住|租房|租户|租客|承租|出租")
HEADS = ("02", "01")
"""Relation codes of a head of household: 户主, and 本人 where a register says "self"."""


@dataclass
class HouseholdRows:
    """The rows of one household. `number`: the register's own household number, or ""; `neighbours`: the numbers of the other
    households the register has behind the same door.
    """

    building: Building
    address: Address
    number: str
    neighbours: frozenset[str] = frozenset()
    rows: list[RegisterRow] = field(default_factory=list)

    @property
    def is_rented(self) -> bool:
        """Whether a remark says that the household rents its home; the layout has no column for it."""
        return any(_RENTED.search(row.person.get("remark") or "") for row in self.rows)

    @property
    def text(self) -> str:
        """The address as it is kept: the compound as the map writes it."""
        a = self.address
        return compose_address(self.building.compound, a.building, a.unit, a.room)


@dataclass
class UnknownPlace:
    """A compound or building that the map does not have: its rows wait until it is added or the name corrected."""

    compound: str
    building: str
    row_count: int
    likely: str


@dataclass
class RegisterPlan:
    """What can be imported, and what is wrong with the rest (and warnings about what can)."""

    households: list[HouseholdRows] = field(default_factory=list)
    problems: list[CellProblem] = field(default_factory=list)
    unknown_places: list[UnknownPlace] = field(default_factory=list)
    row_count: int = 0


def plan_register(reader: Reader, rows: Iterable[RegisterRow], actor: Actor) -> RegisterPlan:
    """Sort out `rows`. Problems the rows bring with them are passed on."""
    plan = RegisterPlan()
    places = _Places(reader, actor)
    first_with: dict[Hashable, RegisterRow] = {}
    sound: list[tuple[RegisterRow, Building]] = []
    heads: list[RegisterRow] = []
    today = day_of(reader.now)
    for row in rows:
        plan.row_count += 1
        plan.problems += row.problems
        if _is_head(row):
            heads.append(row)
        if not row.is_sound:
            continue
        problem = _twice(row, first_with) or _not_born(row, today)
        building = None if problem else places.find(row)
        problem = problem or places.problem
        if problem is not None:
            plan.problems.append(problem)
        if building is not None:
            sound.append((row, building))
    plan.unknown_places = places.unknown()
    plan.households = _group(sound, plan.problems)
    kept = {id(row) for household in plan.households for row in household.rows}
    refused = {(row.address, row.household_no) for row in heads if id(row) not in kept}
    plan.problems += [p for household in plan.households for p in _head_problems(household, refused)]
    return plan


def _is_head(row: RegisterRow) -> bool:
    return row.person.get("relation") in HEADS and row.lives_here


def _twice(row: RegisterRow, first_with: dict[Hashable, RegisterRow]) -> CellProblem | None:
    number = row.person.get("id_number")
    who = number or (row.person.get("name"), row.person.get("birth_on"), row.address)
    first = first_with.setdefault(who, row)
    if first is row:
        return None
    same_number = N_("The same ID number stands in sheet {sheet}, row {other} already.")
    same_person = N_("The same person stands in sheet {sheet}, row {other} already.")
    return row.problem(
        "公民身份号码" if number else "姓名", "", "register.twice", same_number if number else same_person,
        N_("Delete one of the two rows, or correct the number that is wrong."), {"sheet": first.sheet, "other": first.row},
    )  # fmt: skip


def _not_born(row: RegisterRow, today: str) -> CellProblem | None:
    born = row.person.get("birth_on")
    if not born or born <= today:
        return None
    return row.problem(
        "出生日期", born, "birth_on.future", N_("The birth date lies in the future."),
        N_("Correct the birth date or the ID number."),
    )  # fmt: skip


class _Places:
    """Buildings by compound and number, the grids by code and name."""

    def __init__(self, reader: Reader, actor: Actor) -> None:
        self.problem: CellProblem | None = None
        self._actor = actor
        self._buildings: dict[tuple[str, str], list[Building]] = defaultdict(list)
        self._compounds: dict[str, str] = {}
        for building in reader.page(Building, limit=_ALL):
            compound = tidy_compound(building.compound or "")
            self._buildings[compound, tidy_door(building.number or "")].append(building)
            self._compounds[compound] = building.compound
        self._grids: dict[str, set[int]] = defaultdict(set)  # each community has its 第一网格
        for grid in reader.page(Grid, limit=_ALL):
            self._grids[grid.code].add(grid.id)
            self._grids[grid.name].add(grid.id)
        self._unknown: dict[tuple[str, str], int] = defaultdict(int)

    def find(self, row: RegisterRow) -> Building | None:
        """The row's building, or None and `problem` says why; a warning leaves both."""
        self.problem = None
        place = row.address.compound, row.address.building
        found = self._buildings.get(place, [])
        grids = self._grids.get(row.grid, set()) if row.grid else set()
        if len(found) > 1 and grids:
            found = [building for building in found if building.grid_id in grids]
        if not found:
            self.problem = self._not_found(row)
        elif len(found) > 1:
            self.problem = _ambiguous(row)
        elif found[0].grid_id is None:
            self.problem = _no_grid(row)
        elif not may(self._actor, "register.import", found[0].grid_id):
            self.problem = _other_area(row)
        else:
            if row.grid and found[0].grid_id not in grids:
                self.problem = _other_grid(row)
            return found[0]
        return None

    def _not_found(self, row: RegisterRow) -> CellProblem:
        place = row.address.compound, row.address.building
        self._unknown[place] += 1
        has_compound = place[0] in self._compounds
        return row.problem(
            "楼号" if has_compound else "现住小区/建筑", place[1] if has_compound else place[0], "register.no_building",
            N_("The map has no building {number} in {compound}.") if has_compound else N_("The map has no compound {compound}."),
            N_("Correct it{likely}, or add the building on the map and import again; the row waits until then."),
            {"compound": place[0], "number": place[1] or "-", "likely": self._likely_words(place[0])},
        )  # fmt: skip

    def _likely(self, compound: str) -> str:
        near = difflib.get_close_matches(compound, self._compounds, n=1, cutoff=0.6)
        return near[0] if near and near[0] != compound else ""

    def _likely_words(self, compound: str) -> str:
        likely = self._likely(compound)
        return f" ({likely}?)" if likely else ""

    def unknown(self) -> list[UnknownPlace]:
        """The places that were not found, those with the most rows first."""
        found = [UnknownPlace(c, b, n, self._likely(c)) for (c, b), n in self._unknown.items()]
        return sorted(found, key=lambda place: (-place.row_count, place.compound, place.building))


def _ambiguous(row: RegisterRow) -> CellProblem:
    return row.problem(
        "现住小区/建筑", row.address.compound, "register.two_buildings",
        N_("Several communities have a building {number} in {compound}."), N_("Fill in the column 所属网格."),
        {"compound": row.address.compound, "number": row.address.building or "-"},
    )  # fmt: skip


def _no_grid(row: RegisterRow) -> CellProblem:
    return row.problem(
        "楼号", row.address.building, "register.building_without_grid", N_("This building lies in no grid."),
        N_("Draw the grids on the map so that they cover the building, then import again."),
    )  # fmt: skip


def _other_area(row: RegisterRow) -> CellProblem:
    return row.problem(
        "现住小区/建筑", row.address.compound, "register.not_yours", N_("This building lies in a grid that is not yours."),
        N_("Send the row to the office of that grid."),
    )  # fmt: skip


def _other_grid(row: RegisterRow) -> CellProblem:
    return row.problem(
        "所属网格", row.grid, "register.other_grid", N_("The map says that this building lies in another grid."),
        N_("The map's grid is used; correct the register or the map if that is wrong."), is_warning=True,
    )  # fmt: skip


def _group(sound: Sequence[tuple[RegisterRow, Building]], problems: list[CellProblem]) -> list[HouseholdRows]:
    """Rows with the same household number, else with the same door, in the order of their first rows. Rows without a number
    join the only numbered household of their door.
    """
    numbers_at: dict[tuple[int, Address], list[str]] = defaultdict(list)
    home_of: dict[str, tuple[int, Address]] = {}
    for row, building in sound:
        door = building.id, row.address
        if (
            row.household_no
            and home_of.setdefault(row.household_no, door) == door
            and row.household_no not in numbers_at[door]
        ):
            numbers_at[door].append(row.household_no)
    found: dict[tuple[int, Address, str], HouseholdRows] = {}
    for row, building in sound:
        door = building.id, row.address
        problem = _number_problem(row, door, home_of, numbers_at)
        if problem is not None:
            problems.append(problem)
            continue
        number = row.household_no or next(iter(numbers_at[door]), "")
        neighbours = frozenset(numbers_at[door]) - {number}
        household = found.setdefault((*door, number), HouseholdRows(building, row.address, number, neighbours))
        household.rows.append(row)
    # By building, so that a unit of work has few buildings to look up; doors stay in the order of the file.
    return sorted(found.values(), key=lambda household: household.building.id)


def _number_problem(
    row: RegisterRow,
    door: tuple[int, Address],
    home_of: dict[str, tuple[int, Address]],
    numbers_at: dict[tuple[int, Address], list[str]],
) -> CellProblem | None:
    if row.household_no and home_of[row.household_no] != door:
        return row.problem(
            "户号", row.household_no, "register.two_addresses",
            N_("This household number stands with another address in this file ({other})."),
            N_("One household has one address: correct the number or the address."),
            {"other": home_of[row.household_no][1].text},
        )  # fmt: skip
    if not row.household_no and len(numbers_at[door]) > 1:
        return row.problem(
            "户号", "", "register.which_household", N_("Several households live at this address ({numbers})."),
            N_("Fill in the household number."), {"numbers": "、".join(numbers_at[door][:4])},
        )  # fmt: skip
    return None


def _has_refused_head(household: HouseholdRows, refused: Collection[tuple[Address, str]]) -> bool:
    """Whether the file has a head for it, whose own row was kept out for another fault: known by the household number, which stands even
    where the address is at fault, else by the door.
    """
    if household.number:
        return (household.address, "") in refused or any(number == household.number for _, number in refused)
    return any(address == household.address for address, _ in refused)


def _head_problems(household: HouseholdRows, refused: Collection[tuple[Address, str]]) -> list[CellProblem]:
    """`refused`: address and household number of the heads that the file has, but whose rows are not imported."""
    heads = [row for row in household.rows if row.person.get("relation") == HEADS[0] and row.lives_here]
    selves = [row for row in household.rows if row.person.get("relation") == HEADS[1] and row.lives_here]
    first = household.rows[0]
    if not heads and not selves:
        if _has_refused_head(household, refused):
            return []
        return [
            first.problem(
                "与户主关系", "", "register.no_head", N_("This household has no head in the file."),
                N_("Mark one of its people 户主; until then the household is listed under its first person."), is_warning=True,
            )
        ]  # fmt: skip
    return [
        row.problem(
            "与户主关系", "", "register.two_heads", N_("This household has a head already (row {other})."),
            N_("Correct the relation of one of the two."), {"other": (heads or selves)[0].row}, is_warning=True,
        )
        for row in (heads or selves)[1:]
    ]  # fmt: skip
