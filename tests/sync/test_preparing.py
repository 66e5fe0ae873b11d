"""Snapshots are made ahead for those who have a scope, and nobody waits for two."""

import threading
from typing import Any

import pytest

from gridman.domain.access import grid_scope
from gridman.kernel.progress import Cancelled
from gridman.store.feed_pages import clock_of, same_moment
from gridman.sync import preparing
from gridman.sync.preparing import FRESH_MS, REST_MS, Prepared, prepare
from gridman.sync.snapshots import Manifest, Snapshots
from tests.support.postgres import PostgresServer
from tests.sync.world import KEY, World, make_world

HOUSES = 20


def snapshots(world: World) -> Snapshots:
    return Snapshots(
        world.folder / "snapshots", KEY, world.clock, least_rows=2, segment_rows=3, least_bytes=1, row_bytes=1
    )


def ready(world: World, kept: Snapshots, grid: int) -> Manifest | None:
    with world.store.read() as reader:
        same_moment(reader)
        seq, epoch = clock_of(reader.connection)
        return kept.ready(reader, grid_scope(world.grids[grid]), epoch, seq)


def test_scopes_that_somebody_has_are_prepared_and_no_others(world: World) -> None:
    world.add_households(0, HOUSES), world.add_households(1, HOUSES)
    world.desk(grids=[0])
    kept = snapshots(world)
    done = prepare(world.store, kept)
    assert ready(world, kept, 0) is not None and ready(world, kept, 1) is None
    assert done.made >= 1 and done.rows >= HOUSES and done.is_whole
    assert prepare(world.store, kept) == Prepared(done.scopes, 0, done.made, 0)


def test_a_desk_begins_with_what_was_prepared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add_households(0, HOUSES)
    desk = world.desk()
    prepare(world.store, snapshots(world))
    monkeypatch.setattr("gridman.sync.snapshots._segments", None)  # nothing can be made now
    result = desk.sync()
    assert result.complete and result.received >= HOUSES


def test_what_was_spoilt_or_grew_old_is_made_anew(world: World) -> None:
    homes = world.add_households(0, HOUSES)
    desk = world.desk()
    kept = snapshots(world)
    prepare(world.store, kept)
    desk.sync()
    desk.amend(homes[0], grid_id=world.grids[1])
    world.assign(desk.user_id, 1)
    desk.sync()
    assert ready(world, kept, 0) is None, "a record left the scope"
    assert prepare(world.store, kept).made == 0, "not all day long"
    world.clock.pass_(REST_MS)
    assert prepare(world.store, kept).made >= 1
    assert ready(world, kept, 0) is not None
    world.clock.pass_(FRESH_MS)
    assert ready(world, kept, 0) is not None
    assert prepare(world.store, kept).made >= 1, "before it ends"


def test_it_stops_where_it_is_asked_to_and_keeps_what_is_whole(world: World) -> None:
    world.add_households(0, HOUSES), world.add_households(1, HOUSES)
    world.desk(grids=[0, 1])
    kept = snapshots(world)
    seen: list[str] = []

    def pause(scope: str) -> None:
        seen.append(scope)
        if seen.count(grid_scope(world.grids[1])) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        prepare(world.store, kept, pause)
    assert ready(world, kept, 0) is not None and ready(world, kept, 1) is None
    prepare(world.store, kept)
    assert ready(world, kept, 1) is not None


def test_the_disk_is_not_filled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add_households(0, HOUSES)
    world.desk()
    monkeypatch.setattr(preparing, "MOST_BYTES", 0)
    done = prepare(world.store, snapshots(world))
    assert done.made == 0 and not done.is_whole


def test_who_comes_while_one_is_made_waits_for_that_one(world: World) -> None:
    one_waits_for_the_other(world, snapshots(world))


def test_so_does_another_worker_on_postgresql(postgres_server: PostgresServer) -> None:
    with make_world(postgres_server.create_database()) as world:
        one_waits_for_the_other(world, snapshots(world), snapshots(world))


def one_waits_for_the_other(world: World, maker: Snapshots, comer: Snapshots | None = None) -> None:
    """`comer` (that of another process, or the same) asks for the scope that `maker` is at."""
    world.add_households(0, HOUSES)
    world.desk()
    scope = grid_scope(world.grids[0])
    begun, go_on = threading.Event(), threading.Event()
    made: dict[str, Any] = {}
    calls: list[str] = []

    def pause(of: str) -> None:
        calls.append(of)
        if calls.count(scope) == 2:  # the first time nothing is begun yet
            begun.set()
            assert go_on.wait(20)

    def come() -> None:
        with world.store.read() as reader:
            same_moment(reader)
            seq, epoch = clock_of(reader.connection)
            made["comer"] = (comer or maker).make(reader, scope, epoch, seq)

    first = threading.Thread(target=lambda: made.update(maker=prepare(world.store, maker, pause)))
    first.start()
    assert begun.wait(20)
    second = threading.Thread(target=come)
    second.start()
    second.join(0.3)
    assert second.is_alive() and maker.is_awaited(scope) is (comer is None)
    go_on.set()
    first.join(20), second.join(20)
    assert made["maker"].made >= 1
    found = ready(world, maker, 0)
    assert found is not None and made["comer"] == found and not maker.is_awaited(scope)
