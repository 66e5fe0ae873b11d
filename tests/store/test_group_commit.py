"""Group commit on the real encrypted file: works that wait share a commit, each is undone alone, nobody is answered before it is durable."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.kernel.errors import Refusal, Trouble
from gridman.store.database import open_sqlite
from gridman.store.feed import StreetFeed
from gridman.store.feed_pages import clock_of
from gridman.store.journal import StreetJournal
from gridman.store.store import Store, open_store
from gridman.store.unit import Unit

KEY = bytes(range(32))


def open_street_store(folder: Path) -> Store:
    return open_store(open_sqlite(folder / "street.db", KEY), 1, [StreetJournal(), StreetFeed()])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_street_store(tmp_path)
    yield opened
    opened.close()


def household(number: str) -> Callable[[Unit], int]:
    def work(unit: Unit) -> int:
        made = unit.create(Household(number=number, grid_id=7, address="Long Lane"))
        unit.finish()  # as a push does, to know its number in the feed
        return clock_of(unit.connection)[0] if made.id else 0

    return work


def numbers(store: Store) -> list[str]:
    with store.read() as reader:
        return sorted(h.number or "" for h in reader.page(Household, limit=10_000))


class Commits:
    """Counts the commits of a store from now on."""

    def __init__(self, store: Store) -> None:
        self.count = 0
        event.listen(store.database.writer, "commit", self._one)

    def _one(self, connection: Any) -> None:
        self.count += 1


def all_at_once(store: Store, works: list[Callable[[Unit], Any]]) -> list[Future[Any]]:
    """Every work waits for the writer before the first may begin, in this order."""
    with ThreadPoolExecutor(len(works)) as pool:
        found: list[Future[Any]] = []
        with store.database.writing:
            for number, work in enumerate(works):
                found.append(pool.submit(store.write, SYSTEM, work))
                wait_until(lambda number=number: len(store._line._waiting) == number + 1)  # type: ignore[misc]
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.001)


def test_works_that_wait_share_a_commit_and_keep_their_numbers(store: Store) -> None:
    commits = Commits(store)
    before = clock_of_store(store)
    done = all_at_once(store, [household(f"H{n:02d}") for n in range(12)])
    assert [f.result() for f in done] == list(range(before + 1, before + 13))
    assert numbers(store) == [f"H{n:02d}" for n in range(12)]
    assert commits.count <= 3, "twelve works took a commit each"


def clock_of_store(store: Store) -> int:
    with store.read() as reader:
        return clock_of(reader.connection)[0]


def test_a_refused_work_is_undone_alone_and_leaves_no_gap(store: Store) -> None:
    def refused(unit: Unit) -> None:
        household("refused")(unit)
        raise Refusal("record.missing", "no")

    before = clock_of_store(store)
    first, second, third = all_at_once(store, [household("A"), refused, household("B")])
    assert (first.result(), third.result()) == (before + 1, before + 2)
    with pytest.raises(Refusal):
        second.result()
    assert numbers(store) == ["A", "B"] and clock_of_store(store) == before + 2


@pytest.mark.parametrize("trouble", [ZeroDivisionError("a bug"), Trouble("disk.full", "full")])
def test_a_work_that_breaks_the_transaction_takes_nobody_along(store: Store, trouble: Exception) -> None:
    def breaking(unit: Unit) -> None:
        household("broken")(unit)
        unit.connection.execute(text("ROLLBACK"))  # as SQLite does by itself on a full disk
        raise trouble

    first, second, third = all_at_once(store, [household("A"), breaking, household("B")])
    assert first.result() < third.result()
    with pytest.raises(type(trouble)):
        second.result()
    assert numbers(store) == ["A", "B"]


def test_nobody_is_answered_before_the_commit_and_a_failed_commit_is_no_answer(store: Store) -> None:
    futures: list[Future[Any]] = []
    seen: list[bool] = []

    @event.listens_for(store.database.writer, "commit")
    def fail_once(connection: Any) -> None:
        seen.append(any(f.done() for f in futures))
        if len(seen) == 1:
            raise Trouble("store.disk_failing", "the disk did not take it")

    with ThreadPoolExecutor(3) as pool, store.database.writing:
        futures += [pool.submit(store.write, SYSTEM, household(f"H{n}")) for n in range(3)]
        wait_until(lambda: len(store._line._waiting) == 3)
    assert seen[0] is False
    assert sorted(f.result() for f in futures) == sorted({f.result() for f in futures})
    assert numbers(store) == ["H0", "H1", "H2"]


def test_units_and_works_of_many_threads_go_on_side_by_side(store: Store) -> None:
    def some(worker: int) -> None:
        for n in range(10):
            if n % 3:
                store.write(SYSTEM, household(f"{worker}-{n}"))
            else:
                with store.unit(SYSTEM) as unit:
                    household(f"{worker}-{n}")(unit)

    threads = [threading.Thread(target=some, args=(w,)) for w in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(numbers(store)) == len(set(numbers(store))) == 80
    assert clock_of_store(store) == 80


def acknowledge(folder: Path) -> None:
    """In a process of its own: eight threads write, and say on the disk what they were told is durable."""
    store, lines = open_street_store(folder), os.open(folder / "told.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def some(worker: int) -> None:
        for n in range(100_000):
            number = f"{os.getpid()}-{worker}-{n}"
            store.write(SYSTEM, household(number))
            os.write(lines, f"{number}\n".encode())

    for worker in range(8):
        threading.Thread(target=some, args=(worker,), daemon=True).start()
    time.sleep(60)


@pytest.mark.slow
def test_a_kill_in_a_group_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    open_street_store(tmp_path).close()
    told = tmp_path / "told.txt"
    chance = random.Random(5)
    for _kill in range(3):
        start = told.stat().st_size if told.exists() else 0
        process = subprocess.Popen([sys.executable, "-m", "tests.store.test_group_commit", str(tmp_path)])
        wait_until(lambda start=start: told.exists() and told.stat().st_size > start + 400)  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.wait()
    answered = told.read_text().split("\n")[:-1]
    store = open_street_store(tmp_path)
    there = numbers(store)
    seq = clock_of_store(store)
    store.close()
    assert len(answered) > 50 and set(answered) <= set(there), "an answered work is lost"
    assert len(there) == len(set(there)) == seq, "a work is there twice, or a number without one"


if __name__ == "__main__":
    acknowledge(Path(sys.argv[1]))
