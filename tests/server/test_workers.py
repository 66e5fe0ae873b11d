"""Two real worker processes behind one address on a real PostgreSQL: nothing lost, nothing twice, no gap, nothing that one of them misses."""

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from gridman.domain.attachment import Attachment
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.server import workers
from gridman.server.limits import Limits
from gridman.server.workers import Team, serve_team
from gridman.services.street import open_street
from gridman.store import tables
from gridman.sync.http import HttpStreet
from tests.journeys.mortal import wait_for
from tests.support.fleet import Fleet, desk_digest, found_fleet, street_digest
from tests.support.postgres import PostgresServer
from tests.support.streets import CHEAP_HASHER

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

DESKS, ROUNDS = 4, 4
LIMITS = Limits(call_burst=100_000, enrolment_burst=8, enrolments_per_s=0.01)


class Running:
    """A supervisor in a thread of this process, its workers in theirs."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.url = ""
        self._stop = threading.Event()
        told = threading.Event()

        def ready(address: str) -> None:
            self.url = address
            told.set()

        team = Team(folder, database, 2, limits=LIMITS)
        self._thread = threading.Thread(
            target=serve_team, args=(team, "127.0.0.1", 0, ready), kwargs={"stop": self._stop}, daemon=True
        )
        self._thread.start()
        assert told.wait(60), "the workers did not start"

    def workers(self) -> list[int]:
        """The processes that serve."""
        return [p.pid for p in multiprocessing.active_children() if p.name.startswith("gridman street") and p.pid]

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@contextmanager
def running(folder: Path, database: str) -> Iterator[Running]:
    made = Running(folder, database)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def database(postgres_server: PostgresServer) -> str:
    return postgres_server.create_database()


@pytest.fixture(params=[True, False], ids=["a socket each", "one socket, as on Windows"])
def shared_out(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gives each connection to a worker: the system, or the workers among themselves."""
    monkeypatch.setattr(workers, "_SHARES_OUT", request.param and workers._SHARES_OUT)


@pytest.fixture
def fleet(tmp_path: Path, database: str) -> Iterator[Fleet]:
    street = open_street(tmp_path / "street", database, hasher=CHEAP_HASHER)
    made = found_fleet(street, tmp_path / "desks", DESKS)
    street.close()
    yield made
    made.close()


def synchronise(fleet: Fleet, number: int) -> None:
    """Until everything is through, whatever the worker that answers does."""
    for _turn in range(100):
        try:
            if fleet.desk(number).synchronise().complete:
                return
        except Refusal as refusal:
            assert refusal.code in ("sync.cut_off", "sync.unreachable"), refusal
            fleet.desk(
                number
            ).synchroniser.close()  # as after a while without work: the next may go to the other worker
            time.sleep(0.1)
    raise AssertionError("never complete")


def assert_whole(fleet: Fleet, folder: Path, database: str, turns: int) -> None:
    for number in range(DESKS):
        synchronise(fleet, number)
    street = open_street(folder, database, must_exist=True)
    try:
        for number, enrolled in enumerate(fleet.enrolled):
            assert desk_digest(fleet.desk(number)) == street_digest(street, enrolled.user_id)
        with street.store.read() as reader:
            ops = tables.sync_op.c
            highest = reader.connection.execute(
                select(ops.replica, func.max(ops.n), func.count()).group_by(ops.replica)
            )
            assert all(last == count for _replica, last, count in highest), "an operation is missing or there twice"
            notes = [v.note for v in reader.page(Visit, limit=100_000)]
            assert len(notes) == len(set(notes)) == 2 * turns
            numbers = [i.number for i in reader.page(Incident, limit=100_000)]
            assert len(numbers) == len(set(numbers)) == turns
    finally:
        street.close()


def work_all(fleet: Fleet) -> int:
    """Every desk works and synchronises by turns, all at the same time; returns how many turns there were."""

    def some(number: int) -> None:
        for turn in range(ROUNDS):
            fleet.work(number, 2, 2, 1, f"{number} {turn}")
            synchronise(fleet, number)

    with ThreadPoolExecutor(DESKS) as pool:
        list(pool.map(some, range(DESKS)))
    return DESKS * ROUNDS


@pytest.mark.usefixtures("shared_out")
def test_desks_push_through_two_workers_at_once(fleet: Fleet, tmp_path: Path, database: str) -> None:
    with running(tmp_path / "street", database) as team:
        fleet.url = team.url
        for number in range(DESKS):
            synchronise(fleet, number)
        turns = work_all(fleet)
        assert_whole(fleet, tmp_path / "street", database, turns)


@pytest.mark.usefixtures("shared_out")
def test_a_killed_worker_is_replaced_and_nothing_is_lost(fleet: Fleet, tmp_path: Path, database: str) -> None:
    with running(tmp_path / "street", database) as team:
        fleet.url = team.url
        for number in range(DESKS):
            synchronise(fleet, number)
        ended = threading.Event()
        killed: list[int] = []

        def kill_now_and_then() -> None:
            while not ended.wait(0.7) and len(killed) < 2:
                workers = [p for p in team.workers() if p not in killed]
                if len(workers) == 2:
                    killed.append(workers[len(killed) % 2])
                    os.kill(killed[-1], signal.SIGKILL)

        killer = threading.Thread(target=kill_now_and_then)
        killer.start()
        try:
            turns = work_all(fleet)
        finally:
            ended.set()
            killer.join()
        assert killed, "nobody was killed"
        wait_for(lambda: len([p for p in team.workers() if p not in killed]) == 2, 30)
        assert_whole(fleet, tmp_path / "street", database, turns)


def test_what_one_worker_knows_the_other_knows(fleet: Fleet, tmp_path: Path, database: str) -> None:
    """Throttles of strangers and pieces of one photo: each request on a connection of its own, so that both workers get their share."""
    with running(tmp_path / "street", database) as team:
        form = {"login": "nobody", "password": "guess", "device_name": "x"}
        said = [
            httpx.post(f"{team.url}/enrol/v1", json=form, trust_env=False, timeout=30).status_code for _ in range(20)
        ]
        assert said.count(429) == 20 - LIMITS.enrolment_burst, said
        assert set(said[LIMITS.enrolment_burst :]) == {429}, "one worker let pass what the other had counted"
        _send_a_photo_to_both(fleet, team.url)


def _send_a_photo_to_both(fleet: Fleet, url: str) -> None:
    fleet.url = url
    synchronise(fleet, 0)
    desk = fleet.desk(0)
    photo = os.urandom(300_000)
    name = hashlib.sha256(photo).hexdigest()
    with desk.store.read() as reader:
        home = reader.page(Household, limit=1)[0]
    with desk.store.unit(desk.actor) as unit:
        unit.create(
            Attachment(
                owner_kind="household",
                owner_id=home.id,
                grid_id=home.grid_id,
                sha256=name,
                size_bytes=len(photo),
                media_type="image/jpeg",
            )
        )
    synchronise(fleet, 0)
    token = {"Authorization": f"Bearer {fleet.enrolled[0].token}"}

    def send_all(_number: int) -> None:
        sent = 0
        while sent < len(photo):
            headers = {**token, "Upload-Offset": str(sent), "Upload-Length": str(len(photo))}
            answer = httpx.patch(
                f"{url}/blobs/v1/{name}",
                content=photo[sent : sent + 20_000],
                headers=headers,
                trust_env=False,
                timeout=30,
            )
            assert answer.status_code in (204, 409), answer.text
            sent = int(answer.headers["Upload-Offset"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send_all, range(4)))
    whole = httpx.get(f"{url}/blobs/v1/{name}", headers=token, trust_env=False, timeout=30)
    assert whole.content == photo


def test_news_reach_desks_at_either_worker_and_each_counts_for_itself(
    fleet: Fleet, tmp_path: Path, database: str
) -> None:
    heard: dict[int, list[int]] = {number: [] for number in range(DESKS)}

    def listen(number: int, street: HttpStreet) -> None:
        with suppress(Refusal):  # hung up
            for poke in street.news(10**9 if number % 2 == 0 else 0):
                heard[number].append(poke or 0)

    with running(tmp_path / "street", database) as team:
        fleet.url = team.url
        for number in range(DESKS):
            synchronise(fleet, number)
        lines = [HttpStreet(team.url, fleet.enrolled[number].token) for number in range(DESKS)]
        threads = [threading.Thread(target=listen, args=(n, line), daemon=True) for n, line in enumerate(lines)]
        for thread in threads:
            thread.start()
        wait_for(lambda: all(heard.values()), 20)  # each has its connection, at whichever worker
        for turn in range(3):
            before = {number: max(heard[number]) for number in (1, 3)}
            for number in (0, 2):
                fleet.work(number, 1, 0, 0, f"turn {turn}")
                synchronise(fleet, number)
            wait_for(lambda: all(max(heard[number]) > before[number] for number in (1, 3)), 20)  # noqa: B023
        seen: set[str] = set()

        def both_answered() -> bool:
            text = httpx.get(f"{team.url}/metrics", trust_env=False, timeout=30).text
            seen.update(
                line.partition('worker="')[2][:1] for line in text.splitlines() if "gridman_up_seconds{" in line
            )
            return seen == {"1", "2"}

        wait_for(both_answered, 20)
        for line in lines:
            line.hang_up()
        for thread in threads:
            thread.join(10)
        for line in lines:
            line.close()
