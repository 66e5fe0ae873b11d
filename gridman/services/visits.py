"""Visits: what is due, logging one, the list."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gridman.domain import access
from gridman.domain.attachment import Attachment
from gridman.domain.cadence import overdue_days
from gridman.domain.household import Household
from gridman.domain.rules import require_valid, tidy
from gridman.domain.user import User
from gridman.domain.visit import Visit
from gridman.kernel.clock import from_day
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.households import HouseholdRow, care_words, household_rows
from gridman.services.photos import Blobs, PhotoDraft, attach
from gridman.store.queries import households as household_query
from gridman.store.queries import visits as query
from gridman.store.search import matching_ids
from gridman.store.unit import Reader, Unit

__all__ = [
    "DueRow", "VisitDraft", "VisitFile", "VisitQuery", "VisitRow", "due_households", "log_visit", "next_due", "open_visit", "visit_ids",
    "visit_rows",
]  # fmt: skip

_MINUTE_MS = 60_000
_CLOCK_SLACK_MS = 10 * _MINUTE_MS


@dataclass(frozen=True)
class DueRow:
    """A household to visit. `reason`: the care group that sets the interval, in words; "" for an ordinary household."""

    household_id: int
    address: str
    head_name: str
    due_on: str
    days_overdue: int
    care_words: str
    reason: str
    walk_order: int
    last_visit_at: int | None


@dataclass(frozen=True)
class VisitDraft:
    """A visit as it is entered. `needs`: letters of the table visit_need joined by ";". `visited_at`: now when None."""

    household_id: int
    outcome: str
    kind: str = "01"
    needs: str = ""
    note: str = ""
    measure: str = ""
    visited_at: int | None = None
    amends_id: int | None = None
    photos: list[PhotoDraft] = field(default_factory=list)


@dataclass(frozen=True)
class VisitQuery:
    """Which visits a list shows; days are "YYYY-MM-DD", inclusive."""

    grid_ids: Sequence[int] = ()
    since_on: str = ""
    until_on: str = ""
    user_id: int | None = None
    outcome: str = ""
    household_id: int | None = None
    text: str = ""
    order: str = "when"
    descending: bool = True


@dataclass(frozen=True)
class VisitRow:
    """One line of the list; `kind`, `outcome` and `needs` are codes."""

    id: int
    household_id: int
    visited_at: int
    address: str
    head_name: str
    kind: str
    outcome: str
    needs: str
    note: str
    user_name: str
    photo_count: int
    waiting: bool


@dataclass(frozen=True)
class VisitFile:
    """One visit with its household and photos."""

    visit: Visit
    household: HouseholdRow | None
    user: User | None
    attachments: list[Attachment]
    amended_by: Visit | None


def due_households(reader: Reader, grid_ids: Sequence[int], today: str, limit: int = 200) -> list[DueRow]:
    """Households due today or earlier, the longest overdue first."""
    return [_due_row(row, today) for row in household_query.due_rows(reader, grid_ids, today, limit)]


def _due_row(row: Any, today: str) -> DueRow:
    return DueRow(
        row.id, row.address or "", row.head_name or "", row.due_on or "", overdue_days(row.due_on, today), care_words(row.care_groups),
        care_words(row.due_reason) if row.due_reason != "rented" else "", row.walk_order or 0, row.last_visit_at,
    )  # fmt: skip


def next_due(reader: Reader, after_household_id: int | None, grid_ids: Sequence[int], today: str) -> DueRow | None:
    """The next due household in walking order after this one; round the corner to the first when none follows."""
    here = reader.find(Household, after_household_id)
    start = (-1, -1, -1)
    for after in ((here.grid_id, here.walk_order or 0, here.id) if here else start, start):
        rows = household_query.due_rows(reader, grid_ids, today, 2, after=after)
        found = [r for r in rows if r.id != after_household_id]
        if found:
            return _due_row(found[0], today)
    return None


def log_visit(unit: Unit, draft: VisitDraft, blobs: Blobs | None = None) -> Visit:
    """Write a visit down. A visit is never edited afterwards: to correct one, log another that `amends_id` it. Where that was corrected
    meanwhile, the new one takes the place of the correction, so that one visit counts once.
    """
    household = unit.get(Household, draft.household_id)
    access.require(unit.actor, "visit.write", household.grid_id)
    visited_at = unit.at if draft.visited_at is None else draft.visited_at
    if visited_at > unit.at + _CLOCK_SLACK_MS:
        raise Refusal(
            "visit.future",
            N_("A visit cannot lie in the future."),
            N_("Check the day and the time, and this computer's clock."),
        )
    amended = _standing(unit, draft.amends_id)
    values = tidy(
        Visit,
        {
            "household_id": household.id, "grid_id": household.grid_id, "visited_at": visited_at, "user_id": unit.actor.user_id,
            "kind": draft.kind, "outcome": draft.outcome, "needs": draft.needs, "note": draft.note, "measure": draft.measure,
            "amends_id": amended.id if amended is not None else None,
        },
    )  # fmt: skip
    require_valid(Visit, values, is_new=True)
    visit = unit.create(Visit(**values))
    if draft.photos:
        attach(unit, _required(blobs), "visit", visit.id, household.grid_id, draft.photos)
    if amended is not None:
        unit.retire(amended, "amended")
    unit.touch("household", household.id)
    return visit


def _standing(unit: Unit, visit_id: int | None) -> Visit | None:
    """The visit, or the last correction of it."""
    visit = unit.get(Visit, visit_id) if visit_id is not None else None
    while visit is not None and visit.retired_at is not None:
        newer = unit.page(Visit, amends_id=visit.id, with_retired=True, order_by=("-id",), limit=1)
        if not newer or newer[0].id == visit.id:
            break
        visit = newer[0]
    return visit


def _required(blobs: Blobs | None) -> Blobs:
    if blobs is None:
        raise ValueError("photos need a place to be filed")
    return blobs


def visit_ids(reader: Reader, wanted: VisitQuery) -> "array[int]":
    """The ids of all visits of a list, newest first unless told otherwise."""
    return query.ids(
        reader,
        grid_ids=wanted.grid_ids,
        household_id=wanted.household_id,
        user_id=wanted.user_id,
        outcome=wanted.outcome,
        from_at=from_day(wanted.since_on) if wanted.since_on else None,
        until_at=from_day(wanted.until_on) + 86_400_000 if wanted.until_on else None,
        households=matching_ids(reader, wanted.text, ("person", "household")) if wanted.text.strip() else None,
        order=wanted.order,
        descending=wanted.descending,
    )


def visit_rows(reader: Reader, ids: Sequence[int]) -> list[VisitRow]:
    """The list's lines for these ids."""
    rows = query.rows(reader, ids)
    waiting = household_query.waiting_records(reader, [r.id for r in rows])
    return [
        VisitRow(
            r.id, r.household_id, r.visited_at, r.address or "", r.head_name or "", r.kind or "", r.outcome or "", r.needs or "",
            r.note or "", r.user_name or "", r.photo_count, r.id in waiting,
        )
        for r in rows
    ]  # fmt: skip


def open_visit(reader: Reader, visit_id: int) -> VisitFile:
    """One visit with what belongs to it."""
    visit = reader.get(Visit, visit_id)
    lines = household_rows(reader, [visit.household_id])
    return VisitFile(
        visit,
        lines[0] if lines else None,
        reader.find(User, visit.user_id),
        reader.page(Attachment, owner_id=visit_id),
        reader.first(Visit, amends_id=visit_id),
    )


def visits_done(reader: Reader, grid_ids: Sequence[int], today: str, user_id: int | None = None) -> int:
    """How many visits were logged on `today`."""
    start = from_day(today)
    return query.count_between(reader, grid_ids, start, start + 86_400_000, user_id)
