"""How long work tells what it has done, and how it is asked to stop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

__all__ = ["Cancelled", "Progress", "Ticket", "quiet"]


class Cancelled(Exception):
    """The person asked the work to stop; what was saved before stays saved."""


class Progress(Protocol):
    """Called with how much is done of how much, and a word for the step; may raise Cancelled to stop the work."""

    def __call__(self, done: int, total: int, step: str = "") -> None: ...


def quiet(done: int, total: int, step: str = "") -> None:
    """Progress for nobody."""


@dataclass
class Ticket:
    """A request to stop that may come from another thread."""

    _event: Event = field(default_factory=Event)
    _calls: list[Callable[[], None]] = field(default_factory=list)

    def cancel(self) -> None:
        """Ask the work to stop, and end what it waits for."""
        self._event.set()
        for call in tuple(self._calls):
            call()

    def wait(self, seconds: float) -> bool:
        """Let time pass; returns early, and true, when the work is to stop."""
        return self._event.wait(seconds)

    @contextmanager
    def interrupting(self, call: Callable[[], None]) -> Iterator[None]:
        """For the length of the block a request to stop also makes `call`, from whichever thread the request comes."""
        self._calls.append(call)
        try:
            if self._event.is_set():
                call()
            yield
        finally:
            self._calls.remove(call)

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise Cancelled if the person asked to stop."""
        if self._event.is_set():
            raise Cancelled
