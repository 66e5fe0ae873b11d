"""Small registers for tests: a street's store with two grids and a few buildings, and rows as a spreadsheet gives them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gridman.domain.access import SYSTEM
from gridman.domain.address import Address
from gridman.domain.building import Building
from gridman.domain.grid import Grid
from gridman.domain.id_number import IdNumber, check_character, read_id_number
from gridman.domain.region import Region
from gridman.domain.register_row import RegisterRow
from gridman.store import indexes
from gridman.store.database import open_sqlite
from gridman.store.journal import StreetJournal
from gridman.store.store import Store, open_store
from gridman.store.unit import Unit

NOON = 1_795_406_400_000
"""2026-11-23 12:00 China time."""


def id_number(born: str = "1980-01-03", sequence: int = 1) -> str:
    """A fictional citizen number: born on that day, odd sequence for men."""
    first_17 = f"990101{born.replace('-', '')}{sequence:03d}"
    return first_17 + check_character(first_17)


def make_store(folder: Path, clock: Callable[[], int] = lambda: NOON) -> Store:
    """An empty street: one community, two grids, buildings 1-3 of 幸福里 (2 in the second grid) and 1 of 平安苑 without a grid."""
    database = open_sqlite(folder / "street.db", bytes(32))
    store = open_store(database, 1, [StreetJournal(), indexes.Indexer()], clock)
    with database.writer.begin() as connection:
        indexes.ensure(connection)
    with store.unit(SYSTEM) as unit:
        lay_out(unit)
    return store


def lay_out(unit: Unit) -> None:
    """The community, its grids and its buildings."""
    community = unit.create(Region(code="990101001001", name="和平社区", level="community"))
    grids = [
        unit.create(Grid(code=f"990101001001{n:03d}", name=f"第{n}网格", community_id=community.id)) for n in (1, 2)
    ]
    for number, grid_id in (("1号楼", grids[0].id), ("2", grids[1].id), ("3栋", grids[0].id)):
        unit.create(Building(community_id=community.id, grid_id=grid_id, compound="幸福里", number=number))
    unit.create(Building(community_id=community.id, grid_id=None, compound="平安苑", number="1"))


def person_row(
    row: int, name: str, number: str | None = None, room: str = "101", relation: str = "02", **others: Any
) -> RegisterRow:
    """A sound row. `others`: fields of Person, or compound, building, unit, grid, household_no, care."""
    address = Address(others.pop("compound", "幸福里"), others.pop("building", "1"), others.pop("unit", "1"), room)
    person: dict[str, Any] = {"name": name, "relation": relation, "population_type": "01"}
    read = read_id_number(number) if number else ""
    if isinstance(read, IdNumber):
        person.update(id_kind="111", id_number=read.text, sex=read.sex, birth_on=read.birth_on)
    rest = {key: others.pop(key) for key in ("grid", "household_no", "care") if key in others}
    return RegisterRow(sheet="居民登记表", row=row, person={**person, **others}, address=address, **rest)
