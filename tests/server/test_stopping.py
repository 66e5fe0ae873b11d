"""A street server that is stopped while desks are at work: nobody is cut off in the middle, nothing that was acknowledged is lost, who comes is told
when to come again, and the stop is bounded.
"""

import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridman.domain.household import Household
from gridman.server.app import street_app
from gridman.server.run import ServerThread
from gridman.services.street import open_street
from gridman.sync.codec import decode_answer, encode
from gridman.sync.http import HttpStreet
from gridman.sync.protocol import Op, Request
from tests.server.conftest import GENEROUS
from tests.support.streets import CHEAP_HASHER, PASSWORD, WORKER, town_street

SCRIPT = """
import sys
from pathlib import Path
from gridman.server.run import serve
from gridman.services.street import open_street
street = open_street(Path(sys.argv[1]))
serve(street, port=0, ready=lambda url: print(url, flush=True))
street.close()
print("closed", flush=True)
"""
ROOT = Path(__file__).resolve().parents[2]
OPS = 40


@dataclass
class Pusher:
    """A desk that pushes new households one request after the other, as long as there is a server."""

    url: str
    enrolled: dict[str, Any]
    grid_id: int
    now: int
    acknowledged: int = 0
    refusals: list[httpx.Response] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def push(self) -> None:
        bearer = {"Authorization": f"Bearer {self.enrolled['token']}"}
        with httpx.Client(base_url=self.url, timeout=30, trust_env=False, headers=bearer) as client:
            while True:
                try:
                    answer = client.post("/sync/v1", content=self._next())
                except httpx.ConnectError:
                    return
                except (httpx.RemoteProtocolError, httpx.ReadError) as error:
                    # A connection that was idle may be let go just as the desk uses it: the desk's own client calls once more.
                    self.broken.append(type(error).__name__)
                    if len(self.broken) > 1:
                        return
                    continue
                if answer.status_code != 200:
                    self.refusals.append(answer)
                    return
                self.acknowledged = decode_answer(answer.content).last_n

    def _next(self) -> bytes:
        replica = self.enrolled["replica"]
        ops = [
            Op(n, "create", "household", replica << 43 | n, {"grid_id": self.grid_id, "address": f"Lane {n}"}, {},
               f"{self.now:012x}{n:04x}{replica:05x}", self.now)
            for n in range(self.acknowledged + 1, self.acknowledged + OPS + 1)
        ]  # fmt: skip
        return encode(Request(1, replica, self.enrolled["street_epoch"], self.now, 10, ops))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_sigterm_under_load(tmp_path: Path) -> None:
    with town_street(tmp_path) as town:
        grid_id, now = town.grids[0], town.clock.now
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        form = {"login": WORKER, "password": PASSWORD, "device_name": "Counter"}
        enrolled = [httpx.post(f"{url}/enrol/v1", json=form, trust_env=False).json() for _n in range(4)]
        pushers = [Pusher(url, one, grid_id, now) for one in enrolled]
        threads = [threading.Thread(target=pusher.push) for pusher in pushers]
        listener = HttpStreet(url, enrolled[0]["token"])
        threads.append(threading.Thread(target=lambda: list(listener.news(10**9))))
        for thread in threads:
            thread.start()
        until = time.monotonic() + 30
        while not all(p.acknowledged for p in pushers) and time.monotonic() < until:
            time.sleep(0.05)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=40)
        took_s = time.monotonic() - started
        for thread in threads:
            thread.join(20)
        listener.close()
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, out.strip(), err) == (0, "closed", "") and took_s < 20
    assert all(p.acknowledged >= OPS for p in pushers)
    assert not any(len(p.broken) > 1 for p in pushers), [p.broken for p in pushers]
    for refusal in (r for p in pushers for r in p.refusals):
        assert (refusal.status_code, refusal.json()["code"]) == (503, "server.stopping")
        assert 10 <= int(refusal.headers["Retry-After"]) <= 60
    assert 10 <= listener.come_back_s <= 60
    street = open_street(tmp_path, hasher=CHEAP_HASHER, must_exist=True)
    try:
        with street.store.read() as reader:
            kept = {h.id for h in reader.page(Household, limit=100_000)}
    finally:
        street.close()
    promised = {p.enrolled["replica"] << 43 | n for p in pushers for n in range(1, p.acknowledged + 1)}
    assert promised <= kept and len(kept - promised) <= OPS * len(pushers)


def test_what_is_under_way_is_finished_and_who_comes_meanwhile_is_told(tmp_path: Path) -> None:
    with town_street(tmp_path) as town:
        server = ServerThread(street_app(town.street, replace(GENEROUS, body_s=20.0)))
        url = server.start()
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            form = {"login": WORKER, "password": PASSWORD, "device_name": "Counter"}
            enrolled = client.post("/enrol/v1", json=form).json()
        pusher = Pusher(url, enrolled, town.grids[0], town.clock.now)
        body, sending, answers = pusher._next(), threading.Event(), []

        def slowly() -> Any:
            yield body[:10]
            sending.wait(15)
            yield body[10:]

        def push() -> None:
            bearer = {"Authorization": f"Bearer {enrolled['token']}"}
            answers.append(httpx.post(f"{url}/sync/v1", content=slowly(), headers=bearer, timeout=30, trust_env=False))

        pushing = threading.Thread(target=push)
        pushing.start()
        while "requests_running 2" not in httpx.get(f"{url}/metrics", trust_env=False).text:
            time.sleep(0.02)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        while (late := httpx.get(f"{url}/version", trust_env=False)).status_code == 200:
            time.sleep(0.02)
        assert (late.status_code, late.json()["code"]) == (503, "server.stopping") and late.headers["Retry-After"]
        assert late.headers["Connection"] == "close"
        sending.set()
        pushing.join(30)
        stopping.join(30)
        assert decode_answer(answers[0].content).last_n == OPS
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/version", trust_env=False)


def test_a_stop_does_not_wait_for_ever(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with town_street(tmp_path) as town:
        server = ServerThread(street_app(town.street, replace(GENEROUS, body_s=60.0, stop_s=0.5)))
        url = server.start()
        form = {"login": WORKER, "password": PASSWORD}
        token = httpx.post(f"{url}/enrol/v1", json=form, trust_env=False).json()["token"]
        host, port = url.removeprefix("http://").split(":")
        head = f"POST /sync/v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 500\r\n\r\nabc"
        with socket.create_connection((host, int(port)), timeout=20) as line:
            line.sendall(head.encode())
            while "requests_running 2" not in httpx.get(f"{url}/metrics", trust_env=False).text:
                time.sleep(0.02)
            started = time.monotonic()
            server.stop()
            assert time.monotonic() - started < 10
            answer = line.recv(8192)
        assert (
            b" 503 " in answer.split(b"\r\n")[0] and b"server.stopping" in answer and b"retry-after" in answer.lower()
        )
        assert not [r for r in caplog.records if r.levelname == "ERROR"]
