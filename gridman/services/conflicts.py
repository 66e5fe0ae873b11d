"""Kept losers: both values with who, when and where, and the decision. A decision made offline travels like any edit."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gridman.domain import access
from gridman.domain.catalog import Noun, noun
from gridman.domain.conflict import DOUBLES, HANDED_OVER, REASONS, Conflict
from gridman.domain.fields import Merge, Synced
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.rules import check
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.services import audit
from gridman.services.conflict_parts import is_edit, is_entry, log_lines_of, lost_values, needed_by
from gridman.services.conflict_words import covers, household_of, nameless_words, record_words, value_words
from gridman.services.doubles import take_off, words_of_double
from gridman.services.households import restore_record
from gridman.store.unit import Reader, Unit

__all__ = [
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
    "take_over": N_("Take it over"),
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

_BY_HAND = N_("This edit cannot be put back by one key: open the record, enter it again, then keep what stands.")
_BY_HAND_WHOLE = N_("This cannot be taken over by one key: enter it anew, then leave it out.")

_MOST_ALIKE = 10_000
_WRITERS = {
    "household": "household.write", "person": "household.write", "care_tag": "household.write", "dwelling": "household.write",
    "visit": "visit.write", "incident": "incident.report", "incident_step": "incident.report", "attachment": "visit.write",
    "notice": "notice.write", "building": "map.edit", "map_feature": "map.edit",
}  # fmt: skip
"""The right that putting something into a record of the kind needs. Of other kinds (users, grids, assignments, …) anybody's desk may have sent
something, which was refused and is kept here; no key brings it into a record.
"""


@dataclass(frozen=True)
class ConflictLine:
    """One conflict in words. `deed`: a key of `DEEDS`, "" where no key can put it right; `is_covered`: numbers of people are hidden in
    the two values until somebody asks (`reveal_conflict`); `source_words`: the computer that handed it over and its user, "" for all others;
    `must_wait`: the record it belongs to has to be taken over before; `is_entry`: it is a whole entry (a record, a step, several fields at once)
    that is in or out, not two values of one field; `nameless_words`: the record without what tells of people.
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
    must_wait: bool = False
    is_entry: bool = False
    nameless_words: str = ""

    @property
    def is_restorable(self) -> bool:
        """Whether one key can put it right."""
        return bool(self.deed)

    @property
    def stay(self) -> str:
        """What the first key does. Nothing of an entry stands yet: to "keep what stands" would throw it away without saying so."""
        if self.deed == "take_off":
            return N_("Keep both")
        return N_("Leave it out") if self.is_entry else N_("Keep what stands")

    @property
    def by_hand(self) -> str:
        """What to do where no key can put it right, "" where one can or another record comes first."""
        if self.is_restorable or self.must_wait:
            return ""
        return _BY_HAND_WHOLE if self.is_entry else _BY_HAND


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
        reason_words=_reason(reader, conflict),
        kept_words=kept,
        lost_words=lost,
        kept_by=names.get(conflict.kept_by_id or 0, ""),
        lost_by=names.get(conflict.lost_by_id or 0, ""),
        household_id=household_of(reader, conflict),
        deed=_deed(reader, conflict),
        is_covered=not is_whole and conflict.reason not in DOUBLES and covers(conflict),
        source_words=_source(conflict, names),
        must_wait=_must_wait(reader, conflict),
        is_entry=is_entry(conflict),
        nameless_words=nameless_words(reader, conflict),
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
    if found is None or found.kind not in _WRITERS or (is_empty and conflict.reason not in DOUBLES):
        return ""
    if conflict.reason in DOUBLES:
        return "take_off" if record is not None and record.retired_at is None else ""
    if conflict.field is not None:
        if record is None or not _is_fit(conflict, found, record):
            return ""
        return "bring_back" if record.retired_at is not None and conflict.reason == "retired" else "restore"
    return "take_over" if _can_take_over(reader, conflict, found, record) else ""


def _is_fit(conflict: Conflict, found: Noun, record: Synced) -> bool:
    """Whether the other value may stand in the field at all: an edit that was refused is kept with whatever it wanted."""
    field = found.fields.get(conflict.field or "")
    if field is None or field.merge is Merge.STREET:
        return False
    value = json.loads(conflict.lost) if conflict.lost is not None else None
    whole = {name: getattr(record, name) for name in found.fields} | {field.name: value}
    return field.name not in check(found.cls, whole, is_new=False)


def _can_take_over(reader: Reader, conflict: Conflict, found: Noun, record: Synced | None) -> bool:
    """Whether one key makes the record, or puts the handed-over edit into it, and all that it hangs on is here or can be taken over too."""
    values = lost_values(conflict)
    if values is None:
        return False
    if is_edit(conflict):
        is_sound = conflict.reason in HANDED_OVER and record is not None and record.retired_at is None
        is_sound = is_sound and all(n in found.fields and found.fields[n].merge is not Merge.STREET for n in values)
    else:
        is_sound = record is None
    return (
        is_sound
        and not check(found.cls, values, is_new=not is_edit(conflict))
        and all(
            n.conflict is not None and _deed(reader, n.conflict) == "take_over" for n in needed_by(reader, conflict)
        )
    )


def _must_wait(reader: Reader, conflict: Conflict) -> bool:
    """Whether another record has to be taken over before. An edit never goes in one act with its record: that would be one operation, which
    the street would not know again as the record that was set aside.
    """
    return any(n.conflict is None or n.record_id == conflict.record_id for n in needed_by(reader, conflict))


def _reason(reader: Reader, conflict: Conflict) -> str:
    """Why it waits, and what else is decided with it."""
    said = [_(REASONS.get(conflict.reason, conflict.reason))]
    for needed in needed_by(reader, conflict):
        if needed.conflict is None:
            said.append(_("It belongs to a record that is not here."))
        elif needed.record_id == conflict.record_id:
            said.append(_("The record itself waits here too: take that over first."))
        else:
            words = record_words(reader, needed.conflict)
            said.append(
                _("It belongs to “{record}”, which waits here too and is taken over with it.").format(record=words)
            )
    if log_lines_of(reader, conflict):
        said.append(_("Its log is decided with it."))
    return " ".join(said)


def resolve(unit: Unit, conflict_id: int, choice: str) -> Conflict:
    """Decide: "kept" leaves what stands, "restored" does the conflict's deed (`DEEDS`)."""
    if choice not in ("kept", "restored"):
        raise ValueError(f"choice is kept or restored, not {choice!r}")
    # Held: at a street two people may press a key at the same moment, each through another of its programs.
    conflict = unit.hold(Conflict, conflict_id) or unit.get(Conflict, conflict_id)
    access.require(unit.actor, "conflict.resolve", conflict.grid_id)
    if _is_decided(conflict):
        raise Refusal(
            "conflict.decided",
            N_("Somebody has decided this already."),
            N_("Look at the record's history to see what stands."),
        )
    if choice == "kept" and (needed := _incident_of_line(unit, conflict)) is not None:
        raise Refusal(
            "conflict.with_incident",
            N_("The log of an incident is decided together with the incident “{record}”, which waits here too."),
            N_("Decide about the incident."),
            record=record_words(unit, needed),
        )
    if choice == "kept":
        for line in log_lines_of(unit, conflict):
            unit.amend(line, resolved_at=unit.at, resolved_by_id=unit.actor.user_id, resolution=choice)
    if choice == "restored":
        _do(unit, conflict, _deed(unit, conflict))
        unit.flush()  # the deed travels before the decision: who decided otherwise is asked about what then stands
        if _is_decided(conflict):  # the incident it belongs to took it along
            return conflict
    audit.note(unit, "decide", conflict.record_kind, conflict.record_id, conflict=conflict.id, choice=choice)
    return unit.amend(conflict, resolved_at=unit.at, resolved_by_id=unit.actor.user_id, resolution=choice)


def _is_decided(conflict: Conflict) -> bool:
    return conflict.resolved_at is not None


def _incident_of_line(reader: Reader, conflict: Conflict) -> Conflict | None:
    """Where the incident of this log line waits, when the line is decided with it."""
    waiting = (n.conflict for n in needed_by(reader, conflict) if n.kind == "incident" and n.conflict is not None)
    return next((c for c in waiting if conflict in log_lines_of(reader, c)), None)


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
    audit.note(
        unit, "decide", conflict.record_kind, conflict.record_id, conflict=conflict.id, choice="kept", count=len(found)
    )
    return len(found)


def _do(unit: Unit, conflict: Conflict, deed: str) -> None:
    found = noun(conflict.record_kind)
    if not deed and _must_wait(unit, conflict):
        raise Refusal(
            "conflict.no_owner",
            N_("It belongs to a record that is not here yet."),
            N_("Take that record over first, or keep what stands."),
        )
    if found is None or not deed:
        raise Refusal(
            "conflict.not_restorable",
            N_("This edit cannot be restored by one key."),
            N_("Open the record and enter it again; then mark this as done."),
        )
    if deed == "take_off":
        take_off(unit, conflict)
    elif deed == "take_over":
        _take_over(unit, conflict, found, lost_values(conflict) or {})
    elif conflict.field is not None:
        record: Any = unit.get(found.cls, conflict.record_id)
        access.require(unit.actor, _WRITERS[found.kind])
        value = json.loads(conflict.lost) if conflict.lost is not None else None
        if conflict.field == "grid_id":
            access.require(unit.actor, "household.write", value)
        if deed == "bring_back":
            household = unit.find(Household, getattr(record, "household_id", None))
            if household is not None and household.retired_at is not None:
                restore_record(unit, "household", household.id)
            restore_record(unit, conflict.record_kind, record.id)
        unit.amend(record, **{conflict.field: value})


def _take_over(unit: Unit, conflict: Conflict, found: Noun, values: dict[str, Any]) -> None:
    """Make the record that was set aside, under its own number, so that what belongs to it finds it; where its household is now. What it hangs
    on and waits too is made before it, an incident's log after it.
    """
    for needed in needed_by(unit, conflict):
        if needed.conflict is not None:
            resolve(unit, needed.conflict.id, "restored")
    if _is_decided(conflict):
        return
    right = _WRITERS[conflict.record_kind]
    kept = {k: v for k, v in values.items() if k in found.fields}
    if is_edit(conflict):
        record = unit.get(found.cls, conflict.record_id)
        access.require(unit.actor, right, getattr(record, "grid_id", None))
        unit.amend(record, **kept)
        return
    home = unit.find(Household, values.get("household_id"))
    if home is not None and "grid_id" in kept:
        kept["grid_id"] = home.grid_id
    access.require(unit.actor, right, kept.get("grid_id"))
    unit.create(found.cls(id=conflict.record_id, **kept))
    unit.flush()
    for line in log_lines_of(unit, conflict):
        resolve(unit, line.id, "restored")
