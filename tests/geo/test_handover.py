"""Neighbours follow when a grid's boundary is redrawn: the community stays covered exactly once."""

import pytest
import shapely
from shapely.geometry import Polygon, box

from gridman.geo.boundary import check_boundary
from gridman.geo.handover import hand_over
from gridman.kernel.errors import Refusal

W, S = 117.10, 36.60
STEP = 0.002


def cell(column: int, row: int) -> Polygon:
    return box(W + column * STEP, S + row * STEP, W + (column + 1) * STEP, S + (row + 1) * STEP)


COMMUNITY = box(W, S, W + 3 * STEP, S + STEP)
LEFT, MIDDLE, RIGHT = cell(0, 0), cell(1, 0), cell(2, 0)
NAMES = {1: "第1网格", 3: "第3网格"}


def all_right(drawn: Polygon, moved: dict[int, Polygon]) -> bool:
    others = {1: LEFT, 3: RIGHT} | moved
    return check_boundary(drawn, COMMUNITY, {NAMES[i]: shape for i, shape in others.items()}) == []


def test_what_is_taken_is_given_by_the_neighbour_and_nobody_else_moves() -> None:
    drawn = box(W + STEP, S, W + 2.25 * STEP, S + STEP)
    moved = hand_over(drawn, COMMUNITY, {1: LEFT, 3: RIGHT}, NAMES)
    assert set(moved) == {3}
    assert moved[3].area == pytest.approx(0.75 * RIGHT.area, rel=1e-3)
    assert all_right(drawn, moved)


def test_what_is_left_goes_to_who_lies_beside_it() -> None:
    drawn = box(W + 1.5 * STEP, S, W + 2 * STEP, S + STEP)
    moved = hand_over(drawn, COMMUNITY, {1: LEFT, 3: RIGHT}, NAMES)
    assert set(moved) == {1}
    assert moved[1].area == pytest.approx(1.5 * LEFT.area, rel=1e-3)
    assert all_right(drawn, moved)


def test_a_slanted_line_moves_both_neighbours() -> None:
    drawn = Polygon([(W + 0.8 * STEP, S), (W + 1.7 * STEP, S), (W + 2.3 * STEP, S + STEP), (W + 1.3 * STEP, S + STEP)])
    moved = hand_over(drawn, COMMUNITY, {1: LEFT, 3: RIGHT}, NAMES)
    assert set(moved) == {1, 3}
    assert all_right(drawn, moved)
    assert shapely.union_all([drawn, *moved.values()]).area == pytest.approx(COMMUNITY.area, rel=1e-4)


def test_an_unchanged_boundary_moves_nobody() -> None:
    assert hand_over(MIDDLE, COMMUNITY, {1: LEFT, 3: RIGHT}, NAMES) == {}


def test_a_neighbour_may_not_be_cut_in_two() -> None:
    drawn = shapely.union_all([MIDDLE, box(W + 2 * STEP, S + 0.4 * STEP, W + 3 * STEP, S + 0.6 * STEP)])
    with pytest.raises(Refusal) as refused:
        hand_over(drawn, COMMUNITY, {1: LEFT, 3: RIGHT}, NAMES)
    assert refused.value.code == "boundary.cuts_neighbour" and "第3网格" in refused.value.words()


def test_a_neighbour_may_not_vanish() -> None:
    with pytest.raises(Refusal) as refused:
        hand_over(box(W + STEP, S, W + 3 * STEP, S + STEP), COMMUNITY, {1: LEFT, 3: RIGHT}, NAMES)
    assert refused.value.code == "boundary.cuts_neighbour"


def test_ground_that_nobody_borders_on_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        hand_over(box(W, S, W + 0.9 * STEP, S + STEP), cell(0, 0), {}, {})
    assert refused.value.code == "boundary.orphan"
