"""Departments are renamed and retired without leaving an incident or an account with nobody."""

from pathlib import Path

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.organisation import Organisation
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.services.departments import (
    add_department,
    department_of_name,
    rename_department,
    retire_department,
)
from gridman.services.incident_actions import targets_for
from gridman.services.incidents import open_incident
from tests.services.test_incidents import do, report, to_street
from tests.support.world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def retire(world: World, reason: str = "并入综合行政执法局") -> str:
    """The refusal's code and words, or what it was retired for."""
    try:
        with world.store.unit(SYSTEM) as unit:
            gone = retire_department(unit, world.organisations["department"], reason)
            return f"retired {gone.retired_reason}"
    except Refusal as refusal:
        return f"{refusal.code} {refusal.params}"


def leave(world: World) -> None:
    """Its people go to another department."""
    with world.store.unit(SYSTEM) as unit:
        for user in unit.page(User, organisation_id=world.organisations["department"]):
            unit.amend(user, organisation_id=world.organisations["police"])


def test_a_department_with_work_or_people_stays(world: World) -> None:
    incident_id = report(world)
    to_street(world, incident_id)
    do(world, "supervisor", incident_id, "assign", target_id=world.organisations["department"])
    with world.store.read() as reader:
        number = open_incident(reader, incident_id).incident.number or "?"
    told = retire(world)
    assert told.startswith("department.has_incidents") and number in told and "'count': 1" in told
    do(world, "officer", incident_id, "sign")
    do(world, "officer", incident_id, "finish", result="已处置")
    assert retire(world).startswith("department.has_incidents"), "it would come back when it is not solved"
    do(world, "worker", incident_id, "verify_pass")
    told = retire(world)
    assert told.startswith("department.has_accounts") and "officer" in told
    leave(world)
    assert retire(world, "  ").startswith("department.no_reason")
    assert retire(world) == "retired 并入综合行政执法局"
    assert retire(world).startswith("department.none"), "once is enough"
    # Taken up again, it goes to somebody who is there.
    do(world, "supervisor", incident_id, "reopen", note="又出现")
    with world.store.read() as reader:
        again = open_incident(reader, incident_id).incident
        assert again.holder_id == world.organisations["office"]
        offered = {o.id for o in targets_for(reader, world.actors["supervisor"], again, "assign")}
    assert world.organisations["department"] not in offered and world.organisations["police"] in offered


def test_a_department_is_renamed_and_keeps_its_work(world: World) -> None:
    incident_id = report(world)
    to_street(world, incident_id)
    do(world, "supervisor", incident_id, "assign", target_id=world.organisations["department"])
    with world.store.unit(SYSTEM) as unit:
        made = rename_department(unit, world.organisations["department"], " 综合行政执法局 ")
        assert made.name == "综合行政执法局" and department_of_name(unit, "综合行政执法局").id == made.id
    with world.store.read() as reader:
        assert open_incident(reader, incident_id).incident.holder_id == made.id
    for name, code in (("派出所", "department.name_taken"), ("", "invalid")):
        with pytest.raises(Refusal) as caught, world.store.unit(SYSTEM) as unit:
            rename_department(unit, made.id, name)
        assert code in caught.value.code or name == ""
    for which in (world.organisations["office"], 12_345):
        with pytest.raises(Refusal) as caught, world.store.unit(SYSTEM) as unit:
            rename_department(unit, which, "别的")
        assert caught.value.code == "department.none"


def test_who_may_not_manage_changes_no_department(world: World) -> None:
    for work in (
        lambda unit: rename_department(unit, world.organisations["department"], "x"),
        lambda unit: retire_department(unit, world.organisations["department"], "x"),
        lambda unit: add_department(unit, "x", world.organisations["office"]),
    ):
        with pytest.raises(Refusal) as caught, world.store.unit(world.actors["supervisor"]) as unit:
            work(unit)
        assert caught.value.code == "access.role"
    with world.store.read() as reader:
        assert reader.get(Organisation, world.organisations["department"]).name == "综合执法队"
