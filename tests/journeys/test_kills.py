"""Kill -9 at any moment: no save that was acknowledged is lost, none arrives twice."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from gridman.domain.household import Household
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.services.street import open_street
from gridman.store.outbox import receipts as receipts_of
from gridman.store.soundness import list_flaws, numbering_flaws, page_flaws
from tests.journeys.mortal import (
    ALONG_THE_WAY,
    Mortal,
    acknowledged,
    enrol,
    found,
    killed_receiving,
    open_again,
    start_desk,
)
from tests.support.streets import STAFF, WORKER

pytestmark = pytest.mark.slow

_DESK_KILLS, _SERVER_KILLS = 30, 10


def visits_of(store: object) -> dict[int, str | None]:
    with store.read() as reader:  # type: ignore[attr-defined]
        return {v.id: v.note for v in reader.page(Visit, limit=100_000)}


def finish(data: Path, login: str) -> None:
    """Everything sent, answered and taken over as it was."""
    desk = open_again(data, login)
    result = desk.synchronise()
    with desk.store.read() as reader:
        states = {r.state for r in receipts_of(reader, 100_000)}
        verdicts = {r.verdict for r in receipts_of(reader, 100_000)}
        assert not list(numbering_flaws(reader, desk.profile.replica))
        assert not list(list_flaws(reader))
    assert not list(page_flaws(desk.store.database))
    desk.close()
    assert result.complete and states == {"settled"} and verdicts == {"applied"}


def at_the_street(folder: Path) -> dict[int, str | None]:
    street = open_street(folder, must_exist=True)
    try:
        return visits_of(street.store)
    finally:
        street.close()


def assert_exactly_once(made: dict[int, str], found_there: dict[int, str | None], kills: int) -> None:
    lost = {n: word for n, word in made.items() if found_there.get(n) != word}
    assert not lost, f"{len(lost)} acknowledged saves are not at the street"
    assert max(Counter(found_there.values()).values()) == 1, "a save arrived twice"
    # Saved, but killed before the line was written: at most one for each kill.
    assert len(found_there) - len(made) <= kills


def test_a_desk_killed_again_and_again_loses_nothing_it_saved(tmp_path: Path) -> None:
    chance = random.Random(20_261_123)
    found(tmp_path / "street")
    server = Mortal(tmp_path / "street")
    server.start()
    data, lines, end = tmp_path / "desk", tmp_path / "lines.txt", tmp_path / "end"
    enrol(data, server.url)
    desk = open_again(data)
    desk.synchronise()
    desk.close()
    for _kill in range(_DESK_KILLS):
        process = start_desk(data, lines, end)
        time.sleep(chance.uniform(0.3, 1.2))
        assert process.is_alive(), "the desk ended by itself"
        process.kill()
        process.join()
        made = acknowledged([lines])
        desk = open_again(data)
        here = visits_of(desk.store)
        desk.close()
        assert {n: here.get(n) for n in made} == made, "a save that was acknowledged is not on the desk"
    assert len(made) > _DESK_KILLS, "the desk was hardly ever at work when it was killed"
    finish(data, WORKER)
    server.kill()
    assert_exactly_once(made, at_the_street(tmp_path / "street"), _DESK_KILLS)


def test_a_server_killed_while_desks_push_takes_everything_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    found(tmp_path / "street")
    server = Mortal(tmp_path / "street")
    server.start()
    end, processes, lines = tmp_path / "end", [], []
    for login in (WORKER, STAFF):
        data = tmp_path / login
        enrol(data, server.url, login)
        desk = open_again(data, login)
        desk.synchronise()
        desk.close()
        lines.append(tmp_path / f"{login}.txt")
        processes.append(start_desk(data, lines[-1], end, login))
    for _kill in range(_SERVER_KILLS):
        time.sleep(chance.uniform(0.4, 1.5))
        server.kill()
        time.sleep(chance.uniform(0.0, 0.3))
        server.start()
    time.sleep(0.5)
    end.touch()
    for process in processes:
        process.join(20)
        assert process.exitcode == 0
    made = acknowledged(lines)
    assert len(made) > 50
    for login in (WORKER, STAFF):
        finish(tmp_path / login, login)
    server.kill()
    assert_exactly_once(made, at_the_street(tmp_path / "street"), 0)


def test_a_first_sync_goes_on_where_the_killed_server_left_it(tmp_path: Path) -> None:
    count = 6_000
    found(tmp_path / "street", count)
    server = Mortal(tmp_path / "street")
    server.start()
    data = tmp_path / "desk"
    enrol(data, server.url)
    desk = open_again(data)
    received: list[int] = []

    def kill_on_the_way(done: int, total: int, step: str = "") -> None:
        if done and server.kills < len(received):
            server.kill()

    for _turn in range(3):
        received.append(0)
        with pytest.raises(Refusal) as refused:
            desk.synchronise(kill_on_the_way)
        assert refused.value.code in ALONG_THE_WAY
        with desk.store.read() as reader:
            received[-1] = reader.count(Household)
        server.start()
    assert 0 < received[0] < received[1] < received[2] < count
    result = desk.synchronise()
    assert result.complete
    assert result.received < count + 200 - received[-1], "what had arrived was fetched again"
    with desk.store.read() as reader:
        assert reader.count(Household) == count
        assert len({h.number for h in reader.page(Household, limit=2 * count)}) == count
        assert not list(list_flaws(reader))
    desk.close()
    server.kill()


def test_a_first_sync_goes_on_where_the_killed_desk_left_it(tmp_path: Path) -> None:
    count = 6_000
    found(tmp_path / "street", count)
    server = Mortal(tmp_path / "street")
    server.start()
    data = tmp_path / "desk"
    enrol(data, server.url)
    here = [0]
    for moment, turn in (("within", 1), ("between", 2), ("within", 4), ("between", 3), ("within", 2)):
        assert killed_receiving(data, moment, turn), "the desk came to the end by itself"
        desk = open_again(data)
        with desk.store.read() as reader:
            here.append(reader.count(Household))
            assert not list(list_flaws(reader)), "a part of a segment stayed"
        assert not list(page_flaws(desk.store.database))
        desk.close()
    assert here == sorted(here) and 0 < here[-1] < count, "what was here already was lost, or all of it came at once"
    desk = open_again(data)
    result = desk.synchronise()
    assert result.complete
    assert result.received < count + 200 - here[-1], "what had arrived was fetched again"
    with desk.store.read() as reader:
        numbers = {h.id: h.number for h in reader.page(Household, limit=2 * count)}
        assert not list(list_flaws(reader))
    desk.close()
    server.kill()
    street = open_street(tmp_path / "street", must_exist=True)
    try:
        with street.store.read() as reader:
            assert numbers == {h.id: h.number for h in reader.page(Household, limit=2 * count)}
    finally:
        street.close()
