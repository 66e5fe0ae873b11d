"""Sheets filled from a real store: what they hold besides names, in the words of paper."""

from pathlib import Path
from typing import Any

import pytest

from gridman.domain.sheets import VisitSheet
from gridman.kernel import words
from gridman.kernel.clock import day_of, days_between
from gridman.services.households import add_person, set_care_groups
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.rosters import (
    household_sheet,
    incident_sheet,
    make_stamp,
    roster_sheet,
    stamp_preview,
    visit_sheet,
)
from gridman.services.settings import DEVICE_NAME
from gridman.services.visits import VisitDraft, log_visit
from gridman.store.settings import put_setting
from tests.support.world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def _visit_sheet(world: World, **values: Any) -> VisitSheet:
    household = world.household()
    with world.store.unit(world.actors["worker"]) as unit:
        visit = log_visit(unit, VisitDraft(household.id, **{"outcome": "1", **values}))
    with world.store.read() as reader:
        return visit_sheet(reader, world.actors["worker"], visit.id)


def test_each_household_of_a_roster_has_a_token_of_its_own_that_tells_nothing(world: World) -> None:
    first, second = world.household(), world.household(address="幸福里1号楼1单元102室")
    with world.store.read() as reader:
        sheet = roster_sheet(reader, world.actors["worker"], world.grids[0])
        card = household_sheet(reader, world.actors["worker"], first.id)
    tokens = {h.number: h.token for h in sheet.households}
    assert tokens == {first.number: f"H{first.id:x}", second.number: f"H{second.id:x}"}
    assert card.token == tokens[first.number]


@pytest.mark.parametrize(
    ("kind", "way"),
    [("01", "入户"), ("02", "入户"), ("10", "电话或视频"), ("05", "到场所")],
    ids=["01", "02", "10", "05"],
)
def test_the_way_of_a_visit_follows_from_its_kind(world: World, kind: str, way: str) -> None:
    words.use("zh_CN")
    assert _visit_sheet(world, kind=kind).way == way


def test_each_need_is_routed_to_the_offices_category_once(world: World) -> None:
    words.use("zh_CN")
    sheet = _visit_sheet(world, outcome="2", needs="c;g;j")
    assert sheet.needs == "养老、安全隐患、矛盾纠纷"
    assert sheet.to_route == "养老保障、社会治安"  # a hazard and a dispute belong to the same category
    assert _visit_sheet(world).to_route == ""


def test_the_follow_up_is_the_households_next_due_day(world: World) -> None:
    household = world.household()
    with world.store.unit(world.actors["worker"]) as unit:
        elder = add_person(
            unit,
            household.id,
            {"name": "李秀英", "relation": "52", "population_type": "01", "birth_on": "1940-01-02"},
        )
        unit.flush()
        set_care_groups(unit, elder.id, ["V01"])
        visit = log_visit(unit, VisitDraft(household.id, "1"))
    with world.store.read() as reader:
        sheet = visit_sheet(reader, world.actors["worker"], visit.id)
    assert sheet.on == day_of(visit.visited_at)
    assert days_between(sheet.on, sheet.follow_up_on) == 7  # aged 80 and living alone: weekly


def test_a_visit_that_met_nobody_leaves_the_follow_up_to_be_written(world: World) -> None:
    household = world.household()
    with world.store.unit(world.actors["worker"]) as unit:
        head = add_person(
            unit, household.id, {"name": "李秀英", "relation": "52", "population_type": "01", "birth_on": "1940-01-02"}
        )
        unit.flush()
        set_care_groups(unit, head.id, ["V01"])
    with world.store.unit(world.actors["worker"]) as unit:
        visit = log_visit(unit, VisitDraft(household.id, "3"))
    with world.store.read() as reader:
        assert visit_sheet(reader, world.actors["worker"], visit.id).follow_up_on == ""


def test_a_slip_names_the_household_concerned_where_there_is_one(world: World) -> None:
    household = world.household()
    with world.store.unit(world.actors["worker"]) as unit:
        at_home = report_incident(
            unit, IncidentDraft("A801", "漏水", household_id=household.id, grid_id=world.grids[0])
        )
        outside = report_incident(unit, IncidentDraft("A801", "积水", place="路口", grid_id=world.grids[0]))
    with world.store.read() as reader:
        sheets = [incident_sheet(reader, world.actors["worker"], i.id) for i in (at_home, outside)]
    assert [sheet.involved for sheet in sheets] == ["张三丰, 幸福里1号楼1单元101室", ""]


def test_codes_are_printed_in_short_words_of_the_language_in_use(world: World) -> None:
    household = world.household()
    with world.store.unit(world.actors["worker"]) as unit:
        values = {
            "name": "李梅",
            "relation": "12",
            "sex": "2",
            "political": "01",
            "education": "21",
            "population_type": "01",
        }
        add_person(unit, household.id, values)
    for language, expected in (
        ("en", ("F", "Wife", "CPC", "Bachelor")),
        ("zh_CN", ("女", "妻", "中共党员", "大学本科")),
    ):
        words.use(language)
        with world.store.read() as reader:
            person = roster_sheet(reader, world.actors["worker"], world.grids[0]).households[0].people[1]
        assert (person.sex, person.relation, person.political_status, person.education) == expected


def test_the_stamp_names_the_device_as_it_was_called_at_set_up(world: World) -> None:
    worker = world.actors["worker"]
    with world.store.read() as reader:
        assert stamp_preview(reader, worker, "巡查").device == "001"
    with world.store.unit(worker) as unit:
        put_setting(unit, DEVICE_NAME, "一号窗口")
        stamp = make_stamp(unit, "F01", "巡查", 1)
    assert stamp.device == "一号窗口 (001)" and stamp.batch
