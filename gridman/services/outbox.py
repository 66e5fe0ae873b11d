"""What this desk has sent, what waits and what was refused: one receipt per operation, in words a person can check."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridman.domain import codes
from gridman.domain.attachment import Attachment
from gridman.domain.building import Building, Dwelling
from gridman.domain.catalog import noun
from gridman.domain.conflict import Conflict
from gridman.domain.fields import Synced
from gridman.domain.household import Household
from gridman.domain.incident import Incident, IncidentStep, transition
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _, listed, shortened
from gridman.services import settings
from gridman.services.standing import Standing, crossings, standing_of
from gridman.store import outbox
from gridman.store.journal import words_of
from gridman.store.queries import receipts as query
from gridman.store.store import Store
from gridman.store.unit import Reader

__all__ = [
    "NOUN_WORDS", "ReceiptLine", "ReceiptQuery", "Round", "act_words", "counts", "field_words", "note_round", "receipt_ids",
    "receipt_lines", "rounds", "waiting_count",
]  # fmt: skip

_ROUNDS = "sync.rounds"
_ROUNDS_KEPT = 20

NOUN_WORDS = {
    "household": N_("Household"),
    "person": N_("Resident"),
    "care_tag": N_("Care group"),
    "visit": N_("Visit"),
    "incident": N_("Incident"),
    "incident_step": N_("Log line"),
    "attachment": N_("Photo"),
    "dwelling": N_("Dwelling"),
    "building": N_("Building"),
    "conflict": N_("Decision"),
    "notice": N_("Notice"),
    "grid": N_("Grid boundary"),
}

waiting_count = outbox.waiting_count


@dataclass(frozen=True)
class ReceiptQuery:
    """Which operations: those in these states (waiting, sent, acknowledged, settled, refused); empty: all."""

    states: Sequence[str] = ()


@dataclass(frozen=True)
class ReceiptLine:
    """One operation. `id`: its number on this desk; `act`: what was done; `fields`: labels of what was written; `opens`: the kind
    and id of the record to open for repair; `standing`: its values that crossed another's.
    """

    id: int
    at: int
    act: str
    noun: str
    record: str
    fields: str
    state: str
    verdict: str
    reason: str
    ack_at: int | None
    opens: tuple[str, int] | None
    standing: tuple[Standing, ...] = ()


@dataclass(frozen=True)
class Round:
    """One synchronisation: when, how much went each way, by how much this computer's clock was ahead, why it failed (in words, and the code
    of the refusal). `held`: what came of comparing this copy with the street's ("anew", "different"; "same" or "": nothing to tell).
    """

    at: int
    sent: int = 0
    received: int = 0
    skew_ms: int = 0
    problem: str = ""
    code: str = ""
    held: str = ""


def note_round(store: Store, at: int, result: Any = None, refusal: Refusal | None = None) -> None:
    """Keep a line about a synchronisation (the newest twenty stay): its result, or the refusal that ended it."""
    line = {
        "at": at,
        "sent": getattr(result, "sent", 0),
        "received": getattr(result, "received", 0),
        "skew_ms": getattr(result, "skew_ms", 0),
        "held": str(getattr(result, "held", None) or ""),
        "problem": [refusal.code, refusal.text, refusal.remedy, {k: str(v) for k, v in refusal.params.items()}]
        if refusal
        else None,
    }
    kept = settings.get(store, _ROUNDS, [])
    settings.put(store, _ROUNDS, [line, *kept][:_ROUNDS_KEPT])


def rounds(store: Store) -> list[Round]:
    """The last synchronisations, the newest first."""
    found = []
    for line in settings.get(store, _ROUNDS, []):
        code, text, remedy, places = line["problem"] or ("", "", "", {})
        said = Refusal(code, text, remedy, **places).words() if code else ""
        found.append(
            Round(line["at"], line["sent"], line["received"], line["skew_ms"], said, code, line.get("held", ""))
        )
    return found


def counts(reader: Reader) -> dict[str, int]:
    """How many operations are in each state."""
    return outbox.counts(reader)


def receipt_ids(reader: Reader, wanted: ReceiptQuery) -> "array[int]":
    """The numbers of the operations of a list, the newest first."""
    return query.ids(reader, wanted.states)


def receipt_lines(reader: Reader, numbers: Sequence[int]) -> list[ReceiptLine]:
    """The list's lines for these operations."""
    rows = query.rows(reader, numbers)
    crossed = crossings(reader, (row.record_id for row in rows))
    return [_line(reader, row, crossed.get(row.record_id, ())) for row in rows]


def _line(reader: Reader, row: Any, crossed: Sequence[Conflict]) -> ReceiptLine:
    found = noun(row.entity)
    record = reader.find(found.cls, row.record_id) if found is not None else None
    after = query.changed_fields(row)
    return ReceiptLine(
        id=row.op_n,
        at=row.at,
        act=act_words(row.kind, after),
        noun=_(NOUN_WORDS.get(row.entity, row.entity)),
        record=_record_words(reader, record),
        fields=field_words(row.kind, row.entity, after),
        state=row.state or "",
        verdict=row.verdict or "",
        reason=words_of(row.reason) or "",
        ack_at=row.ack_at,
        opens=_opens(record),
        standing=standing_of(reader, crossed, row.entity, row.actor_id, after),
    )


def act_words(kind: str, after: dict[str, Any]) -> str:
    """What was done: a step of the workflow, or that a record is new, changed or closed."""
    if kind == "command":
        step = transition(str(after.get("action", "")))
        return _(step.label) if step is not None else str(after.get("action", ""))
    if kind == "create":
        return _("new")
    return _("closed") if after.get("retired_at") else _("changed")


def field_words(kind: str, entity: str, after: dict[str, Any]) -> str:
    """The labels of the fields that were written, never their values; of a step of the workflow none."""
    found = noun(entity)
    if found is None or kind == "command":
        return ""
    shown = [f for name in after if (f := found.fields.get(name)) is not None and f.is_shown]
    return listed(dict.fromkeys(_(f.label) for f in shown))


def _record_words(reader: Reader, record: Synced | None) -> str:
    if isinstance(record, Person):
        return record.name or ""
    if isinstance(record, Household):
        return record.address or ""
    if isinstance(record, Incident):
        return f"{record.number or ''} {shortened(record.description or '', 24)}".strip()
    if isinstance(record, Visit):
        return _record_words(reader, reader.find(Household, record.household_id))
    if isinstance(record, CareTag):
        person = _record_words(reader, reader.find(Person, record.person_id))
        return f"{person} · {codes.word('care_group', record.care_group)}"
    if isinstance(record, Conflict):
        about = noun(record.record_kind)
        return _record_words(reader, reader.find(about.cls, record.record_id)) if about is not None else ""
    if isinstance(record, IncidentStep):
        return _record_words(reader, reader.find(Incident, record.incident_id))
    if isinstance(record, Dwelling):
        building = reader.find(Building, record.building_id)
        return " ".join(p for p in (building.compound if building else "", record.unit, record.room) if p)
    if isinstance(record, Attachment):
        owner = noun(record.owner_kind)
        return _record_words(reader, reader.find(owner.cls, record.owner_id)) if owner is not None else ""
    return str(getattr(record, "name", "") or getattr(record, "title", "") or "")


def _opens(record: Synced | None) -> tuple[str, int] | None:
    if isinstance(record, Household | Person | Visit | Incident):
        return record.__tablename__, record.id
    household_id = getattr(record, "household_id", None)
    return ("household", household_id) if household_id else None
