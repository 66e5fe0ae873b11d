"""How long work tells what it has done, and how it is asked to stop."""

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

    def cancel(self) -> None:
        self._event.set()

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise Cancelled if the person asked to stop."""
        if self._event.is_set():
            raise Cancelled
