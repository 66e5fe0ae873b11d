"""Moving a street's data between PostgreSQL and SQLite, row by row and as one moment saw it, at whatever version of the schema it is.

Both sides are read from the databases themselves, so that a copy can be made before a migration. What follows from the records (search
terms, places) is not copied to SQLite, but made anew when the copy is opened as a street.
"""

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import BigInteger, Connection, Integer, MetaData, Table, func, insert, select, text

from gridman.kernel.errors import Refusal
from gridman.kernel.files import take_away
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.store.database import Database, open_sqlite
from gridman.store.indexes import WITHOUT
from gridman.store.migrations import head, require_known, upgrade, version_of

__all__ = ["copy_to_sqlite", "fill_postgresql", "keep_copy", "require_empty"]

_ROWS = 2_000
_VERSION = "alembic_version"


def copy_to_sqlite(database: Database, path: Path, key: bytes, progress: Progress = quiet) -> None:
    """Copy a street's PostgreSQL to the new encrypted SQLite file `path`, of the same schema version; writers go on meanwhile."""
    copy = open_sqlite(path, key)
    try:
        with database.reader.connect().execution_options(isolation_level="REPEATABLE READ") as source:
            upgrade(copy, to=version_of(database))
            with copy.writer.begin() as target:
                _copy(source, target, progress)
                meta = _tables(target, ["meta"])["meta"]
                target.execute(insert(meta).values(key=WITHOUT, value="1"))
    finally:
        copy.close()


def keep_copy(database: Database, folder: Path, key: bytes, progress: Progress = quiet) -> Path | None:
    """Before PostgreSQL is brought up to this version: everything as it is, in an encrypted file beside the key. None where nothing is to
    be done. Refuses with ``store.too_new``.
    """
    current, newest = version_of(database), head()
    if current in (None, newest):
        return None
    require_known(database)
    path = folder / f"street.before-{newest}.db"
    take_away(path)  # of an attempt that was cut off
    copy_to_sqlite(database, path, key, progress)
    return path


def fill_postgresql(source: Database, target: Database, progress: Progress = quiet) -> None:
    """Copy a street's SQLite into an empty PostgreSQL, all or nothing. Refuses with ``backup.database_in_use``."""
    upgrade(target, to=version_of(source))
    require_empty(target)
    with source.reader.connect() as rows, target.writer.begin() as connection:
        _copy(rows, connection, progress)
        for table in _tables(connection).values():
            _go_on_counting(connection, table)


def require_empty(database: Database) -> None:
    """Refuse with ``backup.database_in_use`` a database that holds any row of a street."""
    with database.reader.connect() as connection:
        for name, table in _tables(connection).items():
            if name != _VERSION and connection.execute(select(text("1")).select_from(table).limit(1)).first():
                raise Refusal(
                    "backup.database_in_use",
                    N_("The database is not empty (table {table})."),
                    N_("Make a new database and give its address; the other one stays as it is."),
                    table=name,
                )


def _tables(connection: Connection, names: Collection[str] | None = None) -> dict[str, Table]:
    """The tables as they are here (those of `names`), with types that every database knows."""
    found = MetaData()
    found.reflect(connection, only=None if names is None else list(names))
    for table in found.tables.values():
        for column in table.columns:
            column.type = column.type.as_generic()
    return dict(found.tables)


def _of_both(source: Connection, target: Connection) -> tuple[dict[str, Table], dict[str, Table]]:
    """PostgreSQL says which: SQLite has tables behind its search and map indexes besides."""
    if source.dialect.name == "postgresql":
        theirs = _tables(source)
        return theirs, _tables(target, theirs.keys())
    ours = _tables(target)
    return _tables(source, ours.keys()), ours


def _copy(source: Connection, target: Connection, progress: Progress) -> None:
    theirs, ours = _of_both(source, target)
    shared = sorted(ours.keys() - {_VERSION})
    for number, name in enumerate(shared):
        progress(number, len(shared), N_("Copying"))
        wanted, there = ours[name], theirs[name]
        columns = [c.name for c in wanted.columns if c.name in there.columns]
        asked = select(*(there.c[c] for c in columns))
        for part in source.execution_options(yield_per=_ROWS).execute(asked).partitions(_ROWS):
            target.execute(insert(wanted), [dict(zip(columns, row, strict=True)) for row in part])


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Have PostgreSQL number new rows behind those that were copied."""
    for column in table.primary_key.columns:
        if isinstance(column.type, Integer | BigInteger):
            named = text("SELECT pg_get_serial_sequence(:table, :column)")
            sequence = connection.execute(named, {"table": table.name, "column": column.name}).scalar()
            last = connection.execute(select(func.max(column))).scalar()
            if sequence and last:
                connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})
