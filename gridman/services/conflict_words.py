"""A kept loser in words: which record where, what stands, what was lost."""

import json
from typing import Any

from gridman.domain import codes
from gridman.domain.attachment import Attachment
from gridman.domain.building import Building, Dwelling
from gridman.domain.catalog import Noun, noun
from gridman.domain.conflict import Conflict
from gridman.domain.covering import mask_for, masked
from gridman.domain.fields import Field, Kind, Synced
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.incident import Incident, IncidentStep, transition
from gridman.domain.organisation import Organisation
from gridman.domain.person import CareTag, Person
from gridman.domain.rules import is_typed
from gridman.domain.user import User
from gridman.domain.visit import Visit
from gridman.kernel.clock import show_instant
from gridman.kernel.words import N_, _, listed, shortened
from gridman.services.conflict_parts import lost_values, waiting_for
from gridman.store.unit import Reader

__all__ = ["covers", "household_of", "nameless_words", "record_words", "value_words"]

_NAMES: dict[str, tuple[type[Any], str]] = {
    "grid_id": (Grid, "name"), "building_id": (Building, "compound"), "household_id": (Household, "address"),
    "head_person_id": (Person, "name"), "person_id": (Person, "name"), "user_id": (User, "name"),
    "creator_id": (Organisation, "name"), "holder_id": (Organisation, "name"), "target_id": (Organisation, "name"),
}  # fmt: skip
_MOST_FIELDS = 12
_KINDS = {
    "household": N_("Household"), "person": N_("Resident"), "care_tag": N_("Care group"), "dwelling": N_("Dwelling"), "visit": N_("Visit"),
    "incident": N_("Incident"), "incident_step": N_("Log line of an incident"), "attachment": N_("Photo"), "grid": N_("Grid"),
    "notice": N_("Notice"), "conflict": N_("Decision on another review"),
}  # fmt: skip
"""What a record is called of which nothing else is known here."""
_DECISIONS = {"kept": N_("What stands stays"), "restored": N_("The other was done")}


def record_words(reader: Reader, conflict: Conflict) -> str:
    """The record, as far as it is on this computer; else what the values say that wait here for the same record."""
    record = _record(reader, conflict.record_kind, conflict.record_id)
    if record is None and (found := noun(conflict.record_kind)) is not None:
        record = _built(found, lost_values(conflict) or {})
    words = _of_record(reader, record) if record is not None else ""
    kind = _KINDS.get(conflict.record_kind)
    return words or (_(kind) if kind else f"{conflict.record_kind} {conflict.record_id}")


def nameless_words(reader: Reader, conflict: Conflict) -> str:
    """The record for who may not read residents' data: its kind and the number of its household or incident, no name and no address."""
    kind = _(_KINDS.get(conflict.record_kind, conflict.record_kind))
    record = _record(reader, conflict.record_kind, conflict.record_id)
    if isinstance(record, Incident):
        return f"{kind} {record.number or ''}".strip()
    home = record if isinstance(record, Household) else None
    home = home or _record(reader, "household", getattr(record, "household_id", None))
    if home is None or not home.number:
        return f"{kind} {conflict.record_id}"
    number = _("household {number}").format(number=home.number)
    return f"{kind} {home.number}" if conflict.record_kind == "household" else _joined(kind, number)


def _record(reader: Reader, kind: str, record_id: int | None) -> Any:
    """The record with this number, or what it will be when it is taken over; None when nothing is known of it."""
    found = noun(kind)
    if found is None or record_id is None:
        return None
    record: Any = reader.find(found.cls, record_id)
    if record is None and (waiting := waiting_for(reader, kind, record_id, with_decided=True)) is not None:
        record = _built(found, lost_values(waiting) or {})
    return record


def _built(found: Noun, values: dict[str, Any]) -> Synced:
    return found.cls(**{k: v for k, v in values.items() if k in found.fields and is_typed(found.fields[k], v)})


def _of_record(reader: Reader, record: Synced) -> str:
    if isinstance(record, Person):
        return record.name or ""
    if isinstance(record, Household):
        return record.address or ""
    if isinstance(record, Incident):
        return f"{record.number or ''} {shortened(record.description or '', 30)}".strip()
    if isinstance(record, IncidentStep):
        incident = _of_kind(reader, "incident", record.incident_id)
        return _("Log line of the incident {incident}").format(incident=incident).strip()
    if isinstance(record, Visit):
        when = show_instant(record.visited_at) if record.visited_at else ""
        return _joined(_of_kind(reader, "household", record.household_id), when)
    if isinstance(record, CareTag):
        return _joined(_of_kind(reader, "person", record.person_id), codes.word("care_group", record.care_group))
    if isinstance(record, Attachment):
        return _joined(_("Photo"), _of_kind(reader, record.owner_kind, record.owner_id), record.caption or "")
    if isinstance(record, Dwelling):
        return _joined(_name(reader, Building, "compound", record.building_id), record.room or "")
    return str(getattr(record, "name", "") or "")


def _of_kind(reader: Reader, kind: str, record_id: int | None) -> str:
    """Another record in words, when it is here or waits here too."""
    record = _record(reader, kind, record_id)
    return _of_record(reader, record) if record is not None else ""


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _name(reader: Reader, cls: type[Any], attribute: str, record_id: int | None) -> str:
    found = reader.find(cls, record_id)
    return str(getattr(found, attribute) or "") if found is not None else ""


def household_of(reader: Reader, conflict: Conflict) -> int | None:
    """The household to open for this conflict, when it is on this computer."""
    found = noun(conflict.record_kind)
    record: Any = reader.find(found.cls, conflict.record_id) if found else None
    if isinstance(record, Household):
        return record.id
    household_id = (
        getattr(record, "household_id", None) if record else (lost_values(conflict) or {}).get("household_id")
    )
    return household_id if type(household_id) is int and reader.find(Household, household_id) is not None else None


def value_words(reader: Reader, conflict: Conflict, text: str | None, *, is_whole: bool = False) -> str:
    """One of the two values; a whole operation as its fields. Numbers of people are covered unless `is_whole`."""
    if text is None:
        return ""
    found = noun(conflict.record_kind)
    value = json.loads(text)
    if conflict.field is None and conflict.reason == "decided":
        return _(_DECISIONS.get(value, str(value)))
    if conflict.field is None and isinstance(value, dict):
        return _all_words(reader, found, value, is_whole) if found is not None else ""
    return _one(reader, found.fields.get(conflict.field or "") if found else None, value, is_whole)


def covers(conflict: Conflict) -> bool:
    """Whether the two values hold numbers of people, which are covered at first."""
    found = noun(conflict.record_kind)
    if found is None:
        return False
    told: dict[str, Any] = lost_values(conflict) or {conflict.field or "": conflict.kept or conflict.lost}
    return any(
        value and name in found.fields and mask_for(found.fields[name]) is not None for name, value in told.items()
    )


def _all_words(reader: Reader, found: Noun, values: dict[str, Any], is_whole: bool) -> str:
    if isinstance(values.get("action"), str):
        row = transition(values["action"])
        said = [str(values[part]) for part in ("note", "result") if values.get(part)]
        return "\n".join([_(row.label) if row else values["action"], *said])
    lines = []
    for name, value in values.items():
        field = found.fields.get(name)
        if field is None or value is None or field.kind in (Kind.BYTES, Kind.SHAPE) or not _is_telling(name, field):
            continue
        lines.append(f"{_(field.label)}: {_one(reader, field, value, is_whole)}")
    return "\n".join(lines[:_MOST_FIELDS])


def _is_telling(name: str, field: Field) -> bool:
    return name in _NAMES or (field.is_shown and field.kind is not Kind.REFERENCE)


def _one(reader: Reader, field: Field | None, value: Any, is_whole: bool) -> str:
    if value is None:
        return _("(empty)")
    if field is None:
        return str(value)
    if not is_typed(field, value):
        return str(value) if is_whole else masked(field, value)
    if field.kind is Kind.REFERENCE and field.name in _NAMES:
        return _name(reader, *_NAMES[field.name], value) or _("not on this computer")
    if field.kind is Kind.CODE:
        return codes.word(field.code_table, str(value))
    if field.kind is Kind.CODES:
        return listed(codes.word(field.code_table, code) for code in str(value).split(";") if code)
    if field.kind is Kind.INSTANT:
        return show_instant(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value) if is_whole else masked(field, value)
