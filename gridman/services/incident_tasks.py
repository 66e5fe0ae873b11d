"""Whistling up departments (吹哨报到): each one called gets a task of its own, an incident that hangs on the first, with its own clock,
signed for, handled and verified like any other; and merging an incident into another (domain reference 4.2, 4.3).
"""

from gridman.domain.incident import OPEN_STATES, Incident
from gridman.domain.time_limits import time_limit_ms
from gridman.store.queries import incidents as query
from gridman.store.unit import Reader, Unit

__all__ = ["has_open_tasks", "merge_candidates", "tasks_of", "whistle_up"]

_MOST_CANDIDATES = 50
_NEAR_DEGREES = 0.003
"""About 300 metres."""


def whistle_up(unit: Unit, incident: Incident, department_id: int, case: str, note: str, task_id: int) -> Incident:
    """Make the task of one department. The organisation that whistles verifies it in the end."""
    tasks = query.count_tasks(unit, incident.id)
    return unit.create(
        Incident(
            id=task_id, number=f"{incident.number}-{tasks + 1}", category=incident.category, description=incident.description,
            place=incident.place, lng=incident.lng, lat=incident.lat, grid_id=incident.grid_id, household_id=None,
            source=incident.source, level=incident.level, urgency=incident.urgency, happened_at=incident.happened_at,
            reported_at=unit.at, reporter_id=unit.actor.user_id, state="dispatched", creator_id=unit.actor.organisation_id,
            holder_id=department_id, supervision="0", due_at=unit.at + time_limit_ms(incident.category, incident.urgency),
            bounce_count=0, parent_id=incident.id, whistle_case=case,
        )
    )  # fmt: skip


def tasks_of(reader: Reader, incident_id: int) -> list[Incident]:
    """The tasks that hang on an incident, in order."""
    return reader.page(Incident, parent_id=incident_id, order_by=("reported_at", "id"))


def has_open_tasks(reader: Reader, incident_id: int) -> bool:
    """Whether a department that was whistled up is still at work."""
    return any(task.state in OPEN_STATES for task in tasks_of(reader, incident_id))


def merge_candidates(reader: Reader, incident: Incident) -> list[Incident]:
    """Open incidents that may be about the same thing: of the same grid or within some 300 metres, those of the same category and the
    nearest first.
    """
    found = query.open_near(reader, incident, _NEAR_DEGREES, _MOST_CANDIDATES)
    return [reader.get(Incident, i) for i in found]
