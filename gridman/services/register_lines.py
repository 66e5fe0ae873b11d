"""The register on its way out: the residents of grids as the 25 texts of the office's layout, in the order of the walk."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gridman.domain import codes
from gridman.domain.access import require
from gridman.domain.address import tidy_door
from gridman.domain.building import Building, Dwelling
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.masking import mask_id, mask_phone, mask_within
from gridman.domain.person import CareTag, Person
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services import audit
from gridman.store.unit import Reader, Unit

__all__ = ["ExportStamp", "begin_export", "register_lines"]

_PAGE = 500
_ALL = 1_000_000


@dataclass(frozen=True)
class ExportStamp:
    """One export: its batch number, and how many residents it holds."""

    batch: str
    person_count: int


def begin_export(unit: Unit, grid_ids: Sequence[int], purpose: str, *, masked: bool) -> ExportStamp:
    """Check the right to export each grid and note the export before the first line leaves; refuses with ``access.*`` or
    ``export.no_purpose``.
    """
    for grid_id in grid_ids:
        require(unit.actor, "export", grid_id)
    if not purpose.strip():
        raise Refusal(
            "export.no_purpose", N_("An export of the register needs a purpose."),
            N_("Write in a few words what the file is for; it is kept in the audit."),
        )  # fmt: skip
    count = unit.count(Person, grid_id=set(grid_ids))
    serial = audit.note(
        unit,
        "export",
        what="register",
        purpose=mask_within(purpose)[:100],
        rows=count,
        grids=len(grid_ids),
        masked=masked,
    )
    return ExportStamp(f"E{day_of(unit.at).replace('-', '')}-{unit.replica:03d}-{serial:04d}", count)


def register_lines(reader: Reader, grid_ids: Sequence[int], *, masked: bool = True) -> Iterator[tuple[str, ...]]:
    """Residents of these grids, household by household in walking order, the head first. When `masked`, ID numbers, phones and
    birth days are hidden in part (in remarks and workplaces too) and care groups left out.
    """
    for grid in reader.page(Grid, id=list(grid_ids), order_by=("code",), limit=_ALL):
        offset = 0
        while True:
            order = ("walk_order", "id")
            households = reader.page(Household, grid_id=grid.id, order_by=order, limit=_PAGE, offset=offset)
            yield from _household_lines(reader, grid, households, masked)
            offset += _PAGE
            if len(households) < _PAGE:
                break


def _household_lines(
    reader: Reader, grid: Grid, households: Sequence[Household], masked: bool
) -> Iterator[tuple[str, ...]]:
    ids = [h.id for h in households]
    buildings = {b.id: b for b in reader.page(Building, id={h.building_id for h in households} - {None}, limit=_ALL)}
    dwellings = {d.id: d for d in reader.page(Dwelling, id={h.dwelling_id for h in households} - {None}, limit=_ALL)}
    people: dict[int, list[Person]] = defaultdict(list)
    for person in reader.page(Person, household_id=ids, order_by=("relation", "id"), limit=_ALL):
        people[person.household_id].append(person)
    groups: dict[int, list[str]] = defaultdict(list)
    for tag in reader.page(CareTag, household_id=ids, until_on=None, order_by=("care_group",), limit=_ALL):
        if tag.care_group not in groups[tag.person_id]:
            groups[tag.person_id].append(tag.care_group)
    for household in households:
        place = _place(buildings.get(household.building_id or 0), dwellings.get(household.dwelling_id or 0), household)
        ordered = sorted(people[household.id], key=lambda p: p.id != household.head_person_id)
        for person in ordered:
            yield _line(person, place, grid.code, household.number or "", groups[person.id], masked)


def _place(building: Building | None, dwelling: Dwelling | None, household: Household) -> tuple[str, str, str, str]:
    if building is None:
        return household.address or "", "", "", ""
    number = tidy_door(building.number or "")
    unit = tidy_door(dwelling.unit or "") if dwelling else ""
    room = dwelling.room if dwelling and dwelling.room else "无"
    return building.compound, f"{number}号楼" if number else "无", f"{unit}单元" if unit else "", room


def _line(
    person: Person, place: tuple[str, str, str, str], grid_code: str, number: str, groups: Sequence[str], masked: bool
) -> tuple[str, ...]:
    id_number, phones, born = person.id_number or "", person.phones or "", person.birth_on or ""
    workplace, remark = person.workplace or "", person.remark or ""
    if masked:
        workplace, remark = mask_within(workplace), mask_within(remark)
        id_number, phones, born = mask_id(id_number), mask_phone(phones), born[:4] + "-**-**" if born else ""
        groups = ()

    def word(field: str, table: str) -> str:
        return _zh(table, getattr(person, field))

    return (
        person.name or "", word("id_kind", "id_document"), id_number, word("sex", "sex"), born, phones,
        *place, grid_code, word("population_type", "population_type"), number, word("relation", "family_relation"),
        word("household_match", "household_match"), person.registered_address or "", word("ethnic", "ethnic"),
        word("political", "political"), word("marital", "marital"), word("education", "education"), workplace,
        "，".join(_zh("care_group", group) for group in groups), person.moved_out_on or "", person.died_on or "",
        remark,
    )  # fmt: skip


def _zh(table: str, code: Any) -> str:
    """The Chinese name, whatever language the program speaks: the layout is the office's."""
    row = codes.table(table).get(code)
    return row.zh if row else code or ""
