"""The list of synced nouns. One line here gives a class its wire name, its place in the order of a pull, and its scopes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gridman.domain.access import MAP, REF, grid_scope, incident_scope, organisation_scope
from gridman.domain.attachment import Attachment
from gridman.domain.building import Building, Dwelling, MapFeature
from gridman.domain.conflict import Conflict
from gridman.domain.fields import Field, Synced, fields_of, kind_of, wire_fields
from gridman.domain.grid import Assignment, Grid
from gridman.domain.household import Household
from gridman.domain.incident import Incident, IncidentStep, copies_of
from gridman.domain.notice import Notice
from gridman.domain.organisation import Organisation
from gridman.domain.person import CareTag, Person
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.domain.visit import Visit

__all__ = ["NOUNS", "Noun", "noun", "noun_of"]


def _everyone(record: Any) -> tuple[str, ...]:
    return (REF,)


def _map(record: Any) -> tuple[str, ...]:
    return (MAP,)


def _grid(record: Any) -> tuple[str, ...]:
    return (grid_scope(record.grid_id),) if record.grid_id else ()


def _incident(record: Any) -> tuple[str, ...]:
    organisations = {record.creator_id, record.holder_id, record.handler_id, *copies_of(record)} - {None}
    own = (incident_scope(record.grid_id),) if record.grid_id else ()
    return own + tuple(organisation_scope(o) for o in sorted(organisations))


def _conflict(record: Any) -> tuple[str, ...]:
    if not record.grid_id:
        return (organisation_scope(record.organisation_id) if record.organisation_id else REF,)
    return (
        incident_scope(record.grid_id) if record.record_kind.startswith("incident") else grid_scope(record.grid_id),
    )


@dataclass(frozen=True)
class Noun:
    """One synced class. `scopes` reads a loaded record; `follows` names the field holding the id of the incident whose scopes the
    record shares (its log and photos go where the incident goes); when that is empty or no incident's, `scopes` speaks.
    """

    cls: type[Synced]
    scopes: Callable[[Any], tuple[str, ...]]
    follows: str = ""

    @property
    def kind(self) -> str:
        return kind_of(self.cls)

    @property
    def fields(self) -> Mapping[str, Field]:
        return fields_of(self.cls)

    @property
    def columns(self) -> tuple[str, ...]:
        return wire_fields(self.cls)


NOUNS: tuple[Noun, ...] = (  # the order of a first sync: what a screen needs first comes first
    Noun(Region, _everyone),
    Noun(Grid, _everyone),
    Noun(Organisation, _everyone),
    Noun(User, _everyone),
    Noun(Assignment, _everyone),
    Noun(Notice, _everyone),
    Noun(Building, _everyone),
    Noun(Dwelling, _grid),
    Noun(Household, _grid),
    Noun(Person, _grid),
    Noun(CareTag, _grid),
    Noun(Incident, _incident),
    Noun(IncidentStep, _grid, follows="incident_id"),
    Noun(Conflict, _conflict),
    Noun(Visit, _grid),
    Noun(Attachment, _grid, follows="owner_id"),
    Noun(MapFeature, _map),
)

_BY_KIND = {n.kind: n for n in NOUNS}
_BY_CLASS = {n.cls: n for n in NOUNS}


def noun(kind: str) -> Noun | None:
    """The noun with this wire name, or None: a newer version's noun that must be kept for later."""
    return _BY_KIND.get(kind)


def noun_of(record: Synced) -> Noun:
    """The noun of a record."""
    return _BY_CLASS[type(record)]
