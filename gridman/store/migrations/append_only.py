"""Triggers that let rows of the audit log be added but never changed or removed, for both databases.

They are put in place after every migration, in its transaction, because rebuilding a table (SQLite's way of altering one) drops them.
"""

from sqlalchemy import Connection, inspect

__all__ = ["forbid_rewriting"]

_MESSAGE = "the audit log is append-only"

_TABLES = ("audit", "desk_audit")

_SQLITE = [
    f"""CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb} ON {table}
    BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"""
    for table in _TABLES
    for verb in ("update", "delete")
]

_POSTGRESQL = [
    f"""CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{_MESSAGE}'; END $$""",
    *(
        f"""CREATE OR REPLACE TRIGGER {table}_no_rewriting BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"""
        for table in _TABLES
    ),
]


def forbid_rewriting(connection: Connection) -> None:
    """Make the triggers where they are missing. PostgreSQL needs version 14 or later."""
    if not all(inspect(connection).has_table(table) for table in _TABLES):
        return  # the first migration is being written
    for statement in _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE:
        connection.exec_driver_sql(statement)
