"""The last words of a desk that was taken out of service: its unsent work goes to the street's review list before the desk destroys itself."""

from collections.abc import Callable

from gridman.store.store import Store
from gridman.sync.exchange import absorb, prepare
from gridman.sync.protocol import Answer, Request

__all__ = ["send_last_words"]

_MOST_TURNS = 10_000


def send_last_words(store: Store, farewell: Callable[[Request], Answer]) -> int:
    """Send all that waits; returns how many operations the street answered. Raises Refusal when the street cannot be reached: then the
    desk stays as it is and tries again at its next contact.
    """
    sent = 0
    for _turn in range(_MOST_TURNS):
        request = prepare(store)
        if not request.ops:
            break
        answered = absorb(store, request, farewell(request)).answered
        if not answered:
            break
        sent += answered
    return sent
