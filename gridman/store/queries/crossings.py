"""What is asked of the operations that a desk pushes, so asked bare: is there a review open about its record, is there such a visit already."""

from collections.abc import Iterable

from sqlalchemy import bindparam, select

from gridman.domain.conflict import Conflict
from gridman.domain.visit import Visit
from gridman.store.batches import batches
from gridman.store.unit import Reader

__all__ = ["has_open_review", "near_visits", "open_reviews", "visits_near"]

_MOST = 200
_OPEN = (
    select(Conflict.id)
    .where(Conflict.record_kind == bindparam("kind"), Conflict.record_id == bindparam("record_id"))
    .where(Conflict.resolved_at.is_(None), Conflict.retired_at.is_(None))
    .limit(1)
)
_NEAR = (
    select(Visit.id, Visit.amends_id)
    .where(Visit.household_id == bindparam("household_id"), Visit.user_id == bindparam("user_id"))
    .where(Visit.retired_at.is_(None), Visit.visited_at.between(bindparam("first"), bindparam("last")))
    .order_by(Visit.visited_at.desc())
    .limit(_MOST)
)

_OPEN_OF = select(Conflict.record_kind, Conflict.record_id).where(
    Conflict.record_id.in_(bindparam("ids", expanding=True)),
    Conflict.resolved_at.is_(None),
    Conflict.retired_at.is_(None),
)
_VISITS = (
    select(Visit.household_id, Visit.visited_at, Visit.id, Visit.amends_id)
    .where(Visit.household_id.in_(bindparam("homes", expanding=True)), Visit.user_id == bindparam("user_id"))
    .where(Visit.retired_at.is_(None), Visit.visited_at.between(bindparam("first"), bindparam("last")))
)


def has_open_review(reader: Reader, kind: str, record_id: int) -> bool:
    """Whether anything about this record waits for a decision."""
    return reader.session.execute(_OPEN, {"kind": kind, "record_id": record_id}).first() is not None


def visits_near(reader: Reader, visit: Visit, within_ms: int) -> list[tuple[int, int | None]]:
    """Visits of the same worker to the same household at most so far from this one, itself among them: id, and the visit each corrects."""
    places = {"household_id": visit.household_id, "user_id": visit.user_id}
    span = {"first": visit.visited_at - within_ms, "last": visit.visited_at + within_ms}
    return [(i, amends) for i, amends in reader.session.execute(_NEAR, places | span)]


def open_reviews(reader: Reader, record_ids: Iterable[int]) -> set[tuple[str, int]]:
    """Those of these records, by kind and id, about which anything waits for a decision."""
    found: set[tuple[str, int]] = set()
    for part in batches(record_ids):
        found.update((kind, i) for kind, i in reader.session.execute(_OPEN_OF, {"ids": part}))
    return found


def near_visits(
    reader: Reader, households: Iterable[int], user_id: int, span: tuple[int, int]
) -> dict[int, list[tuple[int, int, int | None]]]:
    """A worker's visits to these households within a span of time, by household: when, id, and the visit each corrects."""
    found: dict[int, list[tuple[int, int, int | None]]] = {}
    for part in batches(households):
        asked = {"homes": part, "user_id": user_id, "first": span[0], "last": span[1]}
        for home, at, visit_id, amends_id in reader.session.execute(_VISITS, asked):
            found.setdefault(home, []).append((at, visit_id, amends_id))
    return found
