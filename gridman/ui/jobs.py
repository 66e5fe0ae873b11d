"""One piece of background work, and what is kept of one that failed by a bug."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from gridman.kernel.errors import Refusal
from gridman.kernel.log import bare_trace
from gridman.kernel.progress import Ticket

__all__ = ["Failure", "Job"]

_BETWEEN_REPORTS_S = 0.05


class Failure(Exception):
    """A bug, not a refusal: what went wrong where, for the log and for the person who reports it."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.error = error
        self.trace = bare_trace(error)


class Job:
    """One piece of work on its way. Long ones tell how far they are; `cancel` asks them to stop."""

    def __init__(
        self, kind: str, then: Callable[[Any], None] | None, refused: Callable[[Refusal], None] | None
    ) -> None:
        self.number = 0
        self.kind = kind
        self.then = then
        self.refused = refused
        self.key: tuple[Any, ...] | None = None
        self.title = ""
        self.work: Callable[..., Any] | None = None
        self.done, self.total, self.step = 0, 0, ""
        self.started_s = time.monotonic()
        self.ticket = Ticket()
        self.result: Any = None
        self.error: BaseException | None = None
        self.changes: Any = None
        self.is_over = False
        self.future: Future[None] | None = None
        self.told: Callable[[int, int], None] | None = None
        self.words: deque[Any] = deque()  # what a listener heard and the window did not yet
        self._reported_s = 0.0

    def cancel(self) -> None:
        """Ask the work to stop at its next step; what it saved stays saved."""
        self.ticket.cancel()

    @property
    def running_s(self) -> float:
        return time.monotonic() - self.started_s

    def is_due_to_report(self, done: int, total: int) -> bool:
        """Whether enough time passed since the last report that the window should hear of this one."""
        now = time.monotonic()
        if now - self._reported_s < _BETWEEN_REPORTS_S and done < total:
            return False
        self._reported_s = now
        return True
