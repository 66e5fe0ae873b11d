"""The map's data: base map, regions and grids in the store, tiles and clicks out of it, boundaries redrawn."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely

from gridman.domain import access
from gridman.domain.building import Building, Dwelling, MapFeature
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.region import Region
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import STREET_REPLICA
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.services import audit
from gridman.services.ground import DEGREE_M, grids_near, metres_to
from gridman.services.incidents import IncidentQuery, incident_points
from gridman.services.moves import move_household
from gridman.store import places
from gridman.store.unit import Reader, Unit

__all__ = [
    "MapOverview", "TileRows", "add_map_features", "beside", "grid_shapes", "overview", "redraw_grids", "set_attribution",
    "tile",
]  # fmt: skip

BASE_LAYERS = ("land", "green", "water", "building", "rail", "road", "place", "boundary")
_SEAM_M2 = 5.0
_NEAR_M = 60.0
_ALL = 100_000


@dataclass(frozen=True)
class MapOverview:
    """What the map needs before its first tile: extent (degrees), middle, attribution, grids. `own`: which of the grids are those of who
    looks, where these are not all; `own_box`: their extent.
    """

    west: float
    south: float
    east: float
    north: float
    attribution: str
    grids: list[Grid]
    communities: list[Region]
    own: tuple[int, ...] = ()
    own_box: tuple[float, float, float, float] | None = None

    @property
    def first_box(self) -> tuple[float, float, float, float]:
        """The extent to open on: the own grids, else the whole street."""
        return self.own_box or (self.west, self.south, self.east, self.north)

    @property
    def lng(self) -> float:
        return (self.west + self.east) / 2

    @property
    def lat(self) -> float:
        return (self.south + self.north) / 2


@dataclass(frozen=True)
class TileRows:
    """What touches one tile, as records with WKB shapes; of incidents (id, state, longitude, latitude, number)."""

    base: list[MapFeature] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    buildings: list[Building] = field(default_factory=list)
    incidents: list[tuple[int, str, float, float, str | None]] = field(default_factory=list)


def add_map_features(unit: Unit, features: Iterable[tuple[str, str, str, bytes]], progress: Progress = quiet) -> int:
    """Add pieces of the base map: (layer, kind, name, WKB). Returns how many."""
    access.require(unit.actor, "map.edit")
    count = 0
    for count, (layer, kind, name, shape) in enumerate(features, start=1):
        unit.create(MapFeature(layer=layer, kind=kind or None, name=name or None, shape=shape))
        if count % 1_000 == 0:
            unit.flush()
            progress(count, 0, "map")
    return count


def set_attribution(unit: Unit, street: Region, text: str) -> None:
    """The line of origin and licence that every map made of this data must show; it travels to the desks with the street."""
    unit.amend(street, attribution=text)


def overview(reader: Reader, own_ids: Collection[int] = ()) -> MapOverview:
    """The street's extent and grids; a world-wide extent when no map has been imported. `own_ids`: the grids of who looks, none: all."""
    grids = reader.page(Grid, valid_to_on=None, order_by=("code",), limit=_ALL)
    own = [g for g in grids if g.id in own_ids and g.shape]
    if len(own) == len(grids):
        own = []
    edges = [float(edge) for edge in shapely.total_bounds(shapely.from_wkb([g.shape for g in own]))] if own else []
    shapes = shapely.from_wkb([g.shape for g in grids if g.shape])
    box = shapely.total_bounds(shapes) if len(shapes) else (73.0, 18.0, 135.0, 54.0)
    communities = reader.page(Region, level="community", order_by=("code",), limit=_ALL)
    west, south, east, north = (float(edge) for edge in box)
    return MapOverview(
        west,
        south,
        east,
        north,
        attribution(reader),
        grids,
        communities,
        tuple(g.id for g in own),
        (edges[0], edges[1], edges[2], edges[3]) if own else None,
    )


def attribution(reader: Reader) -> str:
    """Where the map comes from."""
    street = reader.first(Region, level="street")
    return (street.attribution if street else None) or ""


def grid_shapes(reader: Reader, community_id: int) -> dict[int, Any]:
    """Boundaries (shapely, degrees) of a community's grids by id."""
    grids = reader.page(Grid, community_id=community_id, valid_to_on=None, limit=_ALL)
    return {g.id: shapely.from_wkb(g.shape) for g in grids if g.shape}


def tile(
    reader: Reader,
    box: tuple[float, float, float, float],
    layers: Sequence[str],
    wanted: IncidentQuery | None = None,
) -> TileRows:
    """What touches `box` (west, south, east, north). `layers` among "base", "grids", "buildings", "incidents"."""
    asked = [layer for layer in BASE_LAYERS if "base" in layers]
    asked += [places.REGISTERED] if "buildings" in layers else []
    found = places.within(reader, *box, asked) if asked else {}
    base = [i for layer, ids in found.items() if layer in BASE_LAYERS for i in ids]
    return TileRows(
        _by_ids(reader, MapFeature, base),
        grids_near(reader, box) if "grids" in layers else [],
        _by_ids(reader, Building, found.get(places.REGISTERED, [])),
        incident_points(reader, wanted or IncidentQuery(), box) if "incidents" in layers else [],
    )


def _by_ids(reader: Reader, cls: type[Any], ids: Sequence[int]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(ids), 500):
        found += reader.page(cls, id=ids[start : start + 500], limit=500)
    return found


def beside(reader: Reader, lng: float, lat: float) -> str:
    """The registered building in which a point lies or that is nearest within `_NEAR_M` metres, in words ("槐安里小区3号楼"); "" without one."""
    step = _NEAR_M / DEGREE_M
    wide = step / math.cos(math.radians(lat))
    ids = places.within(reader, lng - wide, lat - step, lng + wide, lat + step, (places.REGISTERED,)).get(
        places.REGISTERED, []
    )
    found = [b for b in (reader.page(Building, id=ids) if ids else []) if b.shape]
    if not found:
        return ""

    def metres(building: Building) -> float:
        return metres_to(building.shape or b"", lng, lat)

    nearest = min(found, key=metres)
    if metres(nearest) > _NEAR_M:
        return ""
    number = nearest.number or ""
    return f"{nearest.compound or ''}{f'{number}号楼' if number.isdigit() else number}"


def redraw_grids(unit: Unit, shapes: Mapping[int, bytes]) -> list[Grid]:
    """Give grids of one community new boundaries (WKB) at once; together they must cover what they covered, without overlap.

    Buildings and everything registered in them follow to the grid they now lie in. On a desk this is a command that the street
    carries out; the desk shows the new lines until the answer comes.
    """
    access.require(unit.actor, "map.edit")
    grids = [unit.get(Grid, grid_id) for grid_id in sorted(shapes)]
    if len({g.community_id for g in grids}) != 1:
        raise Refusal(
            "grid.communities", N_("Only grids of one community can be redrawn together."), N_("Choose neighbours.")
        )
    _require_coverage(unit, grids, shapes)
    whole = [[grid_id, shapes[grid_id]] for grid_id in sorted(shapes)]
    for grid in grids:  # every grid's own operation carries the whole redrawing: whichever arrives first does it, the others find it done
        unit.command(grid, {"action": "redraw", "shapes": whole})
        unit.amend(grid, shape=shapes[grid.id])
    unit.flush()
    if unit.replica == STREET_REPLICA:
        _move_buildings(unit, grids)
        audit.note(unit, "map_edit", "grid", grids[0].id, grids=len(grids))
    return grids


def _require_coverage(reader: Reader, grids: Sequence[Grid], shapes: Mapping[int, bytes]) -> None:
    new = _read_shapes([shapes[g.id] for g in grids])
    before = shapely.union_all(shapely.from_wkb([g.shape for g in grids if g.shape]))
    if not all(shapely.is_valid(new)):
        raise Refusal("grid.crossing", N_("A boundary crosses itself."), N_("Draw it again without crossing lines."))
    square = DEGREE_M**2 * math.cos(math.radians(before.centroid.y))
    after = shapely.union_all(new)
    overlap = (sum(shapely.area(new)) - after.area) * square
    uncovered, outside = before.difference(after).area * square, after.difference(before).area * square
    for size, text in (
        (overlap, N_("The new boundaries overlap by about {m2} m².")),
        (uncovered, N_("The new boundaries leave a gap of about {m2} m².")),
        (outside, N_("The new boundaries reach about {m2} m² into other grids or out of the community.")),
    ):
        if size > _SEAM_M2:
            raise Refusal(
                "grid.coverage", text, N_("Move the corner points onto the neighbour's line."), m2=round(size)
            )


def _read_shapes(shapes: Sequence[bytes]) -> Any:
    try:
        read = shapely.from_wkb(list(shapes))
    except (shapely.errors.ShapelyError, TypeError) as error:
        raise Refusal("grid.shape", N_("A boundary cannot be read."), N_("Draw it again.")) from error
    if not all(shapely.get_type_id(read) == shapely.GeometryType.POLYGON):
        raise Refusal("grid.shape", N_("A boundary cannot be read."), N_("Draw it again."))
    return read


def _move_buildings(unit: Unit, grids: Sequence[Grid]) -> None:
    ground = [(g.id, shapely.from_wkb(g.shape)) for g in grids]
    for building in unit.page(Building, grid_id=[g.id for g in grids], limit=_ALL):
        point = shapely.Point(building.lng or 0.0, building.lat or 0.0)
        home = next((grid_id for grid_id, shape in ground if shapely.intersects(shape, point)), building.grid_id)
        if home == building.grid_id or home is None:
            continue
        unit.amend(building, grid_id=home)
        for dwelling in unit.page(Dwelling, building_id=building.id, limit=_ALL):
            unit.amend(dwelling, grid_id=home)
        for household in unit.page(Household, building_id=building.id, limit=_ALL):
            move_household(unit, household, home)
