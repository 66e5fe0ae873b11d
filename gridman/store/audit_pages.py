"""Pages of the audit log: the street's own lines and those its desks sent, as one list in the order of time.

Each line has a place in that list (`Place`), by which the next page goes on exactly where one ended, also while new lines come.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Row, Table, and_, or_, select, tuple_

from gridman.store import tables
from gridman.store.audit import AuditRow
from gridman.store.unit import Reader

__all__ = ["Place", "Placed", "Wanted", "page_lines"]

_STREET, _DESKS = 0, 1


class Place(NamedTuple):
    """Where a line stands: its instant, whose log (0 street, 1 desks), the computer, its number there."""

    at: int
    log: int
    replica: int
    n: int


class Placed(NamedTuple):
    """A line and its place."""

    row: AuditRow
    place: Place


@dataclass(frozen=True)
class Wanted:
    """Which lines. `actors`: ids of users; `since`, `until`: instants, the latter excluded; None and empty `acts`: all."""

    acts: frozenset[str] = frozenset()
    replica: int | None = None
    actors: frozenset[int] | None = None
    since: int | None = None
    until: int | None = None


def page_lines(
    reader: Reader, wanted: Wanted, *, older_than: Place | None = None, newer_than: Place | None = None, limit: int
) -> list[Placed]:
    """At most `limit` lines, the newest first: the newest of all, those next older than a place, or those next newer."""
    found: list[Placed] = []
    for log, table, n in ((_STREET, tables.audit, "id"), (_DESKS, tables.desk_audit, "n")):
        c = table.c
        keys = [c.at, c[n]] if log == _STREET else [c.at, c.replica, c[n]]
        query = select(table).where(*_fits(table, wanted))
        if older_than is not None:
            query = query.where(_beyond(log, keys, older_than, is_older=True))
        if newer_than is not None:
            query = query.where(_beyond(log, keys, newer_than, is_older=False))
        query = query.order_by(*(k.asc() if newer_than is not None else k.desc() for k in keys)).limit(limit)
        found += [_placed(log, row, n) for row in reader.connection.execute(query)]
    nearest = sorted(found, key=lambda line: line.place, reverse=newer_than is None)[:limit]
    return sorted(nearest, key=lambda line: line.place, reverse=True)


def _fits(table: Table, wanted: Wanted) -> list[ColumnElement[bool]]:
    c = table.c
    rules: list[ColumnElement[bool]] = []
    if wanted.acts:
        rules.append(c.act.in_(sorted(wanted.acts)))
    if wanted.replica is not None:
        rules.append(c.replica == wanted.replica)
    if wanted.actors is not None:
        rules.append(c.actor_id.in_(sorted(wanted.actors)))
    if wanted.since is not None:
        rules.append(c.at >= wanted.since)
    if wanted.until is not None:
        rules.append(c.at < wanted.until)
    return rules


def _beyond(log: int, keys: list[Any], place: Place, *, is_older: bool) -> ColumnElement[bool]:
    """Lines of this log before or after a place, which may be in the other log."""
    at = keys[0]
    earlier: ColumnElement[bool] = at < place.at if is_older else at > place.at
    if log != place.log:
        is_beyond = log < place.log if is_older else log > place.log
        return or_(earlier, at == place.at) if is_beyond else earlier
    here = (place.n,) if log == _STREET else (place.replica, place.n)
    rest = tuple_(*keys[1:])
    return or_(earlier, and_(at == place.at, rest < here if is_older else rest > here))


def _placed(log: int, row: Row[Any], n: str) -> Placed:
    number = int(getattr(row, n))
    replica = row.replica if log == _DESKS else 0
    details = msgspec.json.decode(row.details or "{}", type=dict[str, Any])
    line = AuditRow(number, row.at, row.actor_id, row.replica, row.act, row.record_kind, row.record_id, details)
    return Placed(line, Place(row.at, log, replica, number))
