"""What the figures are made with: a desk that counts its traffic, and the bare driver that inserts the same rows."""

from pathlib import Path
from typing import Any

import httpx

from gridman.domain.catalog import NOUNS
from gridman.joining import enrol_desk
from gridman.services.desk import Desk
from gridman.store.database import Database, open_sqlite
from gridman.store.migrations import upgrade
from gridman.sync.http import HttpStreet
from gridman.sync.session import DeskSync
from tests.benchmarks.sync.town import PASSWORD

__all__ = ["CountingStreet", "Rows", "bare_database", "enrolled", "insert_bare", "rows_of"]

Rows = dict[str, tuple[str, list[tuple[Any, ...]]]]


class CountingStreet(HttpStreet):
    """Counts requests and the bytes of bodies both ways, as they cross the wire."""

    requests = 0
    carried = 0

    def _ask(self, method: str, path: str, **what: Any) -> httpx.Response:
        answer = super()._ask(method, path, **what)
        type(self).requests += 1
        type(self).carried += len(what.get("content", b"")) + answer.num_bytes_downloaded
        return answer

    @classmethod
    def taken(cls) -> tuple[int, int]:
        """(requests, bytes) since the last call."""
        found = (cls.requests, cls.carried)
        cls.requests = cls.carried = 0
        return found


def enrolled(folder: Path, url: str, fingerprint: str, login: str) -> Desk:
    """A new desk that counts its traffic; nothing is received yet."""
    desk = enrol_desk(folder, url, login, PASSWORD, password=PASSWORD, device_name="bench", fingerprint=fingerprint)
    desk.synchroniser.close()
    desk.synchroniser = DeskSync(desk.store, desk.blobs, desk.profile, CountingStreet)  # type: ignore[arg-type]
    return desk


def rows_of(desk: Desk) -> Rows:
    """All synced rows of a desk: table -> (INSERT statement, rows)."""
    found: Rows = {}
    with desk.store.read() as reader:
        for noun in NOUNS:
            columns = ", ".join(f'"{c}"' for c in noun.columns)
            rows = [tuple(r) for r in reader.connection.exec_driver_sql(f'SELECT {columns} FROM "{noun.kind}"')]
            marks = ", ".join("?" * len(noun.columns))
            found[noun.kind] = (f'INSERT INTO "{noun.kind}" ({columns}) VALUES ({marks})', rows)
    return found


def insert_bare(database: Database, rows: Rows) -> None:
    """The yardstick: executemany of every table in one transaction, no journal, no indexes of ours."""
    with database.writer.begin() as connection:
        cursor = connection.connection.cursor()
        for statement, values in rows.values():
            if values:
                cursor.executemany(statement, values)


def bare_database(path: Path) -> Database:
    """An empty encrypted file of the program's schema."""
    database = open_sqlite(path, bytes(range(32)))
    upgrade(database)
    return database
