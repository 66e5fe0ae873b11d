"""Who may see or do what. Pure: a table of rights by role, and the scopes of data a user's desk receives (domain reference 4.5)."""

from collections.abc import Iterable
from dataclasses import dataclass

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = [
    "MAP",
    "REF",
    "SYSTEM",
    "Actor",
    "grid_scope",
    "incident_scope",
    "may",
    "organisation_scope",
    "require",
    "scopes_for",
]

REF = "ref"
"""Organisations, users, regions, grids, buildings, notices: no personal data of residents; everyone has it."""

MAP = "map"
"""The base map; everyone has it, and it comes last."""


@dataclass(frozen=True)
class Actor:
    """Who acts: the signed-in user on one device. `grid_ids`: grids of the user's own scope."""

    user_id: int
    name: str
    role: str
    organisation_id: int
    grid_ids: frozenset[int] = frozenset()
    replica: int = 0


SYSTEM = Actor(0, "gridman", "system", 0)
"""The program itself: set-up, imports and migrations run on the street server."""

_RESIDENT_WRITE = frozenset({"household.read", "household.write", "visit.write", "reveal", "conflict.resolve"})
_INCIDENT = frozenset({"incident.read", "incident.report", "incident.act"})
_STREET = _INCIDENT | {"incident.supervise", "map.read", "map.edit", "notice.write", "report.incident"}

_RIGHTS: dict[str, frozenset[str]] = {
    "grid_worker": _RESIDENT_WRITE | _INCIDENT | {"map.read", "roster.print", "report.incident"},
    "grid_leader": _RESIDENT_WRITE | _INCIDENT | {"map.read", "roster.print", "report.incident"},
    "community_staff": _RESIDENT_WRITE
    | _INCIDENT
    | {"map.read", "roster.print", "register.import", "export", "report.incident", "notice.write"},
    "community_head": _RESIDENT_WRITE
    | _INCIDENT
    | {
        "map.read",
        "roster.print",
        "register.import",
        "export",
        "report.incident",
        "incident.supervise",
        "notice.write",
    },
    "street_clerk": _STREET,
    "street_supervisor": _STREET | {"export"},
    "department_user": _INCIDENT | {"map.read", "report.incident"},
    "auditor": frozenset({"audit.read"}),
    "sysadmin": frozenset({"account.manage", "register.import", "map.edit", "map.read", "notice.write"}),
}


def rights_of(role: str) -> frozenset[str]:
    """The rights of a role; an unknown role has none."""
    return _RIGHTS.get(role, frozenset())


def may(actor: Actor, right: str, grid_id: int | None = None) -> bool:
    """Whether `actor` has `right`, and for a grid's record, whether that grid is within the actor's scope."""
    if actor.role == "system":
        return True
    if right not in rights_of(actor.role):
        return False
    return grid_id is None or not actor.grid_ids or grid_id in actor.grid_ids


def require(actor: Actor, right: str, grid_id: int | None = None) -> None:
    """Refuse unless `may`; says who may."""
    if may(actor, right, grid_id):
        return
    if right in rights_of(actor.role):
        raise Refusal(
            "access.other_grid",
            N_("This record lies in a grid that is not yours."),
            N_("Ask the worker of that grid, or the community office, to make the change."),
        )
    roles = ", ".join(role for role, rights in _RIGHTS.items() if right in rights)
    raise Refusal(
        "access.role",
        N_("The role {role} may not do this ({right})."),
        N_("Those who may: {roles}."),
        role=actor.role,
        right=right,
        roles=roles,
    )


def grid_scope(grid_id: int) -> str:
    """Register of a grid: households, people, visits."""
    return f"g:{grid_id}"


def incident_scope(grid_id: int) -> str:
    """Incidents that happened in a grid."""
    return f"i:{grid_id}"


def organisation_scope(organisation_id: int) -> str:
    """Incidents an organisation created, holds or handled."""
    return f"o:{organisation_id}"


def scopes_for(
    role: str, organisation_id: int, register_grids: Iterable[int], incident_grids: Iterable[int]
) -> frozenset[str]:
    """What a user's desk receives. Street roles get incidents of all grids but no resident's record (no free browsing of the
    population); departments get only what is sent to them.
    """
    found = {REF, MAP, organisation_scope(organisation_id)}
    if "household.read" in rights_of(role):
        found.update(grid_scope(g) for g in register_grids)
    if "incident.read" in rights_of(role) and role != "department_user":
        found.update(incident_scope(g) for g in incident_grids)
    return frozenset(found)
