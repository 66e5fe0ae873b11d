"""Records reach the desks of their grid and leave them again; what was not sent yet is never lost with them."""

from gridman.domain.access import SYSTEM
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import Visit
from gridman.services.households import add_person, amend_household
from gridman.services.visits import VisitDraft, log_visit
from gridman.store import outbox
from gridman.store.journal import history_of
from tests.sync.world import NOON, World


def move(world: World, household_id: int, grid: int) -> None:
    with world.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, household_id), grid_id=world.grids[grid])


def test_a_desk_with_both_grids_keeps_a_moved_household_and_its_pending_edit(world: World) -> None:
    (house,) = world.add_households(0, 1)
    desk = world.desk(grids=[0, 1])
    desk.sync()
    move(world, house, 1)
    desk.amend(house, remark="mine")
    desk.sync()
    kept = desk.household(house)
    assert kept is not None and (kept.grid_id, kept.remark) == (world.grids[1], "mine")
    assert world.household(house).remark == "mine"


def test_a_withdrawn_grid_leaves_the_desk_with_every_trace(world: World) -> None:
    houses = world.add_households(0, 3)
    other = world.add_households(1, 1)
    desk = world.desk(grids=[0, 1])
    desk.sync()
    desk.amend(houses[0], remark="secret words")
    desk.sync()
    world.withdraw(desk.user_id, 0)
    result = desk.sync()
    assert "household" in result.changes.touched
    with desk.store.read() as reader:
        assert [h.id for h in reader.page(Household)] == other
        assert all(not entry.after for entry in history_of(reader, houses))
    desk.store.close()
    assert b"secret words" not in (world.folder / "desk2.db").read_bytes()


def test_an_edit_made_before_the_grid_was_withdrawn_is_set_aside_for_review(world: World) -> None:
    (house,) = world.add_households(0, 1)
    desk, office = world.desk(grids=[0]), world.desk("community_staff")
    desk.sync()
    world.withdraw(desk.user_id, 0)
    desk.amend(house, remark="late")
    result = desk.sync()
    assert [r.verdict for r in result.refused] == ["set_aside"]
    assert "kept for review" in (result.refused[0].reason or "")
    assert desk.household(house) is None
    assert world.household(house).remark is None
    office.sync()
    with office.store.read() as reader:
        (kept,) = reader.page(Conflict)
    assert (kept.reason, kept.field, kept.lost, kept.lost_by_id) == ("scope", "remark", '"late"', desk.user_id)


def test_a_new_grid_arrives_whole(world: World) -> None:
    world.add_households(0, 2)
    later = world.add_households(1, 7)
    desk = world.desk(grids=[0])
    desk.sync()
    world.assign(desk.user_id, 1)
    desk.sync()
    with desk.store.read() as reader:
        assert set(later) <= {h.id for h in reader.page(Household)}


def test_new_records_of_a_desk_reach_the_street_in_order(world: World) -> None:
    desk, other = world.desk(), world.desk()
    desk.sync()
    with desk.store.unit(desk.actor) as unit:
        house = unit.create(Household(number="N1", grid_id=world.grids[0], address="New Lane 1"))
        person = unit.create(
            Person(household_id=house.id, grid_id=world.grids[0], name="䶮一", relation="02", population_type="01")
        )
        unit.create(
            Visit(household_id=house.id, grid_id=world.grids[0], visited_at=NOON, user_id=desk.user_id, kind="01", outcome="1")
        )  # fmt: skip
        unit.amend(house, head_person_id=person.id)
    with desk.store.read() as reader:
        assert [r.kind for r in outbox.receipts(reader)] == ["create"] * 3
    result = desk.sync()
    assert not result.refused, [r.reason for r in result.refused]
    other.sync()
    with other.store.read() as reader:
        assert reader.get(Household, house.id).head_person_id == person.id
        assert reader.get(Person, person.id).name == "䶮一"
        assert reader.count(Visit) == 1


def test_a_record_made_in_a_foreign_grid_is_set_aside_and_leaves_the_desk(world: World) -> None:
    desk = world.desk(grids=[0])
    desk.sync()
    with desk.store.unit(desk.actor) as unit:
        house = unit.create(Household(number="N1", grid_id=world.grids[1], address="Other Lane 1"))
    result = desk.sync()
    assert [(r.verdict, r.state) for r in result.refused] == [("set_aside", "refused")]
    assert desk.household(house.id) is None and world.household(house.id) is None
    with world.store.read() as reader:
        (kept,) = reader.page(Conflict)
    assert "Other Lane 1" in (kept.lost or "") and kept.grid_id == world.grids[1]


def test_a_move_into_a_grid_that_is_not_the_authors_is_kept_for_review(world: World) -> None:
    houses = world.add_households(0, 2)
    desk, office = world.desk(grids=[0]), world.desk("community_staff")
    desk.sync()
    desk.amend(houses[0], grid_id=world.grids[1], remark="moved")
    with desk.store.unit(desk.actor) as unit:
        person = unit.create(
            Person(household_id=houses[1], grid_id=world.grids[0], name="A", relation="02", population_type="01")
        )
    (other,) = world.add_households(1, 1)
    with desk.store.unit(desk.actor) as unit:
        unit.amend(unit.get(Person, person.id), household_id=other)
        unit.create(Person(household_id=other, grid_id=world.grids[0], name="B", relation="02", population_type="01"))
    result = desk.sync()
    assert [(r.entity, r.verdict) for r in result.refused] == [
        ("person", "set_aside"), ("person", "set_aside"), ("household", "set_aside"),
    ]  # fmt: skip
    assert "not yours" in (result.refused[0].reason or "")
    assert world.household(houses[0]).grid_id == desk.household(houses[0]).grid_id == world.grids[0]
    office.sync()
    with office.store.read() as reader:
        kept = {(c.record_kind, c.field): c for c in reader.page(Conflict)}
        assert {c.reason for c in kept.values()} == {"target"}
        assert (
            kept["household", "grid_id"].lost == str(world.grids[1]) and kept["household", "remark"].lost == '"moved"'
        )
        assert reader.get(Person, person.id).household_id == houses[1]
        assert reader.count(Person) == 1


def test_the_office_may_move_a_household_and_all_that_belongs_to_it_goes_along(world: World) -> None:
    (house,) = world.add_households(0, 1)
    worker, office = world.desk(grids=[0]), world.desk("community_staff")
    worker.sync()
    with worker.store.unit(worker.actor) as unit:
        person = add_person(unit, house, {"name": "A", "relation": "02", "population_type": "01"}, ["V01"])
        visit = log_visit(unit, VisitDraft(house, "1"))
    worker.sync(), office.sync()
    with office.store.unit(office.actor) as unit:
        amend_household(unit, house, {"grid_id": world.grids[1]})
    assert not office.sync().refused
    with office.store.read() as reader:
        for cls, record_id in ((Household, house), (Person, person.id), (Visit, visit.id)):
            assert reader.get(cls, record_id).grid_id == world.grids[1]
    worker.sync()
    with worker.store.read() as reader:
        assert [reader.count(cls) for cls in (Household, Person, CareTag, Visit)] == [0, 0, 0, 0]


def test_a_visit_dated_ahead_by_a_wrong_clock_is_set_right_and_the_claim_is_kept(world: World) -> None:
    (house,) = world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    days = 86_400_000
    desk.clock.now += 3 * days
    with desk.store.unit(desk.actor) as unit:
        early = log_visit(unit, VisitDraft(house, "1", visited_at=unit.at - 3_600_000))
        late = log_visit(unit, VisitDraft(house, "1"))
    claimed = early.visited_at
    assert not desk.sync().refused
    for copy in (world.store, desk.store):
        with copy.read() as reader:
            one, two = reader.get(Visit, early.id), reader.get(Visit, late.id)
        assert (one.visited_at, one.claimed_at) == (NOON - 3_600_000, claimed)
        assert (two.visited_at, two.claimed_at) == (NOON, claimed + 3_600_000)
    with desk.store.unit(desk.actor) as unit:  # the clock is put right before it is sent: not past now
        last = log_visit(unit, VisitDraft(house, "1"))
        planted = log_visit(unit, VisitDraft(house, "1", visited_at=NOON - days))
        planted.claimed_at = NOON
    desk.clock.now = world.clock.now
    desk.sync()
    with world.store.read() as reader:
        assert reader.get(Visit, last.id).visited_at == NOON
        believed = reader.get(Visit, planted.id)
        assert (believed.visited_at, believed.claimed_at) == (NOON - days, None)


def test_nobody_writes_a_visit_in_anothers_name(world: World) -> None:
    (house,) = world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    with desk.store.unit(desk.actor) as unit:
        log_visit(unit, VisitDraft(house, "1")).user_id = desk.user_id + 1
    result = desk.sync()
    assert [r.verdict for r in result.refused] == ["refused"] and "own name" in (result.refused[0].reason or "")


def test_a_poison_edit_is_set_aside_and_the_rest_goes_on(world: World) -> None:
    (house,) = world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    desk.amend(house, phones="not a number")
    desk.amend(house, remark="fine")
    result = desk.sync()
    assert [(r.fields, r.verdict) for r in result.refused] == [(("phones",), "refused")]
    assert "telephone" in (result.refused[0].reason or "")
    shown = desk.household(house)
    assert (shown.phones, shown.remark) == (None, "fine")
    assert world.household(house).remark == "fine"


def test_others_edits_appear_in_the_records_history(world: World) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    one.amend(house, remark="dog")
    one.sync(), two.sync()
    with two.store.read() as reader:
        (entry,) = history_of(reader, [house])
    assert (entry.origin, entry.actor_id, entry.after, entry.before) == (
        "street", one.user_id, {"remark": "dog"}, {"remark": None},
    )  # fmt: skip
    with one.store.read() as reader:
        assert [e.origin for e in history_of(reader, [house])] == ["here"]


def test_a_first_sync_continues_after_a_cut_where_it_was(world: World) -> None:
    world.add_households(0, 400)
    desk = world.desk()
    from gridman.sync import exchange

    seen = 0
    for _ in range(200):
        request = exchange.prepare(desk.store, 25)
        done = exchange.absorb(desk.store, request, desk.street.exchange(request))
        seen += done.received
        if done.complete:
            break
        desk.street.exchange(exchange.prepare(desk.store, 25))  # an answer that got lost
    assert done.complete
    with desk.store.read() as reader:
        assert reader.count(Household) == 400
    assert seen < 440, "a row is received once"


def test_a_stale_answer_changes_nothing(world: World) -> None:
    (house,) = world.add_households(0, 1)
    desk = world.desk()
    from gridman.sync import exchange

    desk.sync()
    early = exchange.prepare(desk.store)
    old = desk.street.exchange(early)
    with world.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, house), remark="new")
    desk.sync()
    assert exchange.absorb(desk.store, early, old).is_stale
    assert desk.household(house).remark == "new"


def test_a_household_that_left_a_grid_goes_with_it_when_the_grid_is_withdrawn_before_the_pull_is_complete(
    world: World,
) -> None:
    from gridman.sync import exchange

    (house, *_rest) = world.add_households(0, 6)
    desk = world.desk(grids=[0])
    desk.sync()
    move(world, house, 1)
    with world.store.unit(SYSTEM) as unit:
        for other in _rest:
            unit.amend(unit.get(Household, other), remark="later")
    request = exchange.prepare(desk.store, 1)
    assert not exchange.absorb(desk.store, request, desk.street.exchange(request)).complete
    world.withdraw(desk.user_id, 0)
    desk.sync()
    assert desk.household(house) is None
