"""Lists of visits."""

from array import array
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from gridman.domain.attachment import Attachment
from gridman.domain.household import Household
from gridman.domain.user import User
from gridman.domain.visit import Visit
from gridman.store.batches import batches
from gridman.store.tables import household_line
from gridman.store.unit import Reader

__all__ = ["count_between", "ids", "rows"]

_v = Visit.__table__.c


def ids(
    reader: Reader,
    *,
    grid_ids: Sequence[int] = (),
    household_id: int | None = None,
    user_id: int | None = None,
    outcome: str = "",
    from_at: int | None = None,
    until_at: int | None = None,
    households: set[int] | None = None,
    order: str = "when",
    descending: bool = True,
) -> "array[int]":
    """Ids of visits, by time (or by "outcome"); `households`: only visits to these."""
    query = select(_v.id).where(_v.retired_at.is_(None))
    for column, value in ((_v.household_id, household_id), (_v.user_id, user_id), (_v.outcome, outcome or None)):
        if value is not None:
            query = query.where(column == value)
    if grid_ids:
        query = query.where(_v.grid_id.in_(grid_ids))
    if households is not None:
        query = query.where(_v.household_id.in_(sorted(households)))
    if from_at is not None:
        query = query.where(_v.visited_at >= from_at)
    if until_at is not None:
        query = query.where(_v.visited_at < until_at)
    keys = (_v.outcome, _v.visited_at, _v.id) if order == "outcome" else (_v.visited_at, _v.id)
    return array("q", reader.connection.scalars(query.order_by(*(k.desc() if descending else k for k in keys))))


def rows(reader: Reader, visit_ids: Sequence[int]) -> list[Any]:
    """Visits with household address, head's name, visitor's name and number of photos, in the order of the ids."""
    h, line, u, a = Household.__table__.c, household_line.c, User.__table__.c, Attachment.__table__.c
    photos = select(func.count()).where(a.owner_id == _v.id, a.retired_at.is_(None)).scalar_subquery()
    found: dict[int, Any] = {}
    for part in batches(visit_ids):
        query = (
            select(
                _v.id, _v.visited_at, _v.kind, _v.outcome, _v.needs, _v.note, _v.household_id, h.address, line.head_name,
                u.name.label("user_name"), photos.label("photo_count"),
            )
            .select_from(
                Visit.__table__.outerjoin(Household.__table__, h.id == _v.household_id)
                .outerjoin(household_line, line.household_id == _v.household_id)
                .outerjoin(User.__table__, u.id == _v.user_id)
            )
            .where(_v.id.in_(part))
        )  # fmt: skip
        found.update({row.id: row for row in reader.connection.execute(query)})
    return [found[i] for i in visit_ids if i in found]


def count_between(
    reader: Reader, grid_ids: Sequence[int], from_at: int, until_at: int, user_id: int | None = None
) -> int:
    """How many visits were logged in this span."""
    query = select(func.count()).where(_v.retired_at.is_(None), _v.visited_at >= from_at, _v.visited_at < until_at)
    if grid_ids:
        query = query.where(_v.grid_id.in_(grid_ids))
    if user_id is not None:
        query = query.where(_v.user_id == user_id)
    return reader.connection.execute(query).scalar_one()
