"""A desk's connection with its street: whole rounds, photos after rows, and the state that the window shows."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress

from gridman.domain.access import SYSTEM
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.kernel.words import N_
from gridman.services.audit_anchor import keep_anchor, next_push
from gridman.services.enrolment import RETIRED
from gridman.services.lease import is_ticket_due, keep_ticket
from gridman.services.signin import DeskUser, desk_token
from gridman.services.trust import desk_authority
from gridman.store.blobs import BlobStore
from gridman.store.outbox import waiting_count
from gridman.store.photo_queue import mark_photo_sent, unsent_photos
from gridman.store.store import Store
from gridman.sync import exchange
from gridman.sync.bundle import introduce
from gridman.sync.exchange import RoundResult, SyncKind, SyncStatus, status_of
from gridman.sync.farewell import send_last_words
from gridman.sync.http import HttpStreet
from gridman.sync.listening import Heard, NewsSource, listen
from gridman.sync.protocol import Street
from gridman.sync.retry import AWAY, Retry
from gridman.sync.versions import TOO_OLD

__all__ = ["DeskSync"]

_MOST_BATCHES = 1_000
CHUNK_BYTES = 64 * 1024
"""A piece of a photo: at 13 kB/s, the measured goodput of a bad link, five seconds."""

_MOST_STEPS = 20


def _photo_stuck(sha256: str) -> Refusal:
    """A street that asks for the same piece for ever must not keep a desk busy for ever."""
    return Refusal(
        "sync.photo_stuck",
        N_("The street server does not take the photo {name}."),
        N_("It stays on this computer and is sent again later. Tell the office that looks after gridman if it lasts."),
        name=sha256[:12],
    )


class DeskSync:
    """`gridman.services.desk.Synchroniser` over HTTP. One round at a time; the state may be asked from any thread."""

    def __init__(
        self, store: Store, blobs: BlobStore, user: DeskUser, connect: Callable[[str, str, bytes], Street] = HttpStreet
    ) -> None:
        self._store, self._blobs, self._user, self._connect = store, blobs, user, connect
        self._street: Street | None = None
        self._one = threading.Lock()
        self._shown: SyncStatus | None = None

    @property
    def street(self) -> Street:
        """The connection, made when first needed."""
        if self._street is None:
            self._street = self._connect(self._user.server_url, desk_token(self._store), desk_authority(self._store))
        return self._street

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
            try:
                self._want_ticket()
                result = exchange.round(self._store, self.street, self._telling(progress, of), ticket)
                self._keep_ticket()
                self._anchor_audit()
                self.introduce()
                self._send_photos(progress, ticket)
            except Refusal as refusal:
                self._say_farewell(refusal)
                self._hand_over(refusal, progress, ticket)
                self._shown = self._after(refusal)
                raise
            except BaseException:
                self._shown = None
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
        street = self.street
        if isinstance(street, HttpStreet) and street.ticket:
            with self._store.unit(SYSTEM) as unit:
                keep_ticket(unit, street.ticket)
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

    def _say_farewell(self, refusal: Refusal) -> None:
        """A desk that was taken out of service delivers what waits, before whoever called makes it destroy itself."""
        is_retired = refusal.code == "auth.device_revoked" and refusal.params.get("revoked_as") == RETIRED
        if is_retired and isinstance(self._street, HttpStreet):
            send_last_words(self._store, self._street.farewell)

    def _hand_over(self, refusal: Refusal, progress: Progress, ticket: Ticket | None) -> None:
        """A desk that is too old for its street has delivered its records by now; its photos and its audit log follow."""
        if refusal.code == TOO_OLD:
            with suppress(Refusal):  # what the person must hear is that this desk is too old
                self._anchor_audit()
                self._send_photos(progress, ticket)

    def introduce(self) -> None:
        """Exchange the keys of bundles with the street, once."""
        introduce(self._store, SYSTEM, self.street)

    def status(self) -> SyncStatus:
        """How things stand, truthfully: what a round under way does, else what waits and when all was acknowledged last."""
        shown = self._shown
        if shown is None:
            return status_of(self._store)
        if shown.kind in (SyncKind.SENDING, SyncKind.RECEIVING):
            return shown
        known = status_of(self._store)
        return SyncStatus(shown.kind, known.waiting, at=known.at, reason=shown.reason)

    def fetch_photo(self, sha256: str) -> bytes | None:
        """A photo's whole content, from here or from the street; None when the street has not got it either."""
        known = self._blobs.get(sha256)
        if known is not None:
            return known
        data, total = b"", 1
        while len(data) < total:
            piece, total = self.street.get_blob(sha256, len(data), CHUNK_BYTES * 4)
            if not piece:
                return None
            data += piece
        self._blobs.put(sha256, data)
        return data

    def _telling(self, progress: Progress, of: int) -> Progress:
        def tell(done: int, total: int, step: str = "") -> None:
            kind = SyncKind.SENDING if total else SyncKind.RECEIVING
            self._shown = SyncStatus(kind, waiting=max(0, of - done) if total else 0, sent=done if total else of, of=of)
            progress(done, total, step)

        return tell

    def _after(self, refusal: Refusal) -> SyncStatus:
        return SyncStatus(SyncKind.OFFLINE if refusal.code in AWAY else SyncKind.REFUSED, reason=refusal)

    def _send_photos(self, progress: Progress, ticket: Ticket | None) -> None:
        """In pieces, each kept by the street as it comes: a cut costs one piece. A photo whose file is spoilt here is told of when
        the others are sent.
        """
        spoilt: Refusal | None = None
        with self._store.read() as reader:
            waiting = unsent_photos(reader, self._user.replica)
        for number, (sha256, _) in enumerate(waiting):
            try:
                data = self._blobs.get(sha256)
            except Refusal as refusal:
                spoilt, data = refusal, None
            if data is None:
                continue
            sent, steps = self.street.blob_size(sha256) or 0, 0
            while sent < len(data):
                if ticket is not None:
                    ticket.check()
                steps += 1
                if steps > _MOST_STEPS + len(data) // CHUNK_BYTES * 2:
                    raise _photo_stuck(sha256)
                progress(number, len(waiting), N_("Sending photos"))
                sent = self.street.put_blob(sha256, sent, len(data), data[sent : sent + CHUNK_BYTES])
            mark_photo_sent(self._store, sha256, len(data))
        if spoilt is not None:
            raise spoilt
