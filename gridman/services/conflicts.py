"""Kept losers: both values with who, when and where, and the decision. A decision made offline travels like any edit."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gridman.domain import access
from gridman.domain.catalog import noun
from gridman.domain.conflict import DOUBLES, HANDED_OVER, REASONS, Conflict
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.rules import check
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.services import audit
from gridman.services.conflict_words import covers, household_of, lost_values, record_words, value_words
from gridman.services.doubles import take_off, words_of_double
from gridman.services.households import restore_record
from gridman.store.unit import Reader, Unit

__all__ = [
    "BY_HAND",
    "DEEDS",
    "TITLES",
    "ConflictLine",
    "conflict_count",
    "keep_alike",
    "open_conflicts",
    "resolve",
    "reveal_conflict",
]

DEEDS = {
    "restore": N_("Put the other value back"),
    "bring_back": N_("Bring the record back with this value"),
    "take_over": N_("Take it over now"),
    "take_off": N_("It is a double: take it off"),
}
"""What the second key does, by the kind of conflict."""

TITLES = {
    "": (N_("Stands now"), N_("The other value")),
    "bring_back": (N_("Stands now: out of use"), N_("Written at the same time")),
    "take_over": (N_("Stands now"), N_("What was sent")),
    "take_off": (N_("The other entry"), N_("This entry")),
}
"""What the two values are called, by deed."""

BY_HAND = N_("This edit cannot be put back by one key: open the record, enter it again, then keep what stands.")

_MOST_ALIKE = 10_000
_WRITERS = {"visit": "visit.write", "incident": "incident.report", "attachment": "visit.write"}


@dataclass(frozen=True)
class ConflictLine:
    """One conflict in words. `deed`: a key of `DEEDS`, "" where no key can put it right; `is_covered`: numbers of people are hidden in
    the two values until somebody asks (`reveal_conflict`); `source_words`: the computer that handed it over and its user, "" for all others.
    """

    conflict: Conflict
    record_words: str
    place_words: str
    field_label: str
    reason_words: str
    kept_words: str
    lost_words: str
    kept_by: str
    lost_by: str
    household_id: int | None
    deed: str
    is_covered: bool = False
    source_words: str = ""

    @property
    def is_restorable(self) -> bool:
        """Whether one key can put it right."""
        return bool(self.deed)


def open_conflicts(reader: Reader, limit: int = 200, *, grid_ids: Iterable[int] | None = None) -> list[ConflictLine]:
    """What waits for a decision on this copy of the data (of these grids, None: of all), the newest first."""
    wanted: dict[str, Any] = {} if grid_ids is None else {"grid_id": set(grid_ids)}
    found = reader.page(Conflict, resolved_at=None, order_by=("-id",), limit=limit, **wanted)
    users = {i for c in found for i in (c.kept_by_id, c.lost_by_id) if i}
    names = {u.id: u.name for u in reader.page(User, id=users, with_retired=True)} if users else {}
    return [_line(reader, conflict, names) for conflict in found]


def conflict_count(reader: Reader) -> int:
    """How many wait for a decision."""
    return reader.count(Conflict, resolved_at=None)


def reveal_conflict(unit: Unit, conflict_id: int) -> ConflictLine:
    """A conflict with its values in full. The look is written into the audit."""
    conflict = unit.get(Conflict, conflict_id)
    access.require(unit.actor, "reveal", conflict.grid_id)
    audit.note(
        unit,
        "reveal",
        record_kind=conflict.record_kind,
        record_id=conflict.record_id,
        field=conflict.field or "",
        conflict=conflict.id,
    )
    users = [i for i in (conflict.kept_by_id, conflict.lost_by_id) if i]
    names = {u.id: u.name for u in unit.page(User, id=users, with_retired=True)} if users else {}
    return _line(unit, conflict, names, is_whole=True)


def _line(reader: Reader, conflict: Conflict, names: dict[int, str], *, is_whole: bool = False) -> ConflictLine:
    found = noun(conflict.record_kind)
    field = found.fields.get(conflict.field or "") if found else None
    grid = reader.find(Grid, conflict.grid_id)
    if conflict.reason in DOUBLES:
        mine, other = words_of_double(reader, conflict)
        kept, lost = other or _("an entry in another grid"), mine
    else:
        kept, lost = (value_words(reader, conflict, text, is_whole=is_whole) for text in (conflict.kept, conflict.lost))
    return ConflictLine(
        conflict=conflict,
        record_words=record_words(reader, conflict),
        place_words=grid.name if grid else "",
        field_label=_(field.label) if field else "",
        reason_words=_(REASONS.get(conflict.reason, conflict.reason)),
        kept_words=kept,
        lost_words=lost,
        kept_by=names.get(conflict.kept_by_id or 0, ""),
        lost_by=names.get(conflict.lost_by_id or 0, ""),
        household_id=household_of(reader, conflict),
        deed=_deed(reader, conflict),
        is_covered=not is_whole and conflict.reason not in DOUBLES and covers(conflict),
        source_words=_source(conflict, names),
    )


def _source(conflict: Conflict, names: dict[int, str]) -> str:
    """Which computer handed it over, and whose that was."""
    if conflict.reason not in HANDED_OVER:
        return ""
    user = names.get(conflict.lost_by_id or 0) or _("unknown")
    return _("Computer: {computer}; its user: {user}").format(computer=conflict.computer or _("unnamed"), user=user)


def _deed(reader: Reader, conflict: Conflict) -> str:
    found = noun(conflict.record_kind)
    record = reader.find(found.cls, conflict.record_id) if found else None
    is_empty = conflict.lost is None and not (conflict.reason == "decided" and conflict.field)
    if found is None or (is_empty and conflict.reason not in DOUBLES):
        return ""
    if conflict.reason in DOUBLES:
        return "take_off" if record is not None and record.retired_at is None else ""
    if conflict.field is not None:
        if record is None or conflict.field not in found.fields:
            return ""
        return "bring_back" if record.retired_at is not None and conflict.reason == "retired" else "restore"
    values = lost_values(conflict)
    can_take_over = record is None and values is not None and not check(found.cls, values, is_new=True)
    return "take_over" if can_take_over else ""


def resolve(unit: Unit, conflict_id: int, choice: str) -> Conflict:
    """Decide: "kept" leaves what stands, "restored" does the conflict's deed (`DEEDS`)."""
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
        _do(unit, conflict, _deed(unit, conflict))
        unit.flush()  # the deed travels before the decision: who decided otherwise is asked about what then stands
    return unit.amend(conflict, resolved_at=unit.at, resolved_by_id=unit.actor.user_id, resolution=choice)


def keep_alike(unit: Unit, conflict_id: int) -> int:
    """What stands stays, for all that the same computer of the same user handed over, in the grids of who decides; returns how many that were.
    A stranger with a lost computer can write thousands of lines.
    """
    conflict = unit.get(Conflict, conflict_id)
    access.require(unit.actor, "conflict.resolve", conflict.grid_id)
    if conflict.reason not in HANDED_OVER:
        raise Refusal(
            "conflict.not_handed_over",
            N_("No computer handed this over: it is decided by itself."),
            N_("Leave out --alike."),
        )
    alike: dict[str, Any] = {name: getattr(conflict, name) for name in ("reason", "computer", "lost_by_id")}
    if unit.actor.grid_ids:
        alike["grid_id"] = unit.actor.grid_ids
    found = unit.page(Conflict, resolved_at=None, limit=_MOST_ALIKE, **alike)
    for each in found:
        unit.amend(each, resolved_at=unit.at, resolved_by_id=unit.actor.user_id, resolution="kept")
    return len(found)


def _do(unit: Unit, conflict: Conflict, deed: str) -> None:
    found = noun(conflict.record_kind)
    if found is None or not deed:
        raise Refusal(
            "conflict.not_restorable",
            N_("This edit cannot be restored by one key."),
            N_("Open the record and enter it again; then mark this as done."),
        )
    if deed == "take_off":
        take_off(unit, conflict)
    elif deed == "take_over":
        _take_over(unit, conflict, lost_values(conflict) or {})
    elif conflict.field is not None:
        record: Any = unit.get(found.cls, conflict.record_id)
        value = json.loads(conflict.lost) if conflict.lost is not None else None
        if conflict.field == "grid_id":
            access.require(unit.actor, "household.write", value)
        if deed == "bring_back":
            household = unit.find(Household, getattr(record, "household_id", None))
            if household is not None and household.retired_at is not None:
                restore_record(unit, "household", household.id)
            restore_record(unit, conflict.record_kind, record.id)
        unit.amend(record, **{conflict.field: value})


def _take_over(unit: Unit, conflict: Conflict, values: dict[str, Any]) -> None:
    """Make the record that was set aside, under its own number, so that what belongs to it finds it; where its household is now."""
    found = noun(conflict.record_kind)
    assert found is not None
    home = unit.find(Household, values.get("household_id"))
    kept = {k: v for k, v in values.items() if k in found.fields}
    if home is not None and "grid_id" in kept:
        kept["grid_id"] = home.grid_id
    right = _WRITERS.get(conflict.record_kind, "household.write")
    access.require(unit.actor, right, kept.get("grid_id"))
    unit.create(found.cls(id=conflict.record_id, **kept))
    unit.flush()
