"""Drafts: what stays on this computer and is nobody else's business. Not journaled, never synced, encrypted like the rest."""

from sqlalchemy import delete, insert, select, update

from gridman.store.store import Store
from gridman.store.tables import draft

__all__ = ["forget_draft", "read_draft", "write_draft"]


def write_draft(store: Store, form: str, user_id: int, payload: str) -> None:
    """Keep a draft, replacing the form's earlier one."""
    here = (draft.c.form == form) & (draft.c.user_id == user_id)
    values = {"payload": payload, "updated_at": store.clock()}
    with store.database.writing, store.database.writer.begin() as connection:
        if not connection.execute(update(draft).where(here).values(**values)).rowcount:
            connection.execute(insert(draft).values(form=form, user_id=user_id, **values))


def read_draft(store: Store, form: str, user_id: int) -> str | None:
    """A form's draft."""
    query = select(draft.c.payload).where(draft.c.form == form, draft.c.user_id == user_id)
    with store.read() as reader:
        return reader.connection.execute(query).scalar()


def forget_draft(store: Store, form: str, user_id: int) -> None:
    """Drop a form's draft."""
    with store.database.writing, store.database.writer.begin() as connection:
        connection.execute(delete(draft).where(draft.c.form == form, draft.c.user_id == user_id))
