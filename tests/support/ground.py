"""Ground under the small register of `tests.support.desk`: grid boundaries, building outlines, a few roads, a river, a park."""

import shapely

from gridman.domain.access import SYSTEM
from gridman.domain.building import Building, MapFeature
from gridman.domain.grid import Grid
from gridman.domain.region import Region
from gridman.store import indexes
from gridman.store.store import Store
from tests.support.desk import Desk

WEST, EAST, SOUTH, NORTH = 117.0985, 117.1045, 36.5985, 36.6025
BORDER = 117.1015
ATTRIBUTION = "示例底图（虚构）"

_ROADS = (
    ("primary", "望河路", [(WEST, 36.5995), (EAST, 36.5995)]),
    ("residential", "槐安巷", [(117.1000, SOUTH), (117.1000, NORTH)]),
    ("residential", "花园街", [(BORDER, SOUTH), (BORDER, NORTH)]),
    ("footway", "", [(WEST, 36.6012), (EAST, 36.6012)]),
)


def lay_ground(desk: Desk) -> None:
    """Put the ground into the desk's store, as a first synchronisation would: without a journal of its own work."""
    store = Store(desk.store.database, desk.store.replica, [indexes.Indexer()], desk.store.clock)
    with store.unit(SYSTEM) as unit:
        for grid_id, west, east in zip(desk.ids["grids"], (WEST, BORDER), (BORDER, EAST), strict=True):
            unit.amend(unit.get(Grid, grid_id), shape=shapely.to_wkb(shapely.box(west, SOUTH, east, NORTH)))
        for building_id in desk.ids["buildings"]:
            building = unit.get(Building, building_id)
            outline = shapely.box(
                building.lng - 0.00032, building.lat - 0.00012, building.lng + 0.00032, building.lat + 0.00012
            )
            unit.amend(building, shape=shapely.to_wkb(outline))
        for kind, name, line in _ROADS:
            unit.create(MapFeature(layer="road", kind=kind, name=name, shape=shapely.to_wkb(shapely.LineString(line))))
        river, park = shapely.box(WEST, 36.6019, EAST, 36.6022), shapely.box(117.1025, 36.6003, 117.1040, 36.6010)
        unit.create(MapFeature(layer="water", kind="river", name="望河", shape=shapely.to_wkb(river)))
        unit.create(MapFeature(layer="green", kind="park", name="望河公园", shape=shapely.to_wkb(park)))
        street = unit.first(Region, level="street")
        assert street is not None
        unit.amend(street, attribution=ATTRIBUTION)
