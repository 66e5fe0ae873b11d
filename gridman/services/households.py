"""Households and their people: register, amend, retire, look up."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridman.domain import access, codes
from gridman.domain.address import tidy_compound, tidy_door, tidy_room, walk_order
from gridman.domain.attachment import Attachment
from gridman.domain.building import Building, Dwelling
from gridman.domain.cadence import overdue_days
from gridman.domain.catalog import noun
from gridman.domain.conflict import Conflict
from gridman.domain.fields import Synced, fields_of
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.id_number import IdNumber, read_id_number
from gridman.domain.incident import Incident
from gridman.domain.person import CareTag, Person
from gridman.domain.rules import require_valid, tidy
from gridman.domain.visit import Visit
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import STREET_REPLICA
from gridman.kernel.words import N_, listed
from gridman.services import audit
from gridman.services.moves import move_household
from gridman.store.journal import Entry, history_of
from gridman.store.queries import households as query
from gridman.store.search import matching_ids
from gridman.store.unit import Reader, Unit

__all__ = [
    "HouseholdFile", "HouseholdQuery", "HouseholdRow", "PersonLine", "add_person", "amend_household", "amend_person", "household_ids",
    "household_rows", "move_person", "open_household", "register_household", "restore_record", "retire_household", "retire_person",
    "reveal", "set_care_groups",
]  # fmt: skip

_ALL = 100_000


@dataclass(frozen=True)
class HouseholdQuery:
    """Which households a list shows. `text`: as typed into the search box. `order`: a key of the list's columns."""

    grid_ids: Sequence[int] = ()
    text: str = ""
    care_group: str = ""
    is_due: bool | None = None
    building_id: int | None = None
    order: str = "walk"
    descending: bool = False


@dataclass(frozen=True)
class HouseholdRow:
    """One line of the list."""

    id: int
    number: str
    address: str
    head_name: str
    people_count: int
    care_words: str
    last_visit_at: int | None
    due_on: str | None
    is_overdue: bool
    grid_name: str
    waiting: bool


@dataclass(frozen=True)
class PersonLine:
    """A resident with the care groups held now."""

    person: Person
    care: list[CareTag]

    @property
    def care_words(self) -> str:
        """The care groups in words."""
        return listed(codes.word("care_group", group) for group in dict.fromkeys(tag.care_group for tag in self.care))


@dataclass(frozen=True)
class HouseholdFile:
    """Everything on one household that this computer holds."""

    household: Household
    line: HouseholdRow
    grid: Grid | None
    building: Building | None
    dwelling: Dwelling | None
    people: list[PersonLine]
    visits: list[Visit]
    incidents: list[Incident]
    conflicts: list[Conflict]
    history: list[Entry]
    attachments: list[Attachment] = field(default_factory=list)
    disputes: dict[int, Conflict] = field(default_factory=dict)
    """The conflicts, decided ones too, by their number: the history tells of decisions."""


def household_ids(reader: Reader, wanted: HouseholdQuery) -> "array[int]":
    """The ids of all households of a list, in its order."""
    today = day_of(reader.now)
    return query.ids(
        reader,
        grid_ids=wanted.grid_ids,
        building_id=wanted.building_id,
        care_group=wanted.care_group,
        due_until=today if wanted.is_due else None,
        among=matching_ids(reader, wanted.text, ("person", "household")) if wanted.text.strip() else None,
        order=wanted.order,
        descending=wanted.descending,
    )


def household_rows(reader: Reader, ids: Sequence[int]) -> list[HouseholdRow]:
    """The list's lines for these ids, in their order."""
    rows = query.line_rows(reader, ids)
    waiting = query.waiting_records(reader, [r.id for r in rows])
    today = day_of(reader.now)
    return [
        HouseholdRow(
            r.id, r.number or "", r.address or "", r.head_name or "", r.people_count or 0, care_words(r.care_groups), r.last_visit_at,
            r.due_on, overdue_days(r.due_on, today) > 0, r.grid_name or "", r.id in waiting,
        )
        for r in rows
    ]  # fmt: skip


def care_words(joined: str | None) -> str:
    """Care groups "V01;V13" in words."""
    return listed(codes.word("care_group", code) for code in (joined or "").split(";") if code)


def open_household(reader: Reader, household_id: int) -> HouseholdFile:
    """One household's file."""
    household = reader.get(Household, household_id)
    people = reader.page(Person, household_id=household_id, order_by=("relation", "id"))
    tags = reader.page(CareTag, household_id=household_id, until_on=None, order_by=("care_group",))
    visits = reader.page(Visit, household_id=household_id, order_by=("-visited_at",), limit=100)
    lines = household_rows(reader, [household_id])
    incidents = reader.page(Incident, household_id=household_id, order_by=("-reported_at",), limit=50)
    own = [household_id, *(p.id for p in people), *(t.id for t in tags)]
    disputes = reader.page(Conflict, record_id=own, order_by=("-id",))
    shown = {(t.person_id, t.care_group): t for t in reversed(tags)}  # two desks may have added the same group
    return HouseholdFile(
        household=household,
        line=lines[0] if lines else _retired_line(household),
        grid=reader.find(Grid, household.grid_id),
        building=reader.find(Building, household.building_id),
        dwelling=reader.find(Dwelling, household.dwelling_id),
        people=[PersonLine(p, [t for t in tags if shown.get((p.id, t.care_group)) is t]) for p in people],
        visits=visits,
        incidents=incidents,
        conflicts=[c for c in disputes if c.resolved_at is None],
        history=history_of(reader, [*own, *(v.id for v in visits[:20]), *(c.id for c in disputes if c.resolved_at)]),
        disputes={c.id: c for c in disputes},
        attachments=reader.page(Attachment, owner_id=[household_id, *(v.id for v in visits)], order_by=("-id",), limit=50),
    )  # fmt: skip


def _retired_line(household: Household) -> HouseholdRow:
    """A retired household has no line any more; its file can still be opened."""
    return HouseholdRow(
        household.id, household.number or "", household.address or "", "", 0, "", None, None, False, "", False
    )  # fmt: skip


def register_household(unit: Unit, values: Mapping[str, Any], dwelling: Mapping[str, Any] | None = None) -> Household:
    """Open a new household; with `dwelling` values its dwelling is registered too."""
    kept = tidy(Household, values)
    access.require(unit.actor, "household.write", kept.get("grid_id"))
    require_valid(Household, kept, is_new=True)
    if dwelling:
        place = tidy(Dwelling, {**dwelling, "grid_id": kept.get("grid_id")})
        require_valid(Dwelling, place, is_new=True)
        there = _dwelling_at(unit, place)
        kept["dwelling_id"] = there.id if there is not None else unit.create(Dwelling(**place)).id
    if kept.get("walk_order") is None:
        kept["walk_order"] = _place_in_round(unit, kept.get("building_id"), dwelling or {})
    household = Household(**kept)
    household.id = unit.new_id()
    if not household.number:
        household.number = _next_number(unit, household)
    return unit.create(household)


def _dwelling_at(unit: Unit, place: Mapping[str, Any]) -> Dwelling | None:
    """The dwelling behind this door that is on file already: several households may live in it."""
    door = tidy_door(place.get("unit") or ""), tidy_room(place["room"])
    known = unit.page(Dwelling, building_id=place["building_id"], limit=_ALL)
    return next((d for d in known if (tidy_door(d.unit or ""), tidy_room(d.room or "")) == door), None)


def _place_in_round(unit: Unit, building_id: int | None, dwelling: Mapping[str, Any]) -> int | None:
    """Where the household comes on the walk, as an import would have it; None without a building."""
    building = unit.find(Building, building_id)
    if building is None:
        return None
    door, room = tidy_door(dwelling.get("unit") or ""), tidy_room(dwelling.get("room") or "")
    return walk_order(tidy_door(building.number or ""), door, None, room, tidy_compound(building.compound or ""))


def _next_number(unit: Unit, household: Household) -> str:
    """A household number nobody else gives: grid code's last six digits, replica, running number."""
    grid = unit.find(Grid, household.grid_id)
    area = grid.code[-6:] if grid and grid.code else "000000"
    return f"{area}-{unit.replica}-{household.id & 0xFFFFFF:05d}"


def amend_household(unit: Unit, household_id: int, values: Mapping[str, Any]) -> Household:
    """Change fields of a household; equal values change nothing. Into another grid it moves with all that belongs to it (a desk shows the
    household there at once, its visits and photos follow with the street's answer).
    """
    household = unit.get(Household, household_id)
    access.require(unit.actor, "household.write", household.grid_id)
    grid_id = values.get("grid_id", household.grid_id)
    access.require(unit.actor, "household.write", grid_id)
    is_moving = grid_id != household.grid_id
    _amend(unit, household, values)
    if is_moving and unit.replica == STREET_REPLICA:
        move_household(unit, household, grid_id)
    return household


def _amend(unit: Unit, record: Synced, values: Mapping[str, Any]) -> None:
    cls = type(record)
    kept = {k: v for k, v in tidy(cls, values).items() if getattr(record, k, None) != v}
    whole = {name: getattr(record, name) for name in fields_of(cls)} | kept
    problems_of = {k: whole[k] for k in kept} | {
        k: whole[k] for k in _TOGETHER.get(cls, ()) if kept.keys() & set(_TOGETHER[cls])
    }
    require_valid(cls, problems_of, is_new=False, today=day_of(unit.at))
    unit.amend(record, **kept)


_TOGETHER: dict[type[Synced], tuple[str, ...]] = {
    Person: ("id_number", "id_kind", "id_unverified_reason", "birth_on", "sex")
}
"""Fields that are checked against each other, so changing one checks all; an old fault elsewhere does not block an edit here."""


def retire_household(unit: Unit, household_id: int, reason: str) -> Household:
    """Close a household that no longer exists, with its people; `restore_record` brings it back."""
    household = unit.get(Household, household_id)
    access.require(unit.actor, "household.write", household.grid_id)
    if not reason.strip():
        raise Refusal(
            "retire.no_reason", N_("A reason is needed to close a household."), N_("Write in a few words why.")
        )
    if household.retired_at is not None:  # a key held down; closed again it would lose whom it was closed with
        return household
    for person in unit.page(Person, household_id=household_id, limit=_ALL):
        unit.retire(person, reason)
    unit.retire(household, reason)
    return household


def retire_person(unit: Unit, person_id: int, reason: str) -> Person:
    """Take a resident off the register (entered twice, entered by mistake); those who moved or died are amended instead."""
    person = unit.get(Person, person_id)
    access.require(unit.actor, "household.write", person.grid_id)
    if not reason.strip():
        raise Refusal(
            "retire.no_reason_person", N_("A reason is needed to remove a resident."), N_("Write in a few words why.")
        )
    unit.retire(person, reason)
    return person


def restore_record(unit: Unit, kind: str, record_id: int) -> Synced:
    """Bring back a retired record; a household comes back with the people that were retired with it."""
    found = noun(kind)
    if found is None:
        raise Refusal("record.unknown_kind", N_("There is no kind of record called {kind}."), kind=kind)
    record = unit.get(found.cls, record_id)
    access.require(unit.actor, "household.write", getattr(record, "grid_id", None))
    if isinstance(record, Household):
        for person in unit.page(Person, household_id=record_id, with_retired=True):
            if person.retired_at == record.retired_at:
                unit.restore(person)
    unit.restore(record)
    return record


def add_person(unit: Unit, household_id: int, values: Mapping[str, Any], care_groups: Sequence[str] = ()) -> Person:
    """Register a resident in a household; sex and birth date follow from a valid ID number when they are not given."""
    household = unit.get(Household, household_id)
    access.require(unit.actor, "household.write", household.grid_id)
    _require_open(household)
    kept = _completed(tidy(Person, values))
    kept.update(household_id=household_id, grid_id=household.grid_id)
    require_valid(Person, kept, is_new=True, today=day_of(unit.at))
    person = unit.create(Person(**kept))
    if kept.get("relation") == "02" and household.head_person_id is None:
        unit.amend(household, head_person_id=person.id)
    if care_groups:
        unit.flush()
        set_care_groups(unit, person.id, care_groups)
    return person


def _require_open(household: Household) -> None:
    """Who lives in a closed household is on no list any more."""
    if household.retired_at is not None:
        raise Refusal(
            "household.closed",
            N_("Household {number} has been closed meanwhile."),
            N_("Bring it back first, or choose another household."),
            number=household.number,
        )


_CARDS = ("111", "112")


def _completed(values: dict[str, Any]) -> dict[str, Any]:
    """What follows from the number of a citizen's card; a passport's number is left as it is, even where it looks like one."""
    is_card = (values.get("id_kind") or _CARDS[0]) in _CARDS
    read = read_id_number(values["id_number"]) if is_card and values.get("id_number") else "none"
    if isinstance(read, IdNumber):
        values["id_number"] = read.text
        values["sex"] = values.get("sex") or read.sex
        values["birth_on"] = values.get("birth_on") or read.birth_on
        values["id_kind"] = values.get("id_kind") or "111"
    return values


def amend_person(unit: Unit, person_id: int, values: Mapping[str, Any]) -> Person:
    """Change fields of a resident. A new ID number is kept as `add_person` keeps it, with the sex and birth date that were missing."""
    person = unit.get(Person, person_id)
    access.require(unit.actor, "household.write", person.grid_id)
    kept = tidy(Person, values)
    if kept.get("id_number"):
        known = {name: getattr(person, name) for name in ("id_kind", "sex", "birth_on") if name not in kept}
        whole = _completed({**known, **kept})
        kept = {name: value for name, value in whole.items() if name in kept or value != known[name]}
    _amend(unit, person, kept)
    return person


def move_person(unit: Unit, person_id: int, to_household_id: int) -> Person:
    """Move a resident to another household, of another grid too; care groups go along."""
    person, target = unit.get(Person, person_id), unit.get(Household, to_household_id)
    for grid_id in (person.grid_id, target.grid_id):
        access.require(unit.actor, "household.write", grid_id)
    _require_open(target)
    for tag in unit.page(CareTag, person_id=person_id):
        unit.amend(tag, household_id=target.id, grid_id=target.grid_id)
    unit.amend(person, household_id=target.id, grid_id=target.grid_id)
    return person


def set_care_groups(unit: Unit, person_id: int, care_groups: Sequence[str]) -> list[CareTag]:
    """Make these the resident's care groups: new ones begin today, missing ones end today."""
    person = unit.get(Person, person_id)
    access.require(unit.actor, "household.write", person.grid_id)
    known = codes.table("care_group")
    for code in care_groups:
        if code not in known:
            raise Refusal(
                "care_group.unknown", N_("“{code}” is not a care group."), N_("Choose one of the list."), code=code
            )
    today = day_of(unit.at)
    current: dict[str, CareTag] = {}
    for tag in unit.page(CareTag, person_id=person_id, until_on=None):
        if tag.care_group not in care_groups:
            unit.amend(tag, until_on=today)  # each of them, where two desks had added the same group
        else:
            current.setdefault(tag.care_group, tag)
    for code in dict.fromkeys(care_groups):
        if code not in current:
            tag = CareTag(
                person_id=person_id,
                household_id=person.household_id,
                grid_id=person.grid_id,
                care_group=code,
                since_on=today,
            )
            current[code] = unit.create(tag)
    return [tag for code, tag in current.items() if code in care_groups]


def reveal(unit: Unit, kind: str, record_id: int, field_name: str) -> str:
    """A masked value in full. The look is written into the audit."""
    found = noun(kind)
    if found is None or field_name not in found.fields:
        raise Refusal("record.unknown_field", N_("{kind} has no field {field}."), kind=kind, field=field_name)
    record = unit.get(found.cls, record_id)
    access.require(unit.actor, "reveal", getattr(record, "grid_id", None))
    audit.note(unit, "reveal", record_kind=kind, record_id=record_id, field=field_name)
    return str(getattr(record, field_name) or "")
