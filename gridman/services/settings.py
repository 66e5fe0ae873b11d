"""Choices kept on this computer: language, theme, text size, columns of a list."""

import json
from typing import Any

from gridman.store.local import read_setting, write_setting
from gridman.store.store import Store

__all__ = ["get", "put"]


def get(store: Store, key: str, default: Any = None) -> Any:
    """The value kept under `key`, or `default`."""
    text = read_setting(store, key)
    return default if text is None else json.loads(text)


def put(store: Store, key: str, value: Any) -> None:
    """Keep a JSON value under `key`."""
    write_setting(store, key, json.dumps(value, ensure_ascii=False))
