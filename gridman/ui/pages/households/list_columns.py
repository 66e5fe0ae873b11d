"""The columns of the list of households."""

from gridman.kernel.clock import day_of
from gridman.kernel.words import N_, _
from gridman.services.households import HouseholdRow
from gridman.ui.tables import Column

__all__ = ["COLUMNS"]


def _due(row: HouseholdRow) -> str:
    return row.due_on or ""


def _due_tone(row: HouseholdRow) -> str:
    return "danger" if row.is_overdue else ""


def _last(row: HouseholdRow) -> str:
    return day_of(row.last_visit_at) if row.last_visit_at else ""


def _waiting(row: HouseholdRow) -> str:
    return _("waiting") if row.waiting else ""


def _waiting_tone(row: HouseholdRow) -> str:
    return "attention" if row.waiting else ""


COLUMNS = (
    Column("address", N_("Address"), 200, lambda r: r.address, "address", stretches=True, keeps_end=True),
    Column("head", N_("Head"), 72, lambda r: r.head_name, "head"),
    Column("people", N_("People"), 54, lambda r: str(r.people_count), is_right=True),
    Column("due", N_("Due"), 108, _due, "due", tone=_due_tone),
    Column("care", N_("Care groups"), 140, lambda r: r.care_words, is_shown=False, cuts=True),
    Column("number", N_("Household no."), 130, lambda r: r.number, "number", is_shown=False),
    Column("visit", N_("Last visit"), 100, _last, "visit", is_shown=False),
    Column("grid", N_("Grid"), 100, lambda r: r.grid_name, is_shown=False, cuts=True),
    Column("waiting", N_("Sending"), 90, _waiting, is_shown=False, tone=_waiting_tone),
)
