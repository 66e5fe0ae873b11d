"""Long lists of ids and of other bare values, taken from the driver's cursor as they are: an object of its own for each of 50,000 rows
costs as much again as the query.
"""

from array import array
from itertools import chain
from typing import Any

from sqlalchemy import Select

from gridman.store.unit import Reader

__all__ = ["read_ids", "read_rows"]


def read_rows(reader: Reader, query: Select[Any]) -> list[Any]:
    """The rows of a query as plain tuples. Only for columns that the driver gives as they are meant: texts and numbers."""
    result = reader.connection.execute(query)
    if result.cursor is None:
        raise TypeError("a query that returns rows is needed")
    rows: list[Any] = list(result.cursor.fetchall())
    result.close()
    return rows


def read_ids(reader: Reader, query: Select[Any]) -> "array[int]":
    """What a query of one integer column finds, in its order."""
    return array("q", chain.from_iterable(read_rows(reader, query)))
