"""When a desk may not write any more: what it still does for its unsent work, and what its person is told.

Taken out of service: it stays until all was handed over. Reported lost: it is shut at once and opens only in contact with the street; it tries
three times, then it destroys itself without. A copy: it hands over what waits and goes on saying that it must be set up anew.
"""

import time
from collections.abc import Callable

from gridman.domain.access import SYSTEM
from gridman.kernel.errors import Refusal, Trouble
from gridman.kernel.progress import Cancelled, Progress, Ticket
from gridman.kernel.words import N_
from gridman.services.enrolment import RETIRED
from gridman.services.lease import end_lease
from gridman.store.outbox import handed_over_cards, waiting_acts
from gridman.store.settings import get_setting, put_setting
from gridman.store.store import Store
from gridman.sync.farewell import hand_over, is_copy, last_words, note_copy
from gridman.sync.fork import FORK, fork, fork_after_rescue
from gridman.sync.http import HttpStreet
from gridman.sync.photos import PhotoLane
from gridman.sync.protocol import PROTOCOL, Hello, Street
from gridman.sync.retry import AWAY

__all__ = ["LOST_TRIES", "Parting"]

LOST_TRIES = 3
"""In so many contacts a lost desk tries to hand over. One, and a line that falls costs honest work; no end, and whoever holds the computer
keeps its records by cutting the line each time.
"""

_PHOTOS_S = 600.0
"""For so long a lost desk sends photos in one contact; the records come first."""

_TRIES = "parting.tries"
_OVER = frozenset({"handover.closed", "handover.full", "auth.device_revoked", "auth.unknown_token"})
"""The street takes nothing any more."""

_PATIENCE = frozenset({*AWAY, "http.too_many", "server.trouble"})


class _Deadline(Ticket):
    """A ticket that ends by itself."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._ends_at = time.monotonic() + seconds

    def check(self) -> None:
        """See `Ticket.check`."""
        if time.monotonic() > self._ends_at:
            self.cancel()
        super().check()


class Parting:
    """The end of one desk's connection with its street."""

    def __init__(self, store: Store, photos: PhotoLane, street: Callable[[], Street]) -> None:
        self._store, self._photos, self._street = store, photos, street

    def stop_a_copy(self) -> None:
        """Refuse with ``sync.fork`` when this desk was told that it is a copy, after asking whether it was removed meanwhile."""
        with self._store.read() as reader:
            if not is_copy(reader):
                return
        self._street().greet(Hello(PROTOCOL, self._store.replica))
        raise fork()

    def after(self, refusal: Refusal, progress: Progress, ticket: Ticket | None) -> Refusal:
        """Do what the refusal of a round asks for; returns what the person is told in its place."""
        street = self._street()
        if isinstance(street, HttpStreet) and refusal.code == "auth.device_revoked":
            return self._removed(refusal, street, progress, ticket)
        if isinstance(street, HttpStreet) and refusal.code == FORK:
            return self._rescued(street, progress, ticket)
        return refusal

    def _rescued(self, street: HttpStreet, progress: Progress, ticket: Ticket | None) -> Refusal:
        note_copy(self._store)
        try:
            hand_over(self._store, street.farewell, is_rescue=True)
            self._photos.send_last(progress, ticket)
        except Refusal:
            return fork()
        with self._store.read() as reader:
            return fork_after_rescue(handed_over_cards(reader))

    def _removed(self, refusal: Refusal, street: HttpStreet, progress: Progress, ticket: Ticket | None) -> Refusal:
        if refusal.params.get("revoked_as") == RETIRED:
            problem = self._delivered(street, progress, ticket)
            return self._over(refusal) if problem is None or problem.code in _OVER else problem
        tries = self._shut()
        if tries <= LOST_TRIES:  # a computer that is switched off at each try comes to its end too
            problem = self._delivered(street, progress, _Deadline(_PHOTOS_S))
            if problem is not None and problem.code in _PATIENCE and tries < LOST_TRIES:
                return _shut_until(LOST_TRIES - tries)
        return self._over(refusal)

    def _delivered(self, street: HttpStreet, progress: Progress, ticket: Ticket | None) -> Refusal | None:
        """Hand all over; what was in the way, None when nothing was."""
        try:
            hand_over(self._store, street.farewell)
            try:
                self._photos.send_last(progress, ticket)
            except Cancelled:
                if not isinstance(ticket, _Deadline):
                    raise
            street.farewell(last_words(self._store, is_end=True))
        except Refusal as problem:
            return problem
        return None

    def _over(self, refusal: Refusal) -> Refusal:
        """What whoever destroys this desk is told of its work."""
        with self._store.read() as reader:
            left, count = waiting_acts(reader), handed_over_cards(reader)
        return Refusal(refusal.code, refusal.text, refusal.remedy, **refusal.params, handed_over=count, left=left)

    def _shut(self) -> int:
        """From now on this desk opens in contact with its street only. Returns which contact of a lost desk this is, noted before anything is
        tried: a computer that is switched off in the middle has had its try. One whose disk takes no note of it (it is full, or was made so) has
        its last.
        """
        try:
            with self._store.unit(SYSTEM) as unit:
                tries = int(get_setting(unit, _TRIES) or 0) + 1
                put_setting(unit, _TRIES, str(tries))
                end_lease(unit)
        except Trouble:
            return LOST_TRIES
        return tries


def _shut_until(left: int) -> Refusal:
    return Refusal(
        "desk.shut",
        N_("This computer was reported lost. Its unsent work could not be handed over yet, because the line fell; it is shut meanwhile."),
        N_("Sign in again in the office's network. After {left} more attempts its records are destroyed, handed over or not."),
        left=left,
    )  # fmt: skip
