"""What hangs on what in the review list: a log line on its incident, residents and visits on their household, an edit on the record it edits.

A computer that hands over an incident hands over its log too; a part that were taken over without the record it belongs to would belong to
nothing. So what waits and is needed is taken over first, in the same act.
"""

import base64
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gridman.domain.catalog import noun
from gridman.domain.conflict import DOUBLES, Conflict
from gridman.domain.fields import Synced
from gridman.store.unit import Reader

__all__ = ["Needed", "is_edit", "is_entry", "log_lines_of", "lost_values", "needed_by", "waiting_for"]

_OWNERS: dict[str, tuple[tuple[str, str], ...]] = {
    "household": (("dwelling_id", "dwelling"),),
    "person": (("household_id", "household"),),
    "care_tag": (("household_id", "household"), ("person_id", "person")),
    "visit": (("household_id", "household"),),
    "incident_step": (("incident_id", "incident"),),
}
_MARKS = {kind: tuple(name for name, _ in pairs) for kind, pairs in _OWNERS.items() if kind != "household"} | {
    "attachment": ("owner_id",)
}
"""What every new record of the kind says, and no edit of one does by itself."""
_MOST_LINES = 10_000


@dataclass(frozen=True)
class Needed:
    """A record that must be there first. `conflict`: where it waits itself; None: nowhere, it cannot be taken over from here."""

    kind: str
    record_id: int
    conflict: Conflict | None


def lost_values(conflict: Conflict) -> dict[str, Any] | None:
    """The values of a whole operation that was set aside; None when the conflict is about one field."""
    if conflict.field is not None or not conflict.lost:
        return None
    found = json.loads(conflict.lost)
    return {name: _plain(value) for name, value in found.items()} if isinstance(found, dict) else None


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"base64"}:
        with suppress(TypeError, ValueError):  # whoever sent it wrote just that
            return base64.b64decode(value["base64"])
    return value


def is_edit(conflict: Conflict) -> bool:
    """Whether some fields of a record were handed over that was not there to hold them against; else it is a new record, or a step."""
    known, values = noun(conflict.record_kind), lost_values(conflict)
    return (
        known is not None
        and bool(values)
        and values is not None
        and not (conflict.record_kind == "incident" and "action" in values)
        and not _is_whole(conflict.record_kind, values)
    )


def is_entry(conflict: Conflict) -> bool:
    """Whether a whole entry waits, a record or a step or several fields at once, that is taken over or left out; else two values of one field."""
    return conflict.reason not in DOUBLES and lost_values(conflict) is not None


def _is_whole(kind: str, values: dict[str, Any]) -> bool:
    known = noun(kind)
    needed = {f.name for f in known.fields.values() if f.is_required} if known is not None else set()
    return all(values.get(name) is not None for name in needed.union(_MARKS.get(kind, ())))


def waiting_for(reader: Reader, kind: str, record_id: int, *, with_decided: bool = False) -> Conflict | None:
    """Where this new record waits to be taken over, None: nowhere."""
    still: dict[str, Any] = {} if with_decided else {"resolved_at": None}
    found = reader.page(
        Conflict, record_kind=kind, record_id=record_id, field=None, order_by=("id",), limit=50, **still
    )
    return next((c for c in found if (values := lost_values(c)) and _is_whole(kind, values)), None)


def needed_by(reader: Reader, conflict: Conflict) -> list[Needed]:
    """The records that this one hangs on and that are not there yet, in the order in which they are made."""
    values = lost_values(conflict) or {}
    pairs: list[tuple[str, Any]]
    if is_edit(conflict):
        pairs = [(conflict.record_kind, conflict.record_id)]
    elif conflict.record_kind == "attachment":
        pairs = [(str(values.get("owner_kind")), values.get("owner_id"))]
    else:
        pairs = [(kind, values.get(name)) for name, kind in _OWNERS.get(conflict.record_kind, ())]
    found = []
    for kind, record_id in pairs:
        known = noun(kind)
        if known is None or type(record_id) is not int or _find(reader, known.cls, record_id) is not None:
            continue
        found.append(Needed(kind, record_id, waiting_for(reader, kind, record_id)))
    return found


def _find(reader: Reader, cls: type[Synced], record_id: int) -> Synced | None:
    return reader.find(cls, record_id)


def log_lines_of(reader: Reader, conflict: Conflict) -> list[Conflict]:
    """The log lines of a waiting incident that wait as well: nobody decides about them apart from it."""
    if conflict.record_kind != "incident":
        return []
    lines = reader.page(
        Conflict,
        record_kind="incident_step",
        reason=conflict.reason,
        resolved_at=None,
        order_by=("id",),
        limit=_MOST_LINES,
    )
    return [line for line in lines if (lost_values(line) or {}).get("incident_id") == conflict.record_id]
