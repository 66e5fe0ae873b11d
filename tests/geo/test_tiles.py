"""Tiles: the right square of the world, clipped, in whole units, small; clusters that add up."""

import json
from itertools import pairwise
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon, box

from gridman.geo.clusters import IncidentPoint
from gridman.geo.features import MapFeature
from gridman.geo.tiles import (
    EXTENT,
    MARGIN,
    BuildingShape,
    GridShape,
    TileFrame,
    encode_tile,
    tile_bounds,
    tile_content,
    tile_of,
    tiles_in,
)

PLACE = st.tuples(st.floats(-179, 179), st.floats(-80, 80))
BIG_ID = (77 << 43) | 12345


def corners(flat: list[int]) -> list[tuple[int, int]]:
    """A flat line (first corner, then steps) as corners."""
    x, y = flat[:2]
    found = [(x, y)]
    for dx, dy in zip(flat[2::2], flat[3::2], strict=True):
        x, y = x + dx, y + dy
        found.append((x, y))
    return found


def polygon_of(rings: list[list[int]]) -> Polygon:
    return Polygon(corners(rings[0]), [corners(ring) for ring in rings[1:]])


@given(PLACE, st.integers(0, 20))
def test_a_place_lies_in_its_tile_and_in_no_other(place: tuple[float, float], z: int) -> None:
    x, y = tile_of(*place, z)
    west, south, east, north = tile_bounds(z, x, y)
    assert west - 1e-9 <= place[0] <= east + 1e-9 and south - 1e-9 <= place[1] <= north + 1e-9
    beside = [(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    n = 1 << z
    owners = [at for at in beside if 0 <= at[0] < n and 0 <= at[1] < n and TileFrame(z, *at).point(*place)]
    assert owners == [(x, y)]


def test_known_tiles() -> None:
    assert tile_of(116.391, 39.907, 10) == (843, 388)
    assert tile_bounds(0, 0, 0) == pytest.approx((-180, -85.05112878, 180, 85.05112878))
    assert tiles_in((116.0, 39.5, 116.8, 40.2), 9) == [
        (420, 193),
        (421, 193),
        (422, 193),
        (420, 194),
        (421, 194),
        (422, 194),
    ]
    with pytest.raises(ValueError, match="no tile 3/8/0"):
        TileFrame(3, 8, 0)


@settings(max_examples=60)
@given(PLACE, st.integers(8, 19), st.lists(st.tuples(st.floats(-3, 4), st.floats(-3, 4)), min_size=3, max_size=12))
def test_what_is_drawn_lies_in_the_tile_and_its_margin(
    place: tuple[float, float], z: int, shares: list[tuple[float, float]]
) -> None:
    """`shares` are corners as shares of the tile's width, some far outside."""
    x, y = tile_of(*place, z)
    west, south, east, north = tile_bounds(z, x, y)
    points = [(west + (east - west) * u, south + (north - south) * v) for u, v in shares]
    shape = shapely.convex_hull(shapely.multipoints(points))
    grid = GridShape(BIG_ID, "990101001001001", "g", shape)
    content = tile_content(z, x, y, base=[MapFeature("water", "lake", "", shape)], grids=[grid])
    drawn = [polygon for row in content["grids"] for polygon in row[4]] + [
        row[2] for row in content["base"].get("water", [])
    ]
    for rings in drawn:
        for ring in rings:
            assert all(-MARGIN - 1 <= at <= EXTENT + MARGIN + 1 for corner in corners(ring) for at in corner)
            assert all(one != other for one, other in pairwise(corners(ring)))
    if isinstance(shape, Polygon):
        window = box(west, south, east, north)
        share = shape.intersection(window).area / window.area
        inside = sum(
            polygon_of(rings).buffer(0).intersection(box(0, 0, EXTENT, EXTENT)).area
            for row in content["grids"]
            for rings in row[4]
        )
        assert inside / EXTENT**2 == pytest.approx(share, abs=0.02)


def test_neighbouring_tiles_fit_together() -> None:
    z, x, y = 15, *tile_of(116.4, 39.9, 15)
    west, south, east, north = tile_bounds(z, x, y)
    road = MapFeature("road", "primary", "建设路", LineString([(west - 0.01, south), (east + 0.02, north)]))
    sides = []
    for column, edge in ((x, EXTENT), (x + 1, 0)):
        (row,) = tile_content(z, column, y, base=[road])["base"]["road"]
        line = LineString(corners(row[3][0]))
        sides.append(line.intersection(LineString([(edge, -500), (edge, 5000)])).y)
    assert abs(sides[0] - sides[1]) <= 2


def test_ids_are_texts_and_layers_not_asked_for_are_absent() -> None:
    x, y = tile_of(116.4, 39.9, 17)
    house = BuildingShape(BIG_ID, "12号楼", Point(116.4, 39.9).buffer(0.0002), 36)
    text = encode_tile(17, x, y, buildings=[house], incidents=[])
    content: dict[str, Any] = json.loads(text)
    assert set(content) == {"z", "x", "y", "buildings", "incidents"} and content["incidents"] == []
    (row,) = content["buildings"]
    assert row[:3] == [str(BIG_ID), "12号楼", 36] and "号楼".encode() in text
    assert polygon_of(row[3][0]).contains(Point(row[4]))


def test_a_label_belongs_to_one_tile_only() -> None:
    z = 16
    x, y = tile_of(116.4, 39.9, z)
    west, south, east, north = tile_bounds(z, x, y)
    wide = GridShape(1, "990101001001001", "g", box(west - 0.002, south + 0.0005, east + 0.01, north - 0.0005))
    owners = [at for at in tiles_in(wide.geometry.bounds, z) if tile_content(z, *at, grids=[wide])["grids"][0][5]]
    assert len(owners) == 1 and len(tiles_in(wide.geometry.bounds, z)) > 1


def test_a_border_of_two_grids_is_one_line_and_community_borders_are_apart() -> None:
    z = 15
    x, y = tile_of(116.4, 39.9, z)
    west, south, east, north = tile_bounds(z, x, y)

    def column(at: int, community: int) -> GridShape:
        step = (east - west) / 4
        return GridShape(
            at, "", "", box(west + at * step, south + step, west + (at + 1) * step, north - step), community
        )

    inner, outer = tile_content(z, x, y, grids=[column(0, 5), column(1, 5), column(2, 6)])["gridlines"]
    assert [sorted(at[0] for at in corners(line)) for line in inner] == [[1024, 1024]]
    reach = shapely.union_all([LineString(corners(line)) for line in outer])
    assert reach.distance(Point(2048, 2048)) < 2 and reach.distance(Point(1024, 2048)) > 700


def test_small_zooms_leave_out_what_nobody_could_see() -> None:
    house = MapFeature("building", "yes", "", box(116.4, 39.9, 116.4002, 39.9002))
    lane = MapFeature("road", "footway", "", LineString([(116.4, 39.9), (116.402, 39.902)]))
    sizes = {z: tile_content(z, *tile_of(116.4, 39.9, z), base=[house, lane])["base"] for z in (10, 14, 16)}
    assert not sizes[10]["road"] and "building" not in sizes[10]
    assert "building" in sizes[14] and not sizes[14]["road"]
    assert sizes[16]["road"] and "building" in sizes[16]


STATES = ("reported", "handling", "closed")


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(116.395, 116.405), st.floats(39.895, 39.905), st.sampled_from(STATES)), max_size=60),
    st.integers(11, 19),
)
def test_clusters_count_every_incident_once(rows: list[tuple[float, float, str]], z: int) -> None:
    points = [IncidentPoint(number, state, lng, lat) for number, (lng, lat, state) in enumerate(rows)]
    counted = dict.fromkeys(STATES, 0)
    for at in tiles_in((116.39, 39.89, 116.41, 39.91), z) if z < 18 else {tile_of(p.lng, p.lat, z) for p in points}:
        for entry in tile_content(z, *at, incidents=points)["incidents"]:
            if entry[0] is not None:
                counted[entry[1]] += 1
                continue
            assert sum(entry[1].values()) == entry[4] >= 2
            x0, y0, x1, y1 = entry[5]
            assert x0 <= entry[2] <= x1 and y0 <= entry[3] <= y1
            for state, count in entry[1].items():
                counted[state] += count
    assert counted == {state: sum(row[2] == state for row in rows) for state in STATES}


def test_close_up_every_incident_stands_alone_and_one_spot_lists_its_members() -> None:
    points = [IncidentPoint(n, "reported", 116.4 + n * 0.0002, 39.9, f"S{n}") for n in range(5)]
    alone = [
        e
        for at in {tile_of(p.lng, p.lat, 17) for p in points}
        for e in tile_content(17, *at, incidents=points)["incidents"]
    ]
    assert sorted(entry[0] for entry in alone) == ["0", "1", "2", "3", "4"]
    same = [IncidentPoint(n, "closed", 116.4, 39.9, f"S{n}") for n in range(3)]
    ((none, states, _x, _y, count, _box, members),) = tile_content(19, *tile_of(116.4, 39.9, 19), incidents=same)[
        "incidents"
    ]
    assert none is None and states == {"closed": 3} and count == 3
    assert members == [["0", "closed", "S0"], ["1", "closed", "S1"], ["2", "closed", "S2"]]


def test_gathered_rows_of_the_store_are_added_up() -> None:
    rows = [IncidentPoint(0, "reported", 116.4, 39.9, count=40), IncidentPoint(0, "closed", 116.4001, 39.9, count=2)]
    (entry,) = tile_content(13, *tile_of(116.4, 39.9, 13), incidents=rows)["incidents"]
    assert entry[1] == {"reported": 40, "closed": 2} and entry[4] == 42 and entry[6] == []
