"""The clock of a played day: story time that the script sets, flowing on with real seconds, never backwards."""

import time

from gridman.kernel.clock import from_day

__all__ = ["DayClock"]


class DayClock:
    """Gives instants of one day. `until` moves the story on; it cannot go back, so that every stamp rises."""

    def __init__(self, day: str, not_before_ms: int = 0) -> None:
        self.day = day
        self._base = max(from_day(day, 8), not_before_ms)
        self._started = time.monotonic()

    def __call__(self) -> int:
        return self._base + int((time.monotonic() - self._started) * 1000)

    def until(self, hour: int, minute: int = 0) -> int:
        """It is now at least `hour`:`minute`."""
        self._base = max(self(), from_day(self.day, hour, minute))
        self._started = time.monotonic()
        return self._base
