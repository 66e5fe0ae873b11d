"""Long lists of ids, read as one array."""

from array import array
from itertools import chain
from typing import Any

from sqlalchemy import Select

from gridman.store.unit import Reader

__all__ = ["read_ids"]


def read_ids(reader: Reader, query: Select[Any]) -> "array[int]":
    """What a query of one integer column finds, in its order. Taken from the driver's cursor as it is: a row object for each of
    50,000 ids costs as much again as the query.
    """
    result = reader.connection.execute(query)
    if result.cursor is None:
        raise TypeError("a query that returns rows is needed")
    found = array("q", chain.from_iterable(result.cursor.fetchall()))
    result.close()
    return found
