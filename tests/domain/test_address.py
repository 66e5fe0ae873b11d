"""Doors: many spellings, one form, and the order of the walk."""

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridman.domain.address import (
    Address,
    floor_of_room,
    tidy_door,
    tidy_room,
    walk_order,
)


@pytest.mark.parametrize(
    "typed", ["12", "12号楼", "12栋", "12幢", "012", "１２号楼", "十二幢", "12.0", "第12栋", " 12 号楼 "]
)
def test_a_building_has_one_number_however_it_is_written(typed: str) -> None:
    assert tidy_door(typed) == "12"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("无", ""), ("", ""), ("a座", "A"), ("一百零三号", "103"), ("二十", "20"), ("3单元", "3"), ("5-1栋", "5-1")],
)
def test_odd_building_numbers(typed: str, kept: str) -> None:
    assert tidy_door(typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("501室", "501"),
        ("501", "501"),
        ("5层501", "501"),
        ("5楼01", "501"),
        ("０７０２", "0702"),
        ("501.0", "501"),
        ("无", ""),
    ],
)
def test_rooms_have_one_form(typed: str, kept: str) -> None:
    assert tidy_room(typed) == kept


def test_an_address_is_written_without_the_parts_it_lacks() -> None:
    assert Address("阳光花园", "12", "3", "501").text == "阳光花园12号楼3单元501室"
    assert Address("幸福里", "3", "", "501").text == "幸福里3号楼501室"
    assert Address("李家村").text == "李家村"


@pytest.mark.parametrize(
    ("room", "floor"),
    [("501", 5), ("1203", 12), ("0702", 7), ("B101", -1), ("-101", -1), ("A501", 5), ("12", None), ("", None)],
)
def test_a_room_number_tells_its_floor(room: str, floor: int | None) -> None:
    assert floor_of_room(room) == floor


def test_the_walk_goes_building_by_building_unit_by_unit_and_up() -> None:
    doors = [
        (building, unit, f"{floor}0{door}")
        for building, unit, floor, door in itertools.product(("1", "2", "2A", "10"), ("1", "2"), (1, 2, 11), (1, 2))
    ]
    shuffled = Random(1).sample(doors, len(doors))
    assert sorted(shuffled, key=lambda d: walk_order(d[0], d[1], None, d[2], "幸福里")) == doors


def test_compounds_do_not_mix_on_the_walk() -> None:
    keys = sorted(
        (walk_order(str(b), "1", None, "101", c), c) for c in ("幸福里", "平安苑", "和平里") for b in (1, 2, 30)
    )
    assert [len(list(group)) for _, group in itertools.groupby(c for _, c in keys)] == [3, 3, 3]


@given(st.text(max_size=12), st.text(max_size=6), st.text(max_size=8), st.text(max_size=12))
def test_any_door_has_a_place_that_fits_the_store(building: str, unit: str, room: str, compound: str) -> None:
    assert 0 <= walk_order(building, unit, None, room, compound) < 1 << 63
