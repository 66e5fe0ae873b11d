"""Messages survive the wire as they were; whatever else arrives is refused in words."""

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gridman.kernel.errors import Refusal
from gridman.sync import codec
from gridman.sync.protocol import Answer, Cursor, Hello, Op, Request, Rows

STAMP = "0" * 21
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
)


def request(**parts: object) -> Request:
    return Request(1, 2, "epoch", 3, 100, **parts)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(VALUES, st.integers(0, (1 << 63) - 1), st.just("same")), max_size=20))
def test_rows_come_back_with_the_types_they_had(rows: list[tuple[object, ...]]) -> None:
    part = codec.pack_rows("visit", ("a", "b", "c"), rows, [])
    answer = codec.decode_answer(codec.encode(Answer(1, "", 1, 1, 0, rows=[part])))
    found = codec.unpack_rows(answer.rows[0])
    assert found == rows
    assert [[type(v) for v in row] for row in found] == [[type(v) for v in row] for row in rows]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_noise_is_refused(noise: bytes, is_compressed: bool) -> None:
    try:
        codec.decode_request(zstandard.compress(noise) if is_compressed else noise)
    except Refusal as refusal:
        assert refusal.code == "sync.malformed"


def test_a_message_cut_short_is_refused() -> None:
    whole = codec.encode(request(cursors=[Cursor("ref", i) for i in range(500)]))
    for length in range(0, len(whole) - 1, 7):
        with pytest.raises(Refusal, match="malformed"):
            codec.decode_request(whole[:length])


def test_a_message_that_would_fill_the_memory_is_refused() -> None:
    bomb = zstandard.compress(bytes(codec.LARGEST_UNPACKED + 1))
    assert len(bomb) < 100_000
    with pytest.raises(Refusal, match="too_large"):
        codec.decode_request(bomb)


def test_endless_nesting_is_refused() -> None:
    op = Op(1, "create", "visit", 9, {"a": "here"}, {}, STAMP, 1)
    plain = msgspec.msgpack.encode(request(ops=[op]))
    deep = plain.replace(msgspec.msgpack.encode("here"), b"\x91" * 5_000 + b"\x90")
    with pytest.raises(Refusal, match="malformed"):
        codec.decode_request(zstandard.compress(deep))


@pytest.mark.parametrize(
    "op",
    [
        Op(0, "create", "visit", 9, {}, {}, STAMP, 1),
        Op(1, "create", "visit", 1 << 63, {}, {}, STAMP, 1),
        Op(1, "create", "visit", 9, {}, {}, "not a stamp", 1),
        Op(1, "amend", "visit", 9, {}, {"a": "z" * 21}, STAMP, 1),
        Op(1, "create", "visit", 9, {"a": 1 << 63}, {}, STAMP, 1),
        Op(1, "create", "visit", 9, {}, {}, STAMP, 1 << 60),
    ],
)
def test_an_operation_no_desk_could_write_is_refused(op: Op) -> None:
    with pytest.raises(Refusal, match="malformed"):
        codec.check_op(op)


@pytest.mark.parametrize(
    "part",
    [
        Rows("visit", ["id"], 3, [[0, [1, 2]]]),
        Rows("visit", ["id"], -1, []),
        Rows("visit", ["id", "a"], 1, [[0, [1]]]),
        Rows("visit", ["id"], 1, [[9, [1]]]),
        Rows("visit", ["id"], 2, [[2, [1, "x"]]]),
        Rows("visit", ["id"], 2, [[2, [(1 << 63) - 1, 1]]]),
    ],
)
def test_misshapen_rows_are_refused(part: Rows) -> None:
    with pytest.raises(Refusal, match="malformed"):
        codec.unpack_rows(part)


def test_the_digest_names_the_content_of_an_operation() -> None:
    one = Op(1, "amend", "visit", 9, {"a": 1}, {}, STAMP, 1)
    again = codec.decode_request(codec.encode(request(ops=[one])))
    assert isinstance(again, Request) and codec.digest_of(again.ops[0]) == codec.digest_of(one)
    assert codec.digest_of(Op(1, "amend", "visit", 9, {"a": 2}, {}, STAMP, 1)) != codec.digest_of(one)
    assert isinstance(codec.decode_request(codec.encode(Hello(1, 2))), Hello)
