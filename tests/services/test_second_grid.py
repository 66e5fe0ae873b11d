"""A worker of two grids in two communities acts, in each, for that grid's team; the committee above it gets the report."""

from dataclasses import replace
from pathlib import Path

import pytest

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.household import Household
from gridman.domain.incident import Incident, IncidentStep
from gridman.domain.organisation import Organisation
from gridman.services.access import organisations_of
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.services.rosters import make_stamp, stamp_preview
from gridman.services.today import today
from tests.support.world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The second grid belongs to another committee."""
    world = make_world(tmp_path)
    with world.store.unit(SYSTEM) as unit:
        other = unit.create(Organisation(name="友谊社区", level="community", parent_id=world.organisations["office"]))
        unit.flush()
        unit.amend(unit.get(Organisation, world.organisations["other_team"]), parent_id=other.id)
        world.organisations["other_committee"] = other.id
    return world


@pytest.fixture
def both(world: World) -> Actor:
    """The worker of the first grid, who looks after the second as well."""
    return replace(world.actors["worker"], grid_ids=frozenset(world.grids))


def report(world: World, actor: Actor, grid: int, **more: str) -> int:
    with world.store.unit(actor) as unit:
        draft = IncidentDraft("A801", "垃圾堆放", "楼旁", grid_id=world.grids[grid], **more)
        return report_incident(unit, draft).id


@pytest.mark.parametrize(
    ("grid", "team", "committee"), [(0, "team", "committee"), (1, "other_team", "other_committee")]
)
def test_a_report_goes_to_the_community_of_the_grid_it_lies_in(
    world: World, both: Actor, grid: int, team: str, committee: str
) -> None:
    made = report(world, both, grid)
    with world.store.read() as reader:
        (step,) = reader.page(IncidentStep, incident_id=made)
        incident = reader.get(Incident, made)
        assert (incident.creator_id, incident.holder_id) == (world.organisations[team], world.organisations[committee])
        assert (step.organisation_id, step.target_id) == (incident.creator_id, incident.holder_id)


def test_what_was_handled_on_the_spot_is_the_teams_of_its_grid(world: World, both: Actor) -> None:
    made = report(world, both, 1, result="已清理")
    with world.store.read() as reader:
        (step,) = reader.page(IncidentStep, incident_id=made)
    assert step.organisation_id == world.organisations["other_team"]


def test_the_worker_verifies_and_handles_for_the_team_of_the_grid(world: World, both: Actor) -> None:
    """The committee sends it down to that team, which is the worker: it shows on Today, is signed for, handled, and verified above."""
    committee = replace(world.actors["clerk"], organisation_id=world.organisations["other_committee"])
    made = report(world, both, 1)
    with world.store.unit(committee) as unit:
        perform(unit, made, "accept")
        perform(unit, made, "assign", target_id=world.organisations["other_team"])
    with world.store.read() as reader:
        assert [row.id for row in today(reader, both).incidents_to_act] == [made]
        assert today(reader, world.actors["worker"]).incidents_to_act == []
        assert organisations_of(reader, both) == sorted(world.organisations[n] for n in ("team", "other_team"))
    with world.store.unit(both) as unit:
        perform(unit, made, "sign")
        done = perform(unit, made, "finish", result="已清理")
        assert done.handler_id == world.organisations["other_team"] and done.state == "feedback"
    with world.store.unit(both) as unit:
        assert perform(unit, made, "verify_pass").state == "closed"


def test_what_was_reported_for_the_own_team_before_is_verified_by_it_still(world: World, both: Actor) -> None:
    """Reports of earlier editions name the worker's own team whichever grid they lie in."""
    made = report(world, both, 1)
    with world.store.unit(SYSTEM) as unit:
        unit.amend(
            unit.get(Incident, made), creator_id=world.organisations["team"], holder_id=world.organisations["committee"]
        )
    with world.store.unit(world.actors["clerk"]) as unit:
        perform(unit, made, "accept")
        perform(unit, made, "finish", result="已清理")
    with world.store.unit(both) as unit:
        assert perform(unit, made, "verify_pass").state == "closed"


def test_sheets_name_the_team_of_the_grid_they_are_about(world: World, both: Actor) -> None:
    home = world.household(1)
    made = report(world, both, 1)
    with world.store.read() as reader:
        names = {n: reader.get(Organisation, world.organisations[n]).name for n in ("team", "other_team")}
        assert reader.get(Household, home.id).grid_id == world.grids[1]
        for record_id in (home.id, made, world.grids[1]):
            assert stamp_preview(reader, both, "核对", record_id=record_id).organisation == names["other_team"]
        assert stamp_preview(reader, both, "核对", record_id=world.grids[0]).organisation == names["team"]
    with world.store.unit(both) as unit:
        assert make_stamp(unit, "F02", "核对", 1, record_id=home.id).organisation == names["other_team"]
