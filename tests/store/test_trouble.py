"""Disk full and data file damaged, on real files: told in words, nothing half, and work goes on afterwards."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from gridman.domain.household import Household
from gridman.domain.region import Region
from gridman.kernel.errors import Refusal, Trouble
from gridman.services.street import open_street
from gridman.store.database import open_postgresql, open_sqlite
from gridman.store.journal import DeskJournal
from gridman.store.store import Store
from tests.sync.world import Desk, World, make_world, open_copy

KEY = bytes(range(32))


@contextmanager
def full_disk(store: Store) -> Iterator[None]:
    """Within the block the file cannot grow by a page: to SQLite that is a full disk."""
    with store.database.writer.connect() as connection:
        most = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA max_page_count={most}")

    event.listen(store.database.writer, "checkout", limit)
    try:
        yield
    finally:
        event.remove(store.database.writer, "checkout", limit)
        store.database.writer.dispose()


@pytest.fixture
def world() -> Iterator[World]:
    with make_world() as made:
        yield made


def remark_at_street(world: World, household_id: int) -> str | None:
    found = world.household(household_id)
    assert found is not None
    return found.remark


def edit(desk: Desk, household_id: int, words: str) -> None:
    desk.amend(household_id, remark=words)


def test_a_full_disk_is_told_and_leaves_nothing_half(world: World) -> None:
    home, desk = world.add_households(0, 1)[0], world.desk()
    desk.sync()
    edit(desk, home, "before")
    with full_disk(desk.store), pytest.raises(Trouble) as told:
        for n in range(200):
            edit(desk, home, f"{n} " + "x" * 900)
    assert told.value.code == "disk.full" and str(desk.store.database.path.parent) in told.value.words()  # type: ignore[union-attr]
    with desk.store.read() as reader:
        kept = reader.get(Household, home).remark
    edit(desk, home, "after")
    assert kept != "after"
    result = desk.sync()
    assert result.complete and not result.refused
    assert remark_at_street(world, home) == "after"


def test_a_full_disk_at_the_street_is_no_answer_to_a_desks_work(world: World) -> None:
    home, desk = world.add_households(0, 1)[0], world.desk()
    desk.sync()
    for n in range(60):
        edit(desk, home, f"{n} " + "y" * 900)
    with full_disk(world.store), pytest.raises(Trouble):
        desk.sync()
    assert remark_at_street(world, home) is None, "half the push was kept"
    result = desk.sync()
    assert result.complete and not result.refused
    assert remark_at_street(world, home) == "59 " + "y" * 900


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A closed data file with 2,000 regions."""
    database = open_copy(tmp_path / "desk.db")
    with database.writer.begin() as connection:
        rows = [{"id": n + 1, "code": f"{n:012d}", "name": f"Region {n} " + "z" * 80} for n in range(2_000)]
        connection.execute(Region.__table__.insert(), rows)  # type: ignore[attr-defined]
    database.close()
    return tmp_path / "desk.db"


def flip(path: Path, at: int, count: int = 64) -> None:
    data = bytearray(path.read_bytes())
    data[at : at + count] = bytes(byte ^ 0xFF for byte in data[at : at + count])
    path.write_bytes(data)


@pytest.fixture
def read_all(file: Path) -> Iterator[Callable[[], int]]:
    stores: list[Store] = []

    def read() -> int:
        stores.append(Store(open_sqlite(file, KEY, must_exist=True), 2, [DeskJournal()]))
        with stores[-1].read() as reader:
            return len(reader.page(Region, limit=10_000))

    yield read
    for store in stores:
        store.close()


def test_pages_spoilt_in_the_middle_are_told_when_they_are_read(file: Path, read_all: Callable[[], int]) -> None:
    assert read_all() == 2_000
    size = file.stat().st_size
    for part in range(4, 20):
        flip(file, size * part // 20)
    with pytest.raises(Trouble) as told:
        read_all()
    assert told.value.code == "store.damaged"
    assert str(file) in told.value.words() and "gridman doctor" in told.value.words()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda path: flip(path, 0), "store.wrong_key"),
        (lambda path: flip(path, 200), "store.wrong_key"),
        (lambda path: os.truncate(path, path.stat().st_size // 2), "store.damaged"),
        (lambda path: os.truncate(path, 0), "store.damaged"),
        (lambda path: path.unlink(), "store.missing"),
    ],
    ids=["salt", "first page", "cut in half", "emptied", "missing"],
)
def test_a_file_that_does_not_open_is_told_by_what_is_wrong(
    file: Path, read_all: Callable[[], int], spoil: Callable[[Path], None], code: str
) -> None:
    spoil(file)
    before = file.read_bytes() if file.exists() else None
    with pytest.raises(Refusal) as told:
        read_all()
    assert told.value.code == code and str(file) in told.value.words()
    assert (file.read_bytes() if file.exists() else None) == before, "a new empty file took its place"


def test_a_street_whose_data_file_is_gone_is_not_founded_anew(tmp_path: Path) -> None:
    open_street(tmp_path).close()
    for left in tmp_path.glob("street.db*"):
        left.unlink()
    with pytest.raises(Refusal) as told:
        open_street(tmp_path, must_exist=True)
    assert told.value.code == "street.data_missing"
    assert not list(tmp_path.glob("street.db*"))


@pytest.mark.postgres
def test_stopping_the_program_in_a_statement_is_not_told_as_a_lost_server(fresh_postgres_url: str) -> None:
    database = open_postgresql(fresh_postgres_url)

    def stop(*_statement: object) -> None:
        raise KeyboardInterrupt

    event.listen(database.writer, "do_execute", stop)
    with pytest.raises(KeyboardInterrupt), database.writer.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
    database.close()
