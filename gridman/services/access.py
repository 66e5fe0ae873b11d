"""Who a user is today: the actor behind a request or a signed-in desk, and the scopes of data the user's desk receives."""

from collections.abc import Collection

from gridman.domain.access import Actor, may, scopes_for
from gridman.domain.organisation import Organisation
from gridman.domain.user import User
from gridman.kernel.clock import day_of
from gridman.store.queries.standing import (
    Standing,
    assignments_of,
    grids_in,
    place_of_organisation,
    region_parents,
    standing_of,
)
from gridman.store.unit import Reader

__all__ = ["actor_of_user", "grids_of_user", "organisation_for", "organisations_of", "scopes_of_user"]

_BY_ASSIGNMENT = frozenset({"grid_worker", "grid_leader"})
_NO_GRID = frozenset({0})
"""No record lies in grid 0: a worker between two assignments may not work anywhere (an empty set would mean everywhere)."""


def grids_of_user(reader: Reader, user: User | Standing) -> frozenset[int]:
    """Workers: the grids assigned to them today. Everybody else: the grids of the region of their organisation."""
    if user.role in _BY_ASSIGNMENT:
        return _assigned(reader, user.id)
    region_id, grid_id = place_of_organisation(reader, user.organisation_id)
    if grid_id is not None:
        return frozenset({grid_id})
    return frozenset() if region_id is None else grids_in(reader, _regions_below(reader, region_id))


def _assigned(reader: Reader, user_id: int) -> frozenset[int]:
    today = day_of(reader.now)
    return frozenset(
        grid_id
        for grid_id, first, last in assignments_of(reader, user_id)
        if (first is None or first <= today) and (last is None or today <= last)
    )


def _regions_below(reader: Reader, region_id: int) -> frozenset[int]:
    """The region and everything in it."""
    found, border = {region_id}, {region_id}
    parents = region_parents(reader)
    while border:
        border = {i for i, parent_id in parents if parent_id in border} - found
        found |= border
    return frozenset(found)


def actor_of_user(reader: Reader, user_id: int, replica: int = 0) -> Actor:
    """The user as an actor on one device, with today's grids. Refuses when there is no such user."""
    user = _standing(reader, user_id)
    actor = Actor(user.id, user.name, user.role, user.organisation_id, frozenset(), replica)
    if not may(actor, "household.read"):
        return actor  # streets and departments are bounded by scopes and organisations, not by grids
    return Actor(
        user.id, user.name, user.role, user.organisation_id, grids_of_user(reader, user) or _NO_GRID, replica
    )  # fmt: skip


def organisation_for(
    reader: Reader, actor: Actor, grid_id: int | None, involved: Collection[int | None] = ()
) -> Organisation | None:
    """For which organisation `actor` acts on a record of this grid: who works in several grids, for the team of the record's grid; everybody
    else for the one they belong to. That one goes before where only it is among the `involved`: it reported or holds the incident.
    """
    own = reader.find(Organisation, actor.organisation_id)
    if own is None or own.level != "grid" or own.grid_id == grid_id or grid_id not in actor.grid_ids:
        return own
    team = reader.first(Organisation, grid_id=grid_id, level="grid")
    return own if team is None or (own.id in involved and team.id not in involved) else team


def organisations_of(reader: Reader, actor: Actor) -> list[int]:
    """The organisations for which `actor` acts today: the own one, and the teams of all grids assigned to a worker of a team."""
    own = reader.find(Organisation, actor.organisation_id)
    if own is None or own.level != "grid":
        return [actor.organisation_id]
    teams = reader.page(Organisation, grid_id=actor.grid_ids, level="grid")
    return sorted({own.id, *(team.id for team in teams)})


def scopes_of_user(reader: Reader, user_id: int) -> frozenset[str]:
    """What this user's desk receives today."""
    user = _standing(reader, user_id)
    grids = grids_of_user(reader, user)
    return scopes_for(user.role, user.organisation_id, grids, grids)


def _standing(reader: Reader, user_id: int) -> Standing:
    found = standing_of(reader, user_id)
    if found is not None:
        return found
    user = reader.get(User, user_id)  # refuses in its words
    return Standing(user.id, user.name, user.role, user.organisation_id)
