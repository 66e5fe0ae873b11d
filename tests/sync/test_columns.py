"""Columns of a snapshot: whatever went in comes out, and whatever else arrives is refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gridman.kernel.errors import Refusal
from gridman.sync.columns import pack_column, unpack_column

_INT64 = some.integers(-(1 << 63), (1 << 63) - 1)
_VALUES = some.one_of(
    some.none(),
    _INT64,
    some.floats(allow_nan=False),
    some.text(),
    some.binary(max_size=20),
    some.sampled_from(("2026-02-29", "2026-02-28")),
)


@settings(max_examples=150, deadline=None)
@given(
    some.one_of(
        some.lists(_VALUES, min_size=1),
        some.lists(_INT64, min_size=1),
        some.lists(some.integers(1 << 43, 1 << 46), min_size=1),
        some.lists(some.one_of(some.none(), some.dates().map(str)), min_size=1),
        some.lists(some.sampled_from(("a", "b", "", None)), min_size=1),
    )
)
def test_what_went_in_comes_out(values: list[Any]) -> None:
    found = list(unpack_column(pack_column(values), len(values)))
    assert found == values
    assert [type(v) for v in found] == [type(v) for v in values]


def test_a_flag_comes_back_as_the_database_keeps_it() -> None:
    assert list(unpack_column(pack_column([True, False, None]), 3)) == [1, 0, None]


@pytest.mark.parametrize(
    ("packed", "count"),
    [
        ([0, [1, 2]], 3),
        ([1, 5], -1),
        ([1, 5], 1 << 40),
        ([2, 0, "b", b"\x01"], 3),
        ([2, (1 << 63) - 1, "b", b"\x01"], 2),
        ([2, "x", "b", b"\x01"], 2),
        ([2, 0, "l", b"\x01"], 2),
        ([3, [0, ["a"]], "b", b"\xff"], 1),
        ([3, [0, ["a"]], "b", b"\x05"], 1),
        ([4, 7], 1),
        ([5, [0, ["a"]], [0, [1]]], 1),
        ([6, [0, [1 << 60]]], 1),
        ([7, b"\x01", [0, []]], 1),
        ([7, "1", [0, [1]]], 1),
        ([8, b"1234"], 1),
        ([99, 1], 1),
        ([], 0),
        ("text", 1),
        ([7, b"\x01", [7, b"\x01", [7, b"\x01", [7, b"\x01", [7, b"\x01", [7, b"\x01", [0, [1]]]]]]]], 1),
    ],
)
def test_misshapen_columns_are_refused(packed: Any, count: int) -> None:
    with pytest.raises(Refusal, match="malformed"):
        unpack_column(packed, count)
