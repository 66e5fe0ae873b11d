"""Numbers follow commits on PostgreSQL: writers side by side, some of them slow, and a reader that only ever asks for what is newer.

The test has to see the fault it is there for, so it is played once more with a plain sequence, which loses rows for good.
"""

import random
import threading
import time
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, text

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.store import feed
from gridman.store.database import open_postgresql
from gridman.store.feed import StreetFeed
from gridman.store.feed_pages import entries_after
from gridman.store.store import Store, open_store
from gridman.store.unit import Captured, Unit
from gridman.sync.protocol import ALL

pytestmark = pytest.mark.postgres

WRITERS, LEAST, SECONDS, LONGEST_S = 8, 100, 1.5, 60.0
"""As long as so much is written on a machine that has nothing else to do; one that has goes on until as much is written."""
SCOPE = "g:7"


class SlowToCommit:
    """The last recorder of a store: the way to the commit takes a while, now longer, now shorter."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def record(self, unit: Unit, captured: list[Captured]) -> None: ...

    def finish(self, unit: Unit) -> None:
        time.sleep(self._chance.uniform(0, 0.01))


def write_on(store: Store, end: threading.Event, made: list[int]) -> None:
    while not end.is_set():
        with store.unit(SYSTEM) as unit:
            record_id = unit.create(Household(number="H", grid_id=7, address="Long Lane")).id
        made.append(record_id)


def read_on(store: Store, end: threading.Event, found: list[int]) -> None:
    """Asks for what is newer than the newest it has seen, again and again."""
    cursor, is_last = 0, False
    while not is_last:
        is_last = end.is_set()
        with store.read() as reader:
            for seq, record_id, _kind, _is_exit in entries_after(reader.connection, SCOPE, cursor, ALL, ALL, 100_000):
                cursor = seq
                found.append(record_id)


def play(url: str) -> tuple[set[int], list[int]]:
    """What eight writers committed, and what the reader came to see of it."""
    stores = [open_store(open_postgresql(url), 1, [StreetFeed(), SlowToCommit(n)]) for n in range(WRITERS + 1)]
    written, found, ended = threading.Event(), list[int](), threading.Event()
    made: Sequence[list[int]] = [[] for _ in range(WRITERS)]
    writers = [threading.Thread(target=write_on, args=(s, written, m)) for s, m in zip(stores[1:], made, strict=True)]
    reader = threading.Thread(target=read_on, args=(stores[0], ended, found))
    for thread in (*writers, reader):
        thread.start()
    began = time.monotonic()
    while (took := time.monotonic() - began) < SECONDS or (sum(map(len, made)) < LEAST and took < LONGEST_S):
        time.sleep(0.05)
    written.set()
    for thread in writers:
        thread.join(30)
    ended.set()
    reader.join(30)
    for store in stores:
        store.close()
    return {i for part in made for i in part}, found


def test_a_reader_misses_nothing_and_sees_nothing_twice(fresh_postgres_url: str) -> None:
    made, found = play(fresh_postgres_url)
    assert len(made) >= LEAST
    assert sorted(found) == sorted(made)


def test_with_a_plain_sequence_the_reader_would_miss_rows(
    fresh_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sequence(connection: Connection) -> int:
        return int(connection.execute(text("SELECT nextval('plain')")).scalar_one())

    database = open_postgresql(fresh_postgres_url)
    with database.writer.begin() as connection:
        connection.execute(text("CREATE SEQUENCE plain"))
    database.close()
    monkeypatch.setattr(feed, "next_number", sequence)
    made, found = play(fresh_postgres_url)
    assert len(made) >= LEAST
    assert made - set(found), "the fault this file is there for was not seen"
