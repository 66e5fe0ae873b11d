"""A street planned from any map: names of the map's own, numbers as written on it, boundaries as drawn."""

from dataclasses import replace

import pytest
import shapely

from gridman.geo.features import MapData, MapFeature
from gridman.geo.naming import Name, NameBook
from gridman.geo.plan import plan_of_boundaries, plan_street
from gridman.kernel.errors import Refusal

WEST, SOUTH, STEP = 117.10, 36.60, 0.002
STREET, COMMUNITY = "990101001000", "990101001001"


def block_map(columns: int = 4, rows: int = 2) -> MapData:
    """Blocks of four houses between streets that cross."""
    features = []
    for n in range(columns + 1):
        line = shapely.LineString([(WEST + n * STEP, SOUTH), (WEST + n * STEP, SOUTH + rows * STEP)])
        features.append(MapFeature("road", "residential", f"南北{n}街", line, f"way/{n}"))
    for n in range(rows + 1):
        line = shapely.LineString([(WEST, SOUTH + n * STEP), (WEST + columns * STEP, SOUTH + n * STEP)])
        features.append(MapFeature("road", "residential", f"东西{n}路", line, f"way/{100 + n}"))
    for x in range(columns):
        for y in range(rows):
            for h in range(4):
                west, south = WEST + x * STEP + 0.0004 + (h % 2) * 0.0007, SOUTH + y * STEP + 0.0004 + (h // 2) * 0.0007
                house = shapely.box(west, south, west + 0.0004, south + 0.0002)
                features.append(MapFeature("building", "apartments", "", house, f"way/{1000 + x * 100 + y * 10 + h}"))
    return MapData(tuple(features))


def planned(data: MapData, book: NameBook | None = None, **choices: object) -> list[list[tuple[str, int]]]:
    """Compound and number of every building, grid by grid."""
    plan = plan_street(
        data, code=STREET, name=Name("青石街道", "Qingshi"), communities=2, grids_each=2, book=book, **choices
    )  # type: ignore[arg-type]
    return [[(b.compound.zh, b.number) for b in grid.buildings] for grid in plan.grids]


def test_every_home_is_in_exactly_one_grid_under_an_address_of_its_own() -> None:
    data = block_map()
    plan = plan_street(data, code=STREET, name=Name("青石街道", "Qingshi"), communities=2, grids_each=2)
    assert [c.code for c in plan.communities] == ["990101001001", "990101001002"]
    assert [g.code for g in plan.grids] == ["990101001001001", "990101001001002", "990101001002001", "990101001002002"]
    keys = [b.key for g in plan.grids for b in g.buildings]
    assert sorted(keys) == sorted(f.key for f in data.of("building"))
    for community in plan.communities:
        addresses = [(b.compound.zh, b.number) for g in community.grids for b in g.buildings]
        assert len(set(addresses)) == len(addresses)
        for grid in community.grids:
            assert all(shapely.contains(grid.outline, b.point) for b in grid.buildings)
    assert planned(data) == planned(replace(data, features=tuple(reversed(data.features))))


def test_without_names_communities_and_courts_are_numbered() -> None:
    plan = plan_street(block_map(), code=STREET, name=Name("青石街道", "Qingshi"), communities=2, grids_each=2)
    assert [c.name for c in plan.communities] == [Name("第一社区", "Community 1"), Name("第二社区", "Community 2")]
    assert {b.compound.zh for b in plan.communities[0].grids[0].buildings} == {"第一社区1号院"}


def test_a_list_names_what_it_has_and_numbers_go_on_where_it_ends() -> None:
    book = NameBook({"community": [Name("和平社区", "Heping")], "compound": [Name("幸福里", "Xingfuli")]})
    grids = planned(block_map(), book)
    assert {name for name, _number in grids[0]} == {"幸福里"}
    assert {name for name, _number in grids[1]} == {"和平社区1号院"}
    assert {name for name, _number in grids[2]} == {"第二社区1号院"}


def test_the_maps_own_estates_and_house_numbers_are_kept() -> None:
    data = block_map()
    estate = MapFeature(
        "land", "residential", "花园小区", shapely.box(WEST, SOUTH, WEST + 0.99 * STEP, SOUTH + 0.99 * STEP), "way/9"
    )
    features = [
        replace(f, name="12号楼", attrs={"addr:housenumber": "7"}) if f.key == "way/1000" else f for f in data.features
    ]
    buildings = [
        b
        for g in plan_street(
            MapData((*features, estate)), code=STREET, name=Name("青石街道", "Qingshi"), communities=2, grids_each=2
        ).grids
        for b in g.buildings
    ]
    assert sorted(b.number for b in buildings if b.compound.zh == "花园小区") == [1, 2, 3, 12]
    (twelve,) = [b for b in buildings if b.number == 12]
    assert (twelve.key, twelve.door_plate) == ("way/1000", "7")


def test_homes_stay_as_mapped_unless_a_range_is_asked_for() -> None:
    def dwellings(wanted: tuple[int, int] | None) -> list[int]:
        plan = plan_street(
            block_map(), code=STREET, name=Name("青石街道", "Q"), communities=2, grids_each=2, dwellings_per_grid=wanted
        )
        return [grid.dwellings for grid in plan.grids]

    mapped = dwellings(None)
    assert not any(500 <= n <= 600 for n in mapped)
    assert all(500 <= n <= 600 for n in dwellings((500, 600)))


@pytest.mark.parametrize(
    ("code", "communities", "refusal"),
    [
        ("99010100100", 2, "plan.code"),
        ("990101001001", 2, "plan.code"),
        ("990101000000", 2, "plan.code"),
        (STREET, 0, "plan.too_many"),
    ],
)
def test_choices_that_make_no_street_are_refused(code: str, communities: int, refusal: str) -> None:
    with pytest.raises(Refusal) as raised:
        plan_street(block_map(), code=code, name=Name("x", "x"), communities=communities, grids_each=2)
    assert raised.value.code == refusal


def boundary(code: str, name: str, west: int, east: int) -> MapFeature:
    shape = shapely.box(WEST + west * STEP, SOUTH, WEST + east * STEP, SOUTH + 2 * STEP)
    return MapFeature("boundary", "administrative", name, shape, f"b/{code}", {"code": code})


def test_boundaries_with_codes_are_taken_as_drawn() -> None:
    data = block_map()
    drawn = (boundary(COMMUNITY + "001", "第一网格", 0, 2), boundary(COMMUNITY + "002", "第二网格", 2, 4))
    plan = plan_of_boundaries(MapData((*data.features, *drawn)), name="青石街道")
    assert plan is not None
    (community,) = plan.communities
    assert (plan.code, plan.name.zh, community.code) == (STREET, "青石街道", COMMUNITY)
    assert [g.outline for g in community.grids] == [f.geometry for f in drawn]
    assert [len(g.buildings) for g in community.grids] == [16, 16]
    assert community.outline.equals(shapely.union_all([f.geometry for f in drawn]))


def test_a_map_without_codes_has_no_plan_and_one_of_two_streets_is_refused() -> None:
    assert plan_of_boundaries(block_map()) is None
    mixed = MapData((boundary(COMMUNITY + "001", "", 0, 2), boundary("990101002001001", "", 2, 4)))
    with pytest.raises(Refusal) as raised:
        plan_of_boundaries(mixed)
    assert raised.value.code == "plan.two_streets"
