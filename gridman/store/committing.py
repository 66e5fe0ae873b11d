"""Group commit: whoever comes while a transaction is being written has the next one, together with all who came meanwhile.

SQLite has one writer, and a commit that is to survive a power cut waits for the disk (write-ahead log, ``synchronous=FULL``: NORMAL would
leave the last commits to the system's cache, and a desk that was told "acknowledged" never sends them again). With one commit per push each
desk waits for the disk once for every desk before it. Here the first who waits writes for all (flat combining, Hendler et al. 2010): no
thread of its own, each work in a savepoint of its own, one commit, and nobody is answered before it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["MOST", "Line", "Waiting"]

MOST = 64
_LONGEST_S = 0.05
"""A group takes nobody in after this time: the first of it waits for the last."""


@dataclass
class Waiting:
    """One work that waits for the writer; at the end `result` or `error`."""

    actor: Any
    work: Callable[[Any], Any]
    result: Any = None
    error: BaseException | None = None
    is_done: bool = False
    turn: threading.Event = field(default_factory=threading.Event)

    def fail(self, error: BaseException) -> None:
        """It is answered: not done."""
        self.error, self.is_done = error, True

    def succeed(self, result: Any) -> None:
        """It is answered: done."""
        self.result, self.error, self.is_done = result, None, True


class Line:
    """Works in the order they came. `write_all(take)` writes one transaction: it asks `take()` for the next work until that says None, and
    leaves every work it took done. It runs in the thread of the first who waits; `writing` keeps other writers out.
    """

    def __init__(self, writing: threading.RLock, write_all: Callable[[Callable[[], Waiting | None]], None]) -> None:
        self._writing, self._write_all = writing, write_all
        self._waiting: list[Waiting] = []
        self._mutex = threading.Lock()
        self._is_led = False

    def do(self, mine: Waiting) -> Any:
        """Wait for the turn; what `mine.work` returns once it is durable, or the exception it raised."""
        with self._mutex:
            self._waiting.append(mine)
            leads, self._is_led = not self._is_led, True
        if not leads:
            mine.turn.wait()
        if not mine.is_done:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        return mine.result

    def _lead(self, mine: Waiting) -> None:
        """Write for all who wait, then let the next lead, even when this thread is being ended."""
        taken: list[Waiting] = []
        try:
            with self._writing:
                started = time.monotonic()

                def take() -> Waiting | None:
                    with self._mutex:
                        is_full = len(taken) >= MOST or time.monotonic() - started > _LONGEST_S
                        if not self._waiting or (taken and is_full):
                            return None
                        taken.append(self._waiting.pop(0))
                        return taken[-1]

                self._write_all(take)
        finally:
            self._hand_over(mine, taken)

    def _hand_over(self, mine: Waiting, taken: Sequence[Waiting]) -> None:
        with self._mutex:
            if mine in self._waiting:  # ended before it came to take anybody
                self._waiting.remove(mine)
            following = self._waiting[0] if self._waiting else None
            self._is_led = following is not None
        for one in taken:
            if not one.is_done:
                one.fail(RuntimeError("the writer was ended before this was written"))
            if one is not mine:
                one.turn.set()
        if following is not None:
            following.turn.set()
