"""Who looked at sensitive records: opening the file of a household with care groups or notes on its needs is remembered (domain reference DP-07)."""

from gridman.domain import access
from gridman.domain.household import Household
from gridman.domain.person import CareTag
from gridman.services import audit
from gridman.store.audit import was_noted_since
from gridman.store.unit import Reader, Unit

__all__ = ["is_sensitive", "note_opened"]

ONCE_MS = 30 * 60_000


def is_sensitive(reader: Reader, household: Household) -> bool:
    """Whether the file shows sensitive fields: care groups held now, allowances, difficulties and needs."""
    return bool(
        household.protection
        or household.needs_note
        or reader.first(CareTag, household_id=household.id, until_on=None) is not None
    )


def note_opened(unit: Unit, household_id: int) -> bool:
    """Remember that this person opened the file, at most once in half an hour; returns whether a line was written."""
    household = unit.get(Household, household_id)
    access.require(unit.actor, "household.read", household.grid_id)
    since = unit.at - ONCE_MS
    if not is_sensitive(unit, household) or was_noted_since(unit, "open", household_id, unit.actor.user_id, since):
        return False
    audit.note(unit, "open", "household", household_id)
    return True
