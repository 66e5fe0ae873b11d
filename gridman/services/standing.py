"""Which of this desk's own values crossed another's: whose stands, and whether a person is still asked."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gridman.domain.catalog import noun
from gridman.domain.conflict import Conflict
from gridman.domain.user import User
from gridman.kernel.words import _
from gridman.store.batches import batches
from gridman.store.unit import Reader

__all__ = ["Standing", "crossings", "standing_of"]

_MOST = 10_000


@dataclass(frozen=True)
class Standing:
    """One field of an own operation that crossed somebody else's. `field`: its label; `is_own`: the own value stands; `is_waiting`: the one
    that does not stand waits for review; `other`: who wrote the other value, `at`: when; `decided_by`: who has decided, "" while it waits;
    `is_closed`: the record had been taken out of use.
    """

    field: str
    is_own: bool
    is_waiting: bool
    other: str
    at: int | None
    decided_by: str = ""
    is_closed: bool = False


def crossings(reader: Reader, record_ids: Iterable[int]) -> dict[int, list[Conflict]]:
    """What is or was to be reviewed of these records, field by field, the oldest first."""
    found: dict[int, list[Conflict]] = {}
    for part in batches(record_ids):
        for conflict in reader.page(Conflict, record_id=part, limit=_MOST, with_retired=True):
            if conflict.field is not None and conflict.reason != "decided":
                found.setdefault(conflict.record_id, []).append(conflict)
    return found


def standing_of(
    reader: Reader, conflicts: Sequence[Conflict], kind: str, actor_id: int | None, after: Mapping[str, Any]
) -> tuple[Standing, ...]:
    """Of the values `after` that `actor_id` wrote into a record of `kind`: those that crossed another's (`crossings` of the record). A value
    that won once and lost later is told as it is now.
    """
    found: dict[str, Standing] = {}
    known = noun(kind)
    for conflict in conflicts:
        name = conflict.field or ""
        if known is None or name not in known.fields or name not in after or conflict.record_kind != kind:
            continue
        own = (actor_id, after[name])
        was_kept = (conflict.kept_by_id, _value(conflict.kept)) == own
        if was_kept or (conflict.lost_by_id, _value(conflict.lost)) == own:
            found[name] = _standing(reader, conflict, _(known.fields[name].label), was_kept=was_kept)
    return tuple(found.values())


def _standing(reader: Reader, conflict: Conflict, label: str, *, was_kept: bool) -> Standing:
    is_restored = conflict.resolution == "restored"
    other_id, at = (conflict.lost_by_id, conflict.lost_at) if was_kept else (conflict.kept_by_id, conflict.kept_at)
    is_waiting = conflict.resolved_at is None
    return Standing(
        label, was_kept != is_restored, is_waiting, _name(reader, other_id), at,
        "" if is_waiting else _name(reader, conflict.resolved_by_id), conflict.reason == "retired" and not was_kept,
    )  # fmt: skip


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _name(reader: Reader, user_id: int | None) -> str:
    user = reader.find(User, user_id) if user_id else None
    return (user.name if user is not None else "") or _("somebody else")
