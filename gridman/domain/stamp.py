"""The hybrid logical clock: a stamp orders events across desks whose clocks differ (Kulkarni et al. 2014, sync design D1)."""

from dataclasses import dataclass

__all__ = ["MAX_AHEAD_MS", "ZERO", "HybridClock", "clamp", "replica_of_stamp", "stamp_text", "wall_of"]

MAX_AHEAD_MS = 600_000
"""The street never takes a stamp further ahead of its own clock than this; the claimed time stays in the journal."""

ZERO = "0" * 21
"""Sorts before every stamp."""


def stamp_text(wall_ms: int, counter: int, replica: int) -> str:
    """A stamp as 21 hexadecimal digits (12 time, 4 counter, 5 replica) whose text order is the order of events."""
    return f"{wall_ms:012x}{counter:04x}{replica:05x}"


def wall_of(stamp: str) -> int:
    """The time part, in milliseconds."""
    return int(stamp[:12], 16)


def replica_of_stamp(stamp: str) -> int:
    """Who made it."""
    return int(stamp[16:], 16)


def clamp(stamp: str, now_ms: int) -> str:
    """`stamp`, with its time brought down to at most MAX_AHEAD_MS after `now_ms`, so a wrong clock cannot rule the future."""
    limit = now_ms + MAX_AHEAD_MS
    return stamp if wall_of(stamp) <= limit else f"{limit:012x}{stamp[12:]}"


@dataclass
class HybridClock:
    """Gives stamps that only rise, whatever the wall clock does."""

    replica: int
    last: str = ZERO

    def tick(self, now_ms: int) -> str:
        """The next stamp at wall time `now_ms`."""
        wall, counter = wall_of(self.last), int(self.last[12:16], 16)
        if now_ms > wall:
            wall, counter = now_ms, 0
        else:
            counter += 1
            if counter > 0xFFFF:
                wall, counter = wall + 1, 0
        self.last = stamp_text(wall, counter, self.replica)
        return self.last

    def see(self, stamp: str, now_ms: int) -> None:
        """Learn a stamp from elsewhere: what is written from now on sorts after it."""
        seen = clamp(stamp, now_ms)
        if seen[:16] > self.last[:16]:
            self.last = f"{seen[:16]}{self.replica:05x}"


def after(stamp: str, than: str) -> str:
    """`stamp`, raised if need be so that it sorts after `than`: a causal successor always wins."""
    if stamp > than:
        return stamp
    wall, counter = wall_of(than), int(than[12:16], 16) + 1
    if counter > 0xFFFF:
        wall, counter = wall + 1, 0
    return stamp_text(wall, counter, replica_of_stamp(stamp))
