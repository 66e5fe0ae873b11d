"""Alembic's entry: runs on the connection the store hands over."""

from alembic import context

from gridman.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
