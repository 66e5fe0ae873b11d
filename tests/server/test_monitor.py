"""Health and numbers: for monitors, without a name of anybody, and not for strangers."""

import re
from dataclasses import replace
from pathlib import Path

import httpx

from gridman.domain.access import SYSTEM
from gridman.server.app import StreetParts, make_app
from gridman.server.metrics import Traffic, family
from gridman.server.run import ServerThread
from gridman.services.backup import back_up_street
from gridman.services.enrolment import revoke_device
from gridman.services.monitoring import new_monitor_token
from gridman.store.keys import Cost
from gridman.sync.codec import encode
from gridman.sync.protocol import Op, Request
from gridman.sync.replica import Replica
from tests.server.conftest import GENEROUS, Served
from tests.support.streets import STAFF, WORKER, TownStreet, town_street

SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"(?:,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.e+-]+')
AWAY = {"X-Forwarded-For": "203.0.113.9"}


def numbers(served: Served, **headers: str) -> dict[str, float]:
    answer = served.client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert all(SAMPLE.fullmatch(line) for line in lines), [n for n in lines if not SAMPLE.fullmatch(n)]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_the_numbers_tell_what_the_server_did_and_how_the_street_stands(served: Served) -> None:
    enrolled, other = served.enrol(), served.enrol(STAFF)
    with served.town.street.store.unit(SYSTEM) as unit:
        revoke_device(unit, other["replica"])
    replica, now = enrolled["replica"], served.town.clock.now
    stamp = f"{now:012x}0000{replica:05x}"
    good = {"grid_id": served.town.grids[0], "address": "Lane 1"}
    ops = [
        Op(1, "create", "household", replica << 43 | 1, good, {}, stamp, now),
        Op(2, "create", "household", replica << 43 | 2, {**good, "grid_id": served.town.grids[2]}, {}, stamp, now),
    ]
    body = encode(Request(1, replica, enrolled["street_epoch"], now, 50, ops))
    for _again in range(2):
        served.client.post("/sync/v1", content=body, headers={"Authorization": f"Bearer {enrolled['token']}"})
    served.client.get("/no/such/address/with/a/name")
    found = numbers(served)
    assert found['gridman_requests_total{method="POST",path="/sync/v1",status="200"}'] == 2
    assert found['gridman_requests_total{method="GET",path="other",status="404"}'] == 1
    assert found['gridman_request_seconds_count{path="/sync/v1"}'] == 2
    assert found['gridman_request_seconds_bucket{path="/sync/v1",le="+Inf"}'] == 2
    assert found['gridman_operations_total{outcome="applied"}'] == 1, "what came again is not counted again"
    assert found['gridman_operations_total{outcome="set_aside"}'] == 1
    assert found['gridman_devices{state="enrolled"}'] == 1 and found['gridman_devices{state="removed"}'] == 1
    assert found['gridman_devices_heard{within="hour"}'] == 1
    assert found["gridman_conflicts_open"] == 1 and found["gridman_database_bytes"] > 100_000
    assert found["gridman_feed_number"] > 1 and found["gridman_requests_running"] == 1
    assert "gridman_backup_age_seconds" not in found


def test_nobody_is_named(lasting: Served) -> None:
    token = lasting.enrol(device="Wheelhouse")["token"]
    lasting.client.get("/me/v1", headers={"Authorization": f"Bearer {token}"})
    text = lasting.client.get("/metrics").text.casefold()
    assert not [word for word in (WORKER, STAFF, "wheelhouse", "lane", str(lasting.town.users[WORKER])) if word in text]


def test_the_age_of_the_last_backup_is_told(tmp_path: Path) -> None:
    with town_street(tmp_path / "street") as town:
        back_up_street(town.street, tmp_path / "a.gmb", "a long passphrase 26", cost=Cost(64, 1, 1))
        town.clock.pass_minutes(90)
        with ServerThread(town.street) as url, httpx.Client(base_url=url, trust_env=False) as client:
            assert numbers(Served(town, url, client))["gridman_backup_age_seconds"] == 5_400


def test_from_elsewhere_the_numbers_need_the_monitors_token(served: Served) -> None:
    bearer = served.bearer()["Authorization"]
    for headers in (AWAY, AWAY | {"Authorization": bearer}, AWAY | {"Authorization": "Bearer gmm.x"}, {"Via": "1.1 x"}):
        answer = served.client.get("/metrics", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "auth.no_monitor")
    with served.town.street.store.unit(SYSTEM) as unit:
        first = new_monitor_token(unit)
    assert numbers(served, **AWAY, Authorization=f"Bearer {first}")
    with served.town.street.store.unit(SYSTEM) as unit:
        second = new_monitor_token(unit)
    assert served.client.get("/metrics", headers=AWAY | {"Authorization": f"Bearer {first}"}).status_code == 403
    assert numbers(served, **AWAY, Authorization=f"Bearer {second}")
    assert served.client.get("/me/v1", headers={"Authorization": f"Bearer {second}"}).status_code == 401


def test_a_server_that_stops_is_alive_but_not_ready(town: TownStreet) -> None:
    parts = StreetParts(town.street, Replica(town.street.store), town.street.photos, GENEROUS, is_stopping=True)
    with ServerThread(make_app(parts)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/health/live").json() == {"status": "ok"}
        ready = client.get("/health")
        assert (ready.status_code, ready.json()["code"]) == (503, "server.stopping")
        assert 10 <= int(ready.headers["Retry-After"]) <= 60
        assert client.get("/version").status_code == 503
        assert client.get("/metrics").status_code == 200


def test_a_server_that_has_too_much_to_do_says_when_to_come_again(town: TownStreet) -> None:
    limits = replace(GENEROUS, calls_at_once=0)
    parts = StreetParts(town.street, Replica(town.street.store), town.street.photos, limits)
    with ServerThread(make_app(parts)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        answer = client.get("/version")
        assert (answer.status_code, answer.json()["code"]) == (503, "http.busy")
        assert 5 <= int(answer.headers["Retry-After"]) <= 30
        assert client.get("/health/live").status_code == 200


def test_labels_are_quoted() -> None:
    assert list(family("a", "gauge", "b", [({"c": 'x"y\\z\n'}, 1)])) == [
        "# HELP a b",
        "# TYPE a gauge",
        'a{c="x\\"y\\\\z\\n"} 1',
    ]


def test_the_buckets_of_durations_add_up() -> None:
    traffic = Traffic()
    for seconds in (0.001, 0.3, 100.0):
        traffic.count_call("GET", "/", 200, seconds)
    lines = list(traffic.lines())
    assert 'gridman_request_seconds_bucket{path="/",le="0.5"} 2' in lines
    assert 'gridman_request_seconds_bucket{path="/",le="30.0"} 2' in lines
    assert 'gridman_request_seconds_bucket{path="/",le="+Inf"} 3' in lines
    assert 'gridman_request_seconds_sum{path="/"} 100.301000' in lines


def test_a_worker_of_several_says_which_it_is() -> None:
    traffic = Traffic("2")
    traffic.count_call("GET", "/", 200, 0.1)
    traffic.count_operation("applied")
    counted = [line for line in traffic.lines() if not line.startswith("#")]
    assert counted and all('worker="2"' in line and SAMPLE.fullmatch(line) for line in counted)
