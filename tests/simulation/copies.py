"""Reading copies of the data past the program: what lies in the tables, and what a user may see of it."""

from typing import Any

from gridman.domain.catalog import NOUNS, noun
from gridman.store.database import Database
from gridman.store.values import unpack
from tests.simulation.desks import Moment

__all__ = ["PENDING", "ask", "cells_of_copy", "in_scopes", "is_at_rest", "last_number", "pending_names", "rows_of_copy"]

PENDING = "('waiting', 'sent', 'acknowledged')"


def ask(database: Database, sql: str) -> list[Any]:
    """The rows of a query that bears no values."""
    return _run(database, sql)[1]


def _run(database: Database, sql: str) -> tuple[list[str], list[Any]]:
    if database.is_sqlite:
        connection = database.reader.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [d[0] for d in cursor.description], cursor.fetchall()
        finally:
            connection.close()
    with database.reader.connect() as connection:
        result = connection.exec_driver_sql(sql)
        return list(result.keys()), [tuple(row) for row in result]


def rows_of_copy(database: Database) -> Moment:
    """All records of a copy by kind and id."""
    found: Moment = {}
    for known in NOUNS:
        names, rows = _run(database, f'SELECT * FROM "{known.kind}"')
        place = names.index("id")
        found[known.kind] = {row[place]: dict(zip(names, row, strict=True)) for row in rows}
    return found


def cells_of_copy(database: Database) -> dict[tuple[int, str], str]:
    """All versions of a copy."""
    return {(i, name): version for i, name, version in ask(database, "SELECT record_id, field, version FROM cell")}


def pending_names(database: Database) -> dict[int, set[str]]:
    """Of each record, the fields that show an edit of this desk that is not settled yet."""
    pending: dict[int, set[str]] = {}
    for record_id, kind, after, effects in ask(
        database, f"SELECT record_id, kind, after, effects FROM journal WHERE state IN {PENDING}"
    ):
        values = unpack(after) if kind == "amend" else unpack(effects).get("fields", {})
        pending.setdefault(record_id, set()).update(values)
    return pending


def is_at_rest(database: Database) -> bool:
    """Whether a desk has nothing pending."""
    return not ask(database, f"SELECT 1 FROM journal WHERE state IN {PENDING} LIMIT 1")


def last_number(database: Database) -> int:
    """The last operation made on a desk."""
    return int(ask(database, "SELECT coalesce(max(op_n), 0) FROM journal")[0][0])


def in_scopes(copy: Moment, scopes: frozenset[str]) -> Moment:
    """The scope query: what a user may see, asked of the records themselves and not of the feed."""
    incident = noun("incident")
    assert incident is not None
    places = {i: frozenset(incident.scopes(_Row(row))) for i, row in copy["incident"].items()}
    found: Moment = {}
    for known in NOUNS:
        found[known.kind] = {
            i: row
            for i, row in copy[known.kind].items()
            if (places.get(row.get(known.follows) or 0) or frozenset(known.scopes(_Row(row)))) & scopes
        }
    return found


class _Row:
    """A row that answers like a record."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)
