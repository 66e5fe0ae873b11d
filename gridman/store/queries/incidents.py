"""Lists and counts of incidents."""

from array import array
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, text

from gridman.domain.grid import Grid
from gridman.domain.incident import CLOCK_STATES, OPEN_STATES, Incident, IncidentStep
from gridman.domain.organisation import Organisation
from gridman.store import tables
from gridman.store.batches import batches
from gridman.store.queries.id_lists import read_ids, read_rows
from gridman.store.unit import Reader
from gridman.store.values import unpack

__all__ = [
    "count_tasks", "counts_by_state", "edits_since", "ids", "last_number", "last_step_of", "open_near", "points", "previous_holder", "rows",
]  # fmt: skip

_i = Incident.__table__.c

_ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "reported": (_i.reported_at, _i.id),
    "due": (_i.due_at.is_(None), _i.due_at, _i.id),
    "state": (_i.state, _i.reported_at, _i.id),
    "category": (_i.category, _i.reported_at, _i.id),
    "number": (_i.number, _i.id),
    "place": (_i.place, _i.id),
}


def _where(
    query: Select[Any],
    *,
    states: Sequence[str] = (),
    grid_ids: Sequence[int] = (),
    holder_ids: Sequence[int] = (),
    category: str = "",
    overdue_at: int | None = None,
    among: set[int] | None = None,
    household_id: int | None = None,
) -> Select[Any]:
    query = query.where(_i.retired_at.is_(None))
    if states:
        query = query.where(_i.state.in_(states))
    if grid_ids:
        query = query.where(_i.grid_id.in_(grid_ids))
    if holder_ids:
        query = query.where(_i.holder_id.in_(holder_ids))
    if category:
        query = query.where(_i.category.startswith(category))
    if overdue_at is not None:
        query = query.where(_i.due_at < overdue_at, _i.state.in_(CLOCK_STATES), _i.is_legacy.is_not(True))
    if household_id is not None:
        query = query.where(_i.household_id == household_id)
    if among is not None:
        query = query.where(_i.id.in_(sorted(among)))
    return query


def ids(reader: Reader, *, order: str = "reported", descending: bool = True, **where: Any) -> "array[int]":
    """Ids of incidents, in order; conditions as in `_where`."""
    query = _where(select(_i.id), **where)
    return read_ids(reader, query.order_by(*(k.desc() if descending else k for k in _ORDERS[order])))


def rows(reader: Reader, incident_ids: Sequence[int]) -> list[Any]:
    """Incidents with the names of their grid and holder, in the order of the ids."""
    g, o = Grid.__table__.c, Organisation.__table__.c
    found: dict[int, Any] = {}
    for part in batches(incident_ids):
        query = (
            select(
                _i.id, _i.number, _i.state, _i.category, _i.description, _i.place, _i.reported_at, _i.due_at, _i.urgency, _i.supervision,
                _i.lng, _i.lat, _i.grid_id, _i.holder_id, _i.is_legacy, g.name.label("grid_name"), o.name.label("holder_name"),
            )
            .select_from(Incident.__table__.outerjoin(Grid.__table__, g.id == _i.grid_id).outerjoin(Organisation.__table__, o.id == _i.holder_id))
            .where(_i.id.in_(part))
        )  # fmt: skip
        found.update({row.id: row for row in reader.connection.execute(query)})
    return [found[i] for i in incident_ids if i in found]


def points(
    reader: Reader, box: tuple[float, float, float, float], **where: Any
) -> list[tuple[int, str, float, float, str | None]]:
    """(id, state, lng, lat, number) of the incidents in `box` (west, south, east, north; degrees): what a map needs, by thousands."""
    near = text(
        "id IN (SELECT id FROM place WHERE east >= :west AND west <= :east AND north >= :south AND south <= :north "
        "AND layer = 'incident')"
    ).bindparams(west=box[0], south=box[1], east=box[2], north=box[3])
    query = _where(select(_i.id, _i.state, _i.lng, _i.lat, _i.number).where(near, _i.lng.is_not(None)), **where)
    return read_rows(reader, query.order_by(_i.id))


def counts_by_state(reader: Reader, **where: Any) -> dict[str, int]:
    """How many incidents each state has, among those the conditions let through."""
    query = _where(select(_i.state, func.count()), **where).group_by(_i.state)
    return {row[0]: row[1] for row in reader.connection.execute(query)}


def last_number(reader: Reader, prefix: str) -> int:
    """The highest running number given after `prefix`, 0 for none. A task has its incident's with one more ("…-007-1")."""
    query = select(_i.number).where(_i.number.startswith(prefix, autoescape=True))
    running = (number[len(prefix) :].partition("-")[0] for number in reader.connection.scalars(query))
    return max((int(n) for n in running if n.isascii() and n.isdigit()), default=0)


def last_step_of(reader: Reader, incident_id: int, action: str) -> Any:
    """The latest log line of this action, or None."""
    s = IncidentStep.__table__.c
    query = select(s.organisation_id, s.target_id, s.at, s.user_id, s.note).where(
        s.incident_id == incident_id, s.action == action
    )
    return reader.connection.execute(query.order_by(s.at.desc(), s.id.desc()).limit(1)).first()


def edits_since(reader: Reader, incident_id: int, version: str | None) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(values written, values replaced) of the incident's edits after the one that gave its state this version, the oldest first; None:
    after it was reported. Empty when no edit gave it that version.
    """
    j = tables.journal.c
    query = select(j.stamp, j.after, j.before).where(
        j.record_id == incident_id, j.entity == "incident", j.kind == "amend"
    )
    edits = [(r.stamp, unpack(r.after), unpack(r.before)) for r in reader.connection.execute(query.order_by(j.id))]
    if version is None:
        return [(after, before) for _stamp, after, before in edits]
    known = [n for n, (stamp, after, _before) in enumerate(edits) if stamp == version and "state" in after]
    return [(after, before) for _stamp, after, before in edits[known[-1] + 1 :]] if known else []


_MOVES = ("report", "assign", "return", "escalate", "back", "object", "whistle")


def dispatcher_of(reader: Reader, incident: Incident) -> int:
    """The organisation that sent the incident where it is; the holder itself when nobody did."""
    sent = last_step_of(reader, incident.id, "assign") or last_step_of(reader, incident.id, "whistle")
    return int(sent.organisation_id) if sent is not None and sent.organisation_id is not None else incident.holder_id


def previous_holder(reader: Reader, incident: Incident) -> int | None:
    """The organisation that had the incident before its present holder and passed it on; None at the first step."""
    s = IncidentStep.__table__.c
    query = (
        select(s.action, s.organisation_id)
        .where(s.incident_id == incident.id, s.action.in_(_MOVES), s.target_id == incident.holder_id)
        .order_by(s.at.desc(), s.id.desc())
        .limit(1)
    )
    last = reader.connection.execute(query).first()
    if last is None or last.action in ("report", "whistle") or last.organisation_id == incident.holder_id:
        return None
    return int(last.organisation_id)


def count_tasks(reader: Reader, incident_id: int) -> int:
    """How many tasks hang on an incident."""
    query = select(func.count()).select_from(Incident).where(_i.parent_id == incident_id)
    return int(reader.connection.execute(query).scalar_one())


def open_near(reader: Reader, incident: Incident, degrees: float, limit: int) -> list[int]:
    """Ids of open incidents of the same grid or within `degrees` of this one; its own category first, then by distance."""
    is_near = _i.grid_id == incident.grid_id
    distance: ColumnElement[Any] = func.abs(0)
    if incident.lng is not None and incident.lat is not None:
        is_near = or_(
            is_near,
            and_(
                _i.lng.between(incident.lng - degrees, incident.lng + degrees),
                _i.lat.between(incident.lat - degrees, incident.lat + degrees),
            ),
        )
        distance = func.coalesce(func.abs(_i.lng - incident.lng) + func.abs(_i.lat - incident.lat), 1.0)
    query = (
        select(_i.id)
        .where(
            _i.id != incident.id, _i.state.in_(OPEN_STATES), _i.retired_at.is_(None), is_near,
            or_(_i.parent_id.is_(None), _i.parent_id != incident.id),
        )
        .order_by(case((_i.category == incident.category, 0), else_=1), distance, _i.id)
        .limit(limit)
    )  # fmt: skip
    return [int(i) for i in reader.connection.scalars(query)]
