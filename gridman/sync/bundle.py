"""The sync without a network: the same messages in a file that is carried by hand, through the same handler with the same numbering, so
that a file that comes twice, late, out of order or beside a network does no harm (sync design D10).

A desk writes its waiting operations, its positions and its photos; the street takes the file and writes the answer, page by page until
nothing is missing; the desk takes the answer back. Each page is absorbed exactly as one that came over HTTP.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from gridman.domain.access import Actor
from gridman.kernel.errors import Refusal
from gridman.kernel.files import write_whole
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.kernel.words import N_
from gridman.services.bundle import actor_of_device
from gridman.services.handover import source_of
from gridman.services.scoped import require_sendable_blob
from gridman.store import outbox
from gridman.store.blobs import BlobStore
from gridman.store.bundle_keys import desk_seed, device_keys, keep_street_keys, street_keys_here
from gridman.store.photo_queue import mark_photo_sent, unsent_photos
from gridman.store.store import Store, get_meta
from gridman.sync.bundle_parting import Counter, Parted, Parting, hear_parting, told_after, words_beside
from gridman.sync.codec import decode_answer, decode_last_words, decode_request, encode
from gridman.sync.exchange import RoundResult, absorb, note_absorbed, prepare
from gridman.sync.farewell import is_copy, note_copy
from gridman.sync.fork import FORK, fork
from gridman.sync.protocol import LARGEST_PAGE, SPOKEN, Hello, LastWords, Request, Street
from gridman.sync.replica import Replica
from gridman.sync.seal import (
    LARGEST_BUNDLE,
    PUBLIC_BYTES,
    Header,
    Keys,
    header_of,
    open_sealed,
    seal,
    too_large,
    unreadable,
)

__all__ = ["DeskBundles", "StreetBundles", "TakenBack", "TakenIn", "Written", "introduce"]

T = TypeVar("T")
ENDING = ".gridman"
_PHOTO_BYTES = 192 << 20
_OP_BYTES = 24 << 20
_BATCH_BYTES = 256 << 10
_ANSWER_BYTES = 128 << 20


class _Outward(msgspec.Struct, array_like=True, frozen=True):
    """What a desk sends: encoded requests in the order of their operations, and photos (SHA-256, content). `words`: encoded, what the operations
    need beside them should they be last words (`bundle_parting`); desks of version 0.1.0 had none.
    """

    requests: list[bytes]
    photos: list[tuple[str, bytes]] = []
    words: bytes = b""


class _Homeward(msgspec.Struct, array_like=True, frozen=True):
    """What comes back: each request that was asked, without its operations, with its answer; photos the street has (SHA-256, bytes); a new
    ticket to work without the street (`gridman.services.lease`); the street's public keys of today, for the next bundle. To a computer that may
    not write any more `parting` and confirmed photos, and nothing else.
    """

    pages: list[tuple[bytes, bytes]]
    photos: list[tuple[str, int]] = []
    ticket: str = ""
    keys: bytes = b""
    parting: Parting | None = None


@dataclass(frozen=True)
class Written:
    """A bundle on a stick: how much it carries, and how many photos must wait for the next one; ``is_for_review``: it is a copy's, of which
    nothing is applied.
    """

    path: Path
    operations: int
    photos: int
    photos_left: int
    size_bytes: int
    is_for_review: bool = False


@dataclass(frozen=True)
class TakenIn:
    """What the street took from a bundle: new operations, those it had taken before, photos. `parted`: it was from a computer that may not write
    any more, and was kept for review.
    """

    path: Path
    replica: int
    fresh: int
    repeated: int
    photos: int
    pages: int
    parted: Parted | None = None


@dataclass
class TakenBack(RoundResult):
    """What a desk took from an answer. `is_stale`: it was taken before, or newer news came by another way; nothing was changed."""

    is_stale: bool = False
    photos: int = 0
    ticket: str = field(default="", repr=False)


def introduce(store: Store, actor: Actor, street: Street) -> None:
    """Exchange public keys with the street, once: from then on bundles can be carried. Keys that the street changes come with the tickets."""
    with store.read() as reader:
        if street_keys_here(reader):
            return
    mine = Keys.from_seed(desk_seed(store, actor)).public
    greeting = street.greet(Hello(SPOKEN.highest, store.replica, keys=mine, lowest=SPOKEN.lowest))
    if len(greeting.keys) == PUBLIC_BYTES:
        with store.unit(actor) as unit:
            keep_street_keys(unit, greeting.keys)


@dataclass
class DeskBundles:
    """A desk's side."""

    store: Store
    blobs: BlobStore
    actor: Actor
    street_id: str

    def write(self, path: Path, progress: Progress = quiet, ticket: Ticket | None = None) -> Written:
        """Write what waits to `path`. Refuses with ``bundle.no_keys`` at a desk that never spoke with its street."""
        street = self._street_keys()
        requests = _all_requests(self.store)
        with self.store.read() as reader:
            waiting = unsent_photos(reader, self.store.replica)
        photos, total, left = [], 0, 0
        for number, (sha256, _size) in enumerate(waiting):
            if ticket is not None:
                ticket.check()
            data = self.blobs.get(sha256)
            if data is None:
                continue
            if total + len(data) > _PHOTO_BYTES:
                left += 1
                continue
            total += len(data)
            photos.append((sha256, data))
            progress(number + 1, len(waiting), N_("Packing photos"))
        header = Header(False, self.street_id, self.store.replica, self.store.clock())
        words = words_beside(self.store, [op for r in requests for op in r.ops])
        content = msgspec.msgpack.encode(_Outward([encode(r) for r in requests], photos, encode(words)))
        sealed = seal(header, content, self._keys(), street)
        write_whole(path, sealed)
        return Written(path, sum(len(r.ops) for r in requests), len(photos), left, len(sealed), words.is_rescue)

    def take_back(self, path: Path, progress: Progress = quiet, ticket: Ticket | None = None) -> TakenBack:
        """Take in the street's answer, page by page: whatever interrupts it, the pages taken stay and the rest follows when the file is taken
        again. Refuses with ``bundle.*`` what is not this desk's answer, before anything is changed. At a desk that may not write any more the
        verdicts are noted, and what became of it is raised: ``sync.fork`` or ``bundle.removed``.
        """
        envelope = _read(path)
        _check_address(header_of(envelope), self.street_id, is_return=True)
        if header_of(envelope).replica != self.store.replica:
            raise _other_desk(header_of(envelope).replica)
        _header, content = open_sealed(envelope, self._keys(), self._street_keys())
        told = _decoded(content, _Homeward)
        if told.parting is not None:
            hear_parting(self.store, told.parting)
            self._mark_photos(told.photos)
            raise told_after(self.store, told.parting)
        pages = [(_request(asked), decode_answer(answer)) for asked, answer in told.pages]
        with self.store.read() as reader:
            first_n = outbox.highest_acknowledged(reader.connection)
            if is_copy(reader):
                raise fork()
        result, taken = TakenBack(ticket=told.ticket), 0
        for number, (request, answer) in enumerate(pages):
            if ticket is not None:
                ticket.check()
            try:
                absorbed = absorb(self.store, request, answer)
            except Refusal as refusal:
                if refusal.code == FORK:
                    note_copy(self.store)  # from now on what is written here is last words
                raise
            if not absorbed.is_stale:
                note_absorbed(result, absorbed, self.store.clock)
                taken += 1
            progress(number + 1, len(pages), N_("Receiving"))
        if len(told.keys) == PUBLIC_BYTES and taken:
            with self.store.unit(self.actor) as unit:
                keep_street_keys(unit, told.keys)
        result.is_stale, result.skew_ms = taken == 0, 0  # a file's age says nothing about clocks
        self._note_photos(result, told, pages[-1][1].epoch if pages else "")
        with self.store.read() as reader:
            refused = outbox.receipts(reader, 500, states=("refused",))
        result.refused = [r for r in refused if r.n > first_n]
        return result

    def _note_photos(self, result: TakenBack, told: _Homeward, epoch: str) -> None:
        """The street has them, unless it began another life since."""
        with self.store.read() as reader:
            if get_meta(reader, "street_epoch") != epoch:
                return
        result.photos = self._mark_photos(told.photos)

    def _mark_photos(self, photos: Sequence[tuple[str, int]]) -> int:
        here = [(sha256, size) for sha256, size in photos if self.blobs.has(sha256)]
        for sha256, size in here:
            mark_photo_sent(self.store, sha256, size)
        return len(here)

    def _keys(self) -> Keys:
        return Keys.from_seed(desk_seed(self.store, self.actor))

    def _street_keys(self) -> bytes:
        with self.store.read() as reader:
            known = street_keys_here(reader)
        if not known:
            raise Refusal(
                "bundle.no_keys",
                N_("This computer has not exchanged keys with its street yet."),
                N_("Synchronise over a network once; from then on everything can be carried by hand."),
            )
        return known


def _all_requests(store: Store) -> list[Request]:
    """Everything that waits, in requests of moderate size; at least one, which carries the positions."""
    requests = [prepare(store, LARGEST_PAGE, _BATCH_BYTES, is_first=True)]
    total = 0
    while requests[-1].ops and total < _OP_BYTES:
        total += len(encode(requests[-1]))
        more = prepare(store, LARGEST_PAGE, _BATCH_BYTES, after_n=requests[-1].ops[-1].n)
        if not more.ops:
            break
        requests.append(more)
    return requests


@dataclass
class StreetBundles:
    """The street's side. `seed`: the street's data key; `former`: private keys from before it was changed."""

    store: Store
    replica: Replica
    blobs: BlobStore
    seed: bytes
    street_id: str
    ticket_for: Callable[[Actor], str] = lambda _actor: ""
    former: Sequence[bytes] = ()

    def take(self, path: Path, out: Path, progress: Progress = quiet) -> TakenIn:
        """Take in a desk's bundle and write the answer to `out`.

        Of a computer that was removed, or turns out to be a copy, all is kept for review and none applied.

        Refuses with ``bundle.*`` what is not for this street or was not written by the device it names, ``auth.*`` and ``handover.*`` a device
        from which nothing is taken, ``sync.*`` like an exchange over a network.
        """
        envelope = _read(path)
        header = header_of(envelope)
        _check_address(header, self.street_id, is_return=False)
        with self.store.read() as reader:
            actor = actor_of_device(reader, header.replica)
            device = device_keys(reader, header.replica)
            is_removed = source_of(reader, header.replica).is_removed
        if not device:
            raise Refusal(
                "bundle.unknown_device",
                N_("The street has no keys of computer {replica}."),
                N_("That computer must synchronise over a network once; its work stays on it."),
                replica=header.replica,
            )
        keys, header, content = self._opened(envelope, device)
        brought = _decoded(content, _Outward)
        requests = [_request(body) for body in brought.requests]
        if not requests or any(r.replica != header.replica for r in requests):
            raise unreadable("device")
        words = _words(brought, requests[0])
        is_parting, is_found = is_removed or words.is_rescue, False
        pages: list[tuple[bytes, bytes]] = []
        fresh = repeated = 0
        if not is_parting:
            try:
                pages, fresh, repeated = self._exchange(actor, requests, progress)
            except Refusal as refusal:
                if refusal.code != FORK or not brought.words:
                    raise
                is_parting = is_found = True
                words = msgspec.structs.replace(words, is_rescue=True)
        if is_parting:
            counter = Counter(self.store, self.replica, self.blobs)
            parted = counter.take(actor, words, requests, progress)
            counter.file_photos(actor, parted, brought.photos)
            home = _Homeward([], parted.photos, parting=parted.homeward(is_found))
            taken = TakenIn(
                out, header.replica, parted.fresh, parted.repeated, len(parted.photos), len(parted.answers), parted
            )
        else:
            photos = self._file_photos(actor, brought.photos)
            home = _Homeward(pages, photos, self.ticket_for(actor), Keys.from_seed(self.seed).public)
            taken = TakenIn(out, header.replica, fresh, repeated, len(photos), len(pages))
        back = Header(True, self.street_id, header.replica, self.store.clock())
        write_whole(out, seal(back, msgspec.msgpack.encode(home), keys, device))
        return taken

    def _opened(self, envelope: bytes, device: bytes) -> tuple[Keys, Header, bytes]:
        """The keys that the desk knew when it wrote, with what they open; the answer is signed with the same, or it would not believe it."""
        mine = [Keys.from_seed(self.seed), *(Keys.from_private(private) for private in reversed(self.former))]
        for keys in mine[:-1]:
            try:
                return keys, *open_sealed(envelope, keys, device)
            except Refusal as refusal:
                if refusal.code != "bundle.unreadable":
                    raise
        return mine[-1], *open_sealed(envelope, mine[-1], device)

    def _exchange(
        self, actor: Actor, requests: list[Request], progress: Progress
    ) -> tuple[list[tuple[bytes, bytes]], int, int]:
        """The desk's requests one after the other, each from where the answer before it ended, then pages until nothing is missing."""
        pages: list[tuple[bytes, bytes]] = []
        fresh = repeated = size = 0
        asked, waiting = requests[0], requests[1:]
        known = self.replica.greet(actor, Hello(SPOKEN.highest, actor.replica)).last_n
        while True:
            # The street's own time: how old a file is says nothing about the desk's clock.
            asked = msgspec.structs.replace(asked, at=self.store.clock(), page=LARGEST_PAGE, reads=0)
            answer = self.replica.anchored(actor, asked, self.replica.exchange(actor, asked))
            fresh += sum(v.n > known for v in answer.verdicts)
            repeated += sum(v.n <= known for v in answer.verdicts)
            pages.append((encode(_bare(asked)), encode(answer)))
            size += len(pages[-1][1])
            progress(len(pages), 0, N_("Answering"))
            if ((answer.complete or self.replica.drains(asked)) and not waiting) or size > _ANSWER_BYTES:
                return pages, fresh, repeated
            ops = waiting.pop(0).ops if waiting else []
            cursors = answer.cursors or asked.cursors
            asked = msgspec.structs.replace(asked, epoch=answer.epoch, cursors=cursors, ops=ops, audit=None)

    def _file_photos(self, actor: Actor, photos: list[tuple[str, bytes]]) -> list[tuple[str, int]]:
        """Those whose record this device may write and whose content is what its name says; the others are simply not confirmed."""
        filed = []
        for sha256, data in photos:
            try:
                with self.store.read() as reader:
                    require_sendable_blob(reader, actor, sha256)
                self.blobs.put(sha256, data)
            except Refusal as refusal:
                if refusal.code not in ("blob.missing", "blob.damaged"):
                    raise
                continue
            filed.append((sha256, len(data)))
        return filed


def _bare(request: Request) -> Request:
    """What was asked, without what the desk has itself: its operations and the lines of its log."""
    audit = request.audit and msgspec.structs.replace(request.audit, rows=[])
    return msgspec.structs.replace(request, ops=[], audit=audit)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_BUNDLE:
            raise too_large()
        return path.read_bytes()
    except OSError as error:
        raise Refusal(
            "bundle.cannot_read",
            N_("{path} cannot be read: {why}."),
            N_("Check that the stick is in and the name is right."),
            path=path,
            why=error.strerror or error,
        ) from error


def _request(body: bytes) -> Request:
    message = decode_request(body)
    if not isinstance(message, Request):
        raise unreadable("hello")
    return message


def _words(brought: _Outward, first: Request) -> LastWords:
    """What the operations need to be last words; a bundle of version 0.1.0 has no more than the request itself says."""
    if not brought.words:
        return LastWords(first.protocol, first.replica, first.at, lowest=first.lowest)
    words = decode_last_words(brought.words)
    if words.replica != first.replica or words.ops or words.is_end:
        raise unreadable("words")
    return words


def _decoded(content: bytes, shape: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(content, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable("content") from error


def _check_address(header: Header, street_id: str, *, is_return: bool) -> None:
    if header.street_id != street_id:
        raise Refusal(
            "bundle.other_street",
            N_("The bundle belongs to another street."),
            N_("Take it to the street whose desk wrote it; nothing of it was used here."),
        )
    if header.is_return != is_return:
        raise Refusal(
            "bundle.wrong_way",
            N_("The file goes the other way: it is the desk's bundle, not the street's answer.")
            if is_return
            else N_("The file goes the other way: it is the street's answer, not a desk's bundle."),
            N_("Take a desk's bundle to the street, and the street's answer to that desk."),
        )


def _other_desk(replica: int) -> Refusal:
    return Refusal(
        "bundle.other_desk",
        N_("The answer is for another desk (number {replica})."),
        N_("Take it back at the desk that wrote the bundle; nothing of it was used here."),
        replica=replica,
    )
