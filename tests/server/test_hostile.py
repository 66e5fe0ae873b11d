"""Whatever a stranger sends, the answer is a 4xx that says why: never a 5xx, never silence."""

from typing import Any

import httpx
import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridman.services.audit import verify_chain
from tests.server.conftest import Served

RELAXED = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def bearer(lasting: Served) -> dict[str, str]:
    return lasting.bearer()


def sound(answer: httpx.Response) -> None:
    """Refused, in our own words."""
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["code"] and answer.json()["words"]


def squeeze(raw: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(raw)


def pack(value: Any) -> bytes:
    return squeeze(msgspec.msgpack.encode(value))


# Values that a msgpack encoder takes, nested a little.
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)


@RELAXED
@given(body=st.binary(max_size=400))
def test_random_bytes_as_a_sync_message(lasting: Served, bearer: dict[str, str], body: bytes) -> None:
    sound(lasting.client.post("/sync/v1", content=body, headers=bearer))


@RELAXED
@given(body=st.binary(max_size=400))
def test_random_bytes_well_compressed(lasting: Served, bearer: dict[str, str], body: bytes) -> None:
    sound(lasting.client.post("/sync/v1", content=squeeze(body), headers=bearer))


@RELAXED
@given(message=values)
def test_messages_of_other_shapes(lasting: Served, bearer: dict[str, str], message: Any) -> None:
    sound(lasting.client.post("/sync/v1", content=pack(message), headers=bearer))


@RELAXED
@given(
    replica=st.integers(-5, 70_000),
    at=st.integers(-(2**63), 2**63 - 1),
    page=st.integers(-(2**40), 2**40),
    ops=values,
    cursors=values,
)
def test_requests_with_parts_of_other_shapes(
    lasting: Served, bearer: dict[str, str], replica: int, at: int, page: int, ops: Any, cursors: Any
) -> None:
    answer = lasting.client.post(
        "/sync/v1", content=pack(["exchange", 1, replica, "", at, page, ops, cursors]), headers=bearer
    )
    assert answer.status_code == 200 or 400 <= answer.status_code < 500, answer.text


operations = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**64 - 1) | st.integers(1, 3),
        st.sampled_from(["create", "amend", "retire", "command", "x", ""]),
        st.sampled_from(["household", "person", "visit", "incident", "user", "grid", "journal", "nothing", "\x00"]),
        st.integers(-(2**63), 2**64 - 1) | st.just(2 << 43 | 1),
        st.dictionaries(
            st.sampled_from(["name", "grid_id", "id", "retired_at", "state", "action", "no_such_field", "address", "remark"]) | st.text(max_size=5),
            values,
            max_size=4,
        ),
        st.dictionaries(st.sampled_from(["name", "grid_id"]), st.none() | st.text(max_size=21) | st.just("0" * 21), max_size=2),
        st.just("019e00000000" + "0000" + "00002") | st.text(max_size=22),
        st.integers(-(2**63), 2**63 - 1),
    ),
    max_size=3,
)  # fmt: skip


@settings(RELAXED, max_examples=150)
@given(ops=operations)
def test_operations_that_make_no_sense(lasting: Served, bearer: dict[str, str], ops: Any) -> None:
    answer = lasting.client.post("/sync/v1", content=pack(["exchange", 1, 2, "", 0, 10, ops, []]), headers=bearer)
    assert answer.status_code == 200 or 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize("keep", [0, 1, 4, 10, 50])
def test_a_truncated_message(lasting: Served, bearer: dict[str, str], keep: int) -> None:
    whole = pack(["hello", 1, 2, "x" * 400 + str(list(range(200)))])
    sound(lasting.client.post("/sync/v1", content=whole[:keep], headers=bearer))


def test_a_message_nested_a_hundred_thousand_deep(lasting: Served, bearer: dict[str, str]) -> None:
    sound(lasting.client.post("/sync/v1", content=squeeze(b"\x91" * 100_000 + b"\xc0"), headers=bearer))
    deep = '{"login":' + "[" * 5_000 + "]" * 5_000 + "}"
    sound(lasting.client.post("/enrol/v1", content=deep))


def test_a_small_message_that_unpacks_to_gigabytes(lasting: Served, bearer: dict[str, str]) -> None:
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    bomb = b"".join(packer.compress(bytes(8 << 20)) for _ in range(128)) + packer.flush()
    assert len(bomb) < 1 << 20
    answer = lasting.client.post("/sync/v1", content=bomb, headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (413, "sync.too_large")


@RELAXED
@given(body=st.binary(max_size=200) | values.map(msgspec.json.encode))
def test_random_forms(lasting: Served, bearer: dict[str, str], body: bytes) -> None:
    sound(lasting.client.post("/enrol/v1", content=body))
    sound(lasting.client.post("/password/v1", content=body, headers=bearer))


@RELAXED
@given(login=st.text(max_size=60), password=st.text(max_size=60), device=st.text(max_size=60))
def test_random_people(lasting: Served, login: str, password: str, device: str) -> None:
    form = {"login": login, "password": password, "device_name": device}
    try:
        body = msgspec.json.encode(form)
    except UnicodeEncodeError:
        return
    sound(lasting.client.post("/enrol/v1", content=body))


@RELAXED
@given(after=st.text(max_size=25), limit=st.text(max_size=25), state=st.text(max_size=10))
def test_random_questions(lasting: Served, bearer: dict[str, str], after: str, limit: str, state: str) -> None:
    asked = {"after": after, "limit": limit, "state": state}
    answer = lasting.client.get("/incidents/v1", params=asked, headers=bearer)
    assert answer.status_code in (200, 400), answer.text


@RELAXED
@given(
    name=st.text(alphabet="0123456789abcdefg/.%", min_size=1, max_size=70) | st.just("a" * 64),
    offset=st.text(alphabet="0123456789-x", max_size=20),
    total=st.text(alphabet="0123456789-x", max_size=20),
    piece=st.text(alphabet="bytes=0123456789-,", max_size=20),
)
def test_random_photos(lasting: Served, bearer: dict[str, str], name: str, offset: str, total: str, piece: str) -> None:
    path = f"/blobs/v1/{name}"
    pieces = {**bearer, "Upload-Offset": offset, "Upload-Length": total, "Range": piece}
    for method in ("HEAD", "GET", "PATCH"):
        answer = lasting.client.request(method, path, headers=pieces, content=b"abc" if method == "PATCH" else None)
        assert 400 <= answer.status_code < 500, (method, answer.status_code)


def test_after_all_that_the_server_and_its_log_are_well(lasting: Served) -> None:
    assert lasting.client.get("/health").status_code == 200
    with lasting.town.street.store.read() as reader:
        assert verify_chain(reader) is None


HUGE = (1 << 64) - 1
AN_OP: list[Any] = [1, "create", "household", 2 << 43 | 9, {"address": "Lane"}, {}, "0" * 21, 0]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/sync/v1", ["exchange", 1, 0, "", HUGE, 10, [AN_OP]]),
        ("/sync/v1", ["exchange", 1, 0, "", 0, 10, [], [["ref", 0, HUGE]]]),
        ("/sync/v1", ["exchange", 1, 0, "", 0, 10, [[*AN_OP[:4], {"a\x00": 1, "address": "Lane"}, *AN_OP[5:]]]]),
        ("/sync/v1", ["exchange", 1, 0, "", 0, 10, [[*AN_OP[:2], "a\x00", *AN_OP[3:]]]]),
        ("/farewell/v1", ["farewell", 1, 0, HUGE, [], [], True]),
        ("/farewell/v1", ["farewell", 1, 0, 0, [[HUGE, *AN_OP[1:]]], [], True]),
        ("/farewell/v1", ["farewell", 1, 0, 0, [AN_OP], [[AN_OP[3], 1, "a\x00" + "b" * 30]], True]),
    ],
)
def test_numbers_and_names_that_no_database_can_hold(lasting: Served, path: str, message: list[Any]) -> None:
    enrolled = lasting.enrol()
    message[2] = enrolled["replica"]
    answer = lasting.client.post(path, content=pack(message), headers={"Authorization": f"Bearer {enrolled['token']}"})
    sound(answer)
    assert answer.json()["code"] == "sync.malformed"
