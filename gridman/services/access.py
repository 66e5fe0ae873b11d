"""Who a user is today: the actor behind a request or a signed-in desk, and the scopes of data the user's desk receives."""

from collections.abc import Iterable

from gridman.domain.access import Actor, may, scopes_for
from gridman.domain.grid import Grid
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.kernel.clock import day_of
from gridman.store.queries.standing import Standing, assignments_of, standing_of
from gridman.store.unit import Reader

__all__ = ["actor_of_user", "grids_of_user", "scopes_of_user"]

_BY_ASSIGNMENT = frozenset({"grid_worker", "grid_leader"})
_ALL = 1_000_000
_NO_GRID = frozenset({0})
"""No record lies in grid 0: a worker between two assignments may not work anywhere (an empty set would mean everywhere)."""


def grids_of_user(reader: Reader, user: User | Standing) -> frozenset[int]:
    """Workers: the grids assigned to them today. Everybody else: the grids of the region of their organisation."""
    if user.role in _BY_ASSIGNMENT:
        return _assigned(reader, user.id)
    organisation = reader.find(Organisation, user.organisation_id)
    if organisation is None:
        return frozenset()
    if organisation.grid_id is not None:
        return frozenset({organisation.grid_id})
    if organisation.region_id is None:
        return frozenset()
    regions = _regions_below(reader, organisation.region_id)
    return _ids(reader.page(Grid, community_id=regions, limit=_ALL))


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
    while border:
        border = set(_ids(reader.page(Region, parent_id=border, limit=_ALL))) - found
        found |= border
    return frozenset(found)


def _ids(records: Iterable[Region] | Iterable[Grid]) -> frozenset[int]:
    return frozenset(r.id for r in records)


def actor_of_user(reader: Reader, user_id: int, replica: int = 0) -> Actor:
    """The user as an actor on one device, with today's grids. Refuses when there is no such user."""
    user = _standing(reader, user_id)
    actor = Actor(user.id, user.name, user.role, user.organisation_id, frozenset(), replica)
    if not may(actor, "household.read"):
        return actor  # streets and departments are bounded by scopes and organisations, not by grids
    return Actor(
        user.id, user.name, user.role, user.organisation_id, grids_of_user(reader, user) or _NO_GRID, replica
    )  # fmt: skip


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
