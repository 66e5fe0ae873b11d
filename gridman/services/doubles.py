"""The same thing written twice without knowing of each other: a resident on two desks, one visit by one worker twice. Both are taken over
(nothing is refused), and a person is asked (sync design D8).
"""

import json
from collections.abc import Iterable
from typing import Any

from gridman.domain import access
from gridman.domain.conflict import DOUBLES, Conflict
from gridman.domain.fields import fields_of
from gridman.domain.household import Household
from gridman.domain.id_number import IdNumber, read_id_number
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import Visit
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.store.unit import Reader, Unit

__all__ = [
    "SAME_VISIT_MS", "duplicates_of", "merge_people", "note_same_person", "note_same_visit", "other_of", "take_off", "words_of_double",
]  # fmt: skip

SAME_VISIT_MS = 600_000
_MOST = 20
_NEVER_FILLED = frozenset({"id", "household_id", "grid_id", "retired_at", "retired_reason"})


def duplicates_of(reader: Reader, id_number: str, except_id: int | None = None) -> list[Person]:
    """Residents on this computer who carry the same ID number."""
    read = read_id_number(id_number)
    if not isinstance(read, IdNumber):
        return []
    return [p for p in reader.page(Person, id_number=read.text, limit=20) if p.id != except_id]


def note_same_person(unit: Unit, person: Person) -> None:
    """At the street: ask about every other resident with this ID number, in the grid of each; neither learns more than that."""
    read = read_id_number(person.id_number or "")
    if not isinstance(read, IdNumber) or person.retired_at is not None:
        return
    for other in unit.page(Person, id_number=read.text, limit=_MOST):
        if other.id == person.id or _is_asked(unit, "same_person", person.id, other.id):
            continue
        _ask(unit, "same_person", person, other.id)
        if other.grid_id != person.grid_id:
            _ask(unit, "same_person", other, person.id)


def note_same_visit(unit: Unit, visit: Visit, near: Iterable[tuple[int, int | None]]) -> None:
    """At the street: ask about a visit that the same worker logged at the same household within ten minutes, as two desks of one user do.
    `near`: those there are (id, and the visit each corrects), the latest first.
    """
    for other_id, amends_id in near:
        if other_id not in (visit.id, visit.amends_id) and amends_id != visit.id:
            _ask(unit, "same_visit", visit, other_id)
            return


def _is_asked(unit: Unit, reason: str, one: int, other: int) -> bool:
    open_now = unit.page(Conflict, record_id=[one, other], reason=reason, resolved_at=None)
    return any({c.record_id, other_of(c)} == {one, other} for c in open_now)


def _ask(unit: Unit, reason: str, record: Person | Visit, other_id: int) -> None:
    kind = "person" if isinstance(record, Person) else "visit"
    unit.create(
        Conflict(
            record_kind=kind, record_id=record.id, grid_id=record.grid_id, reason=reason, kept=json.dumps({"id": other_id}),
            lost_by_id=unit.actor.user_id, lost_at=unit.at,
        )
    )  # fmt: skip


def other_of(conflict: Conflict) -> int | None:
    """The record that the conflict's record may be a double of."""
    if conflict.reason not in DOUBLES or not conflict.kept:
        return None
    found = json.loads(conflict.kept)
    return found.get("id") if isinstance(found, dict) else None


def take_off(unit: Unit, conflict: Conflict) -> None:
    """The record is a double: of a resident the other one gets what it lacks, then the double is retired; `restore_record` brings it back."""
    other_id = other_of(conflict)
    if conflict.record_kind == "visit":
        visit = unit.get(Visit, conflict.record_id)
        access.require(unit.actor, "visit.write", visit.grid_id)
        unit.retire(visit, f"same_visit {other_id}")
        return
    other = unit.find(Person, other_id)
    if other is None or other.retired_at is not None:
        raise Refusal(
            "double.other_gone",
            N_("The other entry is not on this computer, or not in the register any more."),
            N_("The community office, which has both grids, can put them together; or keep both entries."),
        )
    merge_people(unit, other.id, conflict.record_id)


def merge_people(unit: Unit, keep_id: int, drop_id: int) -> Person:
    """Put two entries of one resident together: the kept one gets values and care groups it lacks, the other is retired."""
    keep, drop = unit.get(Person, keep_id), unit.get(Person, drop_id)
    for person in (keep, drop):
        access.require(unit.actor, "household.write", person.grid_id)
    if keep.id == drop.id:
        raise Refusal("double.same", N_("These are one entry already."))
    lacking: dict[str, Any] = {
        name: getattr(drop, name)
        for name in fields_of(Person)
        if name not in _NEVER_FILLED and getattr(keep, name) is None and getattr(drop, name) is not None
    }
    if drop.household_id != keep.household_id:
        lacking.pop("moved_out_on", None)  # out of the other household, perhaps into this one
    unit.amend(keep, **lacking)
    has = {tag.care_group for tag in unit.page(CareTag, person_id=keep.id, until_on=None)}
    for tag in unit.page(CareTag, person_id=drop.id, until_on=None):
        if tag.care_group not in has:
            unit.create(
                CareTag(
                    person_id=keep.id, household_id=keep.household_id, grid_id=keep.grid_id, care_group=tag.care_group,
                    since_on=tag.since_on, evidence=tag.evidence,
                )
            )  # fmt: skip
    household = unit.find(Household, drop.household_id)
    if household is not None and household.head_person_id == drop.id:
        unit.amend(household, head_person_id=keep.id if keep.household_id == household.id else None)
    unit.retire(drop, f"same_person {keep.id}")
    return keep


def words_of_double(reader: Reader, conflict: Conflict) -> tuple[str, str]:
    """This entry and the other one in a few words each; the other is "" when it is not on this computer."""
    pair = [_words(reader, conflict.record_kind, i) for i in (conflict.record_id, other_of(conflict))]
    return pair[0], pair[1]


def _words(reader: Reader, kind: str, record_id: int | None) -> str:
    if kind == "visit":
        visit = reader.find(Visit, record_id)
        return f"{show_instant(visit.visited_at)} {visit.note or ''}".strip() if visit else ""
    person = reader.find(Person, record_id)
    home = reader.find(Household, person.household_id) if person else None
    return " · ".join(part for part in (person.name if person else "", home.address if home else "") if part)
