"""The data files of a desk and a street, as the machine sees them."""

import os
import stat
from pathlib import Path

import pytest

from gridman.store.database import open_sqlite

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
