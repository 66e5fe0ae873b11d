"""The demonstration street: real geometry cut into fictional communities, grids, compounds and buildings.

Plain values only; the demo turns them into records through the product's own import. The same on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import shapely
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry

from gridman.geo.crs import plane_of
from gridman.geo.features import MapData, MapFeature
from gridman.geo.housing import Frame, frame_of, is_residential, resized
from gridman.geo.naming import Name, NameBook, load_names, with_fictional_names
from gridman.geo.outline import street_outline
from gridman.geo.partition import Cut, partition, reading_order
from gridman.geo.read import read_map
from gridman.kernel.paths import maps_dir
from gridman.kernel.progress import Progress, quiet

__all__ = [
    "ATTRIBUTION",
    "DemoBuilding",
    "DemoCommunity",
    "DemoGrid",
    "DemoPlan",
    "DemoSize",
    "demo_map_path",
    "demo_plan",
]

DemoSize = Literal["grid", "community", "street"]
ATTRIBUTION = "geometry © OpenStreetMap contributors, ODbL 1.0; names and people fictional"

COUNTY_CODE = "990101"
STREET_CODE = COUNTY_CODE + "001000"
COMMUNITIES = 10
GRIDS_EACH = 8
HOUSEHOLDS = (300, 500)
_SHOWN_COMMUNITY = 3
_COMPOUND_SIZE = 9


@dataclass(frozen=True, slots=True)
class DemoBuilding:
    """A residential building: its compound and number give its address; `frame` how many dwellings it has."""

    key: str
    compound: Name
    number: int
    outline: BaseGeometry
    point: Point
    units: int
    floors: int
    rooms: int

    @property
    def dwellings(self) -> int:
        """How many dwellings it holds."""
        return self.units * self.floors * self.rooms

    @property
    def label(self) -> str:
        """The building's number as on its wall: 12号楼."""
        return f"{self.number}号楼"


@dataclass(frozen=True, slots=True)
class DemoGrid:
    """A grid: 15-character code (12 of its community, 3 running), name, ground in degrees, buildings in address order."""

    code: str
    name: Name
    outline: Polygon
    buildings: tuple[DemoBuilding, ...]

    @property
    def dwellings(self) -> int:
        """How many dwellings its buildings hold."""
        return sum(building.dwellings for building in self.buildings)


@dataclass(frozen=True, slots=True)
class DemoCommunity:
    """A community: 12-digit code, name, ground in degrees, its grids in order."""

    code: str
    name: Name
    outline: Polygon
    grids: tuple[DemoGrid, ...]


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """The whole demonstration street of a size. `data` is the base map under its fictional names."""

    size: DemoSize
    code: str
    name: Name
    outline: BaseGeometry
    communities: tuple[DemoCommunity, ...]
    data: MapData
    attribution: str = ATTRIBUTION

    @property
    def grids(self) -> tuple[DemoGrid, ...]:
        """All grids, community by community."""
        return tuple(grid for community in self.communities for grid in community.grids)


def demo_map_path() -> Path:
    """The shipped street map (an OpenStreetMap extract, ODbL 1.0)."""
    return maps_dir() / "demo" / "street.osm.pbf"


def demo_plan(
    size: DemoSize, data: MapData | None = None, language: str = "zh_CN", progress: Progress = quiet
) -> DemoPlan:
    """The demonstration of a size: `street` 10 communities of 8 grids, `community` one of them, `grid` two grids of that one.

    `data` is the map as read by `read_map` (the shipped one by default). Every grid holds 300 to 500 dwellings.
    """
    progress(0, 4, "map")
    source = data or read_map(demo_map_path())
    book = load_names(maps_dir() / "demo" / "names.csv")
    progress(1, 4, "names")
    named = with_fictional_names(source, book, language)
    progress(2, 4, "grids")
    homes = _homes(source)
    cut = partition(
        source,
        street_outline(source),
        [home.feature.geometry for home in homes],
        [home.frame.dwellings for home in homes],
        COMMUNITIES,
        GRIDS_EACH,
    )
    progress(3, 4, "buildings")
    communities = _communities(cut, homes, book)
    progress(4, 4)
    if size == "street":
        return DemoPlan(size, STREET_CODE, book["street"][0], cut.outline, communities, named)
    shown = communities[_SHOWN_COMMUNITY]
    if size == "grid":
        shown = _two_grids(shown)
    return DemoPlan(size, STREET_CODE, book["street"][0], shown.outline, (shown,), named)


@dataclass(frozen=True, slots=True)
class _Home:
    feature: MapFeature
    frame: Frame
    area_m2: float


def _homes(data: MapData) -> list[_Home]:
    buildings = sorted(data.of("building"), key=lambda feature: feature.key)
    outline = street_outline(data)
    shapely.prepare(outline)
    geometries = [building.geometry for building in buildings]
    areas = shapely.area(plane_of(geometries).to_metres(geometries)).tolist()
    inside = shapely.contains(outline, shapely.point_on_surface(geometries)).tolist()
    return [
        _Home(building, frame_of(building, area), area)
        for building, area, is_inside in zip(buildings, areas, inside, strict=True)
        if is_inside and is_residential(building, area)
    ]


def _communities(cut: Cut, homes: Sequence[_Home], book: NameBook) -> tuple[DemoCommunity, ...]:
    communities = []
    n_compounds = 0
    for number, outline in enumerate(cut.communities):
        name = book["community"][number % len(book["community"])]
        code = f"{STREET_CODE[:9]}{number + 1:03}"
        grids = []
        for grid in (grid for grid in cut.grids if grid.community == number):
            members = [homes[at] for at in grid.buildings]
            buildings, used = _buildings(members, book, n_compounds)
            n_compounds += used
            called = Name(f"{name.zh}第{_chinese(grid.sequence)}网格", f"{name.en} Grid {grid.sequence}")
            grids.append(DemoGrid(f"{code}{grid.sequence:03}", called, grid.polygon, buildings))
        communities.append(DemoCommunity(code, name, outline, tuple(grids)))
    return tuple(communities)


def _buildings(homes: Sequence[_Home], book: NameBook, first_compound: int) -> tuple[tuple[DemoBuilding, ...], int]:
    """The buildings of one grid, gathered into compounds of neighbours and numbered within each."""
    frames = resized([home.frame for home in homes], *HOUSEHOLDS)
    points = [shapely.point_on_surface(home.feature.geometry) for home in homes]
    compounds = _neighbours(shapely.get_coordinates(points), list(range(len(homes))))
    buildings = []
    for at, members in enumerate(compounds):
        name = book.compound(first_compound + at)
        for number, place in enumerate(reading_order([homes[member].feature.geometry for member in members]), 1):
            member = members[place]
            frame, home = frames[member], homes[member]
            outline = home.feature.geometry
            buildings.append(
                DemoBuilding(
                    home.feature.key, name, number, outline, points[member], frame.units, frame.floors, frame.rooms
                )
            )
    return tuple(buildings), len(compounds)


def _neighbours(points: np.ndarray, members: list[int]) -> list[list[int]]:
    """`members` halved across their longer side until no part has more than nine."""
    if len(members) <= _COMPOUND_SIZE:
        return [members] if members else []
    chosen = points[members]
    axis = int(np.argmax(np.ptp(chosen, axis=0)))
    ordered = sorted(members, key=lambda member: (points[member, axis], member))
    half = len(ordered) // 2
    return _neighbours(points, ordered[:half]) + _neighbours(points, ordered[half:])


def _two_grids(community: DemoCommunity) -> DemoCommunity:
    """The community shrunk to its first grid and the neighbour it shares the longest border with."""
    first, *rest = community.grids
    other = max(rest, key=lambda grid: float(first.outline.intersection(grid.outline).length))
    ground = shapely.coverage_union_all([first.outline, other.outline])
    return DemoCommunity(community.code, community.name, ground, (first, other))


def _chinese(number: int) -> str:
    return "一二三四五六七八九十"[number - 1] if number <= 10 else str(number)
