"""A desk listens for the street's change notice (sync design D12): what it hears is only that there is something; it then synchronises as usual.
Without it the regular rounds go on, so nothing depends on it.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Protocol

from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Ticket
from gridman.store.replay import received_upto
from gridman.store.store import Store
from gridman.sync.retry import AWAY, Retry

__all__ = ["Heard", "NewsSource", "listen"]

_NOT_OFFERED = "http.not_found"
_SELDOM_S = 3_600.0
_AGAIN_S = 2.0


class Heard(StrEnum):
    """What a desk hears: the street is there, it has something for the desk, it is not there any more."""

    THERE = "there"
    NEWS = "news"
    AWAY = "away"


class NewsSource(Protocol):
    """The street's change notice as a desk hears it."""

    come_back_s: float
    """How long the street asked the desk to stay away when it ended the connection; 0 when it did not."""

    def news(self, after: int) -> Iterator[int | None]:
        """Numbers of changes that concern the desk, later than `after`, as they come, with None as a sign of life in between; ends when the street
        ends the connection. Raises Refusal when it cannot be had.
        """
        ...

    def hang_up(self) -> None:
        """End it, from any thread."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def listen(
    store: Store,
    connect: Callable[[], NewsSource],
    heard: Callable[[Heard], None],
    ticket: Ticket,
    retry: Retry,
    wait: Callable[[float], object] | None = None,
) -> None:
    """Listen until `ticket` is cancelled (Cancelled); `wait`: how to let time pass (the ticket's own way). Trouble that is no mere absence is told as
    news, once: the round that follows finds out what it is and says so.
    """
    told = ""
    while True:
        ticket.check()
        pause = retry.after_asked(_AGAIN_S)
        try:
            pause = _hear(store, connect, heard, ticket, retry) or pause
            told = ""
        except Refusal as refusal:
            ticket.check()
            pause = _SELDOM_S if refusal.code == _NOT_OFFERED else retry.after_failure(refusal)
            if refusal.code not in (*AWAY, _NOT_OFFERED, told):
                heard(Heard.NEWS)
            told = refusal.code
        ticket.check()
        heard(Heard.AWAY)
        (wait or ticket.wait)(pause)


def _hear(
    store: Store,
    connect: Callable[[], NewsSource],
    heard: Callable[[Heard], None],
    ticket: Ticket,
    retry: Retry,
) -> float:
    """One connection, from its beginning to its end; returns the pause that the street asked for, in seconds."""
    source = connect()
    try:
        with ticket.interrupting(source.hang_up):
            is_there = False
            for number in source.news(received_upto(store)):
                ticket.check()
                if not is_there:
                    is_there = True
                    retry.succeed()
                    heard(Heard.THERE)
                if number is not None and number > received_upto(store):
                    heard(Heard.NEWS)
        return retry.after_asked(source.come_back_s)
    finally:
        source.close()
