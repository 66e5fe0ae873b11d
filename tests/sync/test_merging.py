"""What becomes of two people's work that crossed, class by class (sync design D8): nothing is lost without a person being asked."""

import json
from collections.abc import Callable

import pytest

from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.domain.id_number import check_character
from gridman.domain.incident import Incident, IncidentStep
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.services.conflicts import ConflictLine, open_conflicts, resolve
from gridman.services.doubles import other_of
from gridman.services.households import add_person, open_household, retire_household, retire_person, set_care_groups
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.services.visits import VisitDraft, log_visit
from gridman.store.store import Store
from gridman.ui.pages.households.record_words import decision_words
from tests.support.postgres import PostgresServer
from tests.sync.world import Desk, World, make_world

_FIRST = "99010119480307001"
ID_NUMBER = _FIRST + check_character(_FIRST)
ADULT = {"name": "A", "relation": "02", "population_type": "01"}


def lines(desk: Desk) -> list[ConflictLine]:
    desk.sync()
    with desk.store.read() as reader:
        return open_conflicts(reader)


def decide(desk: Desk, line: ConflictLine, choice: str) -> None:
    with desk.store.unit(desk.actor) as unit:
        resolve(unit, line.conflict.id, choice)


def everywhere(world: World, check: Callable[[Store], None]) -> None:
    """On the street and on every desk after it has synchronised."""
    for desk in world.desks * 2:
        desk.sync()
    for store in (world.store, *(desk.store for desk in world.desks)):
        check(store)


def test_two_desks_add_one_care_group_and_removing_it_removes_both(world: World) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync()
    with one.store.unit(one.actor) as unit:
        person = add_person(unit, house, ADULT).id
    one.sync(), two.sync()
    for desk, groups in ((one, ["V01"]), (two, ["V01", "V13"])):
        with desk.store.unit(desk.actor) as unit:
            set_care_groups(unit, person, groups)
    one.sync(), two.sync(), one.sync()
    assert not lines(one), "adding to a set is no conflict"
    with one.store.unit(one.actor) as unit:
        assert len(unit.page(CareTag, person_id=person, until_on=None)) == 3
        set_care_groups(unit, person, ["V13"])

    def only_one_left(store: Store) -> None:
        with store.read() as reader:
            assert [t.care_group for t in reader.page(CareTag, person_id=person, until_on=None)] == ["V13"]

    everywhere(world, only_one_left)


def test_a_care_group_added_while_another_desk_ended_it_stays(world: World) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync()
    with one.store.unit(one.actor) as unit:
        person = add_person(unit, house, ADULT, ["V01"]).id
    one.sync(), two.sync()
    with one.store.unit(one.actor) as unit:
        set_care_groups(unit, person, [])
    for groups in ([], ["V01"]):
        with two.store.unit(two.actor) as unit:
            set_care_groups(unit, person, groups)
    one.sync(), two.sync()
    with world.store.read() as reader:
        assert [t.care_group for t in reader.page(CareTag, person_id=person, until_on=None)] == ["V01"]


@pytest.mark.parametrize("retired_first", [True, False])
def test_an_edit_that_crossed_the_closing_of_a_household_is_kept_and_brings_it_back(
    world: World, retired_first: bool
) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    one.amend(house, needs_note="known to both")
    one.sync(), two.sync()
    with one.store.unit(one.actor) as unit:
        retire_household(unit, house, "demolished")
    two.amend(house, remark="a dog")
    for desk in (one, two) if retired_first else (two, one):
        desk.sync()
    (line,) = lines(two)
    assert (line.conflict.reason, line.conflict.field, line.lost_words) == ("retired", "remark", "a dog")
    assert (line.deed, line.lost_by, line.place_words) == ("bring_back", "User 3", "Grid 1")
    assert world.household(house).retired_at is not None, "the closing stands until somebody decides"
    decide(two, line, "restored")

    def is_back(store: Store) -> None:
        with store.read() as reader:
            kept = reader.get(Household, house)
            assert (kept.retired_at, kept.remark, kept.needs_note) == (None, "a dog", "known to both")
            assert not open_conflicts(reader)

    everywhere(world, is_back)


def test_two_people_who_close_the_same_household_are_of_one_mind(world: World) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    for desk in (one, two):
        with desk.store.unit(desk.actor) as unit:
            retire_household(unit, house, "demolished")
        desk.clock.pass_()
    assert not one.sync().refused and not two.sync().refused
    assert not lines(one)


def test_one_resident_entered_on_two_desks_is_taken_over_twice_and_asked_about_once(world: World) -> None:
    houses = world.add_households(0, 2)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    made = []
    for desk, house, more in ((one, houses[0], {"phones": "13800000000"}), (two, houses[1], {"education": "60"})):
        with desk.store.unit(desk.actor) as unit:
            values = ADULT | {"id_number": ID_NUMBER} | more
            made.append(add_person(unit, house, values, ["V13"] if desk is two else ()).id)
    assert not one.sync().refused and not two.sync().refused
    (line,) = lines(one)
    assert (line.conflict.reason, line.deed) == ("same_person", "take_off")
    assert line.conflict.record_id == made[1] and other_of(line.conflict) == made[0]
    assert "Lane 0 No. 0" in line.kept_words and "Lane 0 No. 1" in line.lost_words
    decide(one, line, "restored")

    def is_one(store: Store) -> None:
        with store.read() as reader:
            (person,) = reader.page(Person, id_number=ID_NUMBER)
            assert (person.id, person.phones, person.education) == (made[0], "13800000000", "60")
            assert [t.care_group for t in reader.page(CareTag, person_id=made[0])] == ["V13"]
            assert reader.get(Person, made[1]).retired_reason == f"same_person {made[0]}"

    everywhere(world, is_one)


def test_of_a_double_in_another_grid_nobody_learns_more_than_that_it_is_there(world: World) -> None:
    (here,), (there,) = world.add_households(0, 1), world.add_households(1, 1)
    one, two, office = world.desk(grids=[0]), world.desk(grids=[1]), world.desk("community_staff")
    for desk, house in ((one, here), (two, there)):
        desk.sync()
        with desk.store.unit(desk.actor) as unit:
            add_person(unit, house, ADULT | {"id_number": ID_NUMBER})
        desk.sync()
    for desk in (one, two):
        (line,) = lines(desk)
        assert line.kept_words == "an entry in another grid"
        with pytest.raises(Refusal) as told:
            decide(desk, line, "restored")
        assert told.value.code == "double.other_gone"
    both = lines(office)
    assert len(both) == 2 and all("Lane" in line.kept_words for line in both)
    decide(office, both[0], "kept")
    assert len(lines(office)) == 1


def test_a_visit_sent_by_two_desks_of_one_user_within_ten_minutes_is_asked_about(world: World) -> None:
    (house,) = world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    for minutes in (0, 11, 15):
        desk.clock.pass_(minutes * 60_000)
        with desk.store.unit(desk.actor) as unit:
            last = log_visit(unit, VisitDraft(house, "1", visited_at=unit.at))
        world.clock.now = desk.clock.now
        desk.sync()
    assert not lines(desk)
    with desk.store.unit(desk.actor) as unit:
        corrected = log_visit(unit, VisitDraft(house, "1", amends_id=last.id))
    assert not lines(desk), "a correction is no double"
    desk.clock.pass_(5 * 60_000)
    world.clock.now = desk.clock.now
    with desk.store.unit(desk.actor) as unit:
        double = log_visit(unit, VisitDraft(house, "1"))
    (line,) = lines(desk)
    assert (line.conflict.reason, line.conflict.record_id) == ("same_visit", double.id)
    assert other_of(line.conflict) == corrected.id
    decide(desk, line, "restored")
    desk.sync()
    with world.store.read() as reader:
        assert reader.get(Visit, double.id).retired_at is not None and reader.count(Visit) == 3


# -- incidents


def accepted(world: World, desk: Desk) -> int:
    """An incident of the community that its office has accepted."""
    desk.sync()
    with desk.store.unit(desk.actor) as unit:
        incident = report_incident(unit, IncidentDraft("A101", "lamp", "Lane", grid_id=world.grids[0]))
    desk.sync()
    with world.store.unit(desk.actor) as unit:
        record = unit.get(Incident, incident.id)
        unit.amend(record, state="handling", holder_id=world.organisations["community"])
    return incident.id


def act(desk: Desk, incident: int, action: str, **parts: object) -> None:
    with desk.store.unit(desk.actor) as unit:
        perform(unit, incident, action, **parts)  # type: ignore[arg-type]


def state(store: Store, incident: int) -> tuple[str, int]:
    with store.read() as reader:
        record = reader.get(Incident, incident)
        return record.state, record.holder_id


def log(store: Store, incident: int) -> list[tuple[str, str | None]]:
    with store.read() as reader:
        steps = reader.page(IncidentStep, incident_id=incident, order_by=("at", "id"))
        return [(s.action, s.note) for s in steps]


def test_the_same_step_taken_twice_is_no_trouble_and_both_words_are_kept(world: World) -> None:
    one, two = world.desk("community_staff"), world.desk("community_staff")
    incident = accepted(world, one)
    one.sync(), two.sync()
    act(one, incident, "finish", result="lamp changed")
    two.clock.pass_()
    act(two, incident, "finish", result="bulb was loose")
    assert not one.sync().refused and not two.sync().refused
    everywhere(world, lambda store: None)
    for store in (world.store, one.store, two.store):
        assert state(store, incident)[0] == "feedback"
        assert [note for action, note in log(store, incident) if action == "finish"] == [
            "lamp changed",
            "bulb was loose",
        ]


def test_another_step_that_came_too_late_is_refused_and_stays_readable(world: World) -> None:
    one, two = world.desk("community_staff"), world.desk("community_staff")
    incident = accepted(world, one)
    one.sync(), two.sync()
    act(one, incident, "escalate", note="too big for us")
    act(two, incident, "finish", result="bulb was loose")
    one.sync()
    (refused,) = two.sync().refused
    assert refused.verdict == "refused" and refused.reason
    assert state(two.store, incident) == state(world.store, incident) == ("reported", world.organisations["street"])
    assert any(action == "rejected" and "bulb was loose" in (note or "") for action, note in log(two.store, incident))


def test_reporting_upward_beats_a_close_that_crossed_it(world: World) -> None:
    one, two = world.desk("community_staff"), world.desk("community_staff")
    incident = accepted(world, one)
    one.sync(), two.sync()
    act(one, incident, "finish", result="done")
    two.clock.pass_()
    act(two, incident, "escalate", note="it burns")
    one.sync()
    assert not two.sync().refused
    for store in (world.store, two.store):
        assert state(store, incident) == ("reported", world.organisations["street"])
    assert [a for a, _ in log(world.store, incident)][-2:] == ["finish", "escalate"]


def test_not_solved_beats_a_verification_that_crossed_it(world: World) -> None:
    one, two = world.desk("community_staff"), world.desk("community_staff")
    incident = accepted(world, one)
    one.sync()
    act(one, incident, "finish", result="done")
    one.sync(), two.sync()
    with world.store.unit(one.actor) as unit:  # another organisation handled it, so that this one may verify
        unit.amend(unit.get(Incident, incident), handler_id=world.organisations["water"])
    one.sync(), two.sync()
    act(one, incident, "verify_pass")
    act(two, incident, "verify_fail", note="still dark")
    one.sync()
    with world.store.read() as reader:
        assert reader.get(Incident, incident).closed_at is not None
    assert not two.sync().refused
    with world.store.read() as reader:
        record = reader.get(Incident, incident)
    assert (record.state, record.closed_at, record.holder_id) == ("returned", None, world.organisations["water"])


def test_a_step_upward_that_knew_of_the_close_opens_nothing(world: World) -> None:
    one, two = world.desk("community_staff"), world.desk("community_staff")
    incident = accepted(world, one)
    one.sync(), two.sync()
    act(one, incident, "finish", result="done")
    one.sync(), two.sync()
    with world.store.read() as reader:
        known = reader.connection.exec_driver_sql(
            f"SELECT version FROM cell WHERE record_id = {incident} AND field = 'state'"
        ).scalar()
    with two.store.unit(two.actor) as unit:
        record = unit.get(Incident, incident)
        unit.command(record, {"action": "escalate", "note": "x", "step_id": unit.new_id()})
        unit.amend(record, state="reported")
    assert known
    assert [r.verdict for r in two.sync().refused] == ["refused"]
    assert state(world.store, incident)[0] == "feedback"


# -- what was set aside is taken over by one key


def test_a_visit_set_aside_with_a_grid_is_taken_over_by_the_office_as_it_was(world: World) -> None:
    (house,) = world.add_households(0, 1)
    worker, office, other = world.desk(), world.desk("community_staff"), world.desk("community_staff")
    worker.sync()
    with worker.store.unit(worker.actor) as unit:
        visit = log_visit(unit, VisitDraft(house, "1", note="asked for a doctor"))
    world.withdraw(worker.user_id, 0)
    assert [r.verdict for r in worker.sync().refused] == ["set_aside"]
    (line,) = lines(office)
    assert line.deed == "take_over" and "asked for a doctor" in line.lost_words and "Lane 0 No. 0" in line.record_words
    lines(other)
    with other.store.unit(other.actor) as unit:  # another desk may not bend what it takes over
        kept = json.loads(line.conflict.lost or "{}")
        unit.create(Visit(id=visit.id, **(kept | {"note": "never asked"})))
    assert [r.verdict for r in other.sync().refused] == ["refused"]
    decide(office, line, "restored")
    assert not office.sync().refused
    with world.store.read() as reader:
        taken = reader.get(Visit, visit.id)
        assert (taken.note, taken.user_id) == ("asked for a doctor", worker.user_id)
        assert reader.page(Conflict, record_id=visit.id, reason="scope", resolved_at=None) == []


def test_of_people_retired_while_edited_the_edit_is_kept(world: World) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync()
    with one.store.unit(one.actor) as unit:
        person = add_person(unit, house, ADULT).id
    one.sync(), two.sync()
    with two.store.unit(two.actor) as unit:
        unit.amend(unit.get(Person, person), phones="13800000000", workplace="mill")
    two.sync()
    with one.store.unit(one.actor) as unit:
        retire_person(unit, person, "entered twice")
    one.sync()
    assert {(line.conflict.field, line.lost_words) for line in lines(one)} == {
        ("phones", "138****0000"),
        ("workplace", "mill"),
    }


@pytest.mark.parametrize("restored_first", [True, False])
def test_two_who_decide_differently_without_knowing_are_asked_again(world: World, restored_first: bool) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    one.amend(house, remark="a dog")
    one.clock.pass_(), two.clock.pass_()
    two.amend(house, remark="a cat")
    one.sync(), two.sync()
    (line,) = lines(one)
    (same,) = lines(two)
    stood, lost = line.kept_words, line.lost_words
    decide(one, line, "restored")
    decide(two, same, "kept")
    order = (one, two) if restored_first else (two, one)
    for desk in order:
        assert not desk.sync().refused
    (again,) = lines(two)
    assert (again.conflict.reason, again.field_label, again.deed) == ("decided", "Remark", "restore")
    assert (again.kept_words, again.lost_words) == (lost, stood)
    assert (again.kept_by, again.lost_by) == (one.actor.name, two.actor.name)
    assert again.conflict.kept_at and again.conflict.lost_at
    with two.store.read() as reader:
        told = [decision_words(file.disputes[e.record_id], e.after) for file in [open_household(reader, house)]
                for e in file.history if e.record_id in file.disputes and "resolution" in e.after]  # fmt: skip
    assert any(words.startswith("Decided: what stood stays") for words in told), told
    decide(two, again, "restored")

    def settled(store: Store) -> None:
        with store.read() as reader:
            assert reader.get(Household, house).remark == stood
            assert not open_conflicts(reader)

    everywhere(world, settled)


def test_two_who_decide_alike_are_not_asked(world: World) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    one.amend(house, remark="a dog")
    two.amend(house, remark="a cat")
    one.sync(), two.sync()
    for desk, (line,) in [(desk, lines(desk)) for desk in (one, two)]:
        decide(desk, line, "kept")
    one.sync(), two.sync()
    assert not lines(one) and not lines(two)


@pytest.mark.postgres
def test_the_same_stories_hold_on_postgresql(postgres_server: PostgresServer) -> None:
    for story in (
        test_the_same_step_taken_twice_is_no_trouble_and_both_words_are_kept,
        test_reporting_upward_beats_a_close_that_crossed_it,
        test_one_resident_entered_on_two_desks_is_taken_over_twice_and_asked_about_once,
        test_a_visit_set_aside_with_a_grid_is_taken_over_by_the_office_as_it_was,
    ):
        with make_world(postgres_server.create_database()) as world:
            story(world)
