"""The schema's history (Alembic): `upgrade` brings a data file of any earlier version up to this one."""

import shutil
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gridman.kernel.errors import Refusal
from gridman.kernel.files import require_free_space
from gridman.kernel.words import N_
from gridman.store.database import Database
from gridman.store.migrations.append_only import forbid_rewriting
from gridman.store.turns import take_turn

__all__ = ["head", "require_known", "upgrade", "version_of"]


def _config(connection: Any = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "gridman.store:migrations")
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The version this program writes."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def version_of(database: Database) -> str | None:
    """The version of the data file; None when it is empty."""
    with database.reader.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def require_known(database: Database) -> None:
    """Refuse data of a newer program (``store.too_new``): reading it with old rules would lose what they do not know."""
    current = version_of(database)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise Refusal(
            "store.too_new",
            N_("The data was written by a newer gridman (schema {found}); this one knows up to {known}."),
            N_("Install the newer version. Nothing was changed."),
            found=current,
            known=head(),
        )


def upgrade(database: Database, *, to: str | None = None) -> None:
    """Apply what is missing (up to version `to`, else all), in one transaction; keeps the file as it was beside it (`.before-VERSION`).

    Refuses a file written by a newer program (``store.too_new``): reading it with old rules would lose what they do not know.
    """
    current, newest = version_of(database), to or head()
    if current == newest:
        return
    require_known(database)
    if database.path is not None and current is not None:
        require_free_space(database.path.parent, 2 * database.path.stat().st_size)
        _settle_log(database)
        shutil.copy2(database.path, database.path.with_name(f"{database.path.name}.before-{newest}"))
    with database.writing, database.writer.begin() as connection:
        take_turn(connection)  # of several programs that start one does it
        command.upgrade(_config(connection), newest)
        forbid_rewriting(connection)


def _settle_log(database: Database) -> None:
    """Bring what still lies in the write-ahead log into the file: after a crash that may be the last day's work, and a copy would lack it."""
    connection = database.writer.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        told = cursor.fetchone()
    finally:
        connection.close()
    if told is None or told[0]:
        raise Refusal(
            "store.in_use",
            N_("The data file {path} is in use by another program and cannot be brought up to this version."),
            N_("Close the other gridman, then start this one again. Nothing was changed."),
            path=database.path,
        )
