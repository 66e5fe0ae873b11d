"""The change notice: desks hear within seconds that there is something for them, and of nothing else; whichever process wrote it."""

import asyncio
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.grid import Assignment
from gridman.domain.household import Household
from gridman.joining import enrol_desk
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Cancelled, Ticket
from gridman.server.certificates import street_tls
from gridman.server.pokes import Pokes
from gridman.server.run import ServerThread
from gridman.services.desk import Desk
from gridman.services.enrolment import revoke_device
from gridman.services.monitoring import News
from gridman.sync.http import HttpStreet, enrol_over_http
from gridman.sync.listening import Heard
from tests.server.conftest import Served
from tests.support.streets import PASSWORD, STAFF, WORKER, TownStreet, town_street

PASS = "a quiet morning"
SOON_S, NEVER_S = 15.0, 2.5


class Ear:
    """A real client on its own thread, and what it heard."""

    def __init__(self, url: str, token: str, after: int, authority: bytes = b"") -> None:
        self.street = HttpStreet(url, token, authority)
        self.pokes: list[int] = []
        self.beats = 0
        self.refusal: Refusal | None = None
        self._after = after
        self.thread = threading.Thread(target=self._hear, daemon=True)
        self.thread.start()
        assert within(SOON_S, lambda: self.beats or self.refusal)

    def _hear(self) -> None:
        try:
            for number in self.street.news(self._after):
                if number is None:
                    self.beats += 1
                else:
                    self.pokes.append(number)
        except Refusal as refusal:
            self.refusal = refusal

    def end(self) -> None:
        self.street.hang_up()
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.street.close()


def within(seconds: float, what: Callable[[], Any]) -> bool:
    until = time.monotonic() + seconds
    while not what() and time.monotonic() < until:
        time.sleep(0.02)
    return bool(what())


def feed(served: Served) -> int:
    from gridman.services.monitoring import street_numbers

    return street_numbers(served.town.street.store).feed


@pytest.fixture
def ear(served: Served) -> Iterator[Callable[[str], Ear]]:
    made: list[Ear] = []

    def listen(login: str = WORKER) -> Ear:
        made.append(Ear(served.url, served.enrol(login)["token"], feed(served)))
        return made[-1]

    yield listen
    for one in made:
        one.end()


def write(served: Served, grid: int, count: int = 1) -> None:
    for number in range(count):
        with served.town.street.store.unit(SYSTEM) as unit:
            unit.create(Household(number=f"H{grid}-{number}", grid_id=served.town.grids[grid], address="Lane 1"))


def test_a_desk_hears_of_changes_in_its_scopes_and_of_no_others(served: Served, ear: Callable[[str], Ear]) -> None:
    worker, staff = ear(WORKER), ear(STAFF)
    write(served, 1)  # a grid of the staff's community, not the worker's
    assert within(SOON_S, lambda: staff.pokes == [feed(served)])
    write(served, 0)
    assert within(SOON_S, lambda: worker.pokes == [feed(served)] and len(staff.pokes) == 2)


def test_many_changes_are_one_poke(served: Served, ear: Callable[[str], Ear]) -> None:
    worker = ear(WORKER)
    write(served, 0, 20)
    assert within(SOON_S, lambda: worker.pokes and worker.pokes[-1] == feed(served))
    assert len(worker.pokes) <= 3


def test_a_desk_that_is_behind_is_told_at_once(served: Served) -> None:
    token, before = served.enrol()["token"], feed(served)
    write(served, 0)
    late = Ear(served.url, token, before)
    assert within(SOON_S, lambda: late.pokes == [feed(served)])
    late.end()


def test_a_new_grid_of_the_user_is_news(served: Served, ear: Callable[[str], Ear]) -> None:
    worker = ear(WORKER)
    with served.town.street.store.unit(SYSTEM) as unit:
        unit.create(Assignment(user_id=served.town.users[WORKER], grid_id=served.town.grids[1]))
    assert within(SOON_S, lambda: worker.pokes)


def test_a_device_that_was_shut_out_is_told_and_let_go(served: Served) -> None:
    enrolled = served.enrol()
    worker = Ear(served.url, enrolled["token"], feed(served))
    with served.town.street.store.unit(SYSTEM) as unit:
        revoke_device(unit, enrolled["replica"])
    assert within(SOON_S, lambda: worker.pokes and not worker.thread.is_alive())
    worker.end()
    again = Ear(served.url, enrolled["token"], 0)
    assert again.refusal is not None and again.refusal.code == "auth.device_revoked"
    again.end()


def test_one_connection_per_desk(served: Served) -> None:
    token = served.enrol()["token"]
    first = Ear(served.url, token, feed(served))
    second = Ear(served.url, token, feed(served))
    assert within(SOON_S, lambda: not first.thread.is_alive())
    write(served, 0)
    assert within(SOON_S, lambda: second.pokes)
    first.end()
    second.end()


def test_strangers_hear_nothing(served: Served) -> None:
    for token in ("gm1.2.nonsense", "x", "gmm.something"):
        answer = served.client.get("/events/v1", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


OTHER_PROCESS = """
import sys
from pathlib import Path
from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.services.street import open_street
street = open_street(Path(sys.argv[1]), sys.argv[3] or None)
with street.store.unit(SYSTEM) as unit:
    unit.create(Household(number="X", grid_id=int(sys.argv[2]), address="Lane 9"))
street.close()
"""


def test_what_another_process_writes_is_news(town: TownStreet) -> None:
    database = town.street.store.database
    url = "" if database.is_sqlite else database.writer.url.render_as_string(hide_password=False)
    with ServerThread(town.street) as server, httpx.Client(base_url=server, timeout=20, trust_env=False) as client:
        served = Served(town, server, client)
        worker = Ear(server, served.enrol()["token"], feed(served))
        done = subprocess.run(
            [sys.executable, "-c", OTHER_PROCESS, str(town.street.data_dir), str(town.grids[0]), url],
            capture_output=True, text=True, cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert within(SOON_S, lambda: worker.pokes == [feed(served)])
        worker.end()


@contextmanager
def listening(desk: Desk) -> Iterator[list[Heard]]:
    """A desk that listens on a thread, and the words it hears."""
    words: list[Heard] = []
    ticket = Ticket()

    def listen() -> None:
        try:
            desk.listen(words.append, ticket)
        except Cancelled:
            words.append(Heard.AWAY)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield words
    finally:
        ticket.cancel()
        thread.join(10)
        assert not thread.is_alive(), "a listener ends at once when it is asked to"


def test_a_desk_synchronises_on_news_and_its_own_work_is_none(town: TownStreet, tmp_path: Path) -> None:
    with ServerThread(town.street) as url:
        desk = enrol_desk(tmp_path / "desk", url, WORKER, PASS, password=PASSWORD, clock=town.clock)
        try:
            desk.synchronise()
            with listening(desk) as words:
                assert within(SOON_S, lambda: words == [Heard.THERE])
                with desk.store.unit(desk.actor) as unit:
                    unit.create(Household(number="MINE", grid_id=town.grids[0], address="Lane 2"))
                desk.synchronise()
                time.sleep(NEVER_S)
                assert words == [Heard.THERE], "the desk knows what it sent itself"
                with town.street.store.unit(SYSTEM) as unit:
                    unit.create(Household(number="THEIRS", grid_id=town.grids[0], address="Lane 3"))
                assert within(SOON_S, lambda: words[-1] is Heard.NEWS)
                assert desk.synchronise().received >= 1
            assert words[-1] is Heard.AWAY
        finally:
            desk.close()


def test_a_stop_lets_desks_go_at_once_and_says_when_to_come_back(town: TownStreet, tmp_path: Path) -> None:
    server = ServerThread(town.street)
    url = server.start()
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
        token = Served(town, url, client).enrol()["token"]
    ear = Ear(url, token, 0)
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 9
    assert within(SOON_S, lambda: not ear.thread.is_alive())
    assert ear.refusal is None and 10 <= ear.street.come_back_s <= 60
    ear.end()


def test_over_tls_a_listener_hears_and_hangs_up_too(tmp_path: Path) -> None:
    with town_street(tmp_path / "street") as town:
        tls = street_tls(town.street)
        with ServerThread(town.street, tls=tls) as url:
            enrolled = enrol_over_http(url, WORKER, "Counter", password=PASSWORD, authority=tls.authority)
            ear = Ear(url, enrolled.token, 10**9, authority=tls.authority)
            assert ear.beats and ear.refusal is None
            started = time.monotonic()
            ear.end()
            assert time.monotonic() - started < 9


class Looks:
    """Looks into the data that last until the test lets them end."""

    def __init__(self) -> None:
        self.seq = 10
        self.changed: dict[int, str] = {}
        self.waiting: list[tuple[asyncio.Future[None], int]] = []

    def change(self, scope: str) -> None:
        self.seq += 1
        self.changed[self.seq] = scope

    async def __call__(self, before: News | None, scopes: frozenset[str]) -> News:
        seq, since = self.seq, self.seq if before is None else before.seq
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append((turn, seq))
        await turn
        return News(seq, 0, frozenset(s for n, s in self.changed.items() if since < n <= seq and s in scopes))

    async def begun(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.waiting) < count:
                await asyncio.sleep(0.005)

    def end(self, number: int) -> None:
        self.waiting[number][0].set_result(None)


def test_a_desk_that_comes_while_a_look_lasts_misses_nothing() -> None:
    async def play() -> None:
        looks = Looks()
        pokes = Pokes(looks, 100, 0.01, 1_000.0, random.Random(1))
        first = asyncio.create_task(pokes.join(1, {"g:1"}, 10))
        await looks.begun(1)
        looks.end(0)
        await first
        looks.change("g:2")
        await looks.begun(2)  # this look sees the change, and asks for g:1 only
        late = await pokes.join(2, {"g:2"}, 10)
        looks.end(1)
        assert await late.news(2.0), "told of the change"
        pokes.stop()

    asyncio.run(play())


def test_desks_that_come_at_once_miss_nothing() -> None:
    async def play() -> None:
        looks = Looks()
        pokes = Pokes(looks, 100, 0.01, 1_000.0, random.Random(1))
        first = asyncio.create_task(pokes.join(1, {"g:1"}, 10))
        await looks.begun(1)
        looks.change("g:1")
        second = asyncio.create_task(pokes.join(2, {"g:2"}, 11))
        await looks.begun(2)
        looks.end(0)
        line = await first
        looks.end(1)
        await second
        await looks.begun(3)
        looks.end(2)
        assert await line.news(2.0), "told of the change that came between the two"
        pokes.stop()

    asyncio.run(play())
