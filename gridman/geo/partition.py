"""Cutting a street area into communities and those into grids, along its streets, with about as many dwellings in each grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from gridman.geo.blocks import Block, Way, make_blocks
from gridman.geo.crs import Plane, plane_of
from gridman.geo.features import MapData, is_carriageway
from gridman.geo.grouping import divide
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_

__all__ = ["Cut", "GridCut", "partition", "reading_order"]

_MAIN_COST, _SIDE_COST, _LANE_COST, _PATH_COST = 0.6, 0.8, 1.2, 2.0
_MAIN_ROADS = ("motorway", "trunk", "primary", "secondary", "tertiary")
_HEAVY_SHARE = 0.2
_CORNER_COST = 1.0
_SMOOTH_M = 1.5


@dataclass(frozen=True)
class GridCut:
    """One grid: which community (index), which number in it (from 1), its ground, and the buildings on it (indexes)."""

    community: int
    sequence: int
    polygon: Polygon
    buildings: tuple[int, ...]
    weight: float


@dataclass(frozen=True)
class Cut:
    """A street area cut up. Grids cover their community exactly and communities the outline, sharing every corner."""

    outline: Polygon
    communities: tuple[Polygon, ...]
    grids: tuple[GridCut, ...]
    grid_of: tuple[int, ...]
    """For every building the index of its grid."""


def partition(
    data: MapData,
    outline: Polygon,
    buildings: Sequence[BaseGeometry],
    weights: Sequence[float],
    communities: int,
    grids_each: int,
    progress: Progress = quiet,
) -> Cut:
    """Cut `outline` (degrees) along the streets of `data` into `communities` x `grids_each` grids of about equal weight.

    `weights` are dwellings (or any measure of work) of the `buildings`. Both communities and the grids of each are numbered
    in reading order: north to south by rows, west to east within a row. The same input gives the same cut.
    Raises Refusal `partition.too_few_blocks` where there is not enough ground between streets.
    """
    plane = plane_of(outline)
    ground = Polygon(plane.to_metres(outline))
    points = shapely.get_coordinates(shapely.point_on_surface(plane.to_metres(list(buildings))))
    load = np.asarray(weights, dtype=np.float64)
    progress(0, 3, "blocks")
    heaviest = load.sum() / (communities * grids_each) * _HEAVY_SHARE
    blocks = make_blocks(ground, _ways(data, plane), points, load, heaviest)
    progress(1, 3, "groups")
    groups = _groups(blocks, communities, grids_each)
    progress(2, 3, "outlines")
    cut = _cut(blocks, groups, plane, len(buildings))
    progress(3, 3)
    return cut


def _ways(data: MapData, plane: Plane) -> list[Way]:
    """The streets that borders may follow; what runs in a tunnel divides nothing above."""
    roads = [feature for feature in data.of("road") if "tunnel" not in feature.attrs]
    rails = [feature for feature in data.of("rail") if "tunnel" not in feature.attrs]
    lines = plane.to_metres([feature.geometry for feature in [*roads, *rails]])
    costs = [_cost(feature.kind) for feature in roads] + [_SIDE_COST] * len(rails)
    return [Way(line, cost) for line, cost in zip(lines, costs, strict=True) if shapely.get_dimensions(line) == 1]


def _cost(kind: str) -> float:
    if kind.removesuffix("_link") in _MAIN_ROADS:
        return _MAIN_COST
    if is_carriageway(kind):
        return _SIDE_COST
    return _LANE_COST if kind in ("service", "pedestrian") else _PATH_COST


def _groups(blocks: list[Block], communities: int, grids_each: int) -> list[list[list[int]]]:
    whole = _in_one_piece(blocks)
    if len(whole) < communities * grids_each:
        raise Refusal(
            "partition.too_few_blocks",
            N_("The area has {blocks} blocks between its streets; {grids} grids need at least as many."),
            N_("Choose fewer communities or grids, or a map with more streets."),
            blocks=len(whole),
            grids=communities * grids_each,
        )
    return [divide(blocks, members, grids_each) for members in divide(blocks, whole, communities)]


def _in_one_piece(blocks: list[Block]) -> list[int]:
    """All blocks, after tying any that touch the others at a corner only to the nearest block of the largest piece."""
    left = set(range(len(blocks)))
    pieces: list[list[int]] = []
    while left:
        piece = [min(left)]
        left.discard(piece[0])
        for number in piece:
            for other in blocks[number].beside:
                if other in left:
                    left.discard(other)
                    piece.append(other)
        pieces.append(piece)
    pieces.sort(key=len, reverse=True)
    for lost in pieces[1:]:
        one, two = _nearest(blocks, lost, pieces[0])
        blocks[one].beside[two] = blocks[two].beside[one] = _CORNER_COST
    return list(range(len(blocks)))


def _nearest(blocks: list[Block], some: list[int], others: list[int]) -> tuple[int, int]:
    ground = [shapely.multipolygons(blocks[number].faces) for number in others]
    tree = shapely.STRtree(ground)
    reach = {
        number: tree.query_nearest(shapely.multipolygons(blocks[number].faces), return_distance=True) for number in some
    }
    one = min(some, key=lambda number: (float(reach[number][1][0]), number))
    return one, others[int(reach[one][0][0])]


def _cut(blocks: list[Block], groups: list[list[list[int]]], plane: Plane, n_buildings: int) -> Cut:
    rough = [
        [shapely.coverage_union_all([face for number in group for face in blocks[number].faces]) for group in community]
        for community in groups
    ]
    smooth: Any = shapely.coverage_simplify(
        [p for community in rough for p in community], _SMOOTH_M, simplify_boundary=False
    )
    polygons = list(plane.to_degrees(smooth))
    starts = np.cumsum([0, *(len(community) for community in groups)]).tolist()
    grids_of = [list(range(starts[n], starts[n + 1])) for n in range(len(groups))]
    flat = [group for community in groups for group in community]
    outlines = [shapely.coverage_union_all([polygons[at] for at in numbers]) for numbers in grids_of]
    grids: list[GridCut] = []
    grid_of = [-1] * n_buildings
    order = reading_order(outlines)
    for community, old in enumerate(order):
        numbers = grids_of[old]
        for sequence, at in enumerate(reading_order([polygons[number] for number in numbers]), 1):
            members = flat[numbers[at]]
            houses = tuple(sorted(house for number in members for house in blocks[number].houses))
            weight = sum(blocks[number].weight for number in members)
            for house in houses:
                grid_of[house] = len(grids)
            grids.append(GridCut(community, sequence, polygons[numbers[at]], houses, weight))
    ground = shapely.coverage_union_all(outlines)
    return Cut(ground, tuple(outlines[old] for old in order), tuple(grids), tuple(grid_of))


def reading_order(polygons: Sequence[BaseGeometry]) -> list[int]:
    """Indexes of `polygons` as one reads: rows from north to south, in each from west to east."""
    if not polygons:
        return []
    middles = shapely.get_coordinates(shapely.point_on_surface(list(polygons)))
    by_north = sorted(range(len(polygons)), key=lambda n: (-middles[n, 1], middles[n, 0]))
    in_row = max(1, round(len(polygons) ** 0.5))
    rows = [by_north[start : start + in_row] for start in range(0, len(by_north), in_row)]
    return [n for row in rows for n in sorted(row, key=lambda n: (middles[n, 0], -middles[n, 1]))]
