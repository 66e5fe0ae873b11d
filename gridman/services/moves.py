"""A household moves to another grid, and all that belongs to it goes along."""

from gridman.domain.attachment import Attachment
from gridman.domain.conflict import Conflict
from gridman.domain.fields import Synced
from gridman.domain.household import Household
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import Visit
from gridman.store.unit import Unit

__all__ = ["move_household"]

_ALL = 100_000


def move_household(unit: Unit, household: Household, grid_id: int) -> None:
    """Put a household and all that belongs to it into another grid. On the street only: visits and photos are moved by nobody else."""
    unit.amend(household, grid_id=grid_id)
    visits = unit.page(Visit, household_id=household.id, with_retired=True, limit=_ALL)
    people = unit.page(Person, household_id=household.id, with_retired=True, limit=_ALL)
    tags = unit.page(CareTag, household_id=household.id, with_retired=True, limit=_ALL)
    owners = [household.id, *(v.id for v in visits)]
    attachments = unit.page(Attachment, owner_id=owners, with_retired=True, limit=_ALL)
    conflicts = unit.page(Conflict, record_id=[household.id, *(p.id for p in people)], with_retired=True, limit=_ALL)
    belongings: list[Synced] = [*people, *tags, *visits, *attachments, *conflicts]
    for record in belongings:
        unit.amend(record, grid_id=grid_id)
