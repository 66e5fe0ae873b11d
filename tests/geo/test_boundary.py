"""A grid's boundary: what is wrong is found, measured and marked; snapping keeps the cover."""

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from gridman.geo.boundary import check_boundary, snap
from gridman.kernel import words
from tests.geo.places import PLANE, ground, oblong

COMMUNITY = oblong(0, 0, 300, 200)
WEST, MIDDLE, EAST = oblong(0, 0, 100, 200), oblong(100, 0, 200, 200), oblong(200, 0, 300, 200)
OTHERS = {"西网格": WEST, "东网格": EAST}


def codes(polygon: Polygon) -> list[str]:
    return [problem.code for problem in check_boundary(polygon, COMMUNITY, OTHERS)]


def test_a_boundary_that_fits_has_no_problem() -> None:
    assert check_boundary(MIDDLE, COMMUNITY, OTHERS) == []


def test_an_overlap_names_the_grid_the_area_and_the_place() -> None:
    (problem,) = check_boundary(oblong(90, 0, 200, 200), COMMUNITY, OTHERS)
    assert problem.code == "overlaps" and problem.grid == "西网格"
    assert problem.area_m2 == pytest.approx(2000, rel=1e-3)
    assert "西网格" in problem.words() and "2,000" in problem.words()
    assert PLANE.to_metres(problem.where).bounds == pytest.approx((90, 0, 100, 200), abs=0.01)


def test_a_gap_is_measured_and_marked() -> None:
    (problem,) = check_boundary(oblong(110, 0, 200, 200), COMMUNITY, OTHERS)
    assert problem.code == "gap" and problem.area_m2 == pytest.approx(2000, rel=1e-3)
    assert PLANE.to_metres(problem.where).bounds == pytest.approx((100, 0, 110, 200), abs=0.01)


def test_ground_outside_the_community_is_told() -> None:
    (problem,) = check_boundary(oblong(100, -10, 200, 200), COMMUNITY, OTHERS)
    assert problem.code == "outside_community" and problem.area_m2 == pytest.approx(1000, rel=1e-3)


@pytest.mark.parametrize(
    "corners",
    [
        [(100, 0), (200, 200), (200, 0), (100, 200)],
        [(100, 0), (200, 0), (200, 200), (150, -20), (100, 200)],
    ],
)
def test_a_crossing_is_marked_where_it_happens(corners: list[tuple[float, float]]) -> None:
    (problem,) = check_boundary(ground(*corners), COMMUNITY, OTHERS)
    assert problem.code == "crosses_itself"
    outline = shapely.boundary(ground(*corners))
    assert problem.where.geom_type == "MultiPoint" and problem.where.distance(outline) < 1e-9


def test_small_several_and_empty_grounds_are_told() -> None:
    assert "too_small" in codes(oblong(120, 20, 130, 30))
    pieces = shapely.union_all([oblong(100, 0, 150, 200), oblong(160, 0, 200, 200)])
    assert "several_pieces" in [problem.code for problem in check_boundary(pieces, COMMUNITY, OTHERS)]
    assert codes(Polygon()) == ["empty"]
    assert codes(ground((0, 0), (100, 0), (50, 0))) == ["empty"]


def test_every_problem_has_its_chinese() -> None:
    wrong = [
        oblong(90, -10, 190, 200),
        ground((100, 0), (200, 200), (200, 0), (100, 200)),
        oblong(120, 20, 130, 30),
        Polygon(),
    ]
    problems = [problem for polygon in wrong for problem in check_boundary(polygon, COMMUNITY, OTHERS)]
    words.use("zh_CN")
    assert len({problem.code for problem in problems}) >= 6
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in problem.words()) for problem in problems)


OFF = st.floats(-0.45, 0.45)


@given(st.tuples(*[OFF] * 8))
def test_a_hand_drawn_grid_snaps_into_its_place(off: tuple[float, ...]) -> None:
    corners = [
        (100 + off[0], off[1]),
        (200 + off[2], off[3]),
        (200 + off[4], 200 + off[5]),
        (100 + off[6], 200 + off[7]),
    ]
    assert codes(snap(ground(*corners), COMMUNITY, [WEST, EAST])) == []


def test_snapping_leaves_wide_mistakes_for_the_check() -> None:
    snapped = snap(oblong(92, 0, 195, 200.3), COMMUNITY, [WEST, EAST])
    told = {problem.code: problem.area_m2 for problem in check_boundary(snapped, COMMUNITY, OTHERS)}
    assert told == {"overlaps": pytest.approx(1600, rel=1e-2), "gap": pytest.approx(1000, rel=1e-2)}


def test_snapping_does_not_spread_into_open_ground() -> None:
    drawn = ground((100.4, 0.3), (180, 0.2), (170, 100), (100.3, 100))
    snapped = PLANE.to_metres(snap(drawn, COMMUNITY, [WEST]))
    assert snapped.bounds[0] == pytest.approx(100, abs=0.002) and snapped.bounds[1] == pytest.approx(0, abs=0.002)
    assert snapped.bounds[3] < 100.1 and snapped.area < PLANE.to_metres(drawn).area + 100
