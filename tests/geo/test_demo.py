"""The demonstration street: its sizes, its addresses, its households per grid, the same on every machine."""

from collections import Counter

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridman.geo.demo import HOUSEHOLDS, demo_map_path, demo_plan
from gridman.geo.housing import MAX_FLOORS, Frame, resized
from gridman.geo.plan import StreetPlan
from tests.geo.places import shipped_map


@pytest.fixture(scope="module")
def street() -> StreetPlan:
    return demo_plan("street", shipped_map())


def test_a_street_is_ten_communities_of_eight_grids_with_their_codes(street: StreetPlan) -> None:
    assert [len(community.grids) for community in street.communities] == [8] * 10
    assert [community.code for community in street.communities] == [f"990101001{n:03}" for n in range(1, 11)]
    assert all(grid.code[:12] == community.code for community in street.communities for grid in community.grids)
    assert len({grid.code for grid in street.grids}) == 80 and all(len(grid.code) == 15 for grid in street.grids)
    assert len({community.name.zh for community in street.communities}) == 10


def test_every_grid_has_work_for_one_person(street: StreetPlan) -> None:
    least, most = HOUSEHOLDS
    assert all(least <= grid.dwellings <= most for grid in street.grids)
    assert all(b.floors <= MAX_FLOORS for grid in street.grids for b in grid.buildings)


def test_grids_cover_the_street_exactly(street: StreetPlan) -> None:
    assert shapely.coverage_is_valid([grid.outline for grid in street.grids])
    assert all(grid.outline.covers(building.point) for grid in street.grids for building in grid.buildings)


def test_an_address_is_one_building(street: StreetPlan) -> None:
    addresses = Counter((b.compound.zh, b.number) for grid in street.grids for b in grid.buildings)
    assert max(addresses.values()) == 1 and len(addresses) > 900


def test_the_smaller_sizes_are_parts_of_the_street(street: StreetPlan) -> None:
    (community,) = demo_plan("community", shipped_map()).communities
    assert community == next(c for c in street.communities if c.code == community.code)
    small = demo_plan("grid", shipped_map())
    (two,) = small.communities
    assert [grid.code for grid in two.grids] == [
        g.code for g in community.grids if g.code in {x.code for x in two.grids}
    ]
    assert len(two.grids) == 2 and small.outline.geom_type == "Polygon"
    assert shapely.coverage_union_all([grid.outline for grid in two.grids]).equals(small.outline)


def test_the_map_ships_with_its_licence_and_attribution(street: StreetPlan) -> None:
    folder = demo_map_path().parent
    assert "OpenStreetMap" in street.attribution and "fictional" in street.attribution
    assert (folder / "ATTRIBUTION.txt").read_text(encoding="utf-8").strip() == street.attribution
    assert "Open Database License" in (folder / "LICENCE.txt").read_text(encoding="utf-8")


FRAMES = st.builds(Frame, st.integers(1, 6), st.integers(1, 33), st.integers(1, 4))


@given(st.lists(FRAMES, min_size=1, max_size=40))
def test_floors_are_added_or_taken_until_the_count_fits(frames: list[Frame]) -> None:
    made = resized(frames, 300, 500)
    total = sum(frame.dwellings for frame in made)
    assert len(made) == len(frames) and all(1 <= frame.floors <= MAX_FLOORS for frame in made)
    smallest = sum(frame.rooms for frame in frames)  # one floor of one unit each
    assert 300 <= total <= 500 or smallest > 500
