"""What was refused is kept for review with whatever it wanted: it can be shown, and no key does what its author might not."""

import json
from collections.abc import Iterator
from itertools import cycle
from threading import Thread

import pytest
import shapely
from msgspec import structs

from gridman.domain.access import SYSTEM
from gridman.domain.building import Building
from gridman.domain.catalog import NOUNS
from gridman.domain.conflict import Conflict
from gridman.domain.grid import Assignment, Grid
from gridman.domain.incident import Incident
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.services.conflicts import open_conflicts, resolve
from gridman.store.database import open_postgresql
from gridman.store.feed import StreetFeed
from gridman.store.indexes import Indexer
from gridman.store.journal import StreetJournal
from gridman.store.store import Store
from gridman.sync import exchange
from gridman.sync.codec import encode
from gridman.sync.handover import Handover, Source
from gridman.sync.protocol import Op, Verdict
from tests.support.postgres import PostgresServer
from tests.sync.world import Desk, World, make_world

ZERO = "0" * 21
ODD = [
    None, True, 0, -1, 1 << 62, 10**15, 1.5, float("nan"), "", "x", "\0", "2026-13-45", b"\xff", [1], [[]], ["x", {"y": [1]}], {"a": 1},
    {"base64": "!!"}, {"base64": 5},
]  # fmt: skip


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest) -> Iterator[World]:
    server: PostgresServer | None = request.getfixturevalue("postgres_server") if request.param != "sqlite" else None
    with make_world(server.create_database() if server is not None else None) as world:
        yield world


def pushed(desk: Desk, *wanted: tuple[str, str, int, dict[str, object]]) -> list[Verdict]:
    """What a desk that was tampered with sends."""
    request = exchange.prepare(desk.store)
    ops = [Op(n, *what, {}, ZERO, desk.clock()) for n, what in enumerate(wanted, start=1)]
    return desk.street.exchange(structs.replace(request, ops=ops)).verdicts


def test_by_way_of_the_review_list_nobody_gives_himself_a_role_or_a_grid(world: World) -> None:
    desk = world.desk()
    desk.sync()
    own, (_mine, _, theirs) = desk.store.replica << 43 | 5, world.grids
    verdicts = pushed(
        desk,
        ("amend", "user", desk.user_id, {"role": "sysadmin"}),
        ("amend", "user", desk.user_id, {"organisation_id": world.organisations["street"]}),
        ("create", "assignment", own, {"user_id": desk.user_id, "grid_id": theirs}),
        ("create", "assignment", own + 1, {"user_id": desk.user_id, "grid_id": theirs, "from_on": "2026-01-01"}),
        ("amend", "grid", theirs, {"retired_at": 5}),
        ("create", "user", own + 2, {"login": "me", "name": "Me", "role": "sysadmin", "organisation_id": 1}),
    )
    assert {v.outcome for v in verdicts} == {"refused"}
    staff = world.desk("community_staff", grids=())
    with world.store.read() as reader:
        lines = open_conflicts(reader)
    assert len(lines) == 6 and {line.deed for line in lines} == {""}
    for line in lines:
        with pytest.raises(Refusal) as told, world.store.unit(staff.actor) as unit:
            resolve(unit, line.conflict.id, "restored")
        assert told.value.code == "conflict.not_restorable"
    with world.store.read() as reader:
        user = reader.get(User, desk.user_id)
        assert (user.role, user.organisation_id) == ("grid_worker", world.organisations["community"])
        assert reader.count(User, role="sysadmin") == 0 and reader.count(Assignment, grid_id=theirs) == 0
        assert reader.get(Grid, theirs).retired_at is None


def test_by_way_of_the_review_list_no_step_of_the_workflow_is_skipped(world: World) -> None:
    desk = world.desk()
    desk.sync()
    with world.store.unit(desk.actor) as unit:
        lamp = unit.create(
            Incident(number="1", grid_id=world.grids[0], description="lamp", state="reported", creator_id=desk.actor.organisation_id)
        ).id  # fmt: skip
    (verdict,) = pushed(desk, ("amend", "incident", lamp, {"state": "closed"}))
    assert verdict.outcome == "refused"
    with world.store.read() as reader:
        (line,) = open_conflicts(reader)
    assert line.deed == ""


@pytest.mark.parametrize("kind", ["create", "amend", "command"])
def test_whatever_was_handed_over_the_review_list_shows_it(either: World, kind: str) -> None:
    (home,) = either.add_households(0, 1)
    desk = either.desk()
    own, number = desk.store.replica << 43, 0
    for known in NOUNS:
        names = [*known.fields, "action", "no_such_field"]
        afters: list[dict[str, object]] = [dict.fromkeys(names, value) for value in ODD]
        afters += [{"household_id": home, name: value} for name, value in zip(names, cycle(ODD), strict=False)]
        ops = []
        for after in afters:
            number += 1
            ops.append(Op(number, kind, known.kind, own | number, after, {}, ZERO, -(1 << 45)))
            encode(ops[-1])
        with either.store.unit(desk.actor) as unit:
            Handover(unit, desk.store.replica, Source("retired_desk", "Counter")).take(ops, [])
        with either.store.read() as reader:
            newest = min(c.id for c in reader.page(Conflict, order_by=("-id",), limit=len(ops)))
            lines = open_conflicts(reader, len(ops))
            assert len(lines) == len(ops) and all(line.conflict.id >= newest for line in lines)


def test_a_single_value_that_was_refused_is_shown_and_never_written(either: World) -> None:
    (home,) = either.add_households(0, 1)
    desk = either.desk()
    with either.store.unit(desk.actor) as unit:
        for name in ("grid_id", "retired_at", "phones", "building_id", "lng", "remark"):
            for value in ODD:
                lost = json.dumps(value, default=lambda b: {"base64": "/w=="}) if value is not None else None
                unit.create(
                    Conflict(record_kind="household", record_id=home, grid_id=either.grids[0], field=name, reason="refused", lost=lost)
                )  # fmt: skip
    with either.store.read() as reader:
        lines = open_conflicts(reader, 1_000)
    for line in lines:
        try:
            with either.store.unit(desk.actor) as unit:
                resolve(unit, line.conflict.id, "restored")
        except Refusal:
            continue
    with either.store.read() as reader:
        open_conflicts(reader, 1_000)


def test_an_outline_that_cannot_be_read_is_refused_and_stops_no_desk(either: World) -> None:
    """Every desk of the street has the buildings: one that could not take a row in would receive nothing any more."""
    clerk, worker = either.desk("street_clerk", "street", ()), either.desk()
    clerk.sync(), worker.sync()
    place = {"community_id": either.community, "grid_id": either.grids[0], "compound": "Court", "number": "1"}
    nowhere = shapely.to_wkb(shapely.Polygon())
    own = clerk.store.replica << 43
    verdicts = pushed(
        clerk,
        ("create", "building", own | 5, {**place, "shape": b"\xff"}),
        ("create", "building", own | 6, {**place, "shape": nowhere}),
        ("create", "building", own | 7, place),
    )
    assert [v.outcome for v in verdicts] == ["refused", "refused", "applied"]
    with either.store.unit(SYSTEM) as unit:  # as an earlier edition may have taken it in
        for shape in (b"\xff", nowhere):
            unit.create(Building(**place, shape=shape))
    worker.sync()
    with worker.store.read() as reader:
        assert reader.count(Building) == 3


@pytest.mark.postgres
def test_two_who_decide_at_the_same_moment_through_two_programs(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    with make_world(url) as world:
        (home,) = world.add_households(0, 1)
        desk = world.desk()
        with world.store.unit(desk.actor) as unit:
            card = unit.create(
                Conflict(record_kind="household", record_id=home, grid_id=world.grids[0], field="remark", reason="concurrent", lost='"dog"')
            ).id  # fmt: skip
        other = Store(open_postgresql(url), 1, [StreetJournal(), StreetFeed(), Indexer()], world.clock)
        told: list[str] = []

        def late() -> None:
            try:
                with other.unit(desk.actor) as unit:
                    resolve(unit, card, "kept")
            except Refusal as refusal:
                told.append(refusal.code)

        second = Thread(target=late)
        with world.store.unit(desk.actor) as unit:
            resolve(unit, card, "restored")
            unit.flush()
            second.start()
            second.join(0.5)
        second.join()
        other.close()
        assert told == ["conflict.decided"]
        with world.store.read() as reader:
            assert reader.get(Conflict, card).resolution == "restored"
