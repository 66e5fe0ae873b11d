"""A street planned from its map: communities, grids, compounds and buildings, cut along the streets or read from drawn boundaries.

Plain values only; whoever imports the map turns them into records. The same map and choices give the same plan on every machine.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from gridman.geo.compounds import Home, gather_compounds, homes_of
from gridman.geo.features import MapData, MapFeature
from gridman.geo.housing import resized
from gridman.geo.naming import Name, NameBook
from gridman.geo.outline import street_outline
from gridman.geo.partition import partition, reading_order
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_

__all__ = [
    "PlannedBuilding",
    "PlannedCommunity",
    "PlannedGrid",
    "StreetPlan",
    "plan_of_boundaries",
    "plan_street",
    "shrink",
]

_NUMBERED = re.compile(r"(\d{1,4})\s*(?:号楼|栋|幢|座|#楼?|楼)")
_GRID_DIGITS, _REGION_DIGITS = 15, 12


@dataclass(frozen=True, slots=True)
class PlannedBuilding:
    """A residential building: its compound and number give its address; units, floors and rooms say how many dwellings it has."""

    key: str
    compound: Name
    number: int
    outline: BaseGeometry
    point: Point
    units: int
    floors: int
    rooms: int
    road: str = ""
    door_plate: str = ""

    @property
    def dwellings(self) -> int:
        """How many dwellings it holds."""
        return self.units * self.floors * self.rooms

    @property
    def label(self) -> str:
        """The building's number as on its wall: 12号楼."""
        return f"{self.number}号楼"


@dataclass(frozen=True, slots=True)
class PlannedGrid:
    """A grid: 15-character code (12 of its community, 3 running), name, ground in degrees, buildings in address order."""

    code: str
    name: Name
    outline: BaseGeometry
    buildings: tuple[PlannedBuilding, ...]

    @property
    def dwellings(self) -> int:
        """How many dwellings its buildings hold."""
        return sum(building.dwellings for building in self.buildings)


@dataclass(frozen=True, slots=True)
class PlannedCommunity:
    """A community: 12-digit code, name, ground in degrees, its grids in order."""

    code: str
    name: Name
    outline: BaseGeometry
    grids: tuple[PlannedGrid, ...]


@dataclass(frozen=True, slots=True)
class StreetPlan:
    """A whole street: 12-digit code, name, ground, communities. `data` is its base map, `attribution` where that comes from."""

    code: str
    name: Name
    outline: BaseGeometry
    communities: tuple[PlannedCommunity, ...]
    data: MapData
    attribution: str = ""

    @property
    def grids(self) -> tuple[PlannedGrid, ...]:
        """All grids, community by community."""
        return tuple(grid for community in self.communities for grid in community.grids)


def plan_street(
    data: MapData,
    *,
    code: str,
    name: Name,
    communities: int,
    grids_each: int,
    book: NameBook | None = None,
    dwellings_per_grid: tuple[int, int] | None = None,
    attribution: str = "",
    progress: Progress = quiet,
) -> StreetPlan:
    """Cut the built-up area of `data` along its streets into `communities` x `grids_each` grids of about equal weight.

    `code`: the street's 12 digits. `book`: names of communities and compounds (what it lacks is numbered). `dwellings_per_grid`: floors are
    added or taken until each grid holds that many; without it the buildings stay as mapped. Raises Refusal `plan.code`, `plan.too_many`,
    `map.no_buildings`, `partition.too_few_blocks`.
    """
    _check(code, communities, grids_each)
    progress(0, 3, "buildings")
    outline = street_outline(data)
    homes = homes_of(data, outline)
    shapes = [home.feature.geometry for home in homes]
    progress(1, 3, "grids")
    cut = partition(data, outline, shapes, [home.frame.dwellings for home in homes], communities, grids_each)
    progress(2, 3, "compounds")
    namer = _Namer(data, book, dwellings_per_grid)
    planned = []
    for number, ground in enumerate(cut.communities):
        called = namer.community(number)
        community_code = f"{code[:9]}{number + 1:03}"
        grids = []
        for grid in (grid for grid in cut.grids if grid.community == number):
            buildings = namer.buildings(called, [homes[at] for at in grid.buildings])
            grid_name = Name(f"{called.zh}第{_chinese(grid.sequence)}网格", f"{called.en} Grid {grid.sequence}")
            grids.append(PlannedGrid(f"{community_code}{grid.sequence:03}", grid_name, grid.polygon, buildings))
        planned.append(PlannedCommunity(community_code, called, ground, tuple(grids)))
    progress(3, 3)
    return StreetPlan(code, name, cut.outline, tuple(planned), data, attribution)


def _check(code: str, communities: int, grids_each: int) -> None:
    if len(code) != _REGION_DIGITS or not code.isdigit() or not code.endswith("000") or code[6:9] == "000":
        raise Refusal(
            "plan.code",
            N_("{code} is not the code of a street."),
            N_("It has 12 digits and ends in 000, for example 990101001000."),
            code=code,
        )
    if not (0 < communities < 1000 and 0 < grids_each < 900):
        raise Refusal(
            "plan.too_many",
            N_("A street cannot be cut into {communities} communities of {grids} grids."),
            N_("Choose at least one of each, at most 999 communities and 899 grids in each."),
            communities=communities,
            grids=grids_each,
        )


def plan_of_boundaries(data: MapData, *, name: str = "", attribution: str = "") -> StreetPlan | None:
    """The street as drawn: boundary polygons of `data` whose `code` has 12 digits (street, community) or 15 (grid).

    None when there are none. A community or street without a polygon of its own is what its grids cover. Raises Refusal `plan.two_streets`
    when the codes belong to several streets.
    """
    coded = [f for f in data.of("boundary") if f.attrs.get("code") and shapely.get_dimensions(f.geometry) == 2]
    if not coded:
        return None
    streets = sorted({f.attrs["code"][:9] for f in coded})
    if len(streets) > 1:
        raise Refusal(
            "plan.two_streets",
            N_("The boundaries on the map belong to {count} streets: {codes}."),
            N_("Import each street from a file of its own."),
            count=len(streets),
            codes=", ".join(streets[:5]),
        )
    drawn = {f.attrs["code"]: f for f in coded}
    code = streets[0] + "000"
    grids_of: dict[str, list[MapFeature]] = defaultdict(list)
    for key in sorted(drawn):
        if len(key) == _GRID_DIGITS:
            grids_of[key[:_REGION_DIGITS]].append(drawn[key])
    named = {key for key in drawn if len(key) == _REGION_DIGITS and key != code} | set(grids_of)
    namer = _Namer(data, None, None)
    ground = shapely.union_all([f.geometry for f in coded])
    homes = homes_of(data, ground) if any(True for _building in data.of("building")) else []
    communities = tuple(_drawn_community(key, drawn, grids_of[key], homes, namer) for key in sorted(named))
    street = drawn.get(code)
    called = name or (street.name if street else "") or code
    outline = street.geometry if street else ground
    return StreetPlan(code, Name(called, called), outline, communities, data, attribution)


def _drawn_community(
    code: str, drawn: dict[str, MapFeature], grids: Sequence[MapFeature], homes: Sequence[Home], namer: "_Namer"
) -> PlannedCommunity:
    own = drawn.get(code)
    said = (own.name if own else "") or code
    called = Name(said, said)
    planned = []
    for grid in grids:
        inside = [
            home for home in homes if shapely.contains(grid.geometry, shapely.point_on_surface(home.feature.geometry))
        ]
        grid_name = grid.name or grid.attrs["code"]
        buildings = namer.buildings(called, inside)
        planned.append(PlannedGrid(grid.attrs["code"], Name(grid_name, grid_name), grid.geometry, buildings))
    outline = own.geometry if own else shapely.union_all([g.geometry for g in grids])
    return PlannedCommunity(code, called, outline, tuple(planned))


class _Namer:
    """Gives communities, compounds and buildings their names: the map's own, else the book's, else numbers."""

    def __init__(self, data: MapData, book: NameBook | None, dwellings: tuple[int, int] | None) -> None:
        self._words = book.words if book else {}
        self._book = book
        self._dwellings = dwellings
        self._compounds = 0
        self._courts: dict[str, int] = defaultdict(int)
        self._estates = [f for f in data.of("land") if f.kind == "residential" and f.name and _is_area(f)]
        self._tree = shapely.STRtree([f.geometry for f in self._estates])
        self._numbers: dict[tuple[str, str], set[int]] = defaultdict(set)

    def community(self, number: int) -> Name:
        """The name of community `number` (from 0)."""
        known = self._words.get("community", ())
        if number < len(known):
            return known[number]
        return Name(f"第{_chinese(number + 1)}社区", f"Community {number + 1}")

    def buildings(self, community: Name, homes: Sequence[Home]) -> tuple[PlannedBuilding, ...]:
        """The buildings of one grid, gathered into compounds of neighbours and numbered within each."""
        frames = [home.frame for home in homes]
        frames = resized(frames, *self._dwellings) if self._dwellings else frames
        points = [shapely.point_on_surface(home.feature.geometry) for home in homes]
        made = []
        for compound, members in self._gathered(community, homes, points):
            order = reading_order([homes[member].feature.geometry for member in members])
            numbers = self._numbered(community, compound, [homes[members[place]].feature for place in order])
            for number, place in zip(numbers, order, strict=True):
                member = members[place]
                frame, feature = frames[member], homes[member].feature
                made.append(
                    PlannedBuilding(
                        feature.key, compound, number, feature.geometry, points[member], frame.units, frame.floors, frame.rooms,
                        feature.attrs.get("addr:street", ""), feature.attrs.get("addr:housenumber", ""),
                    )
                )  # fmt: skip
        return tuple(made)

    def _gathered(
        self, community: Name, homes: Sequence[Home], points: Sequence[Point]
    ) -> Iterable[tuple[Name, list[int]]]:
        """Compounds with their members: named estates of the map first, the rest in groups of neighbours."""
        left = []
        estates: dict[str, list[int]] = defaultdict(list)
        for member, point in enumerate(points):
            found = sorted(self._tree.query(point, predicate="within").tolist()) if self._estates else []
            if homes[member].feature.attrs.get("compound"):
                estates[homes[member].feature.attrs["compound"]].append(member)
            elif found:
                estates[self._estates[found[0]].name].append(member)
            else:
                left.append(member)
        for name in sorted(estates):
            yield Name(name, name), estates[name]
        for members in gather_compounds(shapely.get_coordinates(points), left):
            yield self._next_compound(community), members

    def _next_compound(self, community: Name) -> Name:
        number, self._compounds = self._compounds, self._compounds + 1
        if self._book is not None and self._words.get("compound") and self._words.get("compound_ending"):
            return self._book.compound(number)
        known = self._words.get("compound", ())
        if number < len(known):
            return known[number]
        self._courts[community.zh] += 1
        court = self._courts[community.zh]
        return Name(f"{community.zh}{court}号院", f"{community.en} Court {court}")

    def _numbered(self, community: Name, compound: Name, features: Sequence[MapFeature]) -> list[int]:
        """Their numbers within the compound: as written on the map where it says so, the free ones in order for the others."""
        taken = self._numbers[community.zh, compound.zh]
        numbers: list[int] = []
        for feature in features:
            told = _NUMBERED.fullmatch(feature.name)
            number = int(told[1]) if told else 0
            numbers.append(0 if number in taken else number)
            taken.add(numbers[-1])
        taken.discard(0)
        free = (n for n in range(1, 100_000) if n not in taken)
        filled = [number or next(free) for number in numbers]
        taken.update(filled)
        return filled


def _is_area(feature: MapFeature) -> bool:
    return bool(shapely.get_dimensions(feature.geometry) == 2)


def _chinese(number: int) -> str:
    return "一二三四五六七八九十"[number - 1] if number <= 10 else str(number)


def shrink(community: PlannedCommunity) -> PlannedCommunity:
    """The community reduced to its first grid and the neighbour it shares the longest border with."""
    first, *rest = community.grids
    other = max(rest, key=lambda grid: float(first.outline.intersection(grid.outline).length))
    ground = shapely.coverage_union_all([first.outline, other.outline])
    return PlannedCommunity(community.code, community.name, ground, (first, other))
