"""Triggers that let rows of the audit log be added but never changed or removed, for both databases.

They are put in place after every migration, in its transaction, because rebuilding a table (SQLite's way of altering one) drops them.
"""

from sqlalchemy import Connection, inspect

__all__ = ["forbid_rewriting"]

_MESSAGE = "the audit log is append-only"

_SQLITE = [
    f"""CREATE TRIGGER IF NOT EXISTS audit_no_{verb} BEFORE {verb} ON audit
    BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"""
    for verb in ("update", "delete")
]

_POSTGRESQL = [
    f"""CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{_MESSAGE}'; END $$""",
    """CREATE OR REPLACE TRIGGER audit_no_rewriting BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
]


def forbid_rewriting(connection: Connection) -> None:
    """Make the triggers where they are missing. PostgreSQL needs version 14 or later."""
    if not inspect(connection).has_table("audit"):
        return  # the first migration is being written
    for statement in _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE:
        connection.exec_driver_sql(statement)
