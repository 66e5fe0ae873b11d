"""A household's file as the record shows it: who is named in it, what its history says, values in words with masks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridman.domain import codes
from gridman.domain.cadence import age_on
from gridman.domain.catalog import noun
from gridman.domain.conflict import REASONS, Conflict
from gridman.domain.covering import masked
from gridman.domain.fields import Field, Kind
from gridman.domain.person import Person
from gridman.domain.user import User
from gridman.kernel.clock import show_instant
from gridman.kernel.words import N_, _, listed, ngettext
from gridman.services.households import HouseholdFile, open_household

__all__ = ["OpenedFile", "change_words", "open_file", "person_facts", "receipt", "shown"]


@dataclass(frozen=True)
class OpenedFile:
    """The file with the names of the users in its history."""

    file: HouseholdFile
    names: dict[int, str]
    today: str
    grid_count: int


def open_file(reader: Any, household_id: int) -> OpenedFile:
    """Read the file and the names it needs."""
    from gridman.domain.grid import Grid
    from gridman.kernel.clock import day_of

    file = open_household(reader, household_id)
    users = {e.actor_id for e in file.history if e.actor_id} | {v.user_id for v in file.visits if v.user_id}
    found = reader.page(User, id=users, with_retired=True) if users else []
    return OpenedFile(file, {u.id: u.name for u in found}, day_of(reader.now), reader.count(Grid))


def shown(field: Field, value: Any) -> str:
    """A value in words: codes by name, days, yes and no, personal numbers masked."""
    if value is None or value == "":
        return ""
    if field.kind is Kind.CODE:
        return codes.word(field.code_table, str(value))
    if field.kind is Kind.CODES:
        return listed(codes.word(field.code_table, one) for one in str(value).split(";"))
    if field.kind is Kind.FLAG:
        return _("yes") if value else _("no")
    if field.kind is Kind.INSTANT:
        return show_instant(value)
    return masked(field, value)


def person_facts(person: Person, today: str) -> str:
    """Sex and age, as one says them: "Female, 88"."""
    age = age_on(person.birth_on, today)
    sex = codes.word("sex", person.sex)
    years = ngettext("{n} year old", "{n} years old", age).format(n=age) if age is not None else ""
    return " · ".join(part for part in (sex, years) if part)


_MADE = {
    "household": N_("Household registered"),
    "person": N_("Resident registered"),
    "care_tag": N_("Care group added"),
    "visit": N_("Visit logged"),
    "dwelling": N_("Dwelling registered"),
}
_QUIET = frozenset({"retired_at", "head_person_id", "head_name", "walk_order", "due_on", "last_visit_at"})


def change_words(entity: str, kind: str, after: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """One line of history: what was made, or which fields went from what to what (masked)."""
    if kind == "create":
        text = _(_MADE.get(entity, "")) or entity
        if entity == "person" and after.get("name"):
            text += f": {after['name']}"
        if entity == "care_tag" and after.get("care_group"):
            text += f": {codes.word('care_group', after['care_group'])}"
        return text
    if "retired_at" in after:
        if after["retired_at"] is None:
            return _("Brought back")
        return _("Closed: {reason}").format(reason=after.get("retired_reason") or "")
    found = noun(entity)
    fields = found.fields if found is not None else {}
    parts = [
        _one_change(fields[name], before.get(name), value)
        for name, value in after.items()
        if name in fields and name not in _QUIET
    ]
    return "； ".join(parts) if parts else _("Changed")


def decision_words(dispute: Conflict, after: Mapping[str, Any]) -> str:
    """One line of history about a value that was kept for review: that it was, or what was decided (masked)."""
    found = noun(dispute.record_kind)
    field = found.fields.get(dispute.field or "") if found is not None else None
    if "resolution" not in after:
        return _("Kept for review: {reason}").format(reason=_(REASONS.get(dispute.reason, dispute.reason)))
    said = _("Decided: what stood stays") if after["resolution"] == "kept" else _("Decided: the other was put back")
    if field is None:
        return said
    kept, lost = (shown(field, json.loads(text)) if text else "" for text in (dispute.kept, dispute.lost))
    ours, theirs = (kept, lost) if after["resolution"] == "kept" else (lost, kept)
    empty = _("(empty)")
    return _("{decision}. {label}: {value}, not {other}").format(
        decision=said, label=_(field.label), value=ours or empty, other=theirs or empty
    )


def _one_change(field: Field, before: Any, after: Any) -> str:
    if field.kind is Kind.REFERENCE:
        return _("{label} changed").format(label=_(field.label))
    empty = _("(empty)")
    return f"{_(field.label)}: {shown(field, before) or empty} → {shown(field, after) or empty}"


def receipt(state: str | None, reason: str | None, ack_seq: int | None) -> tuple[str, str]:
    """The words and the tone of an entry's receipt."""
    if state in ("waiting", "sent"):  # what was sent and not answered goes out again
        return _("Waiting to be sent"), "attention"
    if state in ("acknowledged", "settled"):
        number = _("At the street, no. {n}").format(n=ack_seq) if ack_seq else _("At the street")
        return number, "good"
    if state == "refused":
        return _("Refused: {reason}").format(reason=reason or ""), "danger"
    return _("From the street"), "neutral"
