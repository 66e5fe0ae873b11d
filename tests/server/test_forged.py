"""Tokens that are forged, worn out or somebody else's, and messages about records that are somebody else's: refused, nothing applied, nothing
given away. Each address that needs a token is tried, as the routes themselves declare it.
"""

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import zstandard

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.server.api import Caller
from gridman.server.app import ADDRESSES
from gridman.services.enrolment import LOST, RETIRED, revoke_device
from gridman.services.monitoring import new_monitor_token
from gridman.sync.codec import decode_answer, encode
from gridman.sync.protocol import Answer, Cursor, Op, Request
from tests.server.conftest import Served
from tests.support.streets import STAFF, WORKER

GUARDED = [a for a in ADDRESSES if a.caller in (Caller.DESK, Caller.LEAVING)]
SECRET_WORD = "玉兰巷十七号"


def asked(served: Served, method: str, path: str, token: str | bytes, **more: Any) -> httpx.Response:
    raw = token if isinstance(token, bytes) else token.encode()
    headers = httpx.Headers([(b"Authorization", b"Bearer " + raw)])
    path = path.replace("{sha256}", "a" * 64)
    with served.client.stream(method, path, headers=headers, **more) as answer:
        if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
            return answer  # it does not end by itself
        answer.read()
        return answer


def everywhere(served: Served, token: str | bytes) -> Iterator[httpx.Response]:
    """What each address that needs a desk's token says to this one."""
    for one in GUARDED:
        yield asked(served, one.method, one.path, token)


def bearer(enrolled: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {enrolled['token']}"}


def forgeries(mine: dict[str, Any], theirs: dict[str, Any]) -> list[str | bytes]:
    mark, replica, secret = mine["token"].split(".", 2)
    return [
        f"{mark}.{theirs['replica']}.{secret}",  # my secret under another device's number
        f"{mark}.{replica}.{theirs['token'].split('.', 2)[2]}",
        f"{mark}.{replica}.{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
        f"{mark}.{replica}.{secret[:-1]}",
        f"{mark}.{replica}.",
        f"{mark}.{replica}",
        f"gm2.{replica}.{secret}",
        f"{mark}.-{replica}.{secret}",
        f"{mark}.{int(replica) + (1 << 64)}.{secret}",
        f"{mark}.99999.{secret}",
        f"{mark}.{replica}.{secret}.{secret}",
        f"{mark}.{replica}.{secret * 40}",
        f"{mark}.{replica}.' OR 1=1 --",
        f"{mark}.{replica}.{secret}\t".encode() + "²\u0663".encode("utf-8"),
        b"\xff\xfe",
        b"null",
    ]


def test_forged_tokens_open_no_address(lasting: Served) -> None:
    mine, theirs = lasting.enrol(), lasting.enrol(STAFF)
    for token in forgeries(mine, theirs):
        for answer in everywhere(lasting, token):
            assert answer.status_code == 401, (token, answer.request.url, answer.status_code)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert asked(lasting, "GET", "/me/v1", mine["token"]).status_code == 200, "the true one still does"


def test_a_token_that_was_replaced_is_worn_out_once_the_new_one_is_used(served: Served) -> None:
    mine = served.enrol()
    fresh = served.client.post("/token/v1", headers=bearer(mine)).json()["token"]
    assert asked(served, "GET", "/me/v1", mine["token"]).status_code == 200, "the answer might have been lost"
    assert asked(served, "GET", "/me/v1", fresh).status_code == 200
    assert {answer.status_code for answer in everywhere(served, mine["token"])} == {401}


@pytest.mark.parametrize("revoked_as", [LOST, RETIRED])
def test_a_removed_device_is_shut_out_everywhere(served: Served, revoked_as: str) -> None:
    mine = served.enrol()
    with served.town.street.store.unit(SYSTEM) as unit:
        revoke_device(unit, mine["replica"], revoked_as)
    for one in GUARDED:
        answer = asked(served, one.method, one.path, mine["token"])
        if one.caller is Caller.LEAVING:
            assert answer.status_code in (400, 404), "it may bring its last work, and this is none"
        else:
            assert answer.status_code == 403, (one.path, answer.status_code)


def test_a_monitors_token_is_no_desks(served: Served) -> None:
    with served.town.street.store.unit(SYSTEM) as unit:
        token = new_monitor_token(unit)
    assert {answer.status_code for answer in everywhere(served, token)} == {401}


def exchange(served: Served, enrolled: dict[str, Any], ops: list[Op], cursors: list[Cursor] | None = None) -> Answer:
    request = Request(1, enrolled["replica"], enrolled["street_epoch"], served.town.clock.now, 500, ops, cursors or [])
    answer = served.client.post("/sync/v1", content=encode(request), headers=bearer(enrolled))
    assert answer.status_code == 200, answer.text
    assert SECRET_WORD.encode() not in zstandard.ZstdDecompressor().stream_reader(answer.content).read()
    return decode_answer(answer.content)


def op(
    served: Served, mine: dict[str, Any], n: int, does: str, record_id: int, entity: str = "household", **after: Any
) -> Op:
    now = served.town.clock.now
    return Op(n, does, entity, record_id, after, {}, f"{now:012x}{n:04x}{mine['replica']:05x}", now)


def test_another_grids_record_is_neither_changed_nor_shown(served: Served) -> None:
    mine, theirs = served.enrol(WORKER), served.enrol(STAFF)
    with served.town.street.store.unit(SYSTEM) as unit:
        home = unit.create(Household(number="H9", grid_id=served.town.grids[2], address="Lane 9", remark=SECRET_WORD))
        unit.flush()
        known = home.id
    own = mine["replica"] << 43
    ops = [
        op(served, mine, 1, "amend", known, remark="taken over"),
        op(served, mine, 2, "amend", known, grid_id=served.town.grids[0]),
        op(served, mine, 3, "amend", known, retired_at=1),
        op(served, mine, 4, "create", known, grid_id=served.town.grids[0], address="x"),
        op(served, mine, 5, "create", theirs["replica"] << 43 | 1, grid_id=served.town.grids[0], address="x"),
        op(served, mine, 6, "command", known, "incident", action="close", note="x"),
        op(served, mine, 7, "create", own | 1, "user", login="root", name="Root", role="sysadmin", organisation_id=1),
        op(served, mine, 8, "amend", served.town.users[WORKER], "user", role="sysadmin"),
        op(served, mine, 9, "create", own | 2, "assignment", user_id=served.town.users[WORKER], grid_id=served.town.grids[2]),
        op(served, mine, 10, "create", own | 3, "visit", household_id=known, grid_id=served.town.grids[2], visited_at=1, kind="01", outcome="1"),
    ]  # fmt: skip
    answer = exchange(served, mine, ops)
    assert [v.n for v in answer.verdicts] == list(range(1, 11))
    assert {v.outcome for v in answer.verdicts} <= {"set_aside", "refused"}, [(v.n, v.outcome) for v in answer.verdicts]
    told = " ".join(str(v.refusal) for v in answer.verdicts)
    assert SECRET_WORD not in told and "Lane 9" not in told
    with served.town.street.store.read() as reader:
        kept = reader.get(Household, known)
        assert (kept.remark, kept.grid_id, kept.retired_at) == (SECRET_WORD, served.town.grids[2], None)
        assert reader.count(Household) == 1
    me = served.client.get("/me/v1", headers=bearer(mine)).json()
    assert me["role"] == "grid_worker" and f"g:{served.town.grids[2]}" not in me["scopes"]


def test_positions_in_scopes_of_others_bring_nothing(served: Served) -> None:
    mine = served.enrol(WORKER)
    with served.town.street.store.unit(SYSTEM) as unit:
        unit.create(Household(grid_id=served.town.grids[2], address="Lane 9", remark=SECRET_WORD))
    foreign = [f"g:{served.town.grids[2]}", f"i:{served.town.grids[2]}", "o:1", "journal", "", "g:-1", "\x00"]
    answer = exchange(served, mine, [], [Cursor(scope, 0, 0) for scope in foreign])
    assert set(foreign) <= set(answer.drops)
    assert not {c.scope for c in answer.cursors} & set(foreign)
    assert "household" not in {rows.kind for rows in answer.rows}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/html"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=utf-7"},
        {"Content-Type": "x" * 2_000},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "zstd"},
        {"Transfer-Encoding": "chunked", "Content-Length": "3"},
    ],
)
def test_wrong_labels_on_a_body_do_no_harm(lasting: Served, headers: dict[str, str]) -> None:
    mine = lasting.enrol()
    for path, body in (("/sync/v1", b"{}"), ("/password/v1", b"a=1"), ("/enrol/v1", b"--x"), ("/audit/v1", b"\xff")):
        answer = lasting.client.post(path, content=body, headers=headers | bearer(mine))
        assert 400 <= answer.status_code < 500, (path, answer.status_code)


def frames(count: int, megabytes: int) -> bytes:
    one = zstandard.ZstdCompressor(level=3).compress(bytes(megabytes << 20))
    return one * count


@pytest.mark.parametrize(
    "bomb",
    [
        frames(1, 200),
        frames(400, 1),
        zstandard.ZstdCompressor(
            compression_params=zstandard.ZstdCompressionParameters(window_log=30, strategy=1)
        ).compress(bytes(1 << 20)),
        zstandard.compress(b"\xdd\xff\xff\xff\xff" * 100),  # msgpack: an array of four billion
        zstandard.compress(b"\xdb\xff\xff\xff\xff"),  # a text of four gigabytes
        zstandard.compress(b"\x93" * 50_000),
        frames(1, 1)[:-7],
    ],
    ids=["one frame", "many frames", "a wide window", "a long list", "a long text", "nested", "cut off"],
)
def test_bombs_are_refused_before_they_go_off(lasting: Served, bomb: bytes) -> None:
    for path in ("/sync/v1", "/farewell/v1"):
        answer = lasting.client.post(path, content=bomb, headers=bearer(lasting.enrol()))
        assert answer.status_code in (400, 413) and answer.json()["code"] in ("sync.malformed", "sync.too_large"), path


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /sync/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /sync/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"POST /sync/v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["long header", "long path", "negative", "two lengths", "bad chunk", "TLS", "HTTP/2"],
)
def test_what_is_no_http_ends_the_connection_and_nothing_else(lasting: Served, raw: bytes) -> None:
    host, port = lasting.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        said = line.recv(4096)
    assert not said or said.split(b" ")[1][:1] == b"4", said[:80]
    assert lasting.client.get("/health").status_code == 200
