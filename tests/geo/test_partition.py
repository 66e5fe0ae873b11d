"""Cutting a street area: an exact cover, whole grids, even work, the same every time."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box

from gridman.geo.crs import area_m2
from gridman.geo.features import MapData
from gridman.geo.outline import street_outline
from gridman.geo.partition import Cut, partition, reading_order
from gridman.kernel.errors import Refusal
from tests.geo.places import PLANE, houses, oblong, shipped_map, town


def cut_town(data: MapData, communities: int, grids_each: int, weights: list[float] | None = None) -> Cut:
    buildings = [house.geometry for house in houses(data)]
    return partition(data, street_outline(data), buildings, weights or [1.0] * len(buildings), communities, grids_each)


def check_cover(cut: Cut) -> None:
    """No overlap, no gap, every grid one polygon, communities made of their grids."""
    grounds = [grid.polygon for grid in cut.grids]
    assert all(isinstance(ground, Polygon) and ground.is_valid for ground in grounds)
    assert shapely.coverage_is_valid(grounds)
    assert shapely.coverage_union_all(grounds).symmetric_difference(cut.outline).area < 1e-15
    for number, community in enumerate(cut.communities):
        own = [grid.polygon for grid in cut.grids if grid.community == number]
        assert isinstance(community, Polygon)
        assert shapely.coverage_union_all(own).equals(community)


@settings(max_examples=12)
@given(columns=st.integers(4, 9), rows=st.integers(3, 7), communities=st.integers(1, 4), grids_each=st.integers(1, 4))
def test_any_town_is_covered_exactly_by_whole_grids(columns: int, rows: int, communities: int, grids_each: int) -> None:
    data = town(columns, rows)
    cut = cut_town(data, communities, grids_each)
    check_cover(cut)
    assert len(cut.grids) == communities * grids_each
    assert sorted(house for grid in cut.grids for house in grid.buildings) == list(range(len(houses(data))))
    for index, grid in enumerate(cut.grids):
        assert all(cut.grid_of[house] == index for house in grid.buildings)


def test_a_building_lies_in_its_grid() -> None:
    data = town(6, 6)
    cut = cut_town(data, 3, 3)
    for house, grid in zip(houses(data), cut.grid_of, strict=True):
        assert cut.grids[grid].polygon.contains(house.geometry.representative_point())


def test_grids_follow_the_streets() -> None:
    """In a chessboard town, what divides two grids runs along a street and not through a block."""
    data = town(8, 8)
    cut = cut_town(data, 2, 4)
    streets = shapely.buffer(shapely.union_all(PLANE.to_metres([road.geometry for road in data.of("road")])), 3.0)
    inner = shapely.union_all([grid.polygon.boundary for grid in cut.grids]).difference(
        cut.outline.boundary.buffer(1e-6)
    )
    borders = PLANE.to_metres(inner)
    assert borders.difference(streets).length < 0.02 * borders.length


def test_work_is_shared_evenly() -> None:
    data = town(8, 6)
    rng = np.random.default_rng(7)
    weights = rng.integers(1, 30, len(houses(data))).astype(float).tolist()
    loads = [grid.weight for grid in cut_town(data, 3, 4, weights).grids]
    assert sum(loads) == pytest.approx(sum(weights))
    assert max(loads) < 1.35 * np.mean(loads) and min(loads) > 0.65 * np.mean(loads)


def test_one_heavy_block_is_divided_between_its_houses() -> None:
    data = town(3, 3)
    weights = [100.0 if 16 <= number < 20 else 1.0 for number in range(36)]
    cut = cut_town(data, 1, 4, weights)
    check_cover(cut)
    assert len({cut.grid_of[number] for number in range(16, 20)}) > 1


def test_the_same_map_is_cut_the_same_way() -> None:
    one, other = cut_town(town(6, 5), 2, 3), cut_town(town(6, 5), 2, 3)
    assert [shapely.to_wkb(grid.polygon) for grid in one.grids] == [
        shapely.to_wkb(grid.polygon) for grid in other.grids
    ]


def test_numbers_run_as_one_reads() -> None:
    squares = [box(x, y, x + 1, y + 1) for y in (0, 2, 4) for x in (4, 0, 2)]
    read = [(squares[n].bounds[0], squares[n].bounds[1]) for n in reading_order(squares)]
    assert read == [(0, 4), (2, 4), (4, 4), (0, 2), (2, 2), (4, 2), (0, 0), (2, 0), (4, 0)]
    cut = cut_town(town(6, 6), 1, 9)
    assert [grid.sequence for grid in cut.grids] == list(range(1, 10))


def test_too_many_grids_for_the_ground_are_refused() -> None:
    with pytest.raises(Refusal) as caught:
        cut_town(town(2, 2), 10, 10)
    assert caught.value.code == "partition.too_few_blocks"


def test_the_shipped_street_is_covered_exactly_with_even_grids() -> None:
    data = shipped_map()
    outline = street_outline(data)
    inside = [house for house in houses(data) if outline.contains(house.geometry.representative_point())]
    weights = [min(area_m2(house.geometry) / 20, 300.0) for house in inside]
    cut = partition(data, outline, [house.geometry for house in inside], weights, 10, 8)
    check_cover(cut)
    loads = np.array([grid.weight for grid in cut.grids])
    assert loads.std() < 0.2 * loads.mean()


def test_the_outline_keeps_to_its_side_of_the_shore_and_holds_the_houses() -> None:
    data = shipped_map()
    outline = street_outline(data)
    (sea,) = (feature.geometry for feature in data.of("water") if feature.kind == "sea")
    assert outline.intersection(sea).area < 1e-3 * outline.area
    held = [outline.contains(house.geometry.representative_point()) for house in houses(data)]
    assert sum(held) > 0.97 * len(held)
    assert 1_500_000 < area_m2(outline) < 2_600_000


def test_a_map_without_houses_has_no_street_area() -> None:
    data = town(3, 3)
    bare = MapData(tuple(data.of("road")))
    with pytest.raises(Refusal) as caught:
        street_outline(bare)
    assert caught.value.code == "map.no_buildings"


def test_a_road_out_of_town_is_not_town() -> None:
    from tests.geo.places import _road, line

    data = town(4, 4)
    road = _road("way/9", line((320, 160), (3000, 160)))
    outline = street_outline(MapData((*data.features, road)))
    assert PLANE.to_metres(outline).bounds[2] < 420
    assert outline.covers(oblong(40, 40, 280, 280))
