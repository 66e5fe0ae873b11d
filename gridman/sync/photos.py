"""Photos on the wire: up in pieces that rows go ahead of, down when somebody asks to see one (sync design D9).

What a desk took stays on it until the street has it, whatever becomes of its record: a grid that is withdrawn, or a computer that is taken
out of service, loses no picture. What a desk has no record of and nothing to send of leaves its disk.
"""

from collections.abc import Callable

from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.kernel.words import N_
from gridman.store import photo_queue
from gridman.store.blobs import BlobStore
from gridman.store.store import Store
from gridman.sync.protocol import Street

__all__ = ["CHUNK_BYTES", "PhotoLane"]

CHUNK_BYTES = 64 * 1024
"""A piece of a photo: at 13 kB/s, the measured goodput of a bad link, five seconds."""

CACHE_BYTES = 512 << 20
"""How much of sent and fetched photos a desk keeps; the least used leave first, those not sent yet never."""

_MOST_STEPS = 20
_NOT_TAKEN = frozenset({"blob.damaged", "blob.missing", "sync.photo_stuck"})


def _stuck(sha256: str) -> Refusal:
    """A street that asks for the same piece for ever must not keep a desk busy for ever."""
    return Refusal(
        "sync.photo_stuck",
        N_("The street server does not take the photo {name}."),
        N_("It stays on this computer and is sent again later. Tell the office that looks after gridman if it lasts."),
        name=sha256[:12],
    )


class PhotoLane:
    """The photos of one desk. `street`: asked anew for each use, a connection may have been made again."""

    def __init__(
        self, store: Store, blobs: BlobStore, replica: int, street: Callable[[], Street], cache_bytes: int = CACHE_BYTES
    ) -> None:
        self._store, self._blobs, self._replica, self._street = store, blobs, replica, street
        self._cache_bytes = cache_bytes

    def send(
        self, progress: Progress = quiet, ticket: Ticket | None = None, between: Callable[[], None] = lambda: None
    ) -> None:
        """Send what waits, in pieces, each kept by the street as it comes: a cut costs one piece. `between` is called before every piece:
        rows that were written or asked for meanwhile go first. A photo that cannot be sent is told of when the others are.
        """
        problem: Refusal | None = None
        with self._store.read() as reader:
            waiting = photo_queue.unsent_photos(reader, self._replica)
        for number, (sha256, size) in enumerate(waiting):

            def piece_sent(number: int = number) -> None:
                progress(number, len(waiting), N_("Sending photos"))

            try:
                self._send_one(sha256, size, piece_sent, ticket, between)
            except Refusal as refusal:
                if refusal.code not in _NOT_TAKEN:
                    raise
                if not self._is_given_up(refusal, sha256):
                    problem = refusal
        if problem is not None:
            raise problem

    def _send_one(
        self,
        sha256: str,
        size: int,
        piece_sent: Callable[[], None],
        ticket: Ticket | None,
        between: Callable[[], None],
    ) -> None:
        data = self._blobs.get(sha256)
        sent, steps = self._street().blob_size(sha256) or 0, 0
        if data is None:
            if sent >= size > 0:  # sent before a grid was withdrawn and given back
                photo_queue.mark_photo_sent(self._store, sha256, size)
            return
        while sent < len(data):
            if ticket is not None:
                ticket.check()
            between()
            steps += 1
            if steps > _MOST_STEPS + len(data) // CHUNK_BYTES * 2:
                raise _stuck(sha256)
            piece_sent()
            sent = self._street().put_blob(sha256, sent, len(data), data[sent : sent + CHUNK_BYTES])
        photo_queue.mark_photo_sent(self._store, sha256, len(data))

    def _is_given_up(self, refusal: Refusal, sha256: str) -> bool:
        """Neither the desk nor the street has a record of it: nobody could ever see it."""
        with self._store.read() as reader:
            if refusal.code != "blob.missing" or photo_queue.has_record(reader, sha256):
                return False
        photo_queue.give_up(self._store, sha256)
        return True

    def send_last(self, progress: Progress = quiet, ticket: Ticket | None = None) -> None:
        """The photos of a desk that is taken out of service: those that can be sent; one that is spoilt does not keep the desk alive."""
        try:
            self.send(progress, ticket)
        except Refusal as refusal:
            if refusal.code not in _NOT_TAKEN:
                raise

    def fetch(self, sha256: str, progress: Progress = quiet, ticket: Ticket | None = None) -> bytes:
        """A photo's whole content, from here or from the street, in pieces that are kept: a cut or a cancel goes on from there. Refuses with
        ``blob.missing`` while the street has not got it either.
        """
        known = self._here(sha256)
        here, total = (0, 0) if known is not None else self._blobs.received(sha256) or (0, 0)
        while known is None:
            if ticket is not None:
                ticket.check()
            piece, total = self._street().get_blob(sha256, here, CHUNK_BYTES)
            if not piece:
                raise Refusal(
                    "blob.missing",
                    N_("This photo is not here yet."),
                    N_("It comes when the desk that took it has sent it; try again later."),
                )
            here = self._blobs.append(sha256, here, total, piece)
            progress(here, total, N_("Fetching the photo"))
            if here >= total:
                known = self._blobs.get(sha256)
        with self._store.read() as reader:
            if not photo_queue.has_record(reader, sha256):  # its record left this computer meanwhile
                self._blobs.delete(sha256)
        self.tidy()
        return known

    def _here(self, sha256: str) -> bytes | None:
        try:
            return self._blobs.get(sha256)
        except Refusal:  # spoilt on this disk: fetched anew, unless it is this desk's own
            with self._store.read() as reader:
                if sha256 in dict(photo_queue.unsent_photos(reader, self._replica)):
                    raise
        self._blobs.delete(sha256)
        return None

    def tidy(self) -> None:
        """Let go of the files whose records left this computer, and of the least used ones past the bound."""
        with self._store.read() as reader:
            dropped = photo_queue.dropped_photos(reader)
            unsent = dict(photo_queue.unsent_photos(reader, self._replica))
        for sha256 in dropped:
            self._blobs.delete(sha256)
        photo_queue.forget_dropped(self._store, dropped)
        self._blobs.trim(self._cache_bytes, keep=unsent)
