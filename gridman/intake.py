"""What a street takes in from a map file: the plan of communities, grids and buildings becomes records, the rest its base map."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import shapely

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.building import MapFeature
from gridman.domain.region import Region
from gridman.geo.features import MapData
from gridman.geo.naming import Name, NameBook, load_names, with_fictional_names
from gridman.geo.plan import PlannedBuilding, PlannedCommunity, StreetPlan, plan_of_boundaries, plan_street
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.services.layout import BuildingLayout, CommunityLayout, GridLayout, LaidOut, StreetLayout, lay_out
from gridman.services.layout_rest import LeftOver, left_over, withdraw
from gridman.services.maps import add_map_features, set_attribution
from gridman.store.store import Store
from gridman.store.unit import Unit

__all__ = ["MapImported", "import_base_map", "import_map", "plan_of_file"]

_EVERYTHING = 5_000_000
_Piece = tuple[str, str | None, str | None, bytes]


@dataclass
class MapImported:
    """What an import of a map did. `added`, `kept`, `retired`: pieces of the base map; `laid`: the records, None for a base map alone;
    `rest`: what an earlier layout left beside them, None for a base map alone.
    """

    added: int = 0
    kept: int = 0
    retired: int = 0
    laid: LaidOut | None = None
    rest: LeftOver | None = None

    @property
    def community_count(self) -> int:
        """Communities of the plan."""
        return len(self.laid.communities) if self.laid else 0

    @property
    def grid_count(self) -> int:
        """Grids of the plan."""
        return len(self.laid.grids) if self.laid else 0

    @property
    def building_count(self) -> int:
        """Buildings that became records."""
        return self.laid.building_count if self.laid else 0


def plan_of_file(
    data: MapData,
    *,
    code: str = "",
    name: str = "",
    communities: int = 0,
    grids_each: int = 0,
    names: Path | None = None,
    dwellings_per_grid: tuple[int, int] | None = None,
    attribution: str = "",
    language: str = "zh_CN",
    progress: Progress = quiet,
) -> StreetPlan | None:
    """The plan that a map file and the choices beside it give; None when it is a base map and nothing more.

    With `communities` the street `code` is cut along its roads. Otherwise boundaries with codes on the map are taken as drawn. `names`: a
    CSV file (use, zh, en) of names for communities and compounds; with names for roads in it, the map's own are replaced throughout.
    """
    book = _names(names) if names else None
    if book is not None and book.words.get("road"):
        data = with_fictional_names(data, book, language)
    attribution = attribution or data.attribution
    if communities:
        if not code or not name:
            raise Refusal(
                "map.no_street",
                N_("To cut the map into communities, the street's code and name are needed."),
                N_("Add --code with its 12 digits and --name."),
            )
        return plan_street(
            data, code=code, name=_street_name(name, book), communities=communities, grids_each=grids_each or 8, book=book,
            dwellings_per_grid=dwellings_per_grid, attribution=attribution, progress=progress,
        )  # fmt: skip
    return plan_of_boundaries(data, name=name, attribution=attribution)


def _street_name(name: str, book: NameBook | None) -> Name:
    known = book.words.get("street", ()) if book else ()
    return next((n for n in known if name in (n.zh, n.en)), Name(name, name))


def _names(path: Path) -> NameBook:
    try:
        return load_names(path)
    except Refusal as refusal:
        raise Refusal(
            "names.unreadable",
            N_("The list of names {path} cannot be read."),
            N_("It is a CSV file in UTF-8 with the columns use, zh, en; use is community, compound or road."),
            path=path,
        ) from refusal


def import_map(
    store: Store,
    plan: StreetPlan,
    *,
    actor: Actor = SYSTEM,
    language: str = "zh_CN",
    replaces_base_map: bool = True,
    withdraws_rest: bool = False,
    progress: Progress = quiet,
) -> MapImported:
    """Lay the street out as planned and take its base map in, as one unit: whole or not at all. Repeating it changes nothing.

    Buildings that became records are left out of the base map. `language`: in which the plan's names are written. With
    `replaces_base_map` pieces that the new map does not have any more are retired; with `withdraws_rest` also grids and communities of an
    earlier layout that nobody uses.
    """
    layout = _layout(plan, language)
    registered = {b.key for grid in plan.grids for b in grid.buildings}
    with store.unit(actor) as unit:
        progress(0, 2, "layout")
        laid = lay_out(unit, layout)
        rest = left_over(unit, laid.street, laid.communities.keys(), laid.grids.keys())
        if withdraws_rest:
            withdraw(unit, rest)
        made = MapImported(laid=laid, rest=rest)
        progress(1, 2, "map")
        _take_in(unit, _pieces(plan.data, registered), made, replaces_base_map)
    progress(2, 2)
    return made


def import_base_map(
    store: Store,
    data: MapData,
    *,
    actor: Actor = SYSTEM,
    attribution: str = "",
    replaces_base_map: bool = True,
    progress: Progress = quiet,
) -> MapImported:
    """Take in a base map alone. Its attribution is kept with the street; refuses with ``map.no_region`` where no street was laid out yet
    to keep it with.
    """
    made = MapImported()
    text = attribution or data.attribution
    with store.unit(actor) as unit:
        street = unit.first(Region, level="street")
        if street is None and text:
            raise Refusal(
                "map.no_region",
                N_("There is no street yet with which the map's origin could be kept."),
                N_("Say which street it is and how to cut it (--code, --name, --communities, --grids), or import boundaries first."),
            )  # fmt: skip
        if street is not None and text:
            set_attribution(unit, street, text)
        progress(0, 1, "map")
        _take_in(unit, _pieces(data, set()), made, replaces_base_map)
    progress(1, 1)
    return made


def _pieces(data: MapData, without: set[str]) -> list[_Piece]:
    """The base map's pieces; boundaries that became communities and grids are drawn from their records."""
    return [
        (f.layer, f.kind or None, f.name or None, f.wkb)
        for f in data.features
        if f.key not in without and not (f.layer == "boundary" and f.attrs.get("code"))
    ]


def _take_in(unit: Unit, pieces: Iterable[_Piece], made: MapImported, replaces: bool) -> None:
    wanted = Counter(pieces)
    replaces = replaces and bool(wanted)  # a file of boundaries alone is no newer base map
    for known in unit.page(MapFeature, limit=_EVERYTHING):
        piece = (known.layer, known.kind, known.name, bytes(known.shape or b""))
        if wanted[piece] > 0:
            wanted[piece] -= 1
            made.kept += 1
        elif replaces:
            unit.retire(known, "replaced by a newer map")
            made.retired += 1
    fresh = [(layer, kind or "", name or "", shape) for layer, kind, name, shape in wanted.elements()]
    made.added = add_map_features(unit, fresh)


def _layout(plan: StreetPlan, language: str) -> StreetLayout:
    communities = [_community(c, language) for c in plan.communities]
    name = plan.name.spoken(language)
    return StreetLayout(plan.code, name, shapely.to_wkb(plan.outline), plan.attribution, communities)


def _community(community: PlannedCommunity, language: str) -> CommunityLayout:
    grids = [
        GridLayout(
            g.code, g.name.spoken(language), shapely.to_wkb(g.outline), [_building(b, language) for b in g.buildings]
        )
        for g in community.grids
    ]
    return CommunityLayout(community.code, community.name.spoken(language), shapely.to_wkb(community.outline), grids)


def _building(building: PlannedBuilding, language: str) -> BuildingLayout:
    return BuildingLayout(
        building.compound.spoken(language), str(building.number), building.point.x, building.point.y, shapely.to_wkb(building.outline),
        building.units, building.floors, building.road, building.door_plate,
    )  # fmt: skip
