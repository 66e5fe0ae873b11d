"""Incidents: report, the workflow's commands, and what the lists and the map ask. Who may do what: `incident_actions`."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from gridman.domain import access
from gridman.domain.attachment import Attachment
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.incident import (
    OPEN_STATES,
    SUPERVISION_OF_ACTION,
    Incident,
    IncidentStep,
    Transition,
)
from gridman.domain.organisation import Organisation
from gridman.domain.rules import require_valid, tidy
from gridman.domain.user import User
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.incident_actions import EMERGENCY, require_action, require_needs
from gridman.services.photos import Blobs, PhotoDraft, attach
from gridman.store.queries import incidents as query
from gridman.store.queries.households import waiting_records
from gridman.store.search import matching_ids
from gridman.store.unit import Reader, Unit

__all__ = [
    "IncidentDraft", "IncidentFile", "IncidentQuery", "IncidentRow", "counts_by_state", "incident_ids", "incident_rows",
    "open_incident", "perform", "report_incident",
]  # fmt: skip

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_HAZARDS = ("A701", "A702", "A709", "A710", "A805", "A810")


@dataclass(frozen=True)
class IncidentDraft:
    """An incident as it is entered. A place is needed: coordinates, an address in words, or a household."""

    category: str
    description: str
    place: str = ""
    lng: float | None = None
    lat: float | None = None
    grid_id: int | None = None
    household_id: int | None = None
    source: str = "01"
    level: str = "1"
    urgency: str = "0"
    happened_at: int | None = None
    reporter_name: str = ""
    reporter_phone: str = ""
    result: str = ""
    photos: list[PhotoDraft] = field(default_factory=list)


@dataclass(frozen=True)
class IncidentQuery:
    """Which incidents a list or the map shows."""

    states: Sequence[str] = ()
    grid_ids: Sequence[int] = ()
    holder_id: int | None = None
    category: str = ""
    text: str = ""
    is_overdue: bool | None = None
    order: str = "reported"
    descending: bool = True


@dataclass(frozen=True)
class IncidentRow:
    """One line of the list; `state`, `category`, `urgency`, `supervision` are codes."""

    id: int
    number: str
    state: str
    category: str
    description: str
    place: str
    grid_name: str
    holder_name: str
    reported_at: int
    due_at: int | None
    is_overdue: bool
    urgency: str
    supervision: str
    lng: float | None
    lat: float | None
    waiting: bool


@dataclass(frozen=True)
class IncidentFile:
    """One incident with its log. `names`: users and organisations named in it, by id."""

    incident: Incident
    row: IncidentRow
    steps: list[IncidentStep]
    attachments: list[Attachment]
    grid: Grid | None
    household: Household | None
    holder: Organisation | None
    creator: Organisation | None
    names: dict[int, str]


def report_incident(unit: Unit, draft: IncidentDraft, blobs: Blobs | None = None) -> Incident:
    """Report an incident; it goes to the direct superior of the reporter's organisation. With a `result` it was handled on the spot."""
    household = unit.find(Household, draft.household_id)
    grid_id = draft.grid_id or (household.grid_id if household else None)
    access.require(unit.actor, "incident.report", grid_id)
    if draft.lng is None and not draft.place.strip() and household is None:
        raise Refusal(
            "incident.no_place",
            N_("The incident has no place."),
            N_("Click on the map, choose a household, or write where it is."),
        )
    organisation = unit.get(Organisation, unit.actor.organisation_id)
    on_the_spot = bool(draft.result.strip())
    values = tidy(
        Incident,
        {
            "category": draft.category, "description": draft.description, "lng": draft.lng, "lat": draft.lat, "grid_id": grid_id,
            "place": draft.place or (household.address if household else ""), "household_id": draft.household_id,
            "source": draft.source, "level": draft.level, "urgency": draft.urgency, "happened_at": draft.happened_at or unit.at,
            "reported_at": unit.at, "reporter_id": unit.actor.user_id, "reporter_name": draft.reporter_name or unit.actor.name,
            "reporter_phone": draft.reporter_phone, "state": "self_handled" if on_the_spot else "reported",
            "creator_id": organisation.id, "holder_id": organisation.id if on_the_spot else organisation.parent_id or organisation.id,
            "supervision": "0", "due_at": None if on_the_spot else unit.at + time_limit_ms(draft.category, draft.urgency),
            "result": draft.result, "closed_at": unit.at if on_the_spot else None, "bounce_count": 0,
            "number": _next_number(unit),
        },
    )  # fmt: skip
    require_valid(Incident, values, is_new=True)
    incident = unit.create(Incident(**values))
    _log(
        unit,
        incident,
        "self_close" if on_the_spot else "report",
        "draft",
        target_id=incident.holder_id,
        note=draft.result,
    )
    if draft.photos:
        if blobs is None:
            raise ValueError("photos need a place to be filed")
        attach(unit, blobs, "incident", incident.id, grid_id, draft.photos)
    return incident


def _next_number(unit: Unit) -> str:
    """Day, device and running number: unique without asking anyone."""
    prefix = f"{day_of(unit.at).replace('-', '')}-{unit.replica:03d}-"
    return f"{prefix}{query.count_numbered(unit, prefix) + 1:03d}"


def time_limit_ms(category: str, urgency: str) -> int:
    """How long from the report to the close: 24 h for emergencies, utilities and hazards, else 7 days (domain reference 4.4)."""
    is_quick = category.startswith(EMERGENCY) or category in _HAZARDS or urgency == "1"
    return _DAY_MS if is_quick else 7 * _DAY_MS


def perform(
    unit: Unit,
    incident_id: int,
    action: str,
    *,
    target_id: int | None = None,
    note: str = "",
    result: str = "",
    is_solved: bool | None = None,
    satisfaction: int | None = None,
    step_id: int | None = None,
) -> Incident:
    """Carry out one command of the workflow, or refuse and say who may do what instead.

    On a desk the command itself travels and the street carries it out again under its own rules; the desk's own effect is shown
    until the street's answer comes. `step_id`: the id of the log line, so that both write the same one.
    """
    incident = unit.get(Incident, incident_id)
    row = require_action(unit, incident, action, target_id)
    require_needs(row, target_id, note, result, satisfaction)
    from_state = incident.state
    step_id = step_id or unit.new_id()
    unit.command(
        incident,
        {
            "action": action, "target_id": target_id, "note": note, "result": result, "is_solved": is_solved,
            "satisfaction": satisfaction, "step_id": step_id,
        },
    )  # fmt: skip
    holder_id = _holder_after(unit, incident, row, target_id)
    if row.to_state is not None:
        unit.amend(incident, state=row.to_state, holder_id=holder_id)
    _side_effects(unit, incident, row, result, is_solved, satisfaction)
    _log(
        unit,
        incident,
        action,
        from_state,
        target_id=target_id or (holder_id if row.holder_after != "same" else None),
        note=note or result,
        step_id=step_id,
    )
    return incident


def _log(
    unit: Unit,
    incident: Incident,
    action: str,
    from_state: str,
    *,
    target_id: int | None = None,
    note: str = "",
    step_id: int | None = None,
) -> IncidentStep:
    return unit.create(
        IncidentStep(
            id=step_id, incident_id=incident.id, grid_id=incident.grid_id, at=unit.at, action=action, from_state=from_state,
            to_state=incident.state, user_id=unit.actor.user_id, organisation_id=unit.actor.organisation_id, target_id=target_id,
            note=note or None,
        )
    )  # fmt: skip


def _side_effects(
    unit: Unit, incident: Incident, row: Transition, result: str, is_solved: bool | None, satisfaction: int | None
) -> None:
    action = row.action
    if action in SUPERVISION_OF_ACTION:
        unit.amend(incident, supervision=SUPERVISION_OF_ACTION[action])
    elif action == "finish":
        unit.amend(incident, result=result, handler_id=unit.actor.organisation_id)
    elif action == "verify_pass":
        unit.amend(incident, closed_at=unit.at, supervision="0")
    elif action == "return":
        unit.amend(incident, bounce_count=(incident.bounce_count or 0) + 1)
    elif action == "reopen":
        unit.amend(incident, closed_at=None, due_at=unit.at + time_limit_ms(incident.category, incident.urgency or "0"))
    elif action == "refuse":
        unit.amend(incident, closed_at=unit.at)
    elif action == "rate":
        unit.amend(incident, is_solved=is_solved, satisfaction=satisfaction)
    elif action == "mark_urgent":
        unit.amend(incident, urgency="1", due_at=min(incident.due_at or unit.at + _DAY_MS, unit.at + _DAY_MS))


def _holder_after(unit: Unit, incident: Incident, row: Transition, target_id: int | None) -> int:
    if row.holder_after == "target" and target_id is not None:
        return target_id
    if row.holder_after == "superior":
        return unit.get(Organisation, incident.holder_id).parent_id or incident.holder_id
    if row.holder_after == "creator":
        return incident.creator_id
    if row.holder_after == "handler":
        return incident.handler_id or incident.holder_id
    if row.holder_after == "dispatcher":
        sent = query.last_step_of(unit, incident.id, "assign")
        return int(sent.organisation_id) if sent else incident.holder_id
    return incident.holder_id


def incident_ids(reader: Reader, wanted: IncidentQuery) -> "array[int]":
    """The ids of all incidents of a list, in its order."""
    return query.ids(
        reader, order=wanted.order, descending=wanted.descending, states=wanted.states, **_where(reader, wanted)
    )


def incident_points(
    reader: Reader, wanted: IncidentQuery, box: tuple[float, float, float, float]
) -> list[tuple[int, str, float, float, str | None]]:
    """(id, state, longitude, latitude, number) of a list's incidents that lie in `box` (west, south, east, north; degrees)."""
    return query.points(reader, box, states=wanted.states, **_where(reader, wanted))


def _where(reader: Reader, wanted: IncidentQuery) -> dict[str, object]:
    return {
        "grid_ids": wanted.grid_ids,
        "holder_id": wanted.holder_id,
        "category": wanted.category,
        "overdue_at": reader.now if wanted.is_overdue else None,
        "among": matching_ids(reader, wanted.text, ("incident",)) if wanted.text.strip() else None,
    }


def counts_by_state(reader: Reader, wanted: IncidentQuery) -> dict[str, int]:
    """How many incidents each state has under the list's other filters."""
    return query.counts_by_state(reader, **_where(reader, wanted))


def incident_rows(reader: Reader, ids: Sequence[int]) -> list[IncidentRow]:
    """The list's lines for these ids."""
    rows = query.rows(reader, ids)
    waiting = waiting_records(reader, [r.id for r in rows])
    return [
        IncidentRow(
            r.id, r.number or "", r.state or "", r.category or "", r.description or "", r.place or "", r.grid_name or "",
            r.holder_name or "", r.reported_at or 0, r.due_at, bool(r.due_at and r.due_at < reader.now and r.state in OPEN_STATES),
            r.urgency or "0", r.supervision or "0", r.lng, r.lat, r.id in waiting,
        )
        for r in rows
    ]  # fmt: skip


def open_incident(reader: Reader, incident_id: int) -> IncidentFile:
    """One incident with its log and photos."""
    incident = reader.get(Incident, incident_id)
    steps = reader.page(IncidentStep, incident_id=incident_id, order_by=("at", "id"))
    organisations = {i for s in steps for i in (s.organisation_id, s.target_id) if i} | {
        incident.holder_id,
        incident.creator_id,
    }
    names = {o.id: o.name for o in reader.page(Organisation, id=organisations)}
    users = {s.user_id for s in steps if s.user_id} | ({incident.reporter_id} if incident.reporter_id else set())
    names.update({u.id: u.name for u in reader.page(User, id=users)})
    return IncidentFile(
        incident,
        incident_rows(reader, [incident_id])[0],
        steps,
        reader.page(Attachment, owner_id=incident_id, order_by=("id",)),
        reader.find(Grid, incident.grid_id),
        reader.find(Household, incident.household_id),
        reader.find(Organisation, incident.holder_id),
        reader.find(Organisation, incident.creator_id),
        names,
    )
