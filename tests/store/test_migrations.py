"""The laws of the schema's history: one line, equal to what is declared, nothing lost on the way, the older file kept."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gridman.kernel.errors import Refusal
from gridman.store import tables
from gridman.store.database import Database, open_postgresql, open_sqlite
from gridman.store.migrations import _config, head, upgrade, version_of
from tests.support.postgres import PostgresServer

KEY = bytes(range(32))
REVISIONS = [script.revision for script in reversed(list(ScriptDirectory.from_config(_config()).walk_revisions()))]


def at_version(path: Path, revision: str) -> Database:
    """A data file as an earlier program left it."""
    database = open_sqlite(path, KEY)
    with database.writing, database.writer.begin() as connection:
        command.upgrade(_config(connection), revision)
    return database


def put_household(database: Database) -> None:
    with database.writer.begin() as connection:
        connection.exec_driver_sql("INSERT INTO household (id, number, address) VALUES (7, '001', '幸福里1号楼')")


def households(database: Database) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT id, number, address FROM household")]


def test_the_history_is_one_line_numbered_like_its_files() -> None:
    folder = Path(ScriptDirectory.from_config(_config()).versions)
    files = sorted(path.name[:4] for path in folder.glob("[0-9]*.py"))
    assert files == REVISIONS == [f"{n:04d}" for n in range(1, len(files) + 1)]


def test_all_migrations_together_are_the_declared_schema(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "new.db", KEY)
    upgrade(database)
    with database.writer.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        derived = {"line", "search", "place"}
        differences = [
            d for d in compare_metadata(context, tables.metadata)
            if not (isinstance(d, tuple) and d[0] == "remove_table" and d[1].name.split("_")[0] in derived)
        ]  # fmt: skip
    database.close()
    assert differences == []


@pytest.mark.postgres
def test_postgresql_gets_the_same_schema(postgres_server: PostgresServer) -> None:
    database = open_postgresql(postgres_server.create_database())
    upgrade(database)
    with database.writer.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, tables.metadata)
    database.close()
    assert differences == []


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_an_older_file_keeps_its_rows_and_a_copy_stays_beside_it(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "desk.db"
    old = at_version(path, revision)
    put_household(old)
    old.close()
    database = open_sqlite(path, KEY)
    upgrade(database)
    assert version_of(database) == head() == REVISIONS[-1]
    assert households(database) == [(7, "001", "幸福里1号楼")]
    upgrade(database)  # again: nothing to do
    database.close()
    copy = open_sqlite(tmp_path / f"desk.db.before-{head()}", KEY)
    assert version_of(copy) == revision
    assert households(copy) == [(7, "001", "幸福里1号楼")]
    copy.close()


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_the_kept_copy_holds_what_a_crash_left_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    at_version(path, REVISIONS[0]).close()
    program = (
        "import os, signal, sys; from pathlib import Path; from gridman.store.database import open_sqlite\n"
        "database = open_sqlite(Path(sys.argv[1]), bytes(range(32)))\n"
        "with database.writer.begin() as connection:\n"
        "    connection.exec_driver_sql(\"INSERT INTO household (id, number, address) VALUES (7, '001', 'Lane')\")\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.with_name("desk.db-wal").stat().st_size > 0, "the work lies in the log"
    database = open_sqlite(path, KEY)
    upgrade(database)
    database.close()
    copy = open_sqlite(tmp_path / f"desk.db.before-{head()}", KEY)
    assert households(copy) == [(7, "001", "Lane")]
    copy.close()


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    database = at_version(tmp_path / "desk.db", "head")
    with database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refusal) as caught:
        upgrade(database)
    assert caught.value.code == "store.too_new"
    assert version_of(database) == "9999"
    database.close()


def test_a_migration_that_fails_leaves_the_earlier_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = at_version(tmp_path / "desk.db", REVISIONS[0])
    put_household(database)
    last = ScriptDirectory.from_config(_config()).get_revision("head")

    def fail(connection: object) -> None:
        raise OSError("the power went")

    monkeypatch.setattr("gridman.store.migrations.forbid_rewriting", fail)
    with pytest.raises(OSError):
        upgrade(database)
    monkeypatch.undo()
    assert version_of(database) == REVISIONS[0] and last is not None
    upgrade(database)
    assert households(database) == [(7, "001", "幸福里1号楼")]
    database.close()
