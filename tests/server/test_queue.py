"""Turns: lines per desk, served in turn, short; and a desk that floods the server does not keep others from being served."""

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.household import Household
from gridman.kernel.errors import Refusal
from gridman.server.app import StreetParts, make_app
from gridman.server.queue import FairQueue
from gridman.server.run import ServerThread
from gridman.sync.codec import decode_answer, encode
from gridman.sync.protocol import Op, Request
from gridman.sync.replica import Replica
from tests.server.conftest import GENEROUS, Served
from tests.support.streets import STAFF, WORKER, town_street


def queue(**limits: Any) -> FairQueue:
    usual: dict[str, Any] = {"at_once": 1, "per_desk": 3, "waiting": 6, "waiting_bytes": 100, "within_s": 30.0}
    return FairQueue(**(usual | limits), chance=random.Random(1))


def run(play: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(play(), 20))


def test_desks_are_served_in_turn_however_much_one_asks() -> None:
    served: list[int] = []

    async def play() -> None:
        line = queue()

        async def call(desk: int) -> None:
            async with line.turn(desk):
                await asyncio.sleep(0)
                served.append(desk)

        heavy = [asyncio.create_task(call(1)) for _n in range(4)]
        await asyncio.sleep(0)
        others = [asyncio.create_task(call(desk)) for desk in (2, 3)]
        await asyncio.gather(*heavy, *others)
        assert (line.waiting, line.running, line.shed) == (0, 0, 0)

    run(play)
    assert served == [1, 1, 2, 3, 1, 1]


def test_a_desk_never_has_two_turns_at_a_time() -> None:
    most = 0

    async def play() -> None:
        nonlocal most
        line, now = queue(at_once=4), 0

        async def call() -> None:
            nonlocal most, now
            async with line.turn(1):
                now += 1
                most = max(most, now)
                await asyncio.sleep(0)
                now -= 1

        await asyncio.gather(*(call() for _n in range(3)))

    run(play)
    assert most == 1


@pytest.mark.parametrize(
    ("limits", "calls"),
    [
        ({"per_desk": 2}, [(1, 0)] * 4),
        ({"waiting": 2, "per_desk": 9}, [(1, 0), (2, 0), (3, 0), (4, 0)]),
        ({"waiting_bytes": 50}, [(1, 1), (2, 30), (3, 30)]),
    ],
)
def test_what_does_not_fit_is_told_when_to_come_again(limits: dict[str, int], calls: list[tuple[int, int]]) -> None:
    async def play() -> None:
        line, done = queue(**limits), asyncio.Event()

        async def call(desk: int, size: int) -> None:
            async with line.turn(desk, size):
                await done.wait()

        tasks = []
        for desk, size in calls[:-1]:
            tasks.append(asyncio.create_task(call(desk, size)))
            await asyncio.sleep(0)
        with pytest.raises(Refusal) as caught:
            await call(*calls[-1])
        assert caught.value.code == "http.busy" and 5 <= int(str(caught.value.params["seconds"])) <= 30
        assert line.shed == 1
        done.set()
        await asyncio.gather(*tasks)
        async with line.turn(9, 1_000):  # larger than all that may wait, but nobody waits
            assert line.running == 1
        assert (line.waiting, line.running) == (0, 0)

    run(play)


def test_a_line_that_does_not_move_is_given_up() -> None:
    async def play() -> None:
        line = queue(within_s=0.05)
        async with line.turn(1):
            with pytest.raises(Refusal) as caught:
                async with line.turn(2):
                    raise AssertionError("it is not its turn")
            assert caught.value.code == "http.busy" and line.waiting == 0
        async with line.turn(2):
            pass

    run(play)


def test_who_hangs_up_leaves_the_line() -> None:
    async def play() -> None:
        line = queue()

        async def call() -> None:
            async with line.turn(2):
                raise AssertionError("it hung up")

        async with line.turn(1):
            task = asyncio.create_task(call())
            await asyncio.sleep(0)
            assert line.waiting == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert line.waiting == 0
        # Called and gone in the same moment: the turn goes on to the next.
        async with line.turn(1):
            task = asyncio.create_task(call())
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with line.turn(3):
            assert line.running == 1
        assert line.running == 0

    run(play)


class Noted(Replica):
    """The real street, noting whose exchange begins."""

    begun: list[int]

    def exchange_bytes(self, actor: Actor, body: bytes) -> bytes:
        self.begun.append(actor.replica)
        return super().exchange_bytes(actor, body)


def test_a_light_desk_is_served_while_a_heavy_one_floods(tmp_path: Path) -> None:
    flooding = 24
    limits = replace(GENEROUS, exchanges_at_once=1, exchanges_per_desk=2 * flooding)
    with town_street(tmp_path / "street") as town:
        with town.street.store.unit(SYSTEM) as unit:
            for n in range(600):
                unit.create(Household(number=f"H{n}", grid_id=town.grids[0], address=f"Lane {n}"))
        noted = Noted(town.street.store)
        noted.begun = []
        with (
            ServerThread(make_app(StreetParts(town.street, noted, town.street.photos, limits))) as url,
            httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
        ):
            served = Served(town, url, client)
            heavy, light = served.enrol(STAFF), served.enrol(WORKER)
            stop = threading.Event()
            answers: list[int] = []

            def flood() -> None:
                bearer = {"Authorization": f"Bearer {heavy['token']}"}
                body = encode(Request(1, heavy["replica"], "", town.clock.now, 5_000))
                with httpx.Client(base_url=url, timeout=60, trust_env=False) as own:
                    while not stop.is_set():
                        answers.append(own.post("/sync/v1", content=body, headers=bearer).status_code)

            threads = [threading.Thread(target=flood) for _n in range(flooding)]
            for thread in threads:
                thread.start()
            try:
                waited = [push(served, light, n, noted) for n in range(1, 6)]
            finally:
                stop.set()
                for thread in threads:
                    thread.join(60)
    assert set(answers) == {200} and len(answers) > flooding
    # With one line for all a push would wait for the whole flood, two dozen exchanges.
    assert sorted(waited)[2] <= 8, waited


def push(served: Served, light: dict[str, Any], n: int, noted: Noted) -> int:
    """Push one new household; returns how many exchanges of the other desk began meanwhile."""
    replica, now = light["replica"], served.town.clock.now
    after = {"grid_id": served.town.grids[0], "address": f"Weir {n}"}
    op = Op(n, "create", "household", replica << 43 | n, after, {}, f"{now:012x}{n:04x}{replica:05x}", now)
    before = len(noted.begun)
    answer = served.client.post(
        "/sync/v1",
        content=encode(Request(1, replica, light["street_epoch"], now, 50, [op])),
        headers={"Authorization": f"Bearer {light['token']}"},
    )
    assert answer.status_code == 200, answer.text
    assert [v.outcome for v in decode_answer(answer.content).verdicts] == ["applied"]
    return sum(begun != replica for begun in noted.begun[before:])
