"""Handed-over work that is taken over, in whichever order somebody decides: nothing hangs on what is not there, and every desk has all of it."""

from collections.abc import Callable

import pytest

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.attachment import Attachment
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.domain.incident import Incident, IncidentStep
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.services.conflicts import ConflictLine, open_conflicts, resolve
from gridman.services.enrolment import RETIRED
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.store import outbox
from gridman.store.audit import page_audit
from gridman.store.feed_repair import count_apart, place_anew
from tests.sync.test_handover import ended, removed, rescued, twin_of
from tests.sync.world import Desk, World

Order = Callable[[list[ConflictLine]], list[ConflictLine]]


def top_down(lines: list[ConflictLine]) -> list[ConflictLine]:
    return lines


def bottom_up(lines: list[ConflictLine]) -> list[ConflictLine]:
    return lines[::-1]


def a_copy(world: World) -> Desk:
    """A desk whose twin has sent, so that what it writes now goes to the review list."""
    world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    copy = twin_of(world, desk)
    desk.amend(next(iter(ids(world, Household))), remark="by the original")
    desk.sync()
    return copy


def ids(world: World, cls: type[Household]) -> list[int]:
    with world.store.read() as reader:
        return [record.id for record in reader.page(cls)]


def reported(copy: Desk, world: World) -> None:
    with copy.store.unit(copy.actor) as unit:
        made = report_incident(unit, IncidentDraft("A101", "a hole in the road", "Lane", grid_id=world.grids[0]))
        unit.flush()
        unit.create(
            Attachment(
                owner_kind="incident", owner_id=made.id, grid_id=world.grids[0], sha256="0" * 64, media_type="image/jpeg",
                size_bytes=1, caption="from the north",
            )
        )  # fmt: skip


def household_made(copy: Desk, world: World) -> None:
    with copy.store.unit(copy.actor) as unit:
        home = unit.create(Household(number="N", grid_id=world.grids[0], address="New Lane 9"))
        person = unit.create(
            Person(household_id=home.id, grid_id=world.grids[0], name="Wang", relation="02", population_type="01")
        )
    with copy.store.unit(copy.actor) as unit:
        where = {"household_id": home.id, "grid_id": world.grids[0]}
        unit.create(CareTag(person_id=person.id, care_group="V01", **where))
        unit.create(Visit(visited_at=unit.at, user_id=copy.user_id, outcome="1", note="knocked", **where))
        unit.amend(unit.get(Household, home.id), head_person_id=person.id)


def take_over_all(desk: Desk, order: Order) -> None:
    """Decide one card after the other, the first each time that has a key for it."""
    while True:
        with desk.store.read() as reader:
            line = next((each for each in order(open_conflicts(reader)) if each.deed), None)
        if line is None:
            return
        with desk.store.unit(desk.actor) as unit:
            resolve(unit, line.conflict.id, "restored")


@pytest.mark.parametrize("order", [top_down, bottom_up])
def test_an_incident_comes_with_its_log_to_every_desk_in_whichever_order(world: World, order: Order) -> None:
    copy = a_copy(world)
    reported(copy, world)
    rescued(copy)
    office, above = world.desk("community_head", grids=()), world.desk("street_clerk", "street", ())
    for desk in (office, above):
        desk.sync()
    with office.store.read() as reader:
        words = [line.record_words for line in open_conflicts(reader)]
    assert len(words) == 3 and all("a hole in the road" in each for each in words)
    assert any(each.startswith("Log line of the incident ") for each in words) and not any("_" in w for w in words)
    take_over_all(office, order)
    assert not office.sync().refused
    above.sync()
    for store in (world.store, office.store, above.store):
        with store.read() as reader:
            (made,) = reader.page(Incident)
            assert [s.action for s in reader.page(IncidentStep, incident_id=made.id)] == ["report"]
            assert [a.caption for a in reader.page(Attachment, owner_id=made.id)] == ["from the north"]
    with world.store.read() as reader:
        assert reader.count(Conflict, resolved_at=None) == 0 and count_apart(reader) == 0


@pytest.mark.parametrize("order", [top_down, bottom_up])
def test_a_household_comes_with_its_people_care_groups_and_visits_in_whichever_order(
    world: World, order: Order
) -> None:
    copy = a_copy(world)
    household_made(copy, world)
    rescued(copy)
    office = world.desk("community_head", grids=())
    office.sync()
    with office.store.read() as reader:
        lines = open_conflicts(reader)
    (edit,) = (line for line in lines if line.deed != "take_over")
    assert edit.must_wait and "take that over first" in edit.reason_words
    with office.store.unit(office.actor) as unit, pytest.raises(Refusal) as refused:
        resolve(unit, edit.conflict.id, "restored")
    assert refused.value.code == "conflict.no_owner"
    assert sorted(line.record_words.partition(" · ")[0] for line in lines) == ["New Lane 9"] * 3 + ["Wang"] * 2
    take_over_all(office, order)
    assert not office.sync().refused
    with world.store.read() as reader:
        home = reader.first(Household, address="New Lane 9")
        assert home is not None
        (person,) = reader.page(Person, household_id=home.id)
        assert home.head_person_id == person.id
        assert [t.care_group for t in reader.page(CareTag, person_id=person.id)] == ["V01"]
        assert [v.note for v in reader.page(Visit, household_id=home.id)] == ["knocked"]
        assert reader.count(Conflict, resolved_at=None) == 0


def test_the_log_is_decided_with_its_incident_and_what_else_belongs_to_it_says_so(world: World) -> None:
    copy = a_copy(world)
    reported(copy, world)
    rescued(copy)
    with world.store.unit(SYSTEM) as unit:
        lines = {line.conflict.record_kind: line for line in open_conflicts(unit)}
        assert "waits here too" in lines["incident_step"].reason_words
        assert "log is decided with it" in lines["incident"].reason_words
        with pytest.raises(Refusal) as refused:
            resolve(unit, lines["incident_step"].conflict.id, "kept")
        assert refused.value.code == "conflict.with_incident"
        resolve(unit, lines["incident"].conflict.id, "kept")
    with world.store.unit(SYSTEM) as unit:
        (line,) = open_conflicts(unit)
        assert line.conflict.record_kind == "attachment" and line.must_wait
        assert line.deed == "" and "a hole in the road" in line.record_words
        with pytest.raises(Refusal) as refused:
            resolve(unit, line.conflict.id, "restored")
        assert refused.value.code == "conflict.no_owner" and refused.value.remedy
        resolve(unit, line.conflict.id, "kept")


def line_before_incident(world: World) -> int:
    """As desks of earlier editions send it: the log line is taken over first, its incident afterwards."""
    clerk = Actor(0, "gridman", "system", 0)
    with world.store.unit(clerk) as unit:
        number = unit.new_id()
        unit.create(IncidentStep(incident_id=number, grid_id=world.grids[0], at=unit.at, action="report"))
    with world.store.unit(clerk) as unit:
        unit.create(
            Incident(
                id=number, number="1", category="A101", description="hole", grid_id=world.grids[0], reported_at=unit.at, state="reported",
                creator_id=world.organisations["community"], holder_id=world.organisations["street"],
            )
        )  # fmt: skip
    return number


def test_a_new_incident_draws_its_log_that_was_there_before(world: World) -> None:
    number = line_before_incident(world)
    above = world.desk("street_clerk", "street", ())
    above.sync()
    with above.store.read() as reader:
        assert reader.find(Incident, number) is not None and len(reader.page(IncidentStep, incident_id=number)) == 1


def test_a_log_that_earlier_editions_left_apart_is_found_and_placed_anew(world: World) -> None:
    number = line_before_incident(world)
    above = world.desk("street_clerk", "street", ())
    with world.store.database.writing, world.store.database.writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM sync_row WHERE entity = 'incident_step' AND scope LIKE 'o:%'")
        connection.exec_driver_sql("UPDATE sync_row SET scope = 'g:1' WHERE entity = 'incident_step'")
    above.sync()
    with world.store.read() as reader, above.store.read() as desk:
        assert count_apart(reader) == 1 and desk.page(IncidentStep, incident_id=number) == []
    place_anew(world.store)
    above.sync()
    with world.store.read() as reader, above.store.read() as desk:
        assert count_apart(reader) == 0 and len(desk.page(IncidentStep, incident_id=number)) == 1


def test_the_desk_the_review_and_the_audit_count_the_same_cards(world: World) -> None:
    """An edit of two fields is two cards; what stands already is none."""
    home = world.add_households(0, 1)[0]
    desk = world.desk()
    desk.sync()
    desk.amend(home, remark="one", needs_note="two")
    desk.amend(home, remark="three")
    household_made(desk, world)
    removed(world, desk, RETIRED)
    ended(desk)
    with world.store.read() as reader, desk.store.read() as here:
        (line,) = page_audit(reader, act="hand_over")
        cards = reader.count(Conflict, resolved_at=None)
        assert cards == 8 == outbox.handed_over_cards(here) == line.details["cards"]
