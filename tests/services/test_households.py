"""Households and people: rules, derived lines, search, audit."""

from pathlib import Path

import pytest

from gridman.domain.building import Building, Dwelling
from gridman.domain.household import Household
from gridman.domain.id_number import check_character
from gridman.domain.person import CareTag, Person
from gridman.domain.rules import Invalid
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.services.conflicts import open_conflicts
from gridman.services.doubles import duplicates_of, merge_people
from gridman.services.households import (
    HouseholdQuery,
    add_person,
    amend_household,
    amend_person,
    household_ids,
    household_rows,
    move_person,
    open_household,
    register_household,
    restore_record,
    retire_household,
    reveal,
    set_care_groups,
)
from gridman.services.search import search
from gridman.services.visits import VisitDraft, due_households, log_visit, next_due
from gridman.store.audit import page_audit
from gridman.store.soundness import repair_lists
from tests.support.world import World, make_world

_FIRST = "99010119480307001"
ID_NUMBER = _FIRST + check_character(_FIRST)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def test_sex_and_birth_date_follow_from_the_id_number(world: World) -> None:
    household = world.household()
    with world.store.unit(world.actors["worker"]) as unit:
        person = add_person(
            unit,
            household.id,
            {"name": "李四", "relation": "12", "population_type": "01", "id_number": ID_NUMBER.lower()},
        )
    assert (person.birth_on, person.sex, person.id_number) == ("1948-03-07", "1", ID_NUMBER)


def test_a_mistyped_id_number_names_its_fault_and_saves_nothing(world: World) -> None:
    household = world.household()
    wrong = ID_NUMBER[:-1] + ("0" if ID_NUMBER[-1] != "0" else "1")
    with pytest.raises(Invalid) as caught, world.store.unit(world.actors["worker"]) as unit:
        add_person(unit, household.id, {"name": "李四", "relation": "12", "population_type": "01", "id_number": wrong})
    assert caught.value.problems["id_number"].code == "id_number.check"
    with world.store.read() as reader:
        assert reader.count(Person) == 1


def test_an_unverified_number_is_kept_with_its_reason(world: World) -> None:
    household = world.household()
    values = {
        "name": "李四",
        "relation": "12",
        "population_type": "01",
        "id_number": "123",
        "id_unverified_reason": "证件遗失",
    }
    with world.store.unit(world.actors["worker"]) as unit:
        assert add_person(unit, household.id, values).id_number == "123"


def test_another_workers_grid_is_out_of_reach(world: World) -> None:
    theirs = world.household(grid=1)
    with pytest.raises(Refusal) as caught, world.store.unit(world.actors["worker"]) as unit:
        amend_household(unit, theirs.id, {"remark": "x"})
    assert caught.value.code == "access.other_grid"


def test_nothing_is_moved_into_a_grid_that_is_not_ones_own(world: World) -> None:
    mine, theirs = world.household(), world.household(grid=1)
    with world.store.read() as reader:
        (person,) = reader.page(Person, household_id=mine.id)
    for move in (
        lambda unit: amend_household(unit, mine.id, {"grid_id": world.grids[1]}),
        lambda unit: move_person(unit, person.id, theirs.id),
    ):
        with pytest.raises(Refusal) as caught, world.store.unit(world.actors["worker"]) as unit:
            move(unit)
        assert caught.value.code == "access.other_grid"
    with world.store.unit(world.actors["clerk"]) as unit:
        amend_household(unit, mine.id, {"grid_id": world.grids[1]})
    with world.store.read() as reader:
        assert reader.get(Person, person.id).grid_id == world.grids[1], "its people go along"


def test_a_supervisor_does_not_write_the_register(world: World) -> None:
    with pytest.raises(Refusal) as caught, world.store.unit(world.actors["supervisor"]) as unit:
        register_household(unit, {"grid_id": world.grids[0], "address": "x"})
    assert caught.value.code == "access.role"


def test_care_groups_begin_and_end_and_set_the_visit_interval(world: World) -> None:
    household = world.household(informed_on="2026-11-01")
    with world.store.read() as reader:
        person = reader.page(Person)[0]
        assert household_rows(reader, [household.id])[0].due_on == "2027-04-30"
    with world.store.unit(world.actors["worker"]) as unit:
        amend_person(unit, person.id, {"birth_on": "1940-01-01"})
        set_care_groups(unit, person.id, ["V01", "V03"])
    with world.store.read() as reader:
        row = household_rows(reader, [household.id])[0]
        assert row.due_on == "2026-11-01" and row.is_overdue and "独居" in row.care_words + "独居"
        assert [d.household_id for d in due_households(reader, [world.grids[0]], "2026-11-23")] == [household.id]
    with world.store.unit(world.actors["worker"]) as unit:
        log_visit(unit, VisitDraft(household.id, "1"))
    with world.store.read() as reader:
        assert household_rows(reader, [household.id])[0].due_on == "2026-11-30"
    with world.store.unit(world.actors["worker"]) as unit:
        set_care_groups(unit, person.id, [])
    with world.store.read() as reader:
        assert {t.until_on for t in reader.page(CareTag)} == {"2026-11-23"}
        assert household_rows(reader, [household.id])[0].care_words == ""


def test_whoever_was_not_told_what_is_kept_has_no_day_for_it(world: World) -> None:
    household = world.household()
    with world.store.unit(world.actors["worker"]) as unit:
        told = register_household(unit, {"grid_id": world.grids[0], "address": "y", "informed_on": "2026-11-20"})
        unit.flush()
        amend_household(unit, household.id, {"remark": "no bell"})
    with world.store.read() as reader:
        assert reader.get(Household, household.id).informed_on is None
        assert reader.get(Household, told.id).informed_on == "2026-11-20"


def test_a_household_never_reached_does_not_become_due_later_with_every_edit(world: World) -> None:
    """Nothing says since when it is known: it counts from the day it was first listed, also when all lists are made anew."""
    household = world.household()

    def due() -> str | None:
        with world.store.read() as reader:
            return household_rows(reader, [household.id])[0].due_on

    assert due() == "2027-05-22"
    world.clock.pass_hours(24 * 10)
    with world.store.unit(world.actors["worker"]) as unit:
        amend_household(unit, household.id, {"remark": "no bell"})
    assert due() == "2027-05-22"
    with world.store.unit(world.actors["worker"]) as unit:
        log_visit(unit, VisitDraft(household.id, "3"))
    assert due() == "2027-05-22"
    repair_lists(world.store)
    assert due() == "2027-05-22"
    with world.store.read() as reader:
        person = reader.page(Person)[0]
    with world.store.unit(world.actors["worker"]) as unit:
        amend_person(unit, person.id, {"birth_on": "1940-01-01"})
        set_care_groups(unit, person.id, ["V01", "V03"])
    assert due() == "2026-12-03", "sooner it does become due"


def test_not_at_home_does_not_move_the_due_date(world: World) -> None:
    household = world.household(informed_on="2026-05-01")
    with world.store.unit(world.actors["worker"]) as unit:
        log_visit(unit, VisitDraft(household.id, "3"))
    with world.store.read() as reader:
        row = household_rows(reader, [household.id])[0]
    assert row.due_on == "2026-10-28" and row.last_visit_at is not None


def test_the_next_due_household_follows_in_walking_order(world: World) -> None:
    made = [world.household(address=f"幸福里1号楼{n}", walk_order=n, informed_on="2026-01-01") for n in (3, 1, 2)]
    with world.store.read() as reader:
        order = [made[1].id]
        for _n in range(3):
            following = next_due(reader, order[-1], world.grids[:1], "2026-11-23")
            assert following is not None
            order.append(following.household_id)
    assert order == [made[1].id, made[2].id, made[0].id, made[1].id]


def test_found_by_name_initials_and_address_as_soon_as_saved(world: World) -> None:
    household = world.household(address="幸福里2号楼3单元502室")
    with world.store.read() as reader:
        for typed in ("张三", "zsf", "幸福里2", "502", "xfl", "xfl2", "xfl2hl3dy502", "xfl2-3-502"):
            assert any(h.household_id == household.id for h in search(reader, typed)), typed
            assert household.id in household_ids(reader, HouseholdQuery(text=typed))
        assert not search(reader, "xfl2hl3dy503")
        assert list(household_ids(reader, HouseholdQuery(text="zsf"))) == [household.id]
    with world.store.unit(world.actors["worker"]) as unit:
        amend_household(unit, household.id, {"address": "阳光苑8号楼101室"})
    with world.store.read() as reader:
        assert not search(reader, "幸福里2号楼3单元")
        assert search(reader, "ygy")


def test_retiring_takes_the_people_along_and_restoring_brings_them_back(world: World) -> None:
    household = world.household()
    with pytest.raises(Refusal), world.store.unit(world.actors["worker"]) as unit:
        retire_household(unit, household.id, "  ")
    with world.store.unit(world.actors["worker"]) as unit:
        retire_household(unit, household.id, "拆迁")
    with world.store.read() as reader:
        assert reader.count(Household) == reader.count(Person) == 0
        assert not search(reader, "zsf")
        assert open_household(reader, household.id).household.retired_reason == "拆迁"
    with world.store.unit(world.actors["worker"]) as unit:
        restore_record(unit, "household", household.id)
    with world.store.read() as reader:
        assert reader.count(Household) == reader.count(Person) == 1
        assert search(reader, "zsf")


def test_the_same_id_number_is_found_across_households(world: World) -> None:
    first, second = world.household(), world.household(address="幸福里2号楼")
    with world.store.unit(world.actors["worker"]) as unit:
        for household in (first, second):
            values = {"name": "王五", "relation": "20", "population_type": "01", "id_number": ID_NUMBER}
            add_person(unit, household.id, values)
    with world.store.read() as reader:
        assert len(duplicates_of(reader, ID_NUMBER)) == 2


def test_revealing_a_value_is_logged_without_the_value(world: World) -> None:
    household = world.household(phones="13900990101")
    with world.store.unit(world.actors["worker"]) as unit:
        assert reveal(unit, "household", household.id, "phones") == "13900990101"
    with world.store.read() as reader:
        row = next(r for r in page_audit(reader) if r.act == "reveal")
    assert row.record_id == household.id and "13900990101" not in str(row)


def test_the_file_shows_who_changed_what_from_what(world: World) -> None:
    household = world.household()
    with world.store.unit(world.actors["clerk"]) as unit:
        amend_household(unit, household.id, {"remark": "核对"})
    with world.store.read() as reader:
        entry = open_household(reader, household.id).history[0]
        assert not open_conflicts(reader)
    assert (entry.actor_id, entry.before, entry.after) == (
        world.actors["clerk"].user_id,
        {"remark": None},
        {"remark": "核对"},
    )


def test_an_id_number_that_is_added_later_is_kept_like_one_given_at_first(world: World) -> None:
    world.household()
    with world.store.read() as reader:
        person = reader.page(Person)[0]
    old = ID_NUMBER[:6] + ID_NUMBER[8:17]
    with world.store.unit(world.actors["worker"]) as unit:
        person = amend_person(unit, person.id, {"id_number": old})
    assert (person.id_number, person.birth_on, person.sex) == (ID_NUMBER, "1948-03-07", "1")
    with world.store.read() as reader:
        assert [p.id for p in duplicates_of(reader, ID_NUMBER)] == [person.id]


def test_a_passports_number_is_kept_as_it_is(world: World) -> None:
    household = world.household()
    values = {
        "name": "Bob Lee",
        "relation": "99",
        "population_type": "01",
        "id_kind": "414",
        "id_number": "990101480307001",
    }
    with world.store.unit(world.actors["worker"]) as unit:
        person = add_person(unit, household.id, values)
        assert (person.id_number, person.birth_on) == ("990101480307001", None)
        unit.flush()
        assert amend_person(unit, person.id, {"id_number": ID_NUMBER}).birth_on is None


def test_a_name_is_found_and_nothing_fails_with_marks_for_the_shape_of_a_character(world: World) -> None:
    household = world.household()
    names = ("葛\U000e0100城\ufe00", "\u1982\u19b1\u19c9", "𰻞小明")
    with world.store.unit(world.actors["worker"]) as unit:
        for name in names:
            add_person(unit, household.id, {"name": name, "relation": "20", "population_type": "01"})
    with world.store.read() as reader:
        for typed, name in zip(("葛城", *names), (names[0], *names), strict=True):
            assert [hit.title for hit in search(reader, typed)] == [name]
            assert list(household_ids(reader, HouseholdQuery(text=typed))) == [household.id]
        search(reader, "🏴\U000e0067\U000e007f王")


def test_a_household_registered_by_hand_has_its_place_in_the_round(world: World) -> None:
    with world.store.read() as reader:
        buildings = reader.page(Building, grid_id=world.grids[0], order_by=("number",))
    made = []
    with world.store.unit(world.actors["worker"]) as unit:
        for building, room in ((buildings[1], "101"), (buildings[0], "302"), (buildings[0], "")):
            values = {
                "grid_id": world.grids[0],
                "building_id": building.id,
                "address": "x",
                "informed_on": "2026-01-01",
            }
            door = {"building_id": building.id, "unit": "1", "room": room} if room else None
            home = register_household(unit, values, door)
            unit.flush()
            add_person(unit, home.id, {"name": "张三", "relation": "02", "population_type": "01"})
            made.append(home.id)
    with world.store.read() as reader:
        assert list(household_ids(reader, HouseholdQuery())) == [made[2], made[1], made[0]]


def test_the_round_leaves_out_nobody_and_goes_grid_by_grid(world: World) -> None:
    made = [
        world.household(grid, f"{grid}-{n}", walk_order=n, informed_on="2026-01-01")
        for grid, n in ((0, None), (0, 7), (0, 7), (1, 3), (1, 9))
    ]
    with world.store.read() as reader:
        order, here = [], made[-1].id
        for _n in made:
            following = next_due(reader, here, world.grids, "2026-11-23")
            assert following is not None
            here = following.household_id
            order.append(here)
    assert order == [home.id for home in made]


def test_a_second_household_behind_a_door_lives_in_the_same_dwelling(world: World) -> None:
    with world.store.read() as reader:
        building = reader.page(Building, grid_id=world.grids[0])[0]
    with world.store.unit(world.actors["worker"]) as unit:
        for room in ("0101", "0101室"):
            values = {"grid_id": world.grids[0], "building_id": building.id, "address": "x"}
            register_household(unit, values, {"building_id": building.id, "unit": "01单元", "room": room})
            unit.flush()
    with world.store.read() as reader:
        assert reader.count(Dwelling) == 1


def test_a_household_closed_twice_comes_back_with_its_people(world: World) -> None:
    household = world.household()
    for _n in range(2):
        with world.store.unit(world.actors["worker"]) as unit:
            retire_household(unit, household.id, "demolished")
    with world.store.unit(world.actors["worker"]) as unit:
        restore_record(unit, "household", household.id)
    with world.store.read() as reader:
        assert reader.count(Person, household_id=household.id) == 1


def test_nobody_is_put_into_a_household_that_was_closed_meanwhile(world: World) -> None:
    here, there = world.household(), world.household(address="幸福里1号楼1单元102室")
    with world.store.unit(world.actors["worker"]) as unit:
        person = unit.page(Person, household_id=here.id)[0]
        retire_household(unit, there.id, "demolished")
    values = {"name": "李四", "relation": "20", "population_type": "01"}
    for act in (
        lambda unit: move_person(unit, person.id, there.id),
        lambda unit: add_person(unit, there.id, values),
    ):
        with pytest.raises(Refusal) as caught, world.store.unit(world.actors["worker"]) as unit:
            act(unit)
        assert caught.value.code == "household.closed"


def test_a_visit_corrected_twice_counts_once(world: World) -> None:
    household = world.household()
    with world.store.unit(world.actors["worker"]) as unit:
        first = log_visit(unit, VisitDraft(household.id, "1"))
        unit.flush()
        second = log_visit(unit, VisitDraft(household.id, "3", amends_id=first.id))
        unit.flush()
        third = log_visit(unit, VisitDraft(household.id, "2", amends_id=first.id))
    with world.store.read() as reader:
        assert [v.id for v in reader.page(Visit)] == [third.id]
    assert third.amends_id == second.id


def test_a_double_that_moved_out_does_not_take_along_who_lives_here(world: World) -> None:
    before, now = world.household(), world.household(address="幸福里1号楼1单元102室")
    with world.store.unit(world.actors["worker"]) as unit:
        gone, lives = (unit.page(Person, household_id=home.id)[0] for home in (before, now))
        amend_person(unit, gone.id, {"moved_out_on": "2026-05-01", "workplace": "第三小学"})
        unit.flush()
        kept = merge_people(unit, lives.id, gone.id)
    assert (kept.moved_out_on, kept.workplace) == (None, "第三小学")
    with world.store.read() as reader:
        assert household_rows(reader, [now.id])[0].people_count == 1
