"""Who a user is and which grids are assigned to them: asked once or twice for every request of every desk, so asked bare."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import bindparam, select

from gridman.domain.grid import Assignment, Grid
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.store.unit import Reader

__all__ = ["Standing", "assignments_of", "grids_in", "place_of_organisation", "region_parents", "standing_of"]


class Standing(NamedTuple):
    """What rights follow from. `id`: of the user."""

    id: int
    name: str
    role: str
    organisation_id: int


_u, _a, _o, _r, _g = (cls.__table__.c for cls in (User, Assignment, Organisation, Region, Grid))
_STANDING = select(_u.id, _u.name, _u.role, _u.organisation_id).where(_u.id == bindparam("user_id"))
_ASSIGNMENTS = select(_a.grid_id, _a.from_on, _a.until_on).where(
    _a.user_id == bindparam("user_id"), _a.retired_at.is_(None)
)
_PLACE = select(_o.region_id, _o.grid_id).where(_o.id == bindparam("organisation_id"))
_PARENTS = select(_r.id, _r.parent_id).where(_r.retired_at.is_(None))
_GRIDS = select(_g.id).where(_g.community_id.in_(bindparam("regions", expanding=True)), _g.retired_at.is_(None))


def standing_of(reader: Reader, user_id: int) -> Standing | None:
    """The user's name, role and organisation, None when there is no such user."""
    row = reader.connection.execute(_STANDING, {"user_id": user_id}).first()
    return None if row is None else Standing(*row)


def assignments_of(reader: Reader, user_id: int) -> list[tuple[int, str | None, str | None]]:
    """Grid, first and last day ("YYYY-MM-DD") of each assignment that was not taken back."""
    return [(g, first, last) for g, first, last in reader.connection.execute(_ASSIGNMENTS, {"user_id": user_id})]


def place_of_organisation(reader: Reader, organisation_id: int | None) -> tuple[int | None, int | None]:
    """The region and the grid an organisation stands for, each None when it has none."""
    row = reader.connection.execute(_PLACE, {"organisation_id": organisation_id}).first()
    return (None, None) if row is None else (row.region_id, row.grid_id)


def region_parents(reader: Reader) -> list[tuple[int, int | None]]:
    """Every region in use with the one it lies in: a street has some dozens."""
    return [(i, parent_id) for i, parent_id in reader.connection.execute(_PARENTS)]


def grids_in(reader: Reader, regions: Iterable[int]) -> frozenset[int]:
    """The grids in use of these regions."""
    return frozenset(reader.connection.scalars(_GRIDS, {"regions": sorted(regions)}))
