"""Does work wait though nothing seems to keep it? Then the person is told why and what to do, instead of a number that never goes down (design D14).

A round that the street refuses says so itself; this is for what no single round sees: that none is tried, or that each one breaks.
"""

from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.outbox import rounds
from gridman.store import outbox
from gridman.store.soundness import oldest_waiting
from gridman.store.store import Store

__all__ = ["BLOCKED_AFTER_MS", "blocked"]

BLOCKED_AFTER_MS = 30 * 60_000
_BREAKING = "sync.cut_off"
_FEWEST_TRIES = 3


def blocked(store: Store, opened_at: int) -> Refusal | None:
    """Why the oldest waiting operation is older than half an hour although the way to the street seems open; None when all is well, or when
    it is told otherwise (no connection, the desk refused). `opened_at`: since when this desk is open and could have tried.
    """
    now = store.clock()
    with store.read() as reader:
        count, since = oldest_waiting(reader)
        answered_at = outbox.last_answer_at(reader)
    if since is None or now - since < BLOCKED_AFTER_MS:
        return None
    tried = [r for r in rounds(store) if r.at >= since]
    if not tried:
        return _not_tried(count, since) if now - max(since, opened_at) > BLOCKED_AFTER_MS else None
    broken = []
    for line in tried:
        if line.code != _BREAKING or line.at < answered_at:
            break
        broken.append(line)
    if len(broken) >= _FEWEST_TRIES and now - broken[-1].at > BLOCKED_AFTER_MS:
        return Refusal(
            "sync.keeps_breaking",
            N_("The street is there, but the connection breaks each time before it has taken anything ({count} wait since {since}, {tries} tries)."),
            N_("Nothing is lost. Try another network, or carry the work: Sync page, Carry by USB stick."),
            count=count,
            since=show_instant(since),
            tries=len(broken),
        )  # fmt: skip
    return _not_tried(count, since) if now - max(tried[0].at, opened_at) > BLOCKED_AFTER_MS else None


def _not_tried(count: int, since: int) -> Refusal:
    return Refusal(
        "sync.not_tried",
        N_("Work waits since {since} ({count}), and nobody has tried to send it for half an hour."),
        N_("Press Synchronise now. If it happens again, close the window and open it anew, and tell the office that looks after gridman."),
        count=count,
        since=show_instant(since),
    )  # fmt: skip
