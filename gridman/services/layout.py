"""Laying a street out: regions, grids, buildings and organisations from a map that was cut along its streets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gridman.domain import access
from gridman.domain.building import Building
from gridman.domain.grid import Grid, is_grid_code
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region, level_of_code
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services import audit
from gridman.store.unit import Reader, Unit

__all__ = [
    "BuildingLayout",
    "CommunityLayout",
    "GridLayout",
    "LaidOut",
    "StreetLayout",
    "lay_out",
    "street_office",
]


@dataclass(frozen=True)
class BuildingLayout:
    """A building: address parts, size, point (degrees) and outline (WKB)."""

    compound: str
    number: str
    lng: float
    lat: float
    shape: bytes
    units: int | None = None
    floors: int | None = None
    road: str = ""
    door_plate: str = ""


@dataclass(frozen=True)
class GridLayout:
    """A grid: 15-character code, name, boundary (WKB), the buildings in it."""

    code: str
    name: str
    shape: bytes
    buildings: Sequence[BuildingLayout] = ()


@dataclass(frozen=True)
class CommunityLayout:
    """A community: 12-digit code, name, boundary (WKB), its grids."""

    code: str
    name: str
    shape: bytes
    grids: Sequence[GridLayout] = ()


@dataclass(frozen=True)
class StreetLayout:
    """A street: 12-digit code, name, outline (WKB), where the map comes from, its communities."""

    code: str
    name: str
    shape: bytes
    attribution: str
    communities: Sequence[CommunityLayout]


@dataclass
class LaidOut:
    """What was made or found: records by code, and how many were new."""

    street: Region
    office: Organisation
    communities: dict[str, Region] = field(default_factory=dict)
    committees: dict[str, Organisation] = field(default_factory=dict)
    grids: dict[str, Grid] = field(default_factory=dict)
    teams: dict[str, Organisation] = field(default_factory=dict)
    building_count: int = 0


def lay_out(unit: Unit, layout: StreetLayout) -> LaidOut:
    """Create the street's regions, grids, buildings, and an organisation for the street, each community and each grid.

    Repeating it changes boundaries and names of what exists, by code, and adds what is missing; nothing is removed.
    """
    access.require(unit.actor, "map.edit")
    _check_codes(layout)
    street = _region(unit, layout.code, layout.name, layout.shape, None)
    unit.amend(street, attribution=layout.attribution)
    office = _organisation(unit, layout.name, "street", None, street.id, None)
    made = LaidOut(street, office)
    for community in layout.communities:
        region = _region(unit, community.code, community.name, community.shape, street.id)
        committee = _organisation(unit, community.name, "community", office.id, region.id, None)
        made.communities[community.code], made.committees[community.code] = region, committee
        for grid in community.grids:
            _lay_grid(unit, made, grid, region, committee)
    audit.note(unit, "map_edit", "region", street.id, communities=len(made.communities), grids=len(made.grids))
    return made


def _check_codes(layout: StreetLayout) -> None:
    codes = [layout.code, *(c.code for c in layout.communities)]
    wrong = [code for code in codes if level_of_code(code) is None]
    wrong += [
        g.code for c in layout.communities for g in c.grids if not is_grid_code(g.code) or not g.code.startswith(c.code)
    ]
    if wrong:
        raise Refusal(
            "layout.code",
            N_("These are not codes of divisions and grids: {codes}."),
            N_("A street or community has 12 digits; a grid its community's 12 and three of its own."),
            codes=", ".join(wrong[:10]),
        )


def _region(unit: Unit, code: str, name: str, shape: bytes, parent_id: int | None) -> Region:
    found = unit.first(Region, code=code)
    if found is None:
        found = unit.create(Region(code=code, name=name, level=level_of_code(code), parent_id=parent_id, shape=shape))
        unit.flush()
        return found
    return unit.amend(found, name=name, shape=shape, parent_id=parent_id)


def _organisation(
    unit: Unit, name: str, level: str, parent_id: int | None, region_id: int | None, grid_id: int | None
) -> Organisation:
    wanted = {"grid_id": grid_id} if grid_id else {"region_id": region_id, "grid_id": None}
    found = unit.first(Organisation, level=level, is_department=None, **wanted)
    if found is None and level == "street":
        found = unit.first(
            Organisation, level="street", is_department=None
        )  # the office founded before there was a map
    if found is None:
        found = unit.create(
            Organisation(name=name, level=level, parent_id=parent_id, region_id=region_id, grid_id=grid_id)
        )
        unit.flush()
        return found
    return unit.amend(found, name=name, parent_id=parent_id, region_id=region_id)


def _lay_grid(unit: Unit, made: LaidOut, grid: GridLayout, community: Region, committee: Organisation) -> None:
    record = unit.first(Grid, code=grid.code)
    if record is None:
        record = unit.create(
            Grid(
                code=grid.code,
                name=grid.name,
                community_id=community.id,
                shape=grid.shape,
                valid_from_on=day_of(unit.at),
            )
        )
        unit.flush()
    else:
        unit.amend(record, name=grid.name, shape=grid.shape)
    made.grids[grid.code] = record
    made.teams[grid.code] = _organisation(unit, grid.name, "grid", committee.id, community.id, record.id)
    made.building_count += _lay_buildings(unit, record, community.id, grid.buildings)


def _lay_buildings(unit: Unit, grid: Grid, community_id: int, wanted: Iterable[BuildingLayout]) -> int:
    known = {(b.compound, b.number): b for b in unit.page(Building, community_id=community_id, limit=100_000)}
    count = 0
    for b in wanted:
        count += 1
        values = {
            "grid_id": grid.id, "units": b.units, "floors": b.floors, "lng": b.lng, "lat": b.lat, "shape": b.shape,
            "road": b.road or None, "door_plate": b.door_plate or None,
        }  # fmt: skip
        found = known.get((b.compound, b.number))
        if found is None:
            unit.create(Building(community_id=community_id, compound=b.compound, number=b.number, **values))
        else:
            unit.amend(found, **values)
    unit.flush()
    return count


def street_office(reader: Reader) -> Organisation:
    """The street's own office. Refuses with ``street.not_founded``."""
    found = reader.first(Organisation, level="street", is_department=None)
    if found is None:
        raise Refusal(
            "street.not_founded", N_("The street has no organisation yet."), N_("Found it with gridman street init.")
        )
    return found
