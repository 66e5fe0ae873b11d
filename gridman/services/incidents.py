"""Incidents: report, and what the lists and the map ask. The workflow's commands: `incident_commands`; who may do what: `incident_actions`."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gridman.domain import access
from gridman.domain.attachment import Attachment
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.incident import CLOCK_STATES, Incident, IncidentStep, copies_of
from gridman.domain.organisation import Organisation
from gridman.domain.rules import require_valid, tidy
from gridman.domain.time_limits import time_limit_ms
from gridman.domain.user import User
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.access import organisation_for
from gridman.services.ground import require_in_grid
from gridman.services.incident_commands import log_step, perform
from gridman.services.incident_tasks import tasks_of
from gridman.services.photos import Blobs, PhotoDraft, attach
from gridman.store.queries import incidents as query
from gridman.store.queries.households import waiting_records
from gridman.store.search import matching_ids
from gridman.store.settings import get_setting, put_setting
from gridman.store.unit import Reader, Unit

__all__ = [
    "IncidentDraft", "IncidentFile", "IncidentQuery", "IncidentRow", "counts_by_state", "incident_ids", "incident_rows",
    "open_incident", "perform", "report_incident",
]  # fmt: skip


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
    holder_ids: Sequence[int] = ()
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
    """One incident with its log. `tasks`: those of the departments whistled up; `related`: numbers of the incidents it names, by id;
    `names`: users and organisations named in it, by id.
    """

    incident: Incident
    row: IncidentRow
    steps: list[IncidentStep]
    attachments: list[Attachment]
    grid: Grid | None
    household: Household | None
    holder: Organisation | None
    creator: Organisation | None
    tasks: list[Incident]
    related: dict[int, str]
    names: dict[int, str]


def report_incident(unit: Unit, draft: IncidentDraft, blobs: Blobs | None = None) -> Incident:
    """Report an incident; it goes to the direct superior of the organisation it is reported for: a worker's team in the grid it lies in,
    everybody else's own. With a `result` it was handled on the spot.
    """
    household = unit.find(Household, draft.household_id)
    grid_id = draft.grid_id or (household.grid_id if household else None)
    access.require(unit.actor, "incident.report", grid_id)
    if draft.lng is None and not draft.place.strip() and household is None:
        raise Refusal(
            "incident.no_place",
            N_("The incident has no place."),
            N_("Click on the map, choose a household, or write where it is."),
        )
    grid = unit.find(Grid, grid_id)
    if grid is not None and draft.lng is not None and draft.lat is not None:
        require_in_grid(unit, grid, draft.lng, draft.lat)
    organisation = organisation_for(unit, unit.actor, grid_id) or unit.get(Organisation, unit.actor.organisation_id)
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
    log_step(
        unit,
        incident,
        "self_close" if on_the_spot else "report",
        "draft",
        target_id=incident.holder_id,
        note=draft.result,
        organisation_id=organisation.id,
    )
    if draft.photos:
        if blobs is None:
            raise ValueError("photos need a place to be filed")
        attach(unit, blobs, "incident", incident.id, grid_id, draft.photos)
    return incident


_LAST_NUMBER = "incident.last_number"


def _next_number(unit: Unit) -> str:
    """Day, device and running number: unique without asking anyone. The last one is kept: its incident may have left this desk the same day."""
    prefix = f"{day_of(unit.at).replace('-', '')}-{unit.replica:03d}-"
    kept = get_setting(unit, _LAST_NUMBER) or ""
    given = int(kept.removeprefix(prefix)) if kept.startswith(prefix) else 0
    number = f"{prefix}{max(given, query.last_number(unit, prefix)) + 1:03d}"
    if unit.is_alone:  # a desk; from the street nothing leaves
        put_setting(unit, _LAST_NUMBER, number)
    return number


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
        "holder_ids": wanted.holder_ids,
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
            r.holder_name or "", r.reported_at or 0, r.due_at, _is_overdue(r, reader.now),
            r.urgency or "0", r.supervision or "0", r.lng, r.lat, r.id in waiting,
        )
        for r in rows
    ]  # fmt: skip


def _is_overdue(row: Any, now: int) -> bool:
    """Suspended time and what is left from the past do not count."""
    return bool(row.due_at and row.due_at < now and row.state in CLOCK_STATES and not row.is_legacy)


def open_incident(reader: Reader, incident_id: int) -> IncidentFile:
    """One incident with its log and photos."""
    incident = reader.get(Incident, incident_id)
    steps = reader.page(IncidentStep, incident_id=incident_id, order_by=("at", "id"))
    tasks = tasks_of(reader, incident_id)
    organisations = {i for s in steps for i in (s.organisation_id, s.target_id) if i} | {
        incident.holder_id,
        incident.creator_id,
        *copies_of(incident),
        *(task.holder_id for task in tasks),
    }
    names = {o.id: o.name for o in reader.page(Organisation, id=organisations, with_retired=True)}
    users = {s.user_id for s in steps if s.user_id} | ({incident.reporter_id} if incident.reporter_id else set())
    names.update({u.id: u.name for u in reader.page(User, id=users, with_retired=True)})
    return IncidentFile(
        incident,
        incident_rows(reader, [incident_id])[0],
        steps,
        reader.page(Attachment, owner_id=incident_id, order_by=("id",)),
        reader.find(Grid, incident.grid_id),
        reader.find(Household, incident.household_id),
        reader.find(Organisation, incident.holder_id),
        reader.find(Organisation, incident.creator_id),
        tasks,
        {
            o.id: o.number or ""
            for i in (incident.parent_id, incident.merged_into_id)
            if (o := reader.find(Incident, i)) is not None
        },
        names,
    )
