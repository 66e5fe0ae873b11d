"""Whistling, handing back, copies, more time, merging, objections: the side roads of the workflow (domain reference 4.2, 4.3)."""

from pathlib import Path

import pytest

from gridman.domain.catalog import noun
from gridman.domain.incident import Incident
from gridman.services.incident_actions import actions_for, targets_for
from gridman.services.incident_tasks import merge_candidates
from gridman.services.incidents import IncidentFile, open_incident
from tests.services.test_incidents import do, refused, report, to_street
from tests.support.world import World, make_world

_DAY_MS = 86_400_000


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def opened(world: World, incident_id: int) -> IncidentFile:
    with world.store.read() as reader:
        return open_incident(reader, incident_id)


def offered(world: World, by: str, incident_id: int) -> set[str]:
    with world.store.read() as reader:
        incident = open_incident(reader, incident_id).incident
        return {row.action for row in actions_for(reader, world.actors[by], incident)}


def whistle(world: World, incident_id: int, department: str) -> int:
    do(
        world,
        "supervisor",
        incident_id,
        "whistle",
        target_id=world.organisations[department],
        case="2",
        note="联合整治",
    )
    return opened(world, incident_id).tasks[-1].id


def test_each_department_whistled_up_gets_a_task_of_its_own(world: World) -> None:
    incident_id = report(world)
    to_street(world, incident_id)
    first, second = whistle(world, incident_id, "department"), whistle(world, incident_id, "police")
    file = opened(world, incident_id)
    assert [t.id for t in file.tasks] == [first, second]
    assert [t.number for t in file.tasks] == [f"{file.incident.number}-1", f"{file.incident.number}-2"]
    assert {t.state for t in file.tasks} == {"dispatched"} and {t.whistle_case for t in file.tasks} == {"2"}
    assert (file.incident.state, file.incident.holder_id) == ("handling", world.organisations["office"])
    assert opened(world, first).related == {incident_id: file.incident.number}
    assert refused(world, "supervisor", incident_id, "finish", result="完成") == "incident.tasks_open"
    for task, by in ((first, "officer"), (second, "policeman")):
        do(world, by, task, "sign")
        do(world, by, task, "finish", result="已到场处置")
        assert do(world, "supervisor", task, "verify_pass") == "closed"
    assert do(world, "supervisor", incident_id, "finish", result="联合整治完成") == "feedback"


def test_a_department_sends_its_task_back_to_whoever_whistled(world: World) -> None:
    incident_id = report(world)
    to_street(world, incident_id)
    task = whistle(world, incident_id, "police")
    do(world, "policeman", task, "return", note="不属于本部门职责")
    file = opened(world, task)
    assert (file.incident.state, file.incident.holder_id) == ("handling", world.organisations["office"])


def test_only_the_street_whistles_only_departments_and_only_for_a_reason(world: World) -> None:
    incident_id = report(world)
    do(world, "clerk", incident_id, "accept")
    assert "whistle" not in offered(world, "clerk", incident_id)
    do(world, "clerk", incident_id, "escalate", note="请街道协调")
    do(world, "supervisor", incident_id, "accept")
    committee, police = world.organisations["committee"], world.organisations["police"]
    assert (
        refused(world, "supervisor", incident_id, "whistle", target_id=committee, case="1", note="n")
        == "incident.not_a_department"
    )
    assert (
        refused(world, "supervisor", incident_id, "whistle", target_id=police, case="9", note="n")
        == "incident.needs_case"
    )


def test_the_holder_hands_back_to_whom_it_had_it_from_but_not_at_the_first_step(world: World) -> None:
    incident_id = report(world)
    do(world, "clerk", incident_id, "accept")
    assert "back" not in offered(world, "clerk", incident_id)
    do(world, "clerk", incident_id, "escalate", note="请街道协调")
    do(world, "supervisor", incident_id, "accept")
    assert do(world, "supervisor", incident_id, "back", note="社区可以办理") == "handling"
    assert opened(world, incident_id).incident.holder_id == world.organisations["committee"]
    assert opened(world, incident_id).steps[-1].target_id == world.organisations["committee"]


def test_a_copy_is_seen_by_its_reader_and_nobody_acts_on_it(world: World) -> None:
    incident_id = report(world)
    do(world, "clerk", incident_id, "accept")
    office, department = world.organisations["office"], world.organisations["department"]
    with world.store.read() as reader:
        incident = open_incident(reader, incident_id).incident
        assert office in {o.id for o in targets_for(reader, world.actors["clerk"], incident, "copy")}
    assert refused(world, "clerk", incident_id, "copy", target_id=department) == "incident.no_reader", (
        "not below a community"
    )
    do(world, "clerk", incident_id, "copy", target_id=office)
    file = opened(world, incident_id)
    known = noun("incident")
    assert known is not None and f"o:{office}" in known.scopes(file.incident)
    assert (file.incident.state, file.incident.holder_id) == ("handling", world.organisations["committee"])
    assert refused(world, "supervisor", incident_id, "finish", result="x") == "incident.not_yours"
    assert refused(world, "clerk", incident_id, "copy", target_id=office) == "incident.no_reader", "it has one already"


def test_more_time_is_asked_for_once_before_it_is_late_and_granted_by_the_superior(world: World) -> None:
    incident_id = report(world)
    due_at = opened(world, incident_id).incident.due_at
    assert due_at is not None
    do(world, "clerk", incident_id, "accept")
    assert "grant_extension" not in offered(world, "supervisor", incident_id)
    do(world, "clerk", incident_id, "ask_extension", note="等待材料")
    assert "grant_extension" not in offered(world, "clerk", incident_id), "nobody grants it to himself"
    do(world, "supervisor", incident_id, "grant_extension")
    assert opened(world, incident_id).incident.due_at == due_at + 7 * _DAY_MS
    assert "ask_extension" not in offered(world, "clerk", incident_id)
    late = report(world)
    do(world, "clerk", late, "accept")
    world.clock.pass_hours(8 * 24)
    assert "ask_extension" not in offered(world, "clerk", late)


def test_more_time_can_be_refused_with_a_reason(world: World) -> None:
    incident_id = report(world)
    due_at = opened(world, incident_id).incident.due_at
    do(world, "clerk", incident_id, "accept")
    do(world, "clerk", incident_id, "ask_extension", note="等待材料")
    assert refused(world, "supervisor", incident_id, "refuse_extension") == "incident.needs_note"
    do(world, "supervisor", incident_id, "refuse_extension", note="今天必须完成")
    assert (opened(world, incident_id).incident.due_at, opened(world, incident_id).incident.extension) == (due_at, "3")


def test_the_clock_stands_still_while_suspended(world: World) -> None:
    incident_id = report(world, urgency="1")
    to_street(world, incident_id)
    due_at = opened(world, incident_id).incident.due_at
    do(world, "supervisor", incident_id, "suspend", note="等待法院")
    world.clock.pass_hours(48)
    assert not opened(world, incident_id).row.is_overdue, "suspended time is not late"
    do(world, "supervisor", incident_id, "resume")
    longer = (opened(world, incident_id).incident.due_at or 0) - (due_at or 0)
    assert 48 * 3_600_000 <= longer < 49 * 3_600_000


def test_a_double_is_merged_into_the_one_that_goes_on(world: World) -> None:
    first, double, far = (
        report(world),
        report(world, description="又是那堆垃圾"),
        report(world, category="A101", description="求职"),
    )
    with world.store.read() as reader:
        found = merge_candidates(reader, reader.get(Incident, double))
    assert [i.id for i in found] == [first, far], "the same category first"
    assert refused(world, "clerk", double, "merge") == "incident.needs_other"
    assert refused(world, "clerk", double, "merge", other_id=double) == "incident.other"
    assert do(world, "clerk", double, "merge", other_id=first) == "voided"
    file = opened(world, double)
    assert file.incident.merged_into_id == first and file.related == {first: opened(world, first).incident.number}
    assert (opened(world, first).incident.number or "?") in (file.steps[-1].note or "")
    assert "object" not in offered(world, "worker", double), "there is nothing to object to"


def test_whoever_reported_objects_once_and_somebody_else_looks_at_it(world: World) -> None:
    incident_id = report(world)
    do(world, "clerk", incident_id, "refuse", note="不属实")
    assert refused(world, "clerk", incident_id, "object", note="x") == "incident.not_yours"
    assert do(world, "worker", incident_id, "object", note="有照片为证") == "reported"
    incident = opened(world, incident_id).incident
    assert (incident.holder_id, incident.closed_at) == (world.organisations["office"], None)
    do(world, "supervisor", incident_id, "refuse", note="仍不属实")
    assert refused(world, "worker", incident_id, "object", note="再次异议") == "incident.not_yours"


def test_the_third_return_goes_to_the_dispatchers_superior(world: World) -> None:
    incident_id = report(world, category="B103", description="燃气泄漏")
    do(world, "clerk", incident_id, "accept")
    for expected in ("committee", "committee", "office"):
        do(world, "clerk", incident_id, "assign", target_id=world.organisations["police"])
        do(world, "policeman", incident_id, "return", note="不属于本部门职责")
        assert opened(world, incident_id).incident.holder_id == world.organisations[expected]


def test_what_is_left_from_the_past_is_never_overdue(world: World) -> None:
    incident_id = report(world, urgency="1")
    world.clock.pass_hours(30)
    assert opened(world, incident_id).row.is_overdue
    do(world, "supervisor", incident_id, "mark_legacy", note="2019 年遗留")
    assert not opened(world, incident_id).row.is_overdue
    assert "mark_legacy" not in offered(world, "supervisor", incident_id)
