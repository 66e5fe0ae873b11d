"""Kept losers: both values with who and when, and the decision."""

import json
from dataclasses import dataclass

from gridman.domain import access, codes
from gridman.domain.catalog import noun
from gridman.domain.conflict import REASONS, Conflict
from gridman.domain.fields import Field, Kind, Synced
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.person import Person
from gridman.domain.user import User
from gridman.domain.visit import Visit
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.store.unit import Reader, Unit

__all__ = ["ConflictLine", "open_conflicts", "resolve"]


@dataclass(frozen=True)
class ConflictLine:
    """One conflict in words."""

    conflict: Conflict
    record_words: str
    field_label: str
    reason_words: str
    kept_words: str
    lost_words: str
    kept_by: str
    lost_by: str
    household_id: int | None
    is_restorable: bool


def open_conflicts(reader: Reader, limit: int = 200) -> list[ConflictLine]:
    """Everything on this computer that waits for a decision, the newest first."""
    found = reader.page(Conflict, resolved_at=None, order_by=("-id",), limit=limit)
    users = {i for c in found for i in (c.kept_by_id, c.lost_by_id) if i}
    names = {u.id: u.name for u in reader.page(User, id=users, with_retired=True)} if users else {}
    return [_line(reader, conflict, names) for conflict in found]


def _line(reader: Reader, conflict: Conflict, names: dict[int, str]) -> ConflictLine:
    found = noun(conflict.record_kind)
    record = reader.find(found.cls, conflict.record_id) if found else None
    field = found.fields.get(conflict.field or "") if found else None
    return ConflictLine(
        conflict=conflict,
        record_words=_record_words(record) or f"{conflict.record_kind} {conflict.record_id}",
        field_label=_(field.label) if field else (conflict.field or ""),
        reason_words=_(REASONS.get(conflict.reason, conflict.reason)),
        kept_words=_value_words(field, conflict.kept),
        lost_words=_value_words(field, conflict.lost),
        kept_by=names.get(conflict.kept_by_id or 0, ""),
        lost_by=names.get(conflict.lost_by_id or 0, ""),
        household_id=_household_of(record),
        is_restorable=record is not None and field is not None and conflict.lost is not None,
    )


def _record_words(record: Synced | None) -> str:
    if isinstance(record, Person):
        return record.name or ""
    if isinstance(record, Household):
        return record.address or ""
    if isinstance(record, Incident):
        return f"{record.number} {(record.description or '')[:30]}"
    return ""


def _household_of(record: Synced | None) -> int | None:
    if isinstance(record, Household):
        return record.id
    if isinstance(record, Person | Visit | Incident):
        return record.household_id
    return None


def _value_words(field: Field | None, text: str | None) -> str:
    if text is None:
        return ""
    value = json.loads(text)
    if value is None:
        return _("(empty)")
    if field is not None and field.kind is Kind.CODE:
        return codes.word(field.code_table, str(value))
    if field is not None and field.kind is Kind.INSTANT and isinstance(value, int):
        return show_instant(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)


def resolve(unit: Unit, conflict_id: int, choice: str) -> Conflict:
    """Decide: "kept" leaves the value that stands, "restored" writes the other one. Works offline; the decision travels like any edit."""
    if choice not in ("kept", "restored"):
        raise ValueError(f"choice is kept or restored, not {choice!r}")
    conflict = unit.get(Conflict, conflict_id)
    access.require(unit.actor, "conflict.resolve", conflict.grid_id)
    if conflict.resolved_at is not None:
        raise Refusal(
            "conflict.decided",
            N_("Somebody has decided this already."),
            N_("Look at the record's history to see what stands."),
        )
    if choice == "restored":
        found = noun(conflict.record_kind)
        if found is None or conflict.field is None or conflict.field not in found.fields:
            raise Refusal(
                "conflict.not_restorable",
                N_("This edit cannot be restored by one key."),
                N_("Open the record and enter it again; then mark this as done."),
            )
        record = unit.get(found.cls, conflict.record_id)
        unit.amend(record, **{conflict.field: json.loads(conflict.lost) if conflict.lost is not None else None})
    return unit.amend(conflict, resolved_at=unit.at, resolved_by_id=unit.actor.user_id, resolution=choice)
