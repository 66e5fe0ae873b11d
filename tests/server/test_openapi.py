"""The served OpenAPI document: every route is in it, and every answer it tells of is one that the server really gives."""

import io
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import httpx
import pytest
from PIL import Image

from gridman.domain.access import SYSTEM
from gridman.domain.attachment import Attachment
from gridman.domain.household import Household
from gridman.kernel.ids import random_token
from gridman.server.app import ADDRESSES, StreetParts, make_app, street_app
from gridman.server.limits import Limits
from gridman.server.openapi import document
from gridman.server.run import ServerThread
from gridman.services.accounts import suspend
from gridman.services.enrolment import RETIRED, enrol, revoke_device
from gridman.services.photos import PhotoDraft, attach
from gridman.store.accounts import devices
from gridman.store.handing import add_to_hand_over
from gridman.sync.codec import encode
from gridman.sync.protocol import Request
from gridman.sync.replica import Replica
from tests.server.conftest import DOCUMENT, GENEROUS
from tests.support.streets import CHEAP_HASHER, CLERK, PASSWORD, STAFF, WORKER, TownStreet, town_street

OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
LATE = (408, 429)  # provoked at a server whose trials count for the others too
DOCUMENTED = sorted(
    (
        (name, int(status))
        for name, (_method, _path, operation) in OPERATIONS.items()
        for status in operation["responses"]
        if status.isdigit()
    ),
    key=lambda pair: pair[1] in LATE,
)
TIGHT = replace(GENEROUS, body_s=0.3, call_burst=1, calls_per_s=0.001, enrolment_burst=1, enrolments_per_s=0.001)


@dataclass
class Places:
    """One street behind four servers: a generous one, one that allows a single call, one that stops, one with an authority."""

    town: TownStreet
    urls: dict[str, str]
    sha: str
    photo: bytes
    absent: str = sha256(b"nobody has this").hexdigest()

    def token(self, login: str = WORKER) -> tuple[int, dict[str, str]]:
        made = enrol(self.town.street.store, login, "Counter", password=PASSWORD, hasher=CHEAP_HASHER)
        return made.replica, {"Authorization": f"Bearer {made.token}"}

    def call(self, name: str, at: str = "open", **what: Any) -> httpx.Response:
        method, path, _operation = OPERATIONS[name]
        path = what.pop("path", path).replace("{sha256}", what.pop("sha", self.sha))
        what.setdefault("timeout", 20)
        with httpx.Client(base_url=self.urls[at], trust_env=False) as client:
            if name == "get_events" and what.pop("until_told", True):
                with client.stream(method, path, **what) as answer:
                    if not answer.is_success:
                        answer.read()
                    return answer
            return client.request(method, path, **what)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with ExitStack() as stack:
        town = stack.enter_context(town_street(tmp_path_factory.mktemp("openapi") / "street"))
        street = town.street
        stopping = StreetParts(street, Replica(street.store), street.photos, GENEROUS, is_stopping=True)
        apps = {
            "open": street_app(street, GENEROUS),
            "tight": street_app(street, TIGHT),
            "trusted": street_app(street, GENEROUS, authority=b"-----BEGIN CERTIFICATE-----\n"),
            "stopping": make_app(stopping),
        }
        urls = {name: stack.enter_context(ServerThread(app)) for name, app in apps.items()}
        picture = io.BytesIO()
        Image.new("RGB", (30, 20), "teal").save(picture, "PNG")
        with street.store.unit(SYSTEM) as unit:
            home = unit.create(Household(number="H1", grid_id=town.grids[0], address="Lane 1"))
            unit.flush()
            (photo,) = attach(
                unit, street.photos, "household", home.id, town.grids[0], [PhotoDraft(picture.getvalue())]
            )
        data = street.photos.get(photo.sha256)
        assert data is not None
        yield Places(town, urls, photo.sha256, data)


def message(places: Places, replica: int, **more: Any) -> bytes:
    return encode(Request(**{"protocol": 1, "replica": replica, "epoch": "", "at": 0, "page": 10, **more}))


def good(places: Places, name: str) -> dict[str, Any]:
    """A call that this address answers well, by a fresh device."""
    if name in ("get_status", "get_live", "get_health", "get_metrics", "get_version", "get_openapi"):
        return {}
    if name == "get_authority":
        return {"at": "trusted"}
    if name == "post_enrol":
        return {"json": {"login": STAFF, "password": PASSWORD}}
    replica, bearer = places.token()
    call: dict[str, Any] = {"headers": bearer}
    if name == "post_farewell":
        with places.town.street.store.unit(SYSTEM) as unit:
            revoke_device(unit, replica, RETIRED)
    if name in ("post_sync", "post_farewell"):
        call["content"] = message(places, replica)
    elif name == "post_password":
        call["json"] = {"old": PASSWORD, "new": PASSWORD}
    elif name == "post_audit":
        call["json"] = {"head": "0:", "after": 0, "rows": []}
    elif name == "patch_blob":
        call["headers"] |= {"Upload-Offset": str(len(places.photo)), "Upload-Length": str(len(places.photo))}
        call["content"] = b""
    return call


def with_headers(call: dict[str, Any], **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call | {"headers": call.get("headers", {}) | named}


def own(places: Places, name: str, status: int) -> dict[str, Any] | None:
    """A call that makes this address answer so; None where the general ways below do."""
    call = good(places, name)
    total = len(places.photo)
    special: dict[tuple[str, int], Callable[[], dict[str, Any]]] = {
        ("get_authority", 404): lambda: {"at": "open"},
        ("get_metrics", 403): lambda: {"headers": {"X-Forwarded-For": "203.0.113.9"}},
        ("get_blob", 206): lambda: with_headers(call, Range="bytes=0-9"),
        ("get_blob", 416): lambda: with_headers(call, Range=f"bytes={total}-"),
        ("get_blob", 400): lambda: with_headers(call, Range="bytes=x"),
        ("head_blob", 400): lambda: call | {"sha": "zz"},
        ("patch_blob", 400): lambda: with_headers(call, Upload_Offset="x"),
        ("patch_blob", 409): lambda: with_headers(awaited(places, call), Upload_Offset="3", Upload_Length="50"),
        ("patch_blob", 413): lambda: with_headers(call, Upload_Length=str(GENEROUS.blob_bytes + 1)),
        ("patch_blob", 422): lambda: awaited(places, call),
        ("get_incidents", 400): lambda: call | {"params": {"after": "x"}},
        ("get_events", 400): lambda: call | {"params": {"after": "x"}},
        ("post_password", 401): lambda: call | {"json": {"old": "wrong", "new": PASSWORD}},
        ("post_password", 422): lambda: call | {"json": {"old": PASSWORD, "new": "x"}},
        ("post_enrol", 401): lambda: {"json": {"login": "nobody", "password": "x"}},
        ("post_enrol", 403): lambda: {"json": {"login": suspended(places), "password": PASSWORD}},
        ("delete_enrol", 409): lambda: in_use(places, call),
        ("delete_enrol", 429): lambda: called_already(places, call),
        ("post_sync", 409): lambda: call | {"content": message(places, last_replica(places), protocol=9, lowest=9)},
        ("post_farewell", 409): lambda: call | {"content": message(places, last_replica(places), protocol=9, lowest=9)},
    }
    if name.endswith("_blob") and status == 404:
        return call | {"sha": places.absent}
    made = special.get((name, status))
    return made() if made else None


def last_replica(places: Places) -> int:
    with places.town.street.store.read() as reader:
        return devices(reader)[-1].replica


def in_use(places: Places, call: dict[str, Any]) -> dict[str, Any]:
    """The call of a computer that has synchronised."""
    places.call("post_sync", headers=call["headers"], content=message(places, last_replica(places)))
    return call


def called_already(places: Places, call: dict[str, Any]) -> dict[str, Any]:
    """The second call of a computer at the server that allows one."""
    places.call("get_me", at="tight", headers=call["headers"])
    return call | {"at": "tight"}


def suspended(places: Places) -> str:
    with places.town.street.store.unit(SYSTEM) as unit:
        suspend(unit, places.town.users[CLERK])
    return CLERK


def awaited(places: Places, call: dict[str, Any]) -> dict[str, Any]:
    """A content whose record is there and whose bytes, in this call, are not what its name says."""
    name = sha256(random_token().encode()).hexdigest()
    with places.town.street.store.unit(SYSTEM) as unit:
        known = unit.page(Attachment, sha256=places.sha)[0]
        values = {
            f: getattr(known, f)
            for f in ("owner_kind", "owner_id", "grid_id", "media_type", "size_bytes", "width_px", "height_px")
        }
        unit.create(Attachment(sha256=name, **values))
    return with_headers(call, Upload_Offset="0", Upload_Length="5") | {"sha": name, "content": b"other"}


def never_ending(places: Places, name: str) -> int:
    """The status of a call whose body stops in the middle."""
    method, path, _operation = OPERATIONS[name]
    headers = "".join(f"{k}: {v}\r\n" for k, v in good(places, name).get("headers", {}).items())
    host, port = places.urls["tight"].removeprefix("http://").split(":")
    path = path.replace("{sha256}", places.sha)
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: 50\r\n\r\nabc".encode())
        return int(line.recv(4096).split()[1])


def provoke(places: Places, name: str, status: int) -> httpx.Response:
    special = own(places, name, status)
    if special is not None:
        return places.call(name, **special)
    call = good(places, name)
    if status == 401:
        return places.call(name, **with_headers(call, Authorization="Bearer gm1.2.nonsense"))
    if status == 403:
        replica, bearer = places.token()
        with places.town.street.store.unit(SYSTEM) as unit:
            revoke_device(unit, replica)
            add_to_hand_over(unit.connection, replica, ended_at=unit.now)  # and it has said its last word
        return places.call(name, **with_headers(call, **bearer))
    if status == 413:
        return places.call(name, **{k: v for k, v in call.items() if k != "json"} | {"content": bytes(9 << 20)})
    if status == 400:
        return places.call(name, **{k: v for k, v in call.items() if k != "json"} | {"content": b"{"})
    if status == 429:
        places.call(name, **call | {"at": "tight"})
        return places.call(name, **call | {"at": "tight"})
    if status == 503:
        return places.call(name, **call | {"at": "stopping"})
    return places.call(name, **call)


@pytest.mark.parametrize(("name", "status"), DOCUMENTED)
def test_every_documented_answer_is_given(places: Places, name: str, status: int) -> None:
    if status == 408:
        assert never_ending(places, name) == 408
        return
    answer = provoke(places, name, status)
    assert answer.status_code == status, (answer.status_code, "" if name == "get_events" else answer.text)
    content = OPERATIONS[name][2]["responses"][str(status)].get("content", {})
    assert answer.headers.get("Content-Type", "").partition(";")[0] in content or not content
    if status >= 400 and "application/json" in content:
        said = OPERATIONS[name][2]["responses"][str(status)]["description"]
        assert f"`{answer.json()['code']}`" in said
    for header in OPERATIONS[name][2]["responses"][str(status)].get("headers", {}):
        assert header in answer.headers or header in ("gridman-ticket", "gridman-keys"), header


def test_every_route_is_described() -> None:
    app = make_app(StreetParts.__new__(StreetParts))
    routes = {(m, r.path) for r in app.routes if r.include_in_schema for m in r.methods if m != "HEAD"}  # type: ignore[attr-defined]
    described = {(m.upper(), path) for path, item in DOCUMENT["paths"].items() for m in item}
    assert routes == {pair for pair in described if pair[0] != "HEAD"}
    assert all(address.handler.__doc__ and len(address.handler.__doc__) > 20 for address in ADDRESSES)


def test_what_is_served_is_made_from_the_routes(places: Places) -> None:
    assert places.call("get_openapi").json() == document(ADDRESSES, GENEROUS)
    assert document(ADDRESSES, replace(Limits(), sync_bytes=77))["paths"]["/sync/v1"]["post"]["requestBody"] == {
        "required": True,
        "description": "A message of gridman.sync.protocol: msgpack, compressed with Zstandard. At most 77 bytes.",
        "content": {
            "application/vnd.gridman.sync": {"schema": {"type": "string", "format": "binary", "maxLength": 77}}
        },
    }


def test_the_next_ticket_comes_where_it_is_wanted(places: Places) -> None:
    call = with_headers(good(places, "post_sync"), gridman_ticket="wanted")
    assert places.call("post_sync", **call).headers["gridman-ticket"]
