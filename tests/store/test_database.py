"""The data files of a desk and a street, as the machine sees them."""

import os
import stat
from pathlib import Path

import pytest

from gridman.kernel.errors import Refusal
from gridman.kernel.files import take_away
from gridman.services.street import open_street
from gridman.store.database import open_sqlite
from gridman.store.store import open_store

KEY = bytes(range(32))


@pytest.mark.skipif(os.name != "posix", reason="POSIX file modes")
def test_a_new_data_file_is_its_owners_alone_even_under_an_open_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = open_sqlite(tmp_path / "desk.db", KEY)
        with database.writer.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE a (b)")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        database.close()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("desk.db", "desk.db-wal", "desk.db-shm"), 0o600)


def test_what_does_not_open_is_let_go_of(tmp_path: Path) -> None:
    """While its trouble is told, the file can be put aside, put back from a copy or deleted, on Windows too."""
    path = tmp_path / "desk.db"
    database = open_sqlite(path, KEY)
    open_store(database, 5, []).close()
    with pytest.raises(Refusal, match="does not open") as wrong:
        open_sqlite(path, bytes(32))
    take_away(path.rename(tmp_path / "aside.db"))
    assert wrong.value.__cause__ is not None  # which holds where it came from, and what lay there
    database = open_sqlite(path, KEY)
    open_store(database, 5, []).close()
    database = open_sqlite(path, KEY)
    with database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refusal) as newer:
        open_store(database, 5, [])
    assert newer.value.code == "store.too_new"
    for left in tmp_path.glob("desk.db*"):
        take_away(left)


def test_a_file_that_is_there_is_opened_as_it_is(tmp_path: Path) -> None:
    for statement in ("CREATE TABLE a (b)", "INSERT INTO a VALUES (1)"):
        database = open_sqlite(tmp_path / "desk.db", KEY)
        with database.writer.begin() as connection:
            connection.exec_driver_sql(statement)
        database.close()
    database = open_sqlite(tmp_path / "desk.db", KEY, must_exist=True)
    with database.reader.connect() as connection:
        assert connection.exec_driver_sql("SELECT b FROM a").scalar() == 1
    database.close()


def test_a_streets_readers_hold_less_of_its_pages_than_a_desks(tmp_path: Path) -> None:
    """Four readers of 64 MB each held 250 MB of a large street, of which a commit of anybody leaves nothing to be used again."""
    held = {}
    street = open_street(tmp_path / "street")
    desk = open_sqlite(tmp_path / "desk.db", KEY)
    for name, database in (("street", street.store.database), ("desk", desk)):
        for engine in ("reader", "writer"):
            with getattr(database, engine).connect() as connection:
                held[name, engine] = -connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    street.close(), desk.close()
    assert held == {
        ("street", "reader"): 16_384, ("street", "writer"): 65_536,
        ("desk", "reader"): 65_536, ("desk", "writer"): 65_536,
    }  # fmt: skip
