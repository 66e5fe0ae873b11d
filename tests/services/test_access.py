"""Whose grids are whose today."""

import pytest

from gridman.domain.access import SYSTEM, grid_scope, incident_scope, organisation_scope
from gridman.domain.grid import Assignment
from gridman.domain.organisation import Organisation
from gridman.services.access import actor_of_user, scopes_of_user
from gridman.services.accounts import create_user
from tests.support.streets import CLERK, STAFF, WORKER, TownStreet


def scopes(town: TownStreet, user_id: int) -> set[str]:
    with town.street.store.read() as reader:
        return set(scopes_of_user(reader, user_id)) - {"ref", "map"}


@pytest.mark.parametrize(
    ("from_on", "until_on", "is_open"),
    [
        (None, None, True),
        ("2026-11-23", "2026-11-23", True),
        ("2026-11-24", None, False),
        (None, "2026-11-22", False),
    ],
)
def test_an_assignment_counts_from_its_first_to_its_last_day(
    town: TownStreet, from_on: str | None, until_on: str | None, is_open: bool
) -> None:
    with town.street.store.unit(SYSTEM) as unit:
        unit.create(Assignment(user_id=town.users[WORKER], grid_id=town.grids[2], from_on=from_on, until_on=until_on))
    assert (grid_scope(town.grids[2]) in scopes(town, town.users[WORKER])) is is_open


def test_the_day_is_chinas(town: TownStreet) -> None:
    with town.street.store.unit(SYSTEM) as unit:
        unit.create(Assignment(user_id=town.users[WORKER], grid_id=town.grids[2], from_on="2026-11-24"))
    town.clock.pass_minutes(12 * 60 - 1)  # 23:59 in China
    assert grid_scope(town.grids[2]) not in scopes(town, town.users[WORKER])
    town.clock.pass_minutes(1)
    assert grid_scope(town.grids[2]) in scopes(town, town.users[WORKER])


def test_a_withdrawn_assignment_ends_at_once(town: TownStreet) -> None:
    with town.street.store.unit(SYSTEM) as unit:
        unit.retire(unit.page(Assignment)[0], "moved")
    assert scopes(town, town.users[WORKER]) == {organisation_scope(town.organisations["community"])}


def test_the_community_has_its_grids_and_the_street_only_their_incidents(town: TownStreet) -> None:
    own, office = organisation_scope(town.organisations["community"]), organisation_scope(town.organisations["street"])
    first_two = {scope(g) for g in town.grids[:2] for scope in (grid_scope, incident_scope)}
    assert scopes(town, town.users[STAFF]) == first_two | {own}
    assert scopes(town, town.users[CLERK]) == {incident_scope(g) for g in town.grids} | {office}


def test_a_department_has_what_is_sent_to_it_and_an_auditor_nothing_of_residents(town: TownStreet) -> None:
    with town.street.store.unit(SYSTEM) as unit:
        office = town.organisations["street"]
        bureau = unit.create(Organisation(name="Water", level="street", parent_id=office, is_department=True))
        unit.flush()
        water = create_user(unit, "water", "Water", "department_user", bureau).id
        auditor = create_user(unit, "auditor", "Auditor", "auditor", office).id
    assert scopes(town, water) == {organisation_scope(bureau.id)}
    assert not {s for s in scopes(town, auditor) if s.startswith(("g:", "i:"))}


def test_an_actor_carries_role_organisation_and_device(town: TownStreet) -> None:
    with town.street.store.read() as reader:
        actor = actor_of_user(reader, town.users[STAFF], 9)
    assert (actor.name, actor.role, actor.replica) == ("Staff", "community_staff", 9)
    assert actor.grid_ids == set(town.grids[:2])
