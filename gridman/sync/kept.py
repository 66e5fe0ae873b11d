"""What did not make it into a record is kept where people look for it: both values, who and when (sync design D8)."""

import base64
import json
from typing import Any

from gridman.domain.catalog import Noun
from gridman.domain.conflict import Conflict
from gridman.domain.fields import Synced
from gridman.domain.incident import Incident, IncidentStep
from gridman.kernel.errors import Refusal
from gridman.store.unit import Unit
from gridman.sync.protocol import Op

__all__ = ["grid_of", "keep", "log_rejected", "whole_or_none"]

_LONGEST_NOTE = 2_000


def whole_or_none(value: object) -> int | None:
    """The value when it is a whole number."""
    return value if type(value) is int else None


def grid_of(record: Synced) -> int | None:
    """The grid a record lies in."""
    return whole_or_none(getattr(record, "grid_id", None))


def log_rejected(unit: Unit, incident: Incident, op: Op, problem: Refusal) -> None:
    """A command that came too late stays readable on the incident's log, with the worker's words (design D8)."""
    words = str(op.after.get("note") or op.after.get("result") or "")[: _LONGEST_NOTE // 2]
    note = f"{op.after.get('action')}: {problem.words()} {words}"[:_LONGEST_NOTE]
    unit.create(
        IncidentStep(
            incident_id=incident.id, grid_id=incident.grid_id, at=unit.at, action="rejected", from_state=incident.state,
            to_state=incident.state, user_id=unit.actor.user_id, organisation_id=unit.actor.organisation_id, note=note.strip(),
        )
    )  # fmt: skip


def keep(
    unit: Unit,
    known: Noun,
    record_id: int,
    grid_id: int | None,
    name: str | None,
    reason: str,
    kept: tuple[Any, int | None, int | None],
    lost: tuple[Any, int | None, int | None],
) -> None:
    """File a losing value; `kept` and `lost` are (value, who, when). A review goes to the grid's people; where no grid is known, the
    values stay on the desk that sent them, or all would read them.
    """
    grid_id = grid_id or min(unit.actor.grid_ids, default=None)
    if not grid_id and set(known.fields) & {"grid_id"}:
        kept, lost = (None, *kept[1:]), (None, *lost[1:])
    unit.create(
        Conflict(
            record_kind=known.kind, record_id=record_id, grid_id=grid_id, field=name, reason=reason,
            kept=_json(kept[0]), kept_by_id=kept[1], kept_at=kept[2], lost=_json(lost[0]), lost_by_id=lost[1], lost_at=lost[2],
        )
    )  # fmt: skip


def _json(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, default=lambda b: {"base64": base64.b64encode(b).decode()})
