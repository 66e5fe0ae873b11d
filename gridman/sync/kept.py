"""What did not make it into a record is kept where people look for it: both values, who and when (sync design D8)."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from gridman.domain.catalog import Noun, noun
from gridman.domain.conflict import DOUBLES, Conflict
from gridman.domain.fields import Synced
from gridman.domain.incident import Incident, IncidentStep
from gridman.kernel.errors import Refusal
from gridman.store.unit import Unit
from gridman.sync.protocol import Op

__all__ = ["grid_of", "json_of", "keep", "log_rejected", "note_other_decision", "whole_or_none"]

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
            kept=json_of(kept[0]), kept_by_id=kept[1], kept_at=kept[2], lost=json_of(lost[0]), lost_by_id=lost[1], lost_at=lost[2],
        )
    )  # fmt: skip


def note_other_decision(unit: Unit, conflict: Conflict, values: Mapping[str, Any]) -> int:
    """A conflict that somebody else has decided otherwise, of which the author of `values` did not know: what stands now and what the other
    wanted are kept for review like two edits. Returns 1 when there was such a decision.
    """
    earlier, later = conflict.resolution, values.get("resolution")
    known = noun(conflict.record_kind)
    if earlier is None or later is None or earlier == later or known is None:
        return 0
    sides = {
        earlier: (conflict.resolved_by_id, conflict.resolved_at),
        later: (unit.actor.user_id, unit.at),
    }
    record = unit.find(known.cls, conflict.record_id)
    if conflict.field is not None and conflict.field in known.fields and record is not None:
        now = json_of(getattr(record, conflict.field))
        standing = "restored" if now == conflict.lost else "kept"
        words = {"kept": conflict.kept if now == conflict.lost else now, "restored": conflict.lost}
        field = conflict.field
    else:
        is_gone = record is None or record.retired_at is not None
        standing = "kept" if is_gone == (conflict.reason not in DOUBLES) else "restored"
        words, field = {one: json_of(one) for one in ("kept", "restored")}, None
    other = "kept" if standing == "restored" else "restored"
    if not {standing, other} <= sides.keys():
        return 0
    unit.create(
        Conflict(
            record_kind=conflict.record_kind, record_id=conflict.record_id, grid_id=grid_of(conflict), field=field, reason="decided",
            kept=words[standing], kept_by_id=sides[standing][0], kept_at=sides[standing][1],
            lost=words[other], lost_by_id=sides[other][0], lost_at=sides[other][1],
        )
    )  # fmt: skip
    return 1


def json_of(value: Any) -> str | None:
    """A value as a kept loser holds it."""
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, default=lambda b: {"base64": base64.b64encode(b).decode()})
