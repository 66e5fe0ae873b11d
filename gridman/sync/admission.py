"""What a desk may write at the street at all: rights by kind of record, new records in one's own name, moves within one's own grids."""

from collections.abc import Mapping
from typing import Any

from gridman.domain.access import grid_scope, incident_scope
from gridman.domain.catalog import Noun
from gridman.domain.fields import Synced
from gridman.domain.household import Household
from gridman.domain.incident import TRANSITIONS, Incident, copies_of
from gridman.domain.stamp import MAX_AHEAD_MS
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import replica_of
from gridman.kernel.words import N_
from gridman.services.access import organisation_for
from gridman.store.unit import Unit
from gridman.sync.kept import whole_or_none
from gridman.sync.protocol import Op

__all__ = [
    "ForeignTarget",
    "dated",
    "not_editable",
    "require_more_than_a_copy",
    "require_own",
    "require_target",
    "right_to_amend",
    "right_to_create",
]

_CREATE_RIGHT = {
    "household": "household.write", "person": "household.write", "care_tag": "household.write", "dwelling": "household.write",
    "visit": "visit.write", "incident": "incident.report", "incident_step": "incident.report", "notice": "notice.write",
    "building": "map.edit", "map_feature": "map.edit",
}  # fmt: skip
_AMEND_RIGHT = {
    "household": "household.write", "person": "household.write", "care_tag": "household.write", "dwelling": "household.write",
    "visit": "visit.write", "incident": "incident.act", "notice": "notice.write", "building": "map.edit",
    "conflict": "conflict.resolve",
}  # fmt: skip
_PHOTO_RIGHT = {"visit": "visit.write", "incident": "incident.report", "household": "household.write"}
_FIRST_STATES = frozenset(t.to_state for t in TRANSITIONS if "draft" in t.from_states)
_FIRST_ACTIONS = frozenset(t.action for t in TRANSITIONS if "draft" in t.from_states)
_REGISTER = frozenset({"household", "person", "care_tag", "dwelling"})

_OF_COMMANDS = ("parent_id", "whistle_case", "merged_into_id", "copied_to", "extension", "is_legacy")
"""Fields of an incident that only the workflow's commands fill, never whoever reports it."""


class ForeignTarget(Refusal):
    """A record would be moved to where its author may not write."""

    def __init__(self) -> None:
        super().__init__(
            "sync.target",
            N_("A record cannot be moved into a grid that is not yours; your edit was kept for review."),
            N_("Ask the worker of that grid, or the community office, to move it."),
        )


def right_to_create(kind: str, values: Mapping[str, Any]) -> str:
    """The right that a new record of this kind needs; refuses for kinds that are made at the street only."""
    right = _PHOTO_RIGHT.get(str(values.get("owner_kind"))) if kind == "attachment" else _CREATE_RIGHT.get(kind)
    if right is None:
        raise Refusal(
            "sync.street_record", N_("Records of this kind are made on the street server only ({kind})."), kind=kind
        )
    return right


def right_to_amend(known: Noun, names: list[str]) -> str:
    """The right that an edit of these fields needs; refuses for kinds that are edited at the street only."""
    right = _AMEND_RIGHT.get(known.kind)
    if right is None:
        raise not_editable(known, names)
    return right


def require_target(
    unit: Unit, known: Noun, record: Synced | None, values: Mapping[str, Any], scopes: frozenset[str]
) -> None:
    """Refuse an edit (of `record`, None: a new one) that puts a record of the register into a grid, or into a household of a grid, that
    its author's desk does not have.
    """
    if known.kind not in _REGISTER:
        return
    grids = {values["grid_id"]} if "grid_id" in values and record is not None else set()
    household_id = values.get("household_id")
    if household_id is not None and (record is None or household_id != getattr(record, "household_id", None)):
        household = unit.find(Household, household_id)
        if household is not None:  # one that was set aside or refused itself: told with its own operation
            grids.add(household.grid_id)
    if record is not None:
        grids.discard(getattr(record, "grid_id", None))
    if any(grid_id is None or grid_scope(grid_id) not in scopes for grid_id in grids):
        raise ForeignTarget


def require_more_than_a_copy(unit: Unit, record: Synced, scopes: frozenset[str]) -> None:
    """An organisation that has an incident only as a copy reads it (domain reference 4.2, copy)."""
    if not isinstance(record, Incident):
        return
    own = unit.actor.organisation_id
    is_involved = own in (record.creator_id, record.holder_id, record.handler_id)
    is_near = record.grid_id is not None and incident_scope(record.grid_id) in scopes
    if own in copies_of(record) and not is_involved and not is_near:
        raise Refusal(
            "incident.copy_only",
            N_("{number} is only a copy for your organisation."),
            N_("Tell the organisation that holds it; you can urge it, too."),
            number=record.number,
        )


def require_own(unit: Unit, op: Op, values: Mapping[str, Any]) -> None:
    """New incidents start at the workflow's beginning and name who really reports; log lines come with a new incident only; a visit
    names its visitor.
    """
    actor = unit.actor
    if op.entity == "incident":
        # A desk of an earlier edition names the worker's own organisation whichever grid it is.
        team = organisation_for(unit, actor, whole_or_none(values.get("grid_id")))
        own = {actor.organisation_id, team.id if team is not None else actor.organisation_id}
        is_right = values.get("state") in _FIRST_STATES and values.get("creator_id") in own
        is_right = is_right and values.get("reporter_id") in (None, actor.user_id)
        is_right = is_right and not any(values.get(name) for name in _OF_COMMANDS)
    elif op.entity == "incident_step":
        is_right = values.get("action") in _FIRST_ACTIONS and values.get("user_id") == actor.user_id
        is_right = is_right and replica_of(int(values.get("incident_id") or 0)) == replica_of(op.record_id)
    elif op.entity == "visit":
        is_right = values.get("user_id") == actor.user_id
    else:
        return
    if not is_right:
        raise Refusal(
            "sync.not_own",
            N_("Incidents and visits are written in one's own name, and a new incident starts at the beginning."),
        )


def dated(values: Mapping[str, Any], now: int, skew_ms: int) -> dict[str, Any]:
    """A new visit that a wrong clock put into the future, set right: by how far the desk's clock is ahead when it sends (`skew_ms`), and never
    past now. The claimed time is kept beside it. A visit of the past is believed: it may have been written down later.
    """
    kept = {name: value for name, value in values.items() if name != "claimed_at"}
    claimed = kept.get("visited_at")
    if type(claimed) is int and claimed > now + MAX_AHEAD_MS:
        kept.update(visited_at=min(now, claimed - max(0, skew_ms)), claimed_at=claimed)
    return kept


def not_editable(known: Noun, names: list[str]) -> Refusal:
    """These fields change by other ways than an edit."""
    return Refusal(
        "sync.closed_field",
        N_("These fields cannot be edited this way: {fields} ({kind})."),
        N_("The office changes them on the street server."),
        fields=", ".join(names),
        kind=known.kind,
    )
