"""The workflow: who may do what to an incident, checked against the rules of the domain reference (4.2, 4.3)."""

from pathlib import Path

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.incident import OPEN_STATES, TRANSITIONS, Incident
from gridman.domain.organisation import Organisation
from gridman.domain.user import User
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.services.incident_actions import actions_for, targets_for
from gridman.services.incidents import (
    IncidentDraft,
    IncidentQuery,
    incident_ids,
    open_incident,
    perform,
    report_incident,
    time_limit_ms,
)
from gridman.services.rosters import incident_sheet
from tests.support.world import World, make_world

HOUR_MS = 3_600_000


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def report(world: World, by: str = "worker", **more: object) -> int:
    values: dict[str, object] = {
        "category": "A801",
        "description": "垃圾堆放",
        "place": "幸福里1号楼旁",
        "grid_id": world.grids[0],
    }
    with world.store.unit(world.actors[by]) as unit:
        return report_incident(unit, IncidentDraft(**{**values, **more})).id  # type: ignore[arg-type]


def do(world: World, by: str, incident_id: int, action: str, **what: object) -> str:
    world.clock.pass_hours(0.1)
    with world.store.unit(world.actors[by]) as unit:
        return perform(unit, incident_id, action, **what).state  # type: ignore[arg-type]


def refused(world: World, by: str, incident_id: int, action: str, **what: object) -> str:
    with pytest.raises(Refusal) as caught:
        do(world, by, incident_id, action, **what)
    return caught.value.code


def to_street(world: World, incident_id: int) -> None:
    do(world, "clerk", incident_id, "accept")
    do(world, "clerk", incident_id, "escalate", note="请街道协调")
    do(world, "supervisor", incident_id, "accept")


def test_a_report_goes_to_the_direct_superior_of_the_reporters_organisation(world: World) -> None:
    incident_id = report(world)
    with world.store.read() as reader:
        file = open_incident(reader, incident_id)
    assert file.incident.holder_id == world.organisations["committee"]
    assert file.incident.creator_id == world.organisations["team"]
    assert [s.action for s in file.steps] == ["report"]
    assert file.incident.number is not None and file.incident.number.startswith("20261123-001-001")


def test_the_whole_way_from_grid_to_department_and_back(world: World) -> None:
    incident_id = report(world)
    to_street(world, incident_id)
    assert do(world, "supervisor", incident_id, "assign", target_id=world.organisations["department"]) == "dispatched"
    assert do(world, "officer", incident_id, "sign") == "handling"
    assert do(world, "officer", incident_id, "finish", result="已清运") == "feedback"
    assert do(world, "worker", incident_id, "verify_fail", note="还有残余") == "returned"
    with world.store.read() as reader:
        assert open_incident(reader, incident_id).incident.holder_id == world.organisations["department"]
    assert do(world, "officer", incident_id, "accept") == "handling"
    assert do(world, "officer", incident_id, "finish", result="全部清运") == "feedback"
    assert do(world, "worker", incident_id, "verify_pass") == "closed"
    assert do(world, "worker", incident_id, "rate", is_solved=True, satisfaction=5) == "rated"
    with world.store.read() as reader:
        incident = open_incident(reader, incident_id).incident
    assert (incident.result, incident.satisfaction, incident.supervision) == ("全部清运", 5, "0")


@pytest.mark.parametrize("by", ["worker", "neighbour", "supervisor", "officer"])
def test_nobody_accepts_for_another_organisation(world: World, by: str) -> None:
    assert refused(world, by, report(world), "accept") == "incident.not_yours"


def test_dispatch_reaches_direct_subordinates_and_departments_only(world: World) -> None:
    incident_id = report(world)
    to_street(world, incident_id)
    with world.store.read() as reader:
        incident = open_incident(reader, incident_id).incident
        targets = {o.id for o in targets_for(reader, world.actors["supervisor"], incident, "assign")}
    assert targets == {world.organisations[n] for n in ("committee", "department", "police")}
    assert (
        refused(world, "supervisor", incident_id, "assign", target_id=world.organisations["team"]) == "incident.target"
    )


def test_an_emergency_may_be_dispatched_to_anyone(world: World) -> None:
    incident_id = report(world, category="B103", description="燃气泄漏")
    do(world, "clerk", incident_id, "accept")
    assert do(world, "clerk", incident_id, "assign", target_id=world.organisations["police"]) == "dispatched"


def test_the_handler_never_verifies_its_own_work(world: World) -> None:
    incident_id = report(world)
    do(world, "clerk", incident_id, "accept")
    do(world, "clerk", incident_id, "finish", result="已处理")
    assert refused(world, "clerk", incident_id, "verify_pass") == "incident.not_yours"
    assert do(world, "worker", incident_id, "verify_pass") == "closed"


def test_a_wrong_dispatch_is_called_back_by_its_sender_until_it_is_signed_for(world: World) -> None:
    incident_id = report(world)
    to_street(world, incident_id)
    do(world, "supervisor", incident_id, "assign", target_id=world.organisations["police"])
    assert refused(world, "policeman", incident_id, "recall", note="不是我派的") == "incident.not_yours"
    assert refused(world, "worker", incident_id, "recall", note="不是我派的") == "incident.not_yours"
    assert refused(world, "supervisor", incident_id, "recall") == "incident.needs_note"
    assert do(world, "supervisor", incident_id, "recall", note="派错了单位") == "handling"
    with world.store.read() as reader:
        file = open_incident(reader, incident_id)
    assert file.incident.holder_id == world.organisations["office"]
    assert not file.incident.bounce_count, "a mistake of the sender is no return"
    do(world, "supervisor", incident_id, "assign", target_id=world.organisations["police"])
    do(world, "policeman", incident_id, "sign")
    assert refused(world, "supervisor", incident_id, "recall", note="太晚了") == "incident.state"


def test_each_action_has_a_key_of_its_own(world: World) -> None:
    keys = [row.key for row in TRANSITIONS if "draft" not in row.from_states]
    assert len(set(keys)) == len(keys) and all(len(key) == 1 and key.isascii() and key.isalnum() for key in keys)
    assert keys == [key.upper() for key in keys]


def test_a_returned_dispatch_goes_back_to_the_dispatcher_and_is_counted(world: World) -> None:
    incident_id = report(world)
    to_street(world, incident_id)
    do(world, "supervisor", incident_id, "assign", target_id=world.organisations["police"])
    assert refused(world, "policeman", incident_id, "return") == "incident.needs_note"
    assert do(world, "policeman", incident_id, "return", note="不属于职责清单第 3 条") == "handling"
    with world.store.read() as reader:
        incident = open_incident(reader, incident_id).incident
    assert (incident.holder_id, incident.bounce_count) == (world.organisations["office"], 1)


def test_supervision_only_rises_and_comes_from_the_same_level_or_above(world: World) -> None:
    incident_id = report(world)
    assert refused(world, "worker", incident_id, "supervise_normal") == "incident.not_yours"
    do(world, "supervisor", incident_id, "supervise_yellow")
    assert refused(world, "supervisor", incident_id, "supervise_normal") == "incident.not_yours"
    do(world, "supervisor", incident_id, "supervise_red")
    do(world, "supervisor", incident_id, "unsupervise")
    with world.store.read() as reader:
        assert open_incident(reader, incident_id).incident.supervision == "0"


def test_an_urgent_incident_is_not_marked_urgent_again(world: World) -> None:
    incident_id = report(world)

    def is_offered() -> bool:
        with world.store.read() as reader:
            incident = open_incident(reader, incident_id).incident
            return "mark_urgent" in {row.action for row in actions_for(reader, world.actors["supervisor"], incident)}

    assert is_offered()
    do(world, "supervisor", incident_id, "mark_urgent")
    assert not is_offered()
    assert refused(world, "supervisor", incident_id, "mark_urgent") == "incident.not_yours"


def test_a_step_that_came_too_late_is_refused_with_the_state(world: World) -> None:
    incident_id = report(world)
    do(world, "clerk", incident_id, "accept")
    assert refused(world, "clerk", incident_id, "accept") == "incident.state"


def test_urging_is_limited_in_rate(world: World) -> None:
    incident_id = report(world)
    do(world, "worker", incident_id, "urge")
    urged_at = world.clock()
    with pytest.raises(Refusal) as caught:
        do(world, "worker", incident_id, "urge")
    assert caught.value.code == "incident.urged"
    assert "You can urge" not in caught.value.words()  # it said so in the same breath in which it refused
    assert (
        show_instant(urged_at) in caught.value.words() and show_instant(urged_at + 4 * HOUR_MS) in caught.value.words()
    )
    world.clock.pass_hours(5)
    do(world, "worker", incident_id, "urge")


def test_what_is_offered_is_what_is_accepted(world: World) -> None:
    """`actions_for` and `perform` follow the same table in every state, for every role."""
    incident_id = report(world)
    needs = {"target_id": world.organisations["department"], "note": "n", "result": "r", "satisfaction": 3}
    for by, action in (("clerk", "accept"), ("clerk", "escalate"), ("supervisor", "accept"), ("supervisor", "assign")):
        for name, actor in world.actors.items():
            with world.store.read() as reader:
                incident = open_incident(reader, incident_id).incident
                offered = {t.action for t in actions_for(reader, actor, incident)}
            for row in TRANSITIONS:
                if "draft" in row.from_states or row.action in offered:
                    continue
                with pytest.raises(Refusal), world.store.unit(actor) as unit:
                    perform(unit, incident_id, row.action, **needs)  # type: ignore[arg-type]
            assert name != by or action in offered
        do(world, by, incident_id, action, **needs)


def test_handled_on_the_spot_is_filed_at_once(world: World) -> None:
    incident_id = report(world, result="当场劝离")
    with world.store.read() as reader:
        incident = open_incident(reader, incident_id).incident
    assert (incident.state, incident.due_at) == ("self_handled", None)


def test_an_incident_needs_a_place_and_its_grid_must_be_the_workers(world: World) -> None:
    with pytest.raises(Refusal) as caught:
        report(world, place="  ")
    assert caught.value.code == "incident.no_place"
    with pytest.raises(Refusal) as caught:
        report(world, grid_id=world.grids[1])
    assert caught.value.code == "access.other_grid"


def test_time_limits_follow_urgency_and_category() -> None:
    assert time_limit_ms("B103", "0") == time_limit_ms("A702", "0") == time_limit_ms("A801", "1") == 86_400_000
    assert time_limit_ms("A801", "0") == 7 * 86_400_000


def test_overdue_incidents_are_found(world: World) -> None:
    late, fresh = report(world, urgency="1"), report(world)
    world.clock.pass_hours(25)
    with world.store.read() as reader:
        assert list(incident_ids(reader, IncidentQuery(is_overdue=True))) == [late]
        assert set(incident_ids(reader, IncidentQuery(states=OPEN_STATES))) == {late, fresh}
        assert list(incident_ids(reader, IncidentQuery(text="垃圾"))) == [fresh, late]


def test_an_incident_marked_urgent_while_suspended_has_a_day_left_when_it_is_resumed(world: World) -> None:
    incident_id = report(world)
    to_street(world, incident_id)
    do(world, "supervisor", incident_id, "suspend", note="等材料")
    world.clock.pass_hours(24 * 5)
    do(world, "supervisor", incident_id, "mark_urgent")
    do(world, "supervisor", incident_id, "resume")
    with world.store.read() as reader:
        due_at = open_incident(reader, incident_id).incident.due_at
        assert due_at is not None and 0 < due_at - reader.now <= 24 * HOUR_MS


def test_who_is_out_of_use_by_now_stays_on_the_log_and_the_slip_by_name(world: World) -> None:
    incident_id = report(world)
    to_street(world, incident_id)
    do(world, "supervisor", incident_id, "assign", target_id=world.organisations["department"])
    do(world, "officer", incident_id, "sign")
    do(world, "officer", incident_id, "finish", result="已清运")
    do(world, "worker", incident_id, "verify_pass")
    officer = world.actors["officer"]
    with world.store.unit(SYSTEM) as unit:
        unit.retire(unit.get(User, officer.user_id), "left")
        unit.retire(unit.get(Organisation, officer.organisation_id), "merged")
    with world.store.read() as reader:
        names = open_incident(reader, incident_id).names
        slip = incident_sheet(reader, world.actors["supervisor"], incident_id)
    assert (names[officer.user_id], names[officer.organisation_id]) == ("用户officer", "综合执法队")
    assert (slip.dispatched_to, slip.handled.organisation) == ("综合执法队", "综合执法队")


def whistled(world: World) -> int:
    incident_id = report(world)
    to_street(world, incident_id)
    department = world.organisations["department"]
    do(world, "supervisor", incident_id, "whistle", target_id=department, case="1", note="联合整治")
    return incident_id


def test_the_number_of_an_incident_that_left_the_desk_is_not_given_again(world: World) -> None:
    gone = report(world)
    with world.store.unit(SYSTEM) as unit:  # as when its grid is withdrawn
        unit.connection.exec_driver_sql(f"DELETE FROM incident WHERE id = {gone}")
    with world.store.read() as reader:
        assert reader.get(Incident, report(world)).number == "20261123-001-002"


def test_numbers_run_on_past_the_task_of_a_department(world: World) -> None:
    whistled(world)
    report(world)
    report(world)
    with world.store.read() as reader:
        numbers = sorted(i.number or "" for i in reader.page(Incident))
    assert [n.removeprefix("20261123-001-") for n in numbers] == ["001", "001-1", "002", "003"]


@pytest.mark.parametrize(("action", "what"), [("refuse", {"note": "不属于本街道"}), ("merge", {})])
def test_no_department_is_left_at_work_for_an_incident_that_is_over(
    world: World, action: str, what: dict[str, object]
) -> None:
    incident_id = whistled(world)
    what = what or {"other_id": report(world)}
    do(world, "supervisor", incident_id, "assign", target_id=world.organisations["committee"])
    do(world, "clerk", incident_id, "sign")
    do(world, "clerk", incident_id, "escalate", note="请街道协调")
    assert refused(world, "supervisor", incident_id, action, **what) == "incident.tasks_open"
