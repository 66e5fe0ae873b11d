"""What the Households page asks of the services in a reader's or the writer's thread."""

from typing import Any

from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.person import Person
from gridman.services import households

__all__ = ["household_of", "list_facts", "move_resident"]


def move_resident(unit: Any, person_id: int, to_id: int, from_id: int) -> tuple[Person, int]:
    """Move a resident into another household; and where the resident came from."""
    return households.move_person(unit, person_id, to_id), from_id


def list_facts(reader: Any, grid_ids: list[int]) -> tuple[list[Grid], int]:
    """The grids to filter by, and how many households there are at all."""
    where = {"id": grid_ids} if grid_ids else {}
    return reader.page(Grid, order_by=("code",), **where), reader.count(Household)


def household_of(reader: Any, person_id: int) -> int:
    """The household a resident lives in."""
    person: Person = reader.get(Person, person_id)
    return person.household_id
