"""Telling desks that the street has something for them (sync design D12). A desk holds one connection open; on it come pokes, the number of
the last change and nothing more, and the desk then synchronises as usual.

While somebody waits, the server looks into the data once in a while: one small question, however many wait, which also sees what other
processes wrote. Changes between two looks are one poke. A change that concerns everyone wakes the desks a few at a time.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from gridman.domain.access import REF
from gridman.kernel.log import get_log
from gridman.server.queue import busy
from gridman.services.monitoring import News

__all__ = ["Line", "Pokes"]

_log = get_log(__name__)
Look = Callable[[News | None, frozenset[str]], Awaitable[News]]


@dataclass(eq=False)
class Line:
    """One desk's open connection. `told`: the last number it was told; `seq`: the last that concerns it."""

    desk: int
    scopes: frozenset[str]
    told: int
    seq: int
    is_over: bool = False
    event: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def has_news(self) -> bool:
        """Whether there is something that the desk was not told."""
        return self.seq > self.told

    async def news(self, within_s: float) -> bool:
        """Wait for news; false when nothing came within the time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.event.wait()
        self.event.clear()
        return self.has_news

    def end(self) -> None:
        """Have the connection end, after what it is still to tell."""
        self.is_over = True
        self.event.set()


class Pokes:
    """The desks that wait. Used on the event loop only. At most `most` wait; a look every `every_s`; `per_s` desks are woken in a second."""

    def __init__(self, look: Look, most: int, every_s: float, per_s: float, chance: random.Random) -> None:
        self._look, self._most, self._every_s, self._per_s, self._chance = look, most, every_s, per_s, chance
        self._lines: dict[int, Line] = {}
        self._to_wake: deque[Line] = deque()
        self._before: News | None = None
        self._watching: asyncio.Task[None] | None = None
        self.is_stopped = False

    def __len__(self) -> int:
        return len(self._lines)

    def require_room(self, desk: int) -> None:
        """Refuse with ``http.busy`` when too many wait."""
        if desk not in self._lines and len(self._lines) >= self._most:
            raise busy(self._chance)

    async def join(self, desk: int, scopes: Iterable[str], after: int) -> Line:
        """A desk begins to wait; `after`: the number up to which it has everything. One connection per desk: an older one ends."""
        if self._before is None:
            found = await self._look(None, frozenset())
            self._before = self._before or found  # of several that come at once the first counts from where it looked
        line = Line(desk, frozenset(scopes) | {REF}, after, self._before.seq)
        older = self._lines.get(desk)
        self._lines[desk] = line
        if older is not None:
            older.end()
        if line.has_news:
            line.event.set()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        return line

    def leave(self, line: Line) -> None:
        """The connection is gone."""
        if self._lines.get(line.desk) is line:
            del self._lines[line.desk]

    def stop(self) -> None:
        """The server stops: every connection ends."""
        self.is_stopped = True
        for line in list(self._lines.values()):
            line.end()

    async def _watch(self) -> None:
        """Look until nobody waits. A database that does not answer is no end: the desks' own rounds tell of it."""
        try:
            while self._lines and not self.is_stopped:
                await asyncio.sleep(self._every_s)
                try:
                    await self._see()
                except Exception as error:
                    _log.warning("no look at the news: %s", type(error).__name__)
                self._wake()
        finally:
            self._watching, self._before = None, None

    async def _see(self) -> None:
        before, asked = self._before, set(self._lines.values())
        scopes: frozenset[str] = frozenset().union(*(line.scopes for line in asked))
        news = await self._look(before, scopes)
        self._before = news
        for line in self._lines.values():
            is_revoked = line.desk in news.revoked
            # Nobody asked for the scopes of who came while the look lasted, and no later look goes back that far.
            may_concern = line not in asked and before is not None and news.seq != before.seq
            if is_revoked or may_concern or line.scopes & news.scopes:
                if not line.has_news:
                    self._to_wake.append(line)
                line.seq = news.seq
            if is_revoked:
                line.told = -1  # told even when no record changed: its next call says what became of it
                line.end()

    def _wake(self) -> None:
        for _turn in range(min(len(self._to_wake), max(1, round(self._per_s * self._every_s)))):
            self._to_wake.popleft().event.set()
