"""What computers hand over that may not write any more: kept for review whatever it is, once, and never applied."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.building import Building
from gridman.domain.conflict import Conflict
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import replica_of
from gridman.services import handover
from gridman.services.conflicts import open_conflicts, resolve
from gridman.services.enrolment import LOST, RETIRED, revoke_device
from gridman.services.incident_actions import actions_for, targets_for
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.services.maps import redraw_grids
from gridman.store import accounts, outbox
from gridman.store.database import open_sqlite
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal
from gridman.store.store import Store
from gridman.sync.catching_up import catch_up
from gridman.sync.farewell import hand_over, hear, last_words
from gridman.sync.protocol import LastWords, Op
from tests.simulation.copies import ask, rows_of_copy
from tests.simulation.prepared import boundary
from tests.sync.world import KEY, Desk, InProcess, Watch, World


def removed(world: World, desk: Desk, revoked_as: str) -> None:
    """The desk is on the street's list, and then it is not."""
    with world.store.unit(SYSTEM) as unit:
        assert accounts.add_device(unit, desk.user_id, "Counter 2", "digest") == desk.store.replica
        revoke_device(unit, desk.store.replica, revoked_as)


def ended(desk: Desk) -> None:
    hand_over(desk.store, desk.street.farewell)
    desk.street.farewell(last_words(desk.store, is_end=True))


def kept(world: World, **equal: Any) -> list[Conflict]:
    with world.store.read() as reader:
        return reader.page(Conflict, **equal)


def refusal_of(call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call()
    assert "{" not in caught.value.words()
    return caught.value


def twin_of(world: World, desk: Desk) -> Desk:
    """The desk's folder on another computer."""
    (path,) = (Path(row[2]) for row in ask(desk.store.database, "PRAGMA database_list"))
    desk.store.close()
    copy = path.with_name(f"twin{len(world.desks)}.db")
    shutil.copy(path, copy)
    desk.store = Store(open_sqlite(path, KEY), desk.store.replica, [DeskJournal(), Indexer()], desk.clock)
    store = Store(open_sqlite(copy, KEY), desk.store.replica, [DeskJournal(), Indexer()], desk.clock)
    store.clock = clock = Watch(
        desk.clock.now + 7 * len(world.desks)
    )  # the same in the same millisecond would be the same
    twin = Desk(store, desk.user_id, InProcess(world.replica, lambda: desk.actor), clock)
    world.desks.append(twin)
    return twin


def reported(desk: Desk, grid_id: int) -> int:
    desk.sync()
    with desk.store.unit(desk.actor) as unit:
        lamp = report_incident(unit, IncidentDraft("A101", "lamp", "Lane", grid_id=grid_id)).id
    desk.sync()
    return lamp


def stepped(desk: Desk, incident_id: int, note: str) -> None:
    """The next step that the workflow has for this desk."""
    with desk.store.unit(desk.actor) as unit:
        record = unit.get(Incident, incident_id)
        row = actions_for(unit, unit.actor, record)[0]
        targets = targets_for(unit, unit.actor, record, row.action)
        perform(
            unit, incident_id, row.action, note=note, result="done", is_solved=True, satisfaction=3,
            target_id=targets[0].id if targets else None,
        )  # fmt: skip


def rescued(desk: Desk) -> int:
    """It is told that it is a copy, and hands over; how many changes it says it handed over."""
    assert refusal_of(desk.sync).code == "sync.fork"
    hand_over(desk.store, desk.street.farewell, is_rescue=True)
    with desk.store.read() as reader:
        assert outbox.waiting_count(reader) == 0
        return outbox.handed_over_cards(reader)


@pytest.mark.parametrize("revoked_as", [LOST, RETIRED])
def test_of_a_removed_desk_nothing_is_applied_whatever_it_is(world: World, revoked_as: str) -> None:
    """Edits, new records, visits, decisions, commands on incidents and on boundaries, what only a later version knows."""
    with world.store.unit(SYSTEM) as unit:
        for number, grid_id in enumerate(world.grids):
            unit.amend(unit.get(Grid, grid_id), shape=boundary(number, 0, 0))
        building = unit.create(
            Building(community_id=world.community, grid_id=world.grids[0], compound="Court", number="1")
        )
        home = unit.create(Household(number="H1", grid_id=world.grids[0], address="Lane 1", building_id=building.id)).id
        decided = unit.create(
            Conflict(record_kind="household", record_id=home, grid_id=world.grids[0], field="remark", reason="concurrent", lost=json.dumps("x"))
        ).id  # fmt: skip
    worker, clerk = world.desk(), world.desk("street_clerk", "street", ())
    lamp = reported(worker, world.grids[0])
    for desk in (worker, clerk):
        desk.sync()
    worker.amend(home, remark="seen")
    with worker.store.unit(worker.actor) as unit:
        new = unit.create(Household(number="H2", grid_id=world.grids[0], address="Lane 2"))
        unit.create(
            Person(household_id=new.id, grid_id=world.grids[0], name="Wang", relation="02", population_type="01")
        )
        unit.create(
            Visit(
                household_id=home,
                grid_id=world.grids[0],
                visited_at=unit.at,
                user_id=worker.user_id,
                outcome="1",
                note="knocked",
            )
        )
    with worker.store.unit(worker.actor) as unit:
        report_incident(unit, IncidentDraft("A101", "hole", "Lane", grid_id=world.grids[0]))
    with worker.store.unit(worker.actor) as unit:
        resolve(unit, decided, "kept")
    stepped(worker, lamp, "hurry")
    with clerk.store.unit(clerk.actor) as unit:
        edges = ((0.0, 0.2), (0.2, 0.0), (0.0, 0.0))
        redraw_grids(unit, {grid: boundary(n, *edges[n]) for n, grid in enumerate(world.grids)})
    before = rows_of_copy(world.store.database)
    for desk in (worker, clerk):
        removed(world, desk, revoked_as)
    later = Op(
        900, "create", "parking_space", (worker.store.replica << 43) + 900, {"grid_id": world.grids[0]}, {}, "0" * 21, 1
    )
    odd = Op(901, "command", "household", home, {"action": "demolish"}, {}, "0" * 21, 1)
    worker.street.farewell(LastWords(1, worker.store.replica, worker.clock(), [later, odd]))
    for desk in (worker, clerk):
        ended(desk)
    catch_up(world.store)
    after = rows_of_copy(world.store.database)
    for kind, rows in before.items():
        if kind != "conflict":
            assert after[kind] == rows, kind
    assert after["conflict"][decided] == before["conflict"][decided]
    found = [after["conflict"][i] for i in after["conflict"].keys() - before["conflict"].keys()]
    assert {row["reason"] for row in found} == {f"{revoked_as}_desk"} and {row["computer"] for row in found} == {
        "Counter 2"
    }
    assert {row["lost_by_id"] for row in found} == {worker.user_id, clerk.user_id}
    assert {row["record_kind"] for row in found} >= {
        "household", "person", "visit", "incident", "incident_step", "conflict", "grid", "parking_space"
    }  # fmt: skip
    for desk in (worker, clerk):
        with desk.store.read() as reader:
            assert outbox.counts(reader).keys() <= {"refused", "settled"} and outbox.handed_over_cards(reader)


def test_a_removed_desk_is_given_nothing(world: World) -> None:
    home = world.add_households(0, 3)[0]
    desk = world.desk()
    desk.sync()
    desk.amend(home, remark="x")
    removed(world, desk, LOST)
    world.add_households(0, 2)
    for is_end in (False, True):
        answer = desk.street.farewell(last_words(desk.store, is_end=is_end))
        assert not (answer.rows or answer.entries or answer.cursors or answer.segments or answer.drops)
        assert (answer.seq, answer.last_n, answer.anchor, answer.complete) == (0, 0, None, False)
        assert [v.seq for v in answer.verdicts] == ([] if is_end else [0])


def test_what_is_handed_over_twice_is_kept_once(world: World) -> None:
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    desk.sync()
    desk.amend(home, remark="one")
    desk.amend(home, needs_note="two")
    removed(world, desk, RETIRED)
    words = last_words(desk.store, 1)
    answer = desk.street.farewell(words)
    assert desk.street.farewell(words).verdicts == answer.verdicts, "the answer was lost on the way"
    assert hear(desk.store, words, answer) == hear(desk.store, words, answer) == 1
    ended(desk)
    assert sorted(c.field or "" for c in kept(world)) == ["needs_note", "remark"]
    with desk.store.read() as reader:
        assert outbox.handed_over_cards(reader) == 2


def test_a_lost_desk_cannot_ask_what_stands_by_guessing(world: World) -> None:
    """Whoever holds it writes values and looks at the answers: the right guess is answered like the wrong one, also when it comes again."""
    (house,) = world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    with world.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, house), remark="key under the mat", address="Long Lane 7")
    desk.amend(house, remark="key under the mat")
    desk.amend(house, remark="no key", address="Long Lane 7")
    removed(world, desk, LOST)
    words = last_words(desk.store)
    told = [desk.street.farewell(words).verdicts for _ in range(2)]
    assert [[(v.outcome, v.refusal[3]) for v in answer if v.refusal] for answer in told] == [
        [("set_aside", {"cards": "1"}), ("set_aside", {"cards": "2"})]
    ] * 2
    assert [(c.field, json.loads(c.lost)) for c in kept(world)] == [("remark", "no key")]


def test_a_removed_desk_hands_over_once(world: World) -> None:
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    desk.sync()
    desk.amend(home, remark="one")
    removed(world, desk, LOST)
    device = lambda: accounts.device_of(reader, desk.store.replica)  # noqa: E731
    with world.store.read() as reader:
        handover.require_open(reader, device())
    ended(desk)
    with world.store.read() as reader:
        assert refusal_of(lambda: handover.require_open(reader, device())).code == "handover.closed"


@pytest.mark.parametrize(("revoked_as", "is_taken"), [(LOST, False), (RETIRED, True)])
def test_from_a_lost_desk_something_is_taken_for_thirty_days(world: World, revoked_as: str, is_taken: bool) -> None:
    desk = world.desk()
    removed(world, desk, revoked_as)
    for ms, is_open in ((handover.LOST_WINDOW_MS, True), (1, is_taken)):
        world.clock.pass_(ms)
        with world.store.read() as reader:
            device = accounts.device_of(reader, desk.store.replica)
            assert device is not None
            if is_open:
                handover.require_open(reader, device)
            else:
                assert refusal_of(lambda: handover.require_open(reader, device)).code == "handover.closed"  # noqa: B023


def test_an_edit_of_many_fields_counts_as_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or one operation would fill the review list with two hundred lines."""
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    removed(world, desk, LOST)
    monkeypatch.setattr(handover, "LOST_CHANGES", 3)
    many = Op(1, "amend", "household", home, {f"field {n}": n for n in range(4)}, {}, "0" * 21, 1)
    refused = refusal_of(lambda: desk.street.farewell(LastWords(1, desk.store.replica, 0, [many])))
    assert refused.code == "handover.full" and kept(world) == []


@pytest.mark.parametrize(
    ("revoked_as", "name"), [(LOST, "LOST_CHANGES"), (LOST, "LOST_BYTES"), (RETIRED, "LOST_CHANGES")]
)
def test_a_lost_desk_can_pour_in_only_so_much(
    world: World, monkeypatch: pytest.MonkeyPatch, revoked_as: str, name: str
) -> None:
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    desk.sync()
    for number in range(4):
        desk.amend(home, remark=f"number {number}")
    removed(world, desk, revoked_as)
    monkeypatch.setattr(handover, name, 3 if name == "LOST_CHANGES" else 250)
    if revoked_as == RETIRED:
        ended(desk)
        assert len(kept(world)) == 4
        return

    def pour_in() -> None:
        while (words := last_words(desk.store, 1)).ops:
            hear(desk.store, words, desk.street.farewell(words))

    assert refusal_of(pour_in).code == "handover.full"
    assert 0 < len(kept(world)) <= 3


def test_a_desk_that_is_neither_removed_nor_a_copy_hands_nothing_over(world: World) -> None:
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    desk.sync()
    desk.amend(home, remark="one")
    assert refusal_of(lambda: desk.street.farewell(last_words(desk.store))).code == "sync.malformed"
    assert kept(world) == []


def test_the_work_of_a_copy_goes_to_the_review_list_under_new_numbers(world: World) -> None:
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    desk.sync()
    copy = twin_of(world, desk)
    ids = {}
    for each, name in ((desk, "Ours"), (copy, "Theirs")):
        with each.store.unit(each.actor) as unit:
            new = unit.create(Household(number=name, grid_id=world.grids[0], address=name))
            person = unit.create(
                Person(household_id=new.id, grid_id=world.grids[0], name=name, relation="02", population_type="01")
            )
            ids[name] = (new.id, person.id)
        with each.store.unit(each.actor) as unit:
            unit.create(
                CareTag(
                    person_id=person.id, household_id=new.id, grid_id=world.grids[0], care_group="V01", evidence=name
                )
            )
            unit.amend(unit.get(Household, new.id), head_person_id=person.id)
        each.amend(home, remark=f"by {name}")
    assert ids["Ours"] == ids["Theirs"], "the copy gave the same numbers"
    desk.sync()
    assert rescued(copy) == 5 == len(kept(world))
    assert {c.reason for c in kept(world)} == {"copied_desk"}
    with world.store.read() as reader:
        assert (
            reader.get(Household, ids["Ours"][0]).address == "Ours" and reader.get(Household, home).remark == "by Ours"
        )
    (house,), (tag,) = (
        kept(world, record_kind="household", field=None, order_by=("id",))[:1],
        kept(world, record_kind="care_tag"),
    )
    (person_kept,) = kept(world, record_kind="person")
    new_house, new_person = house.record_id, person_kept.record_id
    assert (
        replica_of(new_house) == 1 and new_house != ids["Ours"][0] and len({new_house, new_person, tag.record_id}) == 3
    )
    assert json.loads(person_kept.lost)["household_id"] == new_house
    assert json.loads(tag.lost)["household_id"] == new_house and json.loads(tag.lost)["person_id"] == new_person
    heads = [json.loads(c.lost) for c in kept(world, record_kind="household", field=None)]
    assert {"head_person_id": new_person} in heads
    with world.store.unit(SYSTEM) as unit:  # the reviewer takes all of it over: it is one household with its resident
        for line in reversed(open_conflicts(unit)):
            if line.deed == "take_over":
                resolve(unit, line.conflict.id, "restored")
    with world.store.read() as reader:
        assert (
            reader.get(Household, new_house).address == "Theirs"
            and reader.get(Person, new_person).household_id == new_house
        )
    desk.sync()
    assert desk.household(new_house) is not None and desk.household(ids["Ours"][0]).address == "Ours"


def test_children_that_come_in_a_later_message_follow_too(world: World) -> None:
    desk = world.desk()
    desk.sync()
    copy = twin_of(world, desk)
    for each in (desk, copy):
        with each.store.unit(each.actor) as unit:
            new = unit.create(Household(number="N", grid_id=world.grids[0], address="N"))
        for name in ("Wang First", "Wang Second"):
            with each.store.unit(each.actor) as unit:
                unit.create(
                    Person(household_id=new.id, grid_id=world.grids[0], name=name, relation="02", population_type="01")
                )
    desk.sync()
    refusal_of(copy.sync)
    while True:
        words = last_words(copy.store, 1, is_rescue=True)
        if not words.ops:
            break
        copy.street.farewell(words)  # the first answer is lost each time
        hear(copy.store, words, copy.street.farewell(words))
    (house,) = kept(world, record_kind="household")
    people = kept(world, record_kind="person")
    assert len(people) == 2 and {json.loads(p.lost)["household_id"] for p in people} == {house.record_id}
    assert len({p.record_id for p in people}) == 2


def test_what_a_command_made_on_the_copy_gets_new_numbers_too(world: World) -> None:
    desk = world.desk()
    lamp = reported(desk, world.grids[0])
    copy = twin_of(world, desk)
    for each in (desk, copy):
        stepped(each, lamp, f"by {each is copy}")
    desk.sync()
    assert rescued(copy) == 1
    (command,) = kept(world, record_kind="incident")
    assert command.record_id == lamp
    step = json.loads(command.lost)["step_id"]
    with world.store.read() as reader:
        assert (
            replica_of(step) == 1
            and not reader.connection.exec_driver_sql(f"SELECT 1 FROM incident_step WHERE id = {step}").all()
        )


def test_both_copies_hand_the_same_work_over_once(world: World) -> None:
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    desk.sync()
    copy = twin_of(world, desk)
    desk.amend(home, remark="by the original")
    copy.amend(home, remark="by the copy")
    copy.amend(home, needs_note="by the copy")
    again = twin_of(world, copy)
    desk.sync()
    again.amend(home, address="by the copy of the copy")
    assert rescued(copy) == 2
    assert rescued(again) == 3
    assert sorted(c.field or "" for c in kept(world)) == ["address", "needs_note", "remark"]


def test_what_the_street_knows_already_is_not_rescued(world: World) -> None:
    """A desk put back from a copy has work that it had sent, or that its twin has."""
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    desk.sync()
    desk.amend(home, remark="waiting when copied")
    copy = twin_of(world, desk)
    desk.amend(home, needs_note="later")
    desk.sync()
    copy.amend(home, address="by the copy")
    assert rescued(copy) == 1
    assert [c.field for c in kept(world)] == ["address"]
    only = twin_of(world, desk)
    with only.store.read() as reader:
        assert outbox.waiting_count(reader) == 0


def test_what_stands_already_needs_no_decision(world: World) -> None:
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    desk.sync()
    copy = twin_of(world, desk)
    desk.amend(home, remark="typed again")
    desk.sync()
    copy.clock.pass_()
    copy.amend(home, remark="typed again")
    assert rescued(copy) == 0
    assert kept(world) == []


def test_what_was_handed_over_is_never_applied_as_well(world: World) -> None:
    """The street is put back from a backup that does not know the twin's work, and the copy's owner goes on as if nothing had been."""
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    desk.sync()
    copy = twin_of(world, desk)
    desk.amend(home, remark="by the original")
    desk.sync()
    copy.amend(home, needs_note="by the copy")
    rescued(copy)
    with world.store.database.writing, world.store.database.writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM sync_op")
        connection.exec_driver_sql("UPDATE sync_clock SET epoch = 'another'")
    words = last_words(twin_of(world, copy).store)
    assert words.ops == []
    with copy.store.database.writing, copy.store.database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE journal SET state = 'waiting', ack_seq = NULL WHERE op_n IS NOT NULL")
    copy.sync()
    assert world.household(home).needs_note is None
    assert [c.field for c in kept(world)] == ["needs_note"]
    with copy.store.read() as reader:
        assert [r.verdict for r in outbox.receipts(reader)] == ["set_aside"]


def test_values_without_a_grid_go_to_the_authors_organisation_not_to_everybody(world: World) -> None:
    water = world.desk("department_user", "water", ())
    other = world.desk()
    water.sync()
    with world.store.unit(SYSTEM) as unit:
        for desk in (water, other):
            accounts.add_device(unit, desk.user_id, "Counter", "digest")
        revoke_device(unit, water.store.replica, RETIRED)
    gone = Op(
        1,
        "command",
        "incident",
        (water.store.replica << 43) + 9,
        {"action": "accept", "note": "burst pipe"},
        {},
        "0" * 21,
        1,
    )
    water.street.farewell(LastWords(1, water.store.replica, water.clock(), [gone]))
    found = kept(world, record_kind="incident")
    assert [c.organisation_id for c in found] == [world.organisations["water"]]
    assert "burst pipe" in (found[0].lost or "")
    other.sync()
    colleague = world.desk("department_user", "water", ())
    colleague.sync()
    with other.store.read() as theirs, colleague.store.read() as ours:
        assert theirs.page(Conflict) == [] and {c.id for c in ours.page(Conflict)} == {c.id for c in kept(world)}
