"""A desk's connection with its street: whole rounds, photos after rows, and the state that the window shows."""

import random
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import reduce
from operator import or_

from gridman.domain.access import SYSTEM
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.services.audit_anchor import keep_anchor, next_push
from gridman.services.lease import is_ticket_due, keep_ticket
from gridman.services.signin import DeskUser, desk_token
from gridman.services.trust import desk_authority
from gridman.services.watchdog import blocked
from gridman.store.blobs import BlobStore
from gridman.store.bundle_keys import keep_street_keys
from gridman.store.changes import Changes, everything
from gridman.store.outbox import waiting_count
from gridman.store.scrub import scrub
from gridman.store.store import Store
from gridman.sync import exchange
from gridman.sync.bundle import introduce
from gridman.sync.exchange import RoundResult, SyncKind, SyncStatus, status_of
from gridman.sync.farewell import told_to_a_copy
from gridman.sync.fork import FORK
from gridman.sync.http import HttpStreet
from gridman.sync.listening import Heard, NewsSource, listen
from gridman.sync.moving import check_address
from gridman.sync.parting import Parting
from gridman.sync.photos import PhotoLane
from gridman.sync.protocol import Street
from gridman.sync.retry import AWAY, Retry
from gridman.sync.seal import PUBLIC_BYTES
from gridman.sync.versions import TOO_OLD

__all__ = ["DeskSync"]

_MOST_BATCHES = 1_000


class DeskSync:
    """`gridman.services.desk.Synchroniser` over HTTP. One round at a time; the state may be asked from any thread."""

    def __init__(
        self, store: Store, blobs: BlobStore, user: DeskUser, connect: Callable[[str, str, bytes], Street] = HttpStreet
    ) -> None:
        self._store, self._blobs, self._user, self._connect = store, blobs, user, connect
        self._street: Street | None = None
        self._one = threading.Lock()
        self._shown: SyncStatus | None = None
        self._opened_at = store.clock()
        self._photos = PhotoLane(store, blobs, user.replica, lambda: self.street)
        self._parting = Parting(store, self._photos, lambda: self.street)
        self._wanted = threading.Event()
        self.on_changes: Callable[[Changes], None] | None = None
        """Told of what rows that passed photos changed, at once; from the thread that synchronises."""

    @property
    def street(self) -> Street:
        """The connection, made when first needed."""
        if self._street is None:
            self._street = self._connect(self._user.server_url, desk_token(self._store), desk_authority(self._store))
        return self._street

    def check_address(self, url: str) -> None:
        """Refuse unless the very street of this desk answers at `url`."""
        check_address(self._user, desk_authority(self._store), url)

    def move_to(self, user: DeskUser) -> None:
        """From the next call on speak with the street where `user` says it is; waits for a round under way."""
        with self._one:
            self.close()
            self._user, self._shown = user, None

    def close(self) -> None:
        """Let go of the connection; the next round makes another."""
        street, self._street = self._street, None
        if isinstance(street, HttpStreet):
            street.close()

    def run(self, progress: Progress = quiet, ticket: Ticket | None = None) -> RoundResult:
        """Rows, then photos. Raises Refusal when the street cannot be reached or refuses this desk, Cancelled when asked to stop."""
        with self._one:
            with self._store.read() as reader:
                of = waiting_count(reader)
            self._shown = SyncStatus(SyncKind.SENDING if of else SyncKind.RECEIVING, waiting=of, of=of)
            came: list[Changes] = []
            try:
                self._parting.stop_a_copy()
                self._want_ticket()
                self._wanted.clear()
                result = exchange.round(
                    self._store, self.street, self._telling(progress, of), ticket, on_page=came.append
                )
                self._keep_ticket()
                self._anchor_audit()
                self.introduce()
                self._photos.send(progress, ticket, lambda: self._let_rows_pass(result, ticket))
                self._photos.tidy()
                scrub(self._store)
            except Refusal as refusal:
                self._shown = None
                self._hand_over(refusal, progress, ticket)
                told = self._parting.after(refusal, progress, ticket)
                self._shown = self._after(told)
                self._tell(everything() if told.code == FORK else _together(came))
                raise told from refusal
            except BaseException:
                self._shown = None
                self._tell(_together(came))
                raise
            self._shown = None
            return result

    def listen(self, heard: Callable[[Heard], None], ticket: Ticket) -> None:
        """Listen for the street's change notice, over a connection of its own, until `ticket` is cancelled."""

        def connect() -> NewsSource:
            return HttpStreet(self._user.server_url, desk_token(self._store), desk_authority(self._store))

        listen(self._store, connect, heard, ticket, Retry(random.Random()))

    def _want_ticket(self) -> None:
        street = self.street
        if isinstance(street, HttpStreet):
            with self._store.read() as reader:
                street.wants_ticket = is_ticket_due(reader)

    def _keep_ticket(self) -> None:
        """Keep the ticket that came, about once a day, and the street's keys for bundles that came with it: it may have changed them."""
        street = self.street
        if not isinstance(street, HttpStreet) or not street.ticket:
            return
        with self._store.unit(SYSTEM) as unit:
            keep_ticket(unit, street.ticket)
            if len(street.bundle_keys) == PUBLIC_BYTES:
                keep_street_keys(unit, street.bundle_keys)
        street.wants_ticket, street.ticket = False, ""

    def _anchor_audit(self) -> None:
        """The street keeps the audit log too, so that nobody can write this desk's anew."""
        street = self.street
        for _batch in range(_MOST_BATCHES):
            with self._store.read() as reader:
                push = next_push(reader)
            if push is None or not isinstance(street, HttpStreet):
                return
            if not keep_anchor(self._store, push, street.send_audit(push)):
                return

    def _let_rows_pass(self, result: RoundResult, ticket: Ticket | None) -> None:
        """Between two pieces of a photo: what was written meanwhile goes out, what was asked for comes in."""
        with self._store.read() as reader:
            is_wanted = self._wanted.is_set() or waiting_count(reader) > 0
        if not is_wanted:
            return
        self._wanted.clear()
        passed = exchange.round(self._store, self.street, ticket=ticket, on_page=self.on_changes)
        result.sent += passed.sent
        result.received += passed.received
        result.requests += passed.requests
        result.changes = result.changes | passed.changes
        result.refused += passed.refused

    def _tell(self, changes: Changes) -> None:
        """A round that ends badly has kept what came before, and a copy has handed over: the screens must know."""
        if self.on_changes is not None and changes:
            self.on_changes(changes)

    def _hand_over(self, refusal: Refusal, progress: Progress, ticket: Ticket | None) -> None:
        """A desk that is too old for its street has delivered its records by now; its photos and its audit log follow."""
        if refusal.code == TOO_OLD:
            with suppress(Refusal):  # what the person must hear is that this desk is too old
                self._anchor_audit()
                self._photos.send(progress, ticket)

    def introduce(self) -> None:
        """Exchange the keys of bundles with the street, once."""
        introduce(self._store, SYSTEM, self.street)

    def status(self) -> SyncStatus:
        """How things stand, truthfully: what a round under way does, else why work waits though it could be sent, else what waits and when all
        was acknowledged last.
        """
        shown = self._shown
        if shown is not None and shown.kind in (SyncKind.SENDING, SyncKind.RECEIVING):
            return shown
        known = status_of(self._store)
        if shown is not None and shown.kind == SyncKind.REFUSED:
            return SyncStatus(shown.kind, known.waiting, at=known.at, reason=shown.reason)
        with self._store.read() as reader:
            copy = told_to_a_copy(reader, self._store.replica)
        if copy is not None:  # it may have heard so from a stick, and need no network to say so
            return SyncStatus(SyncKind.REFUSED, known.waiting, at=known.at, reason=copy)
        reason = blocked(self._store, self._opened_at)
        if reason is not None:
            return SyncStatus(SyncKind.BLOCKED, known.waiting, at=known.at, reason=reason)
        return known if shown is None else SyncStatus(shown.kind, known.waiting, at=known.at, reason=shown.reason)

    def fetch_photo(self, sha256: str, progress: Progress = quiet, ticket: Ticket | None = None) -> bytes:
        """A photo's whole content, from here or from the street; see `PhotoLane.fetch`."""
        return self._photos.fetch(sha256, progress, ticket)

    def hurry(self) -> None:
        """Somebody waits for rows: photos under way let them pass before their next piece."""
        self._wanted.set()

    def _telling(self, progress: Progress, of: int) -> Progress:
        def tell(done: int, total: int, step: str = "") -> None:
            kind = SyncKind.SENDING if total else SyncKind.RECEIVING
            self._shown = SyncStatus(kind, waiting=max(0, of - done) if total else 0, sent=done if total else of, of=of)
            progress(done, total, step)

        return tell

    def _after(self, refusal: Refusal) -> SyncStatus:
        return SyncStatus(SyncKind.OFFLINE if refusal.code in AWAY else SyncKind.REFUSED, reason=refusal)


def _together(came: Iterable[Changes]) -> Changes:
    return reduce(or_, came, Changes())
