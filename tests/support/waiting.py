"""Waiting for the window's background, without sleeping."""

from typing import Any

__all__ = ["settled"]


def settled(qtbot: Any, session: Any, timeout_ms: int = 8_000) -> None:
    """Until nothing is asked, written or running any more, twice in a row (an answer may ask again)."""
    for _i in range(3):
        qtbot.waitUntil(session.background.is_idle, timeout=timeout_ms)
        qtbot.wait(5)
    qtbot.waitUntil(session.background.is_idle, timeout=timeout_ms)
