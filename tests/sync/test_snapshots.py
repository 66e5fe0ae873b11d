"""A new scope begins with a snapshot: resumed, checked, never older than it may be, and never over newer or unsent work."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gridman.domain.access import SYSTEM, grid_scope
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.kernel.errors import Refusal
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.store.first_rows import begun_snapshots
from gridman.store.soundness import list_flaws
from gridman.sync import exchange
from gridman.sync.protocol import Answer
from gridman.sync.replica import Replica
from gridman.sync.snapshots import Snapshots
from tests.sync.world import KEY, Desk, World

HOUSES = 20


def ask(desk: Desk, page: int = 1) -> tuple[Any, Answer]:
    request = exchange.prepare(desk.store, page)
    return request, desk.street.exchange(request)


def until(desk: Desk, count: int) -> None:
    """Small answers until so many households are here; the first synchronisation is then under way."""
    for _ in range(100):
        if homes(desk) >= count:
            return
        request, answer = ask(desk)
        exchange.absorb(desk.store, request, answer)
    raise AssertionError("nothing comes")


def homes(desk: Desk) -> int:
    with desk.store.read() as reader:
        return reader.count(Household)


def assert_equals_street(world: World, desk: Desk, grid: int = 0) -> None:
    def seen(store: Any) -> dict[int, Any]:
        with store.read() as reader:
            found = reader.page(Household, grid_id=world.grids[grid], limit=10_000, with_retired=True)
            return {h.id: (h.number, h.address, h.remark, h.needs_note, h.is_rented, h.retired_at) for h in found}

    assert seen(desk.store) == seen(world.store)
    with desk.store.read() as reader:
        assert not list(list_flaws(reader))


def files(world: World) -> list[Path]:
    return sorted((world.folder / "snapshots").iterdir())


def test_a_first_sync_comes_in_segments_and_equals_the_street(world: World) -> None:
    world.add_households(0, HOUSES)
    desk = world.desk()
    result = desk.sync()
    assert result.complete
    assert_equals_street(world, desk)
    request, answer = ask(desk, 1_000)
    assert answer.complete and not answer.rows and not answer.segments and not request.partly


def test_it_goes_on_with_the_segment_that_comes_next(world: World) -> None:
    world.add_households(0, HOUSES)
    desk = world.desk()
    until(desk, 7)
    here = homes(desk)
    with desk.store.read() as reader:
        begun = begun_snapshots(reader.connection)
    assert here < HOUSES and list(begun) == [grid_scope(world.grids[0])]
    request, answer = ask(desk)
    assert [s.number for s in answer.segments] == [begun[grid_scope(world.grids[0])].next]
    exchange.absorb(desk.store, request, answer)
    assert homes(desk) == here + 3
    desk.sync()
    assert_equals_street(world, desk)


def test_an_answer_that_comes_twice_or_too_late_changes_nothing(world: World) -> None:
    world.add_households(0, HOUSES)
    desk = world.desk()
    until(desk, 4)
    request, answer = ask(desk)
    exchange.absorb(desk.store, request, answer)
    here = homes(desk)
    assert exchange.absorb(desk.store, request, answer).is_stale
    assert homes(desk) == here
    desk.sync()
    assert exchange.absorb(desk.store, request, answer).is_stale
    assert_equals_street(world, desk)


def test_a_spoilt_segment_is_refused_and_comes_again(world: World) -> None:
    world.add_households(0, HOUSES)
    desk = world.desk()
    until(desk, 4)
    here = homes(desk)
    request, answer = ask(desk)
    (segment,) = answer.segments
    spoilt = bytes([*segment.data[:-1], segment.data[-1] ^ 1])
    bad = msgspec.structs.replace(answer, segments=[msgspec.structs.replace(segment, data=spoilt)])
    with pytest.raises(Refusal, match="malformed"):
        exchange.absorb(desk.store, request, bad)
    assert homes(desk) == here
    desk.sync()
    assert_equals_street(world, desk)


def test_edits_since_the_snapshot_arrive_after_it(world: World) -> None:
    made = world.add_households(0, HOUSES)
    world.desk().sync()
    before = files(world)
    with world.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, made[3]), remark="later", is_rented=True)
    desk = world.desk()
    desk.sync()
    assert_equals_street(world, desk)
    assert files(world) == before, "the snapshot was made anew for one edit"


def test_a_snapshot_is_made_anew_once_a_record_has_left_the_scope(world: World) -> None:
    made = world.add_households(0, HOUSES)
    first = world.desk()
    first.sync()
    stood = files(world)[0].stat().st_mtime_ns, {p.name: p.read_bytes() for p in files(world)}
    with world.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, made[0]), grid_id=world.grids[1])
    desk = world.desk()
    request, answer = ask(desk, 5_000)
    exchange.absorb(desk.store, request, answer)
    assert desk.household(made[0]) is None, "a record of another grid was given"
    desk.sync()
    assert_equals_street(world, desk)
    assert any(p.read_bytes() != stood[1].get(p.name) for p in files(world))


def test_a_desk_half_way_starts_over_when_a_record_left_and_keeps_nothing_of_it(world: World) -> None:
    made = world.add_households(0, HOUSES)
    desk = world.desk()
    until(desk, 7)
    assert desk.household(made[0]) is not None
    with world.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, made[0]), grid_id=world.grids[1])
    desk.sync()
    assert desk.household(made[0]) is None
    assert_equals_street(world, desk)


def test_an_older_snapshot_never_covers_a_newer_row(world: World) -> None:
    """An incident lies in its grid's scope and in its organisation's; what the desk has from one is newer than the other's snapshot."""
    clerk = world.desk("street_clerk", "street", ())
    with world.store.unit(SYSTEM) as unit:
        actor = clerk.actor
    with world.store.unit(actor) as unit:
        made = [
            report_incident(unit, IncidentDraft("A101", f"lamp {n}", "Lane", grid_id=world.grids[0])).id
            for n in range(6)
        ]
    clerk.sync()
    worker = world.desk(grids=())
    worker.sync()
    with world.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Incident, made[0]), description="newer")
    world.assign(worker.user_id, 0)
    clerk.sync()
    worker.sync()
    for desk in (clerk, worker):
        with desk.store.read() as reader:
            assert reader.get(Incident, made[0]).description == "newer"
            assert reader.count(Incident) == 6


def test_a_scope_granted_later_leaves_unsent_work_on_top(world: World) -> None:
    made = world.add_households(0, HOUSES)
    desk = world.desk()
    desk.sync()
    desk.amend(made[2], remark="unsent")
    world.withdraw(desk.user_id, 0)
    request = msgspec.structs.replace(exchange.prepare(desk.store, 5_000), ops=[])
    exchange.absorb(desk.store, request, desk.street.exchange(request))  # the grid goes, the work stays
    assert homes(desk) == 0
    world.assign(desk.user_id, 0)
    request = msgspec.structs.replace(exchange.prepare(desk.store, 5_000), ops=[])
    exchange.absorb(desk.store, request, desk.street.exchange(request))
    house = desk.household(made[2])
    assert house is not None and house.remark == "unsent"
    desk.sync()
    there = world.household(made[2])
    assert there is not None and there.remark == "unsent"
    assert_equals_street(world, desk)


def test_a_desk_without_snapshots_and_a_street_without_them_still_work(world: World) -> None:
    world.add_households(0, HOUSES)
    old = world.desk()
    for _ in range(50):
        request = msgspec.structs.replace(exchange.prepare(old.store, 7), reads=0)
        answer = old.street.exchange(request)
        assert not answer.segments
        if exchange.absorb(old.store, request, answer).complete:
            break
    assert_equals_street(world, old)
    half = world.desk()
    until(half, 4)
    half.street.replica = Replica(world.store)  # the street was set back to an older version
    half.sync()
    assert_equals_street(world, half)
    with half.store.read() as reader:
        assert not begun_snapshots(reader.connection)


def test_the_file_tells_nothing_and_a_spoilt_one_is_made_anew(world: World) -> None:
    with world.store.unit(SYSTEM) as unit:
        for n in range(HOUSES):
            unit.create(Household(number=f"H{n}", grid_id=world.grids[0], address="Sunflower Lane", remark="diabetes"))
        unit.amend(unit.get(Grid, world.grids[0]), name="Sunflower Grid")
    world.desk().sync()
    scope = grid_scope(world.grids[0])
    for path in files(world):
        content = path.read_bytes()
        assert scope not in path.name
        assert not any(word in content for word in (b"Sunflower", b"diabetes", b"household", scope.encode()))
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    desk = world.desk()
    desk.sync()
    assert_equals_street(world, desk)


def test_a_snapshot_gets_no_older_than_a_day_and_files_nobody_asks_for_go(world: World) -> None:
    world.add_households(0, HOUSES)
    world.desk().sync()
    before = {p.name: p.read_bytes() for p in files(world)}
    world.clock.pass_(86_400_001)
    world.desk().sync()
    assert all(p.read_bytes() != before[p.name] for p in files(world))
    import os

    for path in files(world):
        os.utime(path, (1, 1))
    again = Snapshots(world.folder / "snapshots", KEY, world.clock, least_rows=2)
    with world.store.read() as reader:
        assert again.ready(reader, "g:1", "no epoch", 1) is None
    assert not files(world)


def test_one_user_never_gets_the_snapshot_of_a_scope_that_is_not_theirs(world: World) -> None:
    world.add_households(0, HOUSES)
    world.desk().sync()
    stranger = world.desk(grids=(1,))
    ident = b"\0" * 16
    for wanted in (grid_scope(world.grids[0]), "g:999", ""):
        request = exchange.prepare(stranger.store, 5_000)
        from gridman.sync.protocol import Partly

        answer = stranger.street.exchange(msgspec.structs.replace(request, partly=[Partly(wanted, ident, 0)]))
        assert all(s.scope != wanted for s in answer.segments)
        assert wanted in answer.drops


def test_no_room_for_snapshots_means_pages(world: World, tmp_path: Path) -> None:
    world.add_households(0, HOUSES)
    blocked = tmp_path / "a file where the folder should be"
    blocked.write_text("x")
    desk = world.desk()
    desk.street.replica = Replica(world.store, snapshots=Snapshots(blocked, KEY, world.clock, least_rows=2))
    desk.sync()
    assert_equals_street(world, desk)
