"""Who a user is and which grids are assigned to them: asked once or twice for every request of every desk, so asked bare."""

from typing import NamedTuple

from sqlalchemy import bindparam, select

from gridman.domain.grid import Assignment
from gridman.domain.user import User
from gridman.store.unit import Reader

__all__ = ["Standing", "assignments_of", "standing_of"]


class Standing(NamedTuple):
    """What rights follow from. `id`: of the user."""

    id: int
    name: str
    role: str
    organisation_id: int


_STANDING = select(User.id, User.name, User.role, User.organisation_id).where(User.id == bindparam("user_id"))
_ASSIGNMENTS = select(Assignment.grid_id, Assignment.from_on, Assignment.until_on).where(
    Assignment.user_id == bindparam("user_id"), Assignment.retired_at.is_(None)
)


def standing_of(reader: Reader, user_id: int) -> Standing | None:
    """The user's name, role and organisation, None when there is no such user."""
    row = reader.session.execute(_STANDING, {"user_id": user_id}).first()
    return None if row is None else Standing(*row)


def assignments_of(reader: Reader, user_id: int) -> list[tuple[int, str | None, str | None]]:
    """Grid, first and last day ("YYYY-MM-DD") of each assignment that was not taken back."""
    return [(g, first, last) for g, first, last in reader.session.execute(_ASSIGNMENTS, {"user_id": user_id})]
