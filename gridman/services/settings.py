"""Choices kept on this computer: language, theme, text size, columns of a list."""

import json
from typing import Any

from gridman.domain.access import SYSTEM
from gridman.store.settings import get_setting, put_setting
from gridman.store.store import Store

__all__ = ["DEVICE_NAME", "get", "put"]

DEVICE_NAME = "device.name"
"""The store's setting that holds the name this computer was given when it was set up."""

_PREFIX = "choice."


def get(store: Store, key: str, default: Any = None) -> Any:
    """The value kept under `key`, or `default`."""
    with store.read() as reader:
        text = get_setting(reader, _PREFIX + key)
    return default if text is None else json.loads(text)


def put(store: Store, key: str, value: Any) -> None:
    """Keep a JSON value under `key`."""
    with store.unit(SYSTEM) as unit:
        put_setting(unit, _PREFIX + key, json.dumps(value, ensure_ascii=False))
