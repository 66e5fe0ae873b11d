"""Snapshots for a first synchronisation (sync design D7): all of a scope at one number of the feed, typed column by column, compressed hard,
cut into segments that a desk keeps one by one. The street makes one ahead (`preparing`) or when a desk first needs it, and gives it to every
desk after that; who comes while one is being made waits for that one.

A snapshot is personal data, so on the disk it lies sealed like a photo. It is given only to a desk whose user has the scope today, and
made anew when a record has left the scope since, when much has changed, when the program's records are declared otherwise, and after a
day in any case: it never keeps a value much longer than the records do. Files that nobody asked for are removed as old.
"""

import hashlib
import os
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gridman.domain.catalog import NOUNS
from gridman.kernel.clock import Clock
from gridman.kernel.errors import Trouble
from gridman.kernel.files import write_whole
from gridman.kernel.log import get_log
from gridman.services.street import Street
from gridman.store.batches import batches
from gridman.store.feed_pages import cells_of, rows_of
from gridman.store.feed_scopes import changed_since, has_at_least, ids_of_scope
from gridman.store.turns import making_of
from gridman.store.unit import Reader
from gridman.sync.columns import pack_column

__all__ = ["FORMAT", "Manifest", "Snapshots", "ident_of", "snapshots_of"]

_log = get_log(__name__)

FORMAT = 1
LEAST_ROWS = 200
"""A scope with fewer records is sent as pages: a snapshot would not pay."""

LARGEST_SEGMENT = 64 << 10
"""Compressed: what a line of 13 kB/s brings between two cuts ten seconds apart. Fewer rows than fit cost a desk a transaction each (a twentieth
more computing at 2,000 rows, a quarter more at 1,000).
"""

SEGMENT_ROWS = 8_000
LEAST_BYTES = 48 << 10
ROW_BYTES = 160
MAKING_S = 2.0
_RAW_BYTES = 1 << 20
_MANY, _SHARE = 500, 10
_KEPT_MS = 86_400_000
_TIDY_S = 3_600.0
_REST_S = 600.0
_LEVEL = 17  # 19 takes twice the time for half a per cent
_CHUNK = 1_000
_NONCE = 12
_HEAD = struct.Struct(">I")
_LATER = frozenset({"visit", "attachment"})
"""History: what a desk can do without while the register is there already."""


class Manifest(msgspec.Struct, array_like=True, frozen=True):
    """What a snapshot is. `ident` names its content; `later`: the number of the first segment that holds history only."""

    format: int
    schema: bytes
    scope: str
    epoch: str
    seq: int
    made_at: int
    rows: int
    ident: bytes
    hashes: list[bytes]
    sizes: list[int]
    later: int


_Part = tuple[str, Sequence[str], int, list[Any], list[Any]]
"""Kind, columns, number of rows, packed columns, packed cells (row, field, version, who, when)."""


def ident_of(scope: str, seq: int, hashes: Sequence[bytes]) -> bytes:
    """The name of a snapshot's content."""
    return hashlib.sha256(msgspec.msgpack.encode([FORMAT, scope, seq, list(hashes)])).digest()[:16]


class Snapshots:
    """The snapshots of one street in `folder`, sealed with its 32-byte data key. `row_bytes`: what a row of the page
    that was asked for stands for in an answer of segments, but never less than `least_bytes` in all, and never less than one segment.
    `making_s`: an answer waits no longer than this for snapshots that
    have to be made first; the next one goes on.
    """

    def __init__(
        self,
        folder: Path,
        key: bytes,
        clock: Clock,
        *,
        least_rows: int = LEAST_ROWS,
        segment_rows: int = SEGMENT_ROWS,
        least_bytes: int = LEAST_BYTES,
        row_bytes: int = ROW_BYTES,
        making_s: float = MAKING_S,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._least_rows = least_rows
        self._segment_rows = segment_rows
        self._least_bytes, self._row_bytes = least_bytes, row_bytes
        self.making_s = making_s
        self._names = hashlib.blake2b(b"gridman snapshot names", key=key, digest_size=32).digest()
        self._sealer = AESGCM(hashlib.blake2b(b"gridman snapshot content", key=key, digest_size=32).digest())
        self._guard = threading.Lock()
        self._making: dict[str, threading.Lock] = {}
        self._awaited: Counter[str] = Counter()
        self._tidied = 0.0
        self._rests_until = 0.0

    def room(self, rows: int) -> int:
        """How many bytes of segments go into an answer when so many rows were asked for."""
        return max(self._least_bytes, rows * self._row_bytes)

    def pays(self, reader: Reader, scope: str) -> bool:
        """Whether the scope is large enough for a snapshot, and there is a place to keep it."""
        return time.monotonic() >= self._rests_until and has_at_least(reader.connection, scope, self._least_rows)

    def goes_on(self, reader: Reader, scope: str, epoch: str, seq: int, ident: bytes) -> Manifest | None:
        """The snapshot of which a desk has the beginning, while it may still be given."""
        found = self._read(scope)
        if found is None or found.ident != ident or not self._is_sound(found, epoch, seq):
            return None
        _changed, is_left = changed_since(reader.connection, scope, found.seq, 1)
        return None if is_left else found

    def ready(
        self, reader: Reader, scope: str, epoch: str, seq: int, most_age_ms: int = _KEPT_MS
    ) -> Manifest | None:  # fmt: skip
        """A snapshot that is there already and good to begin with, not older than `most_age_ms`."""
        self._tidy()
        found = self._read(scope)
        if found is None or not self._is_sound(found, epoch, seq) or self._clock() - found.made_at >= most_age_ms:
            return None
        many = max(_MANY, found.rows // _SHARE)
        changed, is_left = changed_since(reader.connection, scope, found.seq, many)
        return None if is_left or changed >= many else found

    def make(
        self, reader: Reader, scope: str, epoch: str, seq: int, most_age_ms: int = _KEPT_MS,
        pause: Callable[[str], None] | None = None,
    ) -> Manifest | None:  # fmt: skip
        """A snapshot to begin with, made now unless somebody else just did; None when it cannot be kept here (pages do it then). `pause` is
        called before each piece of the work and may end it with an exception.
        """
        with self._alone(scope), making_of(reader.connection, scope):
            found = self.ready(reader, scope, epoch, seq, most_age_ms)
            if found is not None:
                return found
            try:
                return self._write(scope, epoch, seq, list(_segments(reader, scope, self._segment_rows, pause)))
            except Trouble as trouble:
                _log.warning("no snapshot could be kept: %s", trouble)
                self._rests_until = time.monotonic() + _REST_S
                return None

    def is_awaited(self, scope: str) -> bool:
        """Whether somebody waits here for the snapshot that is being made."""
        return self._awaited[scope] > 0

    def is_young(self, scope: str, epoch: str, age_ms: int) -> bool:
        """Whether there is one of this program and this life, made no longer ago than that, good or not."""
        found = self._read(scope)
        is_ours = found is not None and found.epoch == epoch and found.schema == _schema()
        return is_ours and found is not None and 0 <= self._clock() - found.made_at < age_ms

    def bytes_on_disk(self) -> int:
        """How much all snapshots take."""
        try:
            return sum(path.stat().st_size for path in self._folder.iterdir())
        except OSError:
            return 0

    def data(self, manifest: Manifest, number: int) -> bytes | None:
        """A segment's bytes; None when the file is another one by now."""
        try:
            with self._path(manifest.scope).open("rb") as file:
                (length,) = _HEAD.unpack(file.read(_HEAD.size))
                file.seek(_HEAD.size + length + sum(manifest.sizes[:number]) + number * (_NONCE + 16))
                sealed = file.read(manifest.sizes[number] + _NONCE + 16)
            return self._open(sealed, manifest.scope, manifest.ident, number)
        except (OSError, struct.error):
            return None
        except InvalidTag:  # spoilt on the disk, unless another one took its place just now
            if (found := self._read(manifest.scope)) is not None and found.ident == manifest.ident:
                with suppress(OSError):
                    self._path(manifest.scope).unlink()
            return None

    def _is_sound(self, found: Manifest, epoch: str, seq: int) -> bool:
        """Of this life of the street's data, of now or before, of these declarations, and not too old."""
        age = self._clock() - found.made_at
        return (
            found.epoch == epoch
            and found.seq <= seq
            and found.schema == _schema()
            and -_TIDY_S * 1_000 < age < _KEPT_MS
        )

    @contextmanager
    def _alone(self, scope: str) -> Iterator[None]:
        """One makes the snapshot of a scope, whoever else wants it waits."""
        with self._guard:
            lock = self._making.setdefault(scope, threading.Lock())
            self._awaited[scope] += 1
        try:
            lock.acquire()
        finally:
            with self._guard:
                self._awaited[scope] -= 1
        try:
            yield
        finally:
            lock.release()

    def _path(self, scope: str) -> Path:
        return self._folder / hashlib.blake2b(scope.encode(), key=self._names, digest_size=20).hexdigest()

    def _read(self, scope: str) -> Manifest | None:
        try:
            with self._path(scope).open("rb") as file:
                (length,) = _HEAD.unpack(file.read(_HEAD.size))
                plain = self._open(file.read(min(length, 1 << 24)), scope, b"", -1)
            return msgspec.msgpack.decode(plain, type=Manifest)
        except (OSError, struct.error, InvalidTag, msgspec.MsgspecError):
            return None

    def _write(self, scope: str, epoch: str, seq: int, made: Sequence[tuple[bytes, int, bool]]) -> Manifest:
        hashes = [hashlib.sha256(data).digest() for data, _, _ in made]
        ident = ident_of(scope, seq, hashes)
        later = sum(not is_later for _, _, is_later in made)
        found = Manifest(
            FORMAT, _schema(), scope, epoch, seq, self._clock(), sum(rows for _, rows, _ in made), ident, hashes,
            [len(data) for data, _, _ in made], later,
        )  # fmt: skip
        head = self._seal(msgspec.msgpack.encode(found), scope, b"", -1)
        sealed = [self._seal(data, scope, ident, number) for number, (data, _, _) in enumerate(made)]
        write_whole(self._path(scope), b"".join([_HEAD.pack(len(head)), head, *sealed]))
        return found

    def _seal(self, data: bytes, scope: str, ident: bytes, number: int) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._sealer.encrypt(nonce, data, _bound(scope, ident, number))

    def _open(self, sealed: bytes, scope: str, ident: bytes, number: int) -> bytes:
        if len(sealed) < _NONCE + 16:
            raise InvalidTag
        return self._sealer.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(scope, ident, number))

    def _tidy(self) -> None:
        """Now and then remove what is too old to be given: nobody has asked for it."""
        if self._tidied and time.monotonic() - self._tidied < _TIDY_S:
            return
        self._tidied = time.monotonic()
        oldest = (self._clock() - _KEPT_MS) / 1_000
        with suppress(OSError):
            for path in self._folder.iterdir():
                with suppress(OSError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()


def snapshots_of(street: Street) -> Snapshots:
    """The snapshots of a street, in its folder."""
    return Snapshots(street.data_dir / "snapshots", street.key, street.clock)


def _bound(scope: str, ident: bytes, number: int) -> bytes:
    return msgspec.msgpack.encode([scope, ident, number])


def _schema() -> bytes:
    """Which records, with which columns: another version of the program makes its snapshots anew."""
    return hashlib.sha256(msgspec.msgpack.encode([[n.kind, list(n.columns)] for n in NOUNS])).digest()[:8]


def _segments(
    reader: Reader, scope: str, most: int, pause: Callable[[str], None] | None
) -> Iterator[tuple[bytes, int, bool]]:  # fmt: skip
    """(data, number of rows, whether it is history) of each segment: first what a screen needs, then what happened."""
    ids = ids_of_scope(reader.connection, scope)
    order = [n.kind for n in NOUNS if n.kind in ids]
    is_cut = False
    for is_later in (False, True):
        gathered = _Gathered(most)
        for kind in order:
            if (kind in _LATER) is is_later:
                for part in batches(ids[kind], min(_CHUNK, most)):
                    if pause is not None:
                        pause(scope)
                    gathered.add(reader, kind, part)
                    if gathered.is_full:
                        yield from ((data, rows, is_later) for data, rows in gathered.cut())
                        is_cut = True
        if gathered.rows:
            yield from ((data, rows, is_later) for data, rows in gathered.cut())
            is_cut = True
    if not is_cut:
        yield _compressed([]), 0, False


class _Gathered:
    """Rows on their way into a segment."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_kind: dict[str, tuple[Sequence[str], list[tuple[Any, ...]], dict[int, list[Any]]]] = {}
        self.rows = self._bytes = 0

    @property
    def is_full(self) -> bool:
        return self.rows >= self._most or self._bytes >= _RAW_BYTES

    def add(self, reader: Reader, kind: str, ids: Sequence[int]) -> None:
        columns, rows = rows_of(reader.connection, kind, ids)
        rows.sort()
        cells = cells_of(reader.connection, ids)
        known = self._by_kind.setdefault(kind, (columns, [], {}))
        known[1].extend(rows)
        known[2].update(cells)
        self.rows += len(rows)
        for row in rows:
            self._bytes += 2 * sum([len(v) for v in row if v.__class__ is str or v.__class__ is bytes])

    def cut(self) -> Iterator[tuple[bytes, int]]:
        """What was gathered, as one segment, or as several where one would be too large."""
        taken = [(kind, columns, rows, cells) for kind, (columns, rows, cells) in self._by_kind.items()]
        self._by_kind, self.rows, self._bytes = {}, 0, 0
        yield from _cut(taken)


def _cut(
    taken: list[tuple[str, Sequence[str], list[tuple[Any, ...]], dict[int, list[Any]]]],
) -> Iterator[tuple[bytes, int]]:
    count = sum(len(rows) for _, _, rows, _ in taken)
    data = _compressed([_part(*one) for one in taken if one[2]])
    if len(data) <= LARGEST_SEGMENT or count <= 1:
        yield data, count
        return
    half, first, second = count // 2, [], []
    for kind, columns, rows, cells in taken:
        place = max(0, min(len(rows), half))
        half -= len(rows)
        first.append((kind, columns, rows[:place], cells))
        second.append((kind, columns, rows[place:], cells))
    yield from _cut(first)
    yield from _cut(second)


def _part(kind: str, columns: Sequence[str], rows: list[tuple[Any, ...]], cells: dict[int, list[Any]]) -> _Part:
    packed = [pack_column(column) for column in zip(*rows, strict=True)]
    edited = [(i, *cell) for i, row in enumerate(rows) for cell in cells.get(row[0], ())]
    told = [len(edited), *(pack_column(column) for column in zip(*edited, strict=True))] if edited else []
    return kind, columns, len(rows), packed, told


def _compressed(parts: list[_Part]) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(msgspec.msgpack.encode(parts))
