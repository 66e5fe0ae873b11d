"""`gridman sync --watch`: rounds in the window's own rhythm, one at once when the street says that it has something."""

import random
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Cancelled, Ticket
from gridman.services.desk import Desk
from gridman.sync.listening import Heard
from gridman.sync.retry import AWAY
from gridman.sync.rhythm import Rhythm

__all__ = ["watch"]

_SLICE_S = 0.5
"""On Windows Ctrl+C does not end a wait for another thread: so it is made of short ones."""
_LET_GO_S = 3.0
"""Who listens may be just calling a street that is not there; nobody waits for that."""


def watch(desk: Desk, synchronise: Callable[[], object], warn: Callable[[str], None], every_s: float) -> NoReturn:
    """Call `synchronise` again and again until Ctrl+C (KeyboardInterrupt); `every_s`: the pause while nothing is heard. A refusal is told by
    `warn`, and watching goes on: the network comes and goes. Raises the refusal that ends the desk, or that meets the very first round though
    the street is there: then something is wrong with what was asked.
    """
    watching = _Watch(desk, Rhythm(random.Random(), every_s))
    ticket = Ticket()
    ear = threading.Thread(target=watching.listen, args=(ticket,), name="ear", daemon=True)
    ear.start()
    is_first = True
    try:
        while True:
            watching.begin()
            try:
                synchronise()
            except Refusal as refusal:
                if refusal.code == "desk.destroyed" or (is_first and refusal.code not in AWAY):
                    raise
                warn(refusal.words())
                watching.over(refusal)
            else:
                watching.over(None)
            is_first = False
            watching.wait()
    finally:
        ticket.cancel()
        ear.join(_LET_GO_S)


class _Watch:
    """What the thread that listens tells the one that synchronises."""

    def __init__(self, desk: Desk, rhythm: Rhythm) -> None:
        self._desk, self._rhythm = desk, rhythm
        self._told = threading.Condition()
        self._due = 0.0
        self._trouble: Exception | None = None

    def listen(self, ticket: Ticket) -> None:
        """Listen until `ticket` is cancelled, on a thread of its own; what breaks it otherwise is kept for the other."""
        try:
            self._desk.listen(self._heard, ticket)
        except Cancelled:
            pass
        except Exception as error:
            with self._told:
                self._trouble = error
                self._told.notify()

    def _heard(self, word: Heard) -> None:
        with self._told:
            longest = self._rhythm.heard(word)
            if self._rhythm.has_news:
                self._desk.hurry()  # photos on their way let it pass
            if longest is not None:
                self._due = min(self._due, time.monotonic() + longest)
                self._told.notify()

    def begin(self) -> None:
        """A round begins."""
        with self._told:
            self._rhythm.begin()

    def over(self, refusal: Refusal | None) -> None:
        """The round is over."""
        with self._told:
            pause = self._rhythm.succeed() if refusal is None else self._rhythm.fail(refusal)
            self._due = time.monotonic() + pause

    def wait(self) -> None:
        """Until the next round is due. Raises what broke the listening: a fault of gridman itself, the street's absence is none."""
        with self._told:
            while self._trouble is None and (left := self._due - time.monotonic()) > 0:
                self._told.wait(min(left, _SLICE_S))
            if self._trouble is not None:
                raise self._trouble
