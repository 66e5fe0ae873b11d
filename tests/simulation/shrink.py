"""The shortest history that still breaks a promise: events are left out, in blocks that get smaller, as long as it does (delta debugging,
Zeller and Hildebrandt 2002).
"""

from collections.abc import Callable, Sequence

from tests.simulation.history import Event

__all__ = ["shrink"]

MOST_TRIES = 400


def shrink(events: Sequence[Event], breaks: Callable[[list[Event]], bool], most_tries: int = MOST_TRIES) -> list[Event]:
    """The events that are left when no single one can be left out any more, or when `most_tries` histories have been played."""
    left, size, tries = list(events), max(1, len(events) // 2), 0
    while True:
        start, has_shrunk = 0, False
        while start < len(left) and tries < most_tries:
            shorter = left[:start] + left[start + size :]
            tries += 1
            if breaks(shorter):
                left, has_shrunk = shorter, True
            else:
                start += size
        if tries >= most_tries or (size == 1 and not has_shrunk):
            return left
        if not has_shrunk or size > len(left) // 2:
            size = max(1, size // 2)
