"""What follows an incident in the street's feed, its log and photos, but is not where the incident is: found, and placed anew.

Earlier editions left such rows where a log line had been taken over before its incident: no desk but the worker's own received it.
"""

from sqlalchemy import Connection, distinct, func, select

from gridman.domain.catalog import NOUNS
from gridman.store import tables
from gridman.store.feed import next_number, place_followers
from gridman.store.store import Store
from gridman.store.unit import Reader

__all__ = ["count_apart", "place_anew"]


def _incidents(connection: Connection) -> tuple[int, list[int]]:
    """How many rows lack a scope of the incident they follow, and the incidents."""
    incident, own = tables.sync_row.alias(), tables.sync_row.alias()
    count, found = 0, set[int]()
    for known in NOUNS:
        if not known.follows:
            continue
        row = known.cls.__table__
        there = incident.c.record_id == row.c[known.follows]
        here = (own.c.record_id == row.c.id) & (own.c.scope == incident.c.scope)
        lacking = row.join(incident, there & (incident.c.entity == "incident")).outerjoin(own, here)
        where = own.c.record_id.is_(None)
        count += connection.execute(
            select(func.count(distinct(row.c.id))).select_from(lacking).where(where)
        ).scalar_one()
        found.update(
            connection.scalars(select(incident.c.record_id).distinct().select_from(lacking).where(where)).all()
        )
    return count, sorted(found)


def count_apart(reader: Reader) -> int:
    """How many log lines and photos are not in every scope of their incident."""
    return _incidents(reader.connection)[0]


def place_anew(store: Store) -> None:
    """Give them the scopes of their incident, under a number of the feed of their own: desks receive them with their next synchronisation."""
    with store.database.writing, store.database.writer.begin() as connection:
        number = next_number(connection)
        place_followers(connection, _incidents(connection)[1], number)
