"""In which grid a place lies: the border of two grids runs along the middle of a street, and what lies there is of both."""

import math
from collections.abc import Set
from typing import Any

import shapely

from gridman.domain.grid import Grid
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.store.unit import Reader

__all__ = ["DEGREE_M", "grid_at", "grids_near", "metres_to", "require_in_grid"]

EDGE_M = 10.0
"""How far over its border a place may lie and still be of a grid, in metres: half a street."""
DEGREE_M = 111_320.0
"""A degree of latitude, in metres."""
_ALL = 100_000


def metres_to(shape: bytes, lng: float, lat: float) -> float:
    """How far a point (degrees) lies from a shape (WKB, degrees), in metres; 0 inside."""
    squeeze = math.cos(math.radians(lat))
    plane = shapely.transform(shapely.from_wkb(shape), lambda corners: corners * (squeeze, 1.0))
    return float(shapely.distance(plane, shapely.Point(lng * squeeze, lat))) * DEGREE_M


def grids_near(reader: Reader, box: tuple[float, float, float, float]) -> list[Grid]:
    """The grids that touch `box` (west, south, east, north; degrees), by code."""
    area = shapely.box(*box)
    grids = [g for g in reader.page(Grid, valid_to_on=None, order_by=("code",), limit=_ALL) if g.shape]
    touches = shapely.intersects(shapely.from_wkb([g.shape for g in grids]), area) if grids else []
    return [g for g, is_near in zip(grids, touches, strict=True) if is_near]


def grid_at(reader: Reader, lng: float, lat: float, own: Set[int] = frozenset()) -> int | None:
    """The grid a point lies in; on a border the grid with the lower code, within `EDGE_M` of a border one of `own`; None outside the street."""
    point = shapely.Point(lng, lat)
    here = grids_near(reader, (lng, lat, lng, lat))
    inside = [g.id for g in here if shapely.intersects(shapely.from_wkb(g.shape), point)]
    mine = [grid_id for grid_id in inside if grid_id in own]
    if not mine and own:
        step = EDGE_M / DEGREE_M
        wide = step / math.cos(math.radians(lat))
        near = grids_near(reader, (lng - wide, lat - step, lng + wide, lat + step))
        mine = [g.id for g in near if g.id in own and metres_to(g.shape or b"", lng, lat) <= EDGE_M]
    return next(iter(mine or inside), None)


def require_in_grid(reader: Reader, grid: Any, lng: float, lat: float) -> None:
    """Refuse a place that lies in another grid than the one that is named. A place outside all grids goes with any: somebody has to see to
    it.
    """
    if not grid.shape or metres_to(grid.shape, lng, lat) <= EDGE_M:
        return
    other = reader.find(Grid, grid_at(reader, lng, lat))
    if other is not None and other.id != grid.id:
        raise Refusal(
            "incident.other_grid",
            N_("The place on the map lies in {other}, not in {grid}."),
            N_("Click on the map again, or choose the grid in which the place lies."),
            other=other.name,
            grid=grid.name,
        )
