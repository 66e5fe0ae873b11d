"""Half-written forms: kept every few seconds on this computer, found again after a crash, gone when the form is saved."""

import json
from typing import Any

from gridman.store.drafts import forget_draft, read_draft, write_draft
from gridman.store.store import Store

__all__ = ["drop_draft", "load_draft", "save_draft"]


def save_draft(store: Store, form: str, user_id: int, payload: dict[str, Any]) -> None:
    """Keep what is typed into `form` (for example "visit" or "person:123")."""
    write_draft(store, form, user_id, json.dumps(payload, ensure_ascii=False))


def load_draft(store: Store, form: str, user_id: int) -> dict[str, Any] | None:
    """What was typed into `form`, or None."""
    text = read_draft(store, form, user_id)
    return None if text is None else json.loads(text)


def drop_draft(store: Store, form: str, user_id: int) -> None:
    """Forget the draft of `form`."""
    forget_draft(store, form, user_id)
