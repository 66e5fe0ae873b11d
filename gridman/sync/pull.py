"""What the street gives a desk in one answer: what changed in its scopes since its positions, and the snapshots that a new scope begins
with; in the order in which a screen needs it, bounded in rows and bytes.
"""

import heapq
import time
from typing import Any

from gridman.domain.access import MAP, REF, Actor
from gridman.services.access import scopes_of_user
from gridman.store.feed_pages import cells_of, clock_of, entries_after, rows_of, scopes_with_news
from gridman.store.feed_scopes import held_elsewhere
from gridman.store.pushed import last_pushed
from gridman.store.unit import Reader
from gridman.sync.checking import check_of
from gridman.sync.codec import pack_rows
from gridman.sync.protocol import ALL, LARGEST_PAGE, Answer, Cursor, Entry, Partly, Request, Rows, Segment, Verdict
from gridman.sync.snapshots import FORMAT, Manifest, Snapshots

__all__ = ["pull"]

_BLOCK = 500
_PAGE_BYTES = 1 << 20
_NEAR = 10_000
_SCOPE_ORDER = {REF: 0, "g": 1, "i": 2, "o": 3, MAP: 4}
_PHASES = {"o": 2, MAP: 3}
_HISTORY = 1
"""References, registers and incidents are phase 0, then history, then what organisations have besides, then the base map."""


def pull(
    reader: Reader, version: int, actor: Actor, request: Request, verdicts: list[Verdict], snapshots: Snapshots | None
) -> Answer:
    """What the desk does not have yet, at most one page of it."""
    connection = reader.connection
    seq, epoch = clock_of(connection)
    scopes = scopes_of_user(reader, actor.user_id)
    known = {c.scope: c for c in request.cursors}
    partly = {p.scope: p for p in request.partly if p.scope not in known}
    is_reset = bool(request.epoch and request.epoch != epoch) or any(c.seq > seq for c in request.cursors)
    drops = sorted((known.keys() | partly.keys()) - scopes)
    if is_reset:
        known, partly = {}, {}
    page = _Page(reader, seq, max(1, min(request.page, LARGEST_PAGE)))
    page.received = {c.scope: c.seq for c in known.values() if c.after_id == ALL and c.scope in scopes}
    segments: list[Segment] = []
    order = sorted(scopes, key=_scope_order)
    if snapshots is not None and request.reads >= FORMAT and scopes - known.keys():
        sending = _Sending(reader, page, snapshots, epoch, partly)
        cursors = sending.run(order, known)
        segments = sending.segments
    else:
        cursors = _pages(page, [known.get(s) or Cursor(s, 0, ALL) for s in order])
    is_complete = len(cursors) == len(scopes) and all(c.seq == seq and c.after_id == ALL for c in cursors)
    if (
        is_complete
        and not page.entries
        and not drops
        and not segments
        and cursors == [known.get(c.scope) for c in cursors]
    ):
        cursors = []  # nothing to say: the desk's positions are the street's
    check = check_of(reader, request.check) if request.check in scopes and is_complete and not segments else None
    return Answer(
        version, epoch, seq, reader.now, last_pushed(connection, actor.replica), verdicts, page.rows(), page.entries, drops,
        cursors, is_complete, is_reset, None, segments, check,
    )  # fmt: skip


def _pages(page: "_Page", asked: list[Cursor]) -> list[Cursor]:
    since = min((c.seq + (c.after_id == ALL) for c in asked), default=0)
    # One question for all scopes while little is new; a first sync asks each scope by itself.
    is_near = all(c.seq for c in asked) and page.upto - since < _NEAR
    scopes = {c.scope for c in asked}
    news = scopes_with_news(page.connection, scopes, since) if is_near else scopes
    return [page.read(i, c) if c.scope in news else Cursor(c.scope, page.upto, ALL) for i, c in enumerate(asked)]


def _scope_order(scope: str) -> tuple[int, str]:
    return _SCOPE_ORDER.get(scope, _SCOPE_ORDER.get(scope.partition(":")[0], 9)), scope


class _Sending:
    """An answer in which scopes begin: snapshots for the large ones, pages for the small ones and for what is known already."""

    def __init__(
        self, reader: Reader, page: "_Page", snapshots: Snapshots, epoch: str, partly: dict[str, Partly]
    ) -> None:
        self._reader, self._page, self._snapshots, self._epoch, self._partly = reader, page, snapshots, epoch, partly
        self._room = snapshots.room(page.left)
        self._until = time.monotonic() + snapshots.making_s
        self._open: dict[str, tuple[Manifest, int]] = {}
        self._cursors: list[Cursor] = []
        self.segments: list[Segment] = []

    def run(self, order: list[str], known: dict[str, Cursor]) -> list[Cursor]:
        """Fill the answer; returns how far each scope is received with it. Scopes that go on in the next answer are left out."""
        queue = [(_PHASES.get(s.partition(":")[0], 0), place, s) for place, s in enumerate(order)]
        heapq.heapify(queue)
        while queue and self._room > 0 and not self._page.is_full:
            phase, place, scope = heapq.heappop(queue)
            if scope in known:
                self._turn_page(known[scope])
                continue
            found = self._open.get(scope) or self._begin(scope)
            if found is None:
                if self._snapshots.pays(self._reader, scope) and time.monotonic() >= self._until:
                    queue = [(phase, place, scope), *queue]
                    break
                self._turn_page(Cursor(scope, 0, ALL))
            elif self._phase(found) > phase:
                self._open[scope] = found
                heapq.heappush(queue, (self._phase(found), place, scope))
            elif self._send(*found):
                heapq.heappush(queue, (self._phase(self._open[scope]), place, scope))
        return self._cursors + [known[s] for _, _, s in queue if s in known]

    def _begin(self, scope: str) -> tuple[Manifest, int] | None:
        """The snapshot and the number of the segment that comes next; None for a scope that is sent as pages, or that waits."""
        begun = self._partly.get(scope)
        if begun is not None:
            manifest = self._snapshots.goes_on(self._reader, scope, self._epoch, self._page.upto, begun.snapshot)
            if manifest is not None and 0 <= begun.next < len(manifest.sizes):
                return manifest, begun.next
        if not self._snapshots.pays(self._reader, scope):
            return None
        ready = self._snapshots.ready(self._reader, scope, self._epoch, self._page.upto)
        if ready is None and time.monotonic() < self._until:
            ready = self._snapshots.make(self._reader, scope, self._epoch, self._page.upto)
        return None if ready is None else (ready, 0)

    def _phase(self, found: tuple[Manifest, int]) -> int:
        manifest, number = found
        return max(_PHASES.get(manifest.scope.partition(":")[0], 0), _HISTORY if number >= manifest.later else 0)

    def _send(self, manifest: Manifest, number: int) -> bool:
        """Add a segment; after the last one also what changed since. Returns whether the scope goes on."""
        data, scope = self._snapshots.data(manifest, number), manifest.scope
        if data is None:  # another one took its place at this moment: the next answer begins with that
            self._room = 0
            return False
        count = len(manifest.sizes)
        hashes = [] if number else manifest.hashes
        self.segments.append(Segment(scope, manifest.ident, manifest.seq, number, count, data, hashes))
        self._room -= len(data)
        if number + 1 < count:
            self._open[scope] = manifest, number + 1
            return True
        self._page.received[scope] = manifest.seq
        self._turn_page(Cursor(scope, manifest.seq, ALL))
        return False

    def _turn_page(self, cursor: Cursor) -> None:
        self._cursors.append(self._page.read(len(self._cursors), cursor))


class _Page:
    """One answer in the making: entries of several scopes, each row once, bounded in rows and bytes. `received`: scopes of which the desk
    has everything up to a number before it takes these rows in.
    """

    def __init__(self, reader: Reader, upto: int, limit: int) -> None:
        self.connection = reader.connection
        self.upto = upto
        self.left = limit
        self._bytes = 0
        self._taken: set[int] = set()
        self._rows: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {}
        self.received: dict[str, int] = {}
        self.entries: list[Entry] = []
        self.is_full = False

    def read(self, index: int, cursor: Cursor) -> Cursor:
        """Take what the scope has after `cursor`, the answer's cursor number `index`; returns how far it was taken."""
        seq, after_id = cursor.seq, cursor.after_id
        is_new = seq == 0
        while not self.is_full:
            wanted = min(self.left, _BLOCK)
            found = entries_after(self.connection, cursor.scope, seq, after_id, self.upto, wanted + 1)
            block = found[:wanted]
            self._take(index, block, is_new)
            if block:
                seq, after_id = block[-1][0], block[-1][1]
            if len(found) <= wanted:
                return Cursor(cursor.scope, max(self.upto, cursor.seq), ALL)
            self.is_full = self.left <= 0 or self._bytes > _PAGE_BYTES
        if entries_after(self.connection, cursor.scope, seq, after_id, self.upto, 1):
            return Cursor(cursor.scope, seq, after_id)
        return Cursor(cursor.scope, max(self.upto, cursor.seq), ALL)

    def _take(self, index: int, block: list[tuple[int, int, str, bool]], is_new: bool) -> None:
        self.left -= len(block)
        by_kind: dict[str, list[int]] = {}
        for seq, record_id, kind, is_exit in block:
            self.entries.append(Entry(record_id, index, kind, seq, is_exit))
            if not is_exit and record_id not in self._taken:
                self._taken.add(record_id)
                by_kind.setdefault(kind, []).append(record_id)
        if is_new and self.received:  # an incident comes with its grid already when its organisation's turn comes
            held = held_elsewhere(self.connection, [i for ids in by_kind.values() for i in ids], self.received)
            by_kind = {kind: [i for i in ids if i not in held] for kind, ids in by_kind.items()}
        for kind, ids in by_kind.items():
            columns, rows = rows_of(self.connection, kind, ids)
            self._rows.setdefault(kind, (columns, []))[1].extend(rows)
            self._bytes += sum(len(v) for row in rows for v in row if isinstance(v, str | bytes))

    def rows(self) -> list[Rows]:
        """The rows taken, with who last edited which field."""
        parts = []
        for kind, (columns, rows) in self._rows.items():
            cells = cells_of(self.connection, [row[0] for row in rows])
            edited = [(i, cells[row[0]]) for i, row in enumerate(rows) if row[0] in cells]
            parts.append(pack_rows(kind, columns, rows, edited))
        return parts
