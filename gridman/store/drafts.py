"""Drafts: what stays on this computer and is nobody else's business. Not journaled, never synced, encrypted like the rest."""

import json
from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select, update

from gridman.store.store import Store
from gridman.store.tables import draft

__all__ = ["forget_draft", "forget_drafts_about", "read_draft", "write_draft"]


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


def forget_drafts_about(connection: Connection, kind: str, ids: Iterable[int]) -> None:
    """Records left this computer: half-written forms about them go too ("household:7", or a visit to household 7)."""
    gone = {str(i) for i in ids}
    for form, payload in connection.execute(select(draft.c.form, draft.c.payload)).all():
        name, _, number = form.partition(":")
        is_about = name == kind and number in gone
        if not is_about and kind == "household":
            told = json.loads(payload or "{}").get("household_id")
            is_about = str(told) in gone or form.removeprefix("person:new:") in gone
        if is_about:
            connection.execute(delete(draft).where(draft.c.form == form))
