"""What a person needs to see in the morning."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridman.domain.access import Actor, rights_of
from gridman.domain.conflict import Conflict
from gridman.domain.incident import OPEN_STATES
from gridman.domain.notice import Notice
from gridman.kernel.clock import day_of
from gridman.services.access import organisations_of
from gridman.services.incidents import IncidentQuery, IncidentRow, counts_by_state, incident_ids, incident_rows
from gridman.services.notices import current_notices
from gridman.services.visits import DueRow, due_households, visits_done
from gridman.store import outbox
from gridman.store.queries.households import due_counts
from gridman.store.unit import Reader

__all__ = ["Today", "today"]

_MOST_SHOWN = 20


@dataclass(frozen=True)
class Today:
    """The Today page. `incidents_to_act`: the first of `to_act_count`."""

    day: str
    due: list[DueRow]
    due_count: int
    overdue_count: int
    visits_done: int
    waiting: int
    refused: int
    notices: list[Notice]
    incidents_to_act: list[IncidentRow]
    to_act_count: int
    open_incidents: int
    overdue_incidents: int
    conflict_count: int


def today(reader: Reader, actor: Actor, due_limit: int = 60) -> Today:
    """Due visits, unsent work, notices, incidents this person's organisation must act on, conflicts."""
    day = day_of(reader.now)
    grids: Sequence[int] = sorted(actor.grid_ids)
    visits_at_all = "visit.write" in rights_of(actor.role)
    due_count, overdue_count = due_counts(reader, grids, day) if visits_at_all else (0, 0)
    mine = incident_ids(
        reader,
        IncidentQuery(states=OPEN_STATES, holder_ids=organisations_of(reader, actor), order="due", descending=False),
    )
    counts = counts_by_state(reader, IncidentQuery())
    return Today(
        day=day,
        due=due_households(reader, grids, day, due_limit) if visits_at_all else [],
        due_count=due_count,
        overdue_count=overdue_count,
        visits_done=visits_done(reader, grids, day) if visits_at_all else 0,
        waiting=outbox.waiting_acts(reader),
        refused=outbox.counts(reader).get("refused", 0),
        notices=current_notices(reader, day, actor=actor),
        incidents_to_act=incident_rows(reader, list(mine[:_MOST_SHOWN])),
        to_act_count=len(mine),
        open_incidents=sum(counts.get(state, 0) for state in OPEN_STATES),
        overdue_incidents=len(incident_ids(reader, IncidentQuery(is_overdue=True))),
        conflict_count=reader.count(Conflict, resolved_at=None),
    )
