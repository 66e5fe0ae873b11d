"""Long work of the street's pages in a thread beside the server: it tells how far it is, can be stopped, and ends with a result that is kept.

The database is the only thing the pages look at, so with several workers any of them shows what another does and passes on the wish to stop.
"""

import contextvars
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from gridman.domain.access import Actor
from gridman.kernel.errors import Refusal
from gridman.kernel.log import get_log
from gridman.kernel.progress import Cancelled, Progress, Ticket
from gridman.services.jobs import (
    CANCELLED,
    DONE,
    FAILED,
    REFUSED,
    begin_job,
    end_job,
    hold_jobs,
    is_asked_to_stop,
    tell_job,
)
from gridman.services.street import Street

__all__ = ["Jobs", "Running", "Work"]

_log = get_log(__name__)
_TELL_S = 0.5


@dataclass
class Running:
    """What the work is given: `progress` to tell how far it is (raises Cancelled when it is to stop), a ticket, and its number."""

    number: int
    ticket: Ticket = field(default_factory=Ticket)
    step: str = ""
    done: int = 0
    total: int = 0

    @property
    def progress(self) -> Progress:
        """Notes how far the work is."""

        def tell(done: int, total: int, step: str = "") -> None:
            self.done, self.total, self.step = done, total, step or self.step
            self.ticket.check()

        return tell


Work = Callable[[Running], dict[str, Any]]
"""Does the work and returns what came of it, as plain values."""


class Jobs:
    """What this process works on: at most one thing."""

    def __init__(self, street: Street) -> None:
        self._street = street
        self._thread: threading.Thread | None = None
        self._running: Running | None = None
        self._is_stopping = False

    @property
    def is_busy(self) -> bool:
        """Whether something is under way here."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, actor: Actor, kind: str, work: Work, **about: str) -> int:
        """Begin; returns the number under which it is shown. Refuses with ``job.busy``."""
        began: list[int] = []
        refused: list[BaseException] = []
        told = threading.Event()

        def life() -> None:
            try:
                with hold_jobs(self._street):
                    number = begin_job(self._street, actor, kind, **about)
                    began.append(number)
                    running = self._running = Running(number)
                    if self._is_stopping:  # asked to stop before there was anything to stop
                        running.ticket.cancel()
                    told.set()
                    self._live(running, work)
            except BaseException as error:
                if began:
                    _log.error("job %s could not be ended", began[0], exc_info=error)
                refused.append(error)
            finally:
                self._running = None
                told.set()

        # The lock is taken and let go by the same thread, which alone knows when the work has ended.
        # It speaks the language of whoever began it.
        thread = threading.Thread(target=contextvars.copy_context().run, args=(life,), name=f"job {kind}", daemon=True)
        thread.start()
        told.wait()
        if not began:
            raise refused[0]
        self._thread = thread
        return began[0]

    def _live(self, running: Running, work: Work) -> None:
        ended = threading.Event()
        voice = threading.Thread(target=self._tell, args=(running, ended), name="job voice", daemon=True)
        voice.start()
        started = time.monotonic()
        try:
            state, result = self._outcome(running, work)
        finally:
            ended.set()
            voice.join()
        _log.info("job %s ended: %s, %.1f s", running.number, state, time.monotonic() - started)
        tell_job(self._street, running.number, running.step, running.done, running.total)
        end_job(self._street, running.number, state, result)

    def _outcome(self, running: Running, work: Work) -> tuple[str, dict[str, Any]]:
        try:
            return DONE, work(running)
        except Cancelled:
            return CANCELLED, {"stopping": self._is_stopping}
        except Refusal as refusal:
            params = {name: str(value) for name, value in refusal.params.items()}
            return REFUSED, {
                "code": refusal.code, "text": refusal.text, "remedy": refusal.remedy, "params": params,
            }  # fmt: skip
        except Exception as error:
            _log.error("job %s failed", running.number, exc_info=error)
            return FAILED, {}

    def _tell(self, running: Running, ended: threading.Event) -> None:
        """Write down how far it is, and hear whether it is to stop."""
        told: tuple[str, int, int] | None = None
        while not ended.wait(_TELL_S):
            now = (running.step, running.done, running.total)
            with suppress(Refusal):  # a database that is busy for a moment is asked again
                if is_asked_to_stop(self._street, running.number):
                    running.ticket.cancel()
                if now != told and not ended.is_set():
                    tell_job(self._street, running.number, *now)
                    told = now

    def wait(self, seconds: float) -> None:
        """Give short work the time to end, so that its result is shown at once."""
        if self._thread is not None:
            self._thread.join(seconds)

    def stop(self) -> None:
        """The server stops: the work is asked to end at its next step."""
        self._is_stopping = True
        running = self._running
        if running is not None:
            running.ticket.cancel()
