"""Limits: size, time, frequency."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gridman.kernel.errors import Refusal
from gridman.server.limits import Buckets
from tests.server.conftest import GENEROUS, Served, served_town
from tests.support.streets import WORKER, town_street

TIGHT = replace(
    GENEROUS, sync_bytes=1_000, small_bytes=300, body_s=0.5, call_burst=5, calls_per_s=0.01, enrolment_burst=3
)


@pytest.fixture
def tight(tmp_path: Path) -> Iterator[Served]:
    with town_street(tmp_path / "street") as made:
        yield from served_town(made, TIGHT)


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    now = [0.0]
    buckets = Buckets(2.0, 3, lambda: now[0])
    for _ in range(3):
        buckets.take("a")
    with pytest.raises(Refusal) as caught:
        buckets.take("a")
    assert caught.value.code == "http.too_many" and caught.value.params["seconds"] == 1
    buckets.take("b")
    now[0] += 0.5
    buckets.take("a")
    with pytest.raises(Refusal):
        buckets.take("a")


def test_buckets_of_strangers_do_not_fill_the_memory() -> None:
    buckets = Buckets(1.0, 2, lambda: 0.0, most=10)
    for number in range(100):
        buckets.take(str(number))
    assert len(buckets._left) == 10


def test_a_device_that_calls_too_often_is_told_to_wait(tight: Served) -> None:
    bearer = tight.bearer()
    answers = [tight.client.get("/me/v1", headers=bearer) for _ in range(7)]
    assert [a.status_code for a in answers] == [200] * 5 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_enrolling_too_often_is_refused_before_any_hash_is_made(tight: Served) -> None:
    form = {"login": "nobody", "password": "x" * 20}
    codes = [tight.client.post("/enrol/v1", json=form).status_code for _ in range(5)]
    assert codes == [401, 401, 401, 429, 429]


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_refused(tight: Served, declared: bool) -> None:
    bearer = tight.bearer()
    body = b"x" * 1_001
    answer = tight.client.post("/sync/v1", content=body if declared else iter([body]), headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (413, "http.too_large")


def test_a_body_that_never_ends_is_cut_off(tight: Served) -> None:
    token = tight.enrol()["token"]
    host, port = tight.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as line:
        line.sendall(
            f"POST /sync/v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 500\r\n\r\nabc".encode()
        )
        started = time.monotonic()
        answer = line.recv(4096)
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert time.monotonic() - started < 20


def test_a_caller_that_hangs_up_leaves_the_server_well(tight: Served) -> None:
    token = tight.enrol()["token"]
    host, port = tight.url.removeprefix("http://").split(":")
    for _ in range(3):
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(
                f"POST /sync/v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 500\r\n\r\nabc".encode()
            )
    assert tight.client.get("/health").status_code == 200


def test_a_small_form_has_a_small_limit(tight: Served) -> None:
    answer = tight.client.post("/enrol/v1", json={"login": WORKER, "password": "x" * 400})
    assert answer.status_code == 413
