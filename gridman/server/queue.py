"""Who is served next. Each desk waits in a line of its own and the lines are served in turn, one call of a desk at a time, so that a desk
which sends much slows itself and nobody else. All lines are short: what does not fit is told when to come again.
"""

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["FairQueue", "busy", "stopping"]

_COME_AGAIN_S = (5, 30)
_BACK_S = (10, 60)


def busy(chance: random.Random) -> Refusal:
    """There is more to do than the server can hold. When to come again differs from caller to caller, so that they do not all come at once."""
    return Refusal(
        "http.busy",
        N_("The street server has too much to do at the moment."),
        N_("Nothing was lost: this computer tries again by itself in {seconds} seconds."),
        seconds=chance.randint(*_COME_AGAIN_S),
    )


def stopping(chance: random.Random) -> Refusal:
    """The server finishes what is under way and takes nothing new."""
    return Refusal(
        "server.stopping",
        N_("The street server is being stopped or restarted."),
        N_("Nothing was lost: this computer tries again by itself in {seconds} seconds."),
        seconds=chance.randint(*_BACK_S),
    )


@dataclass
class _Waiting:
    turn: asyncio.Future[None]
    size: int


class FairQueue:
    """Turns for `at_once` calls. At most `per_desk` calls of a desk, `waiting` of all and `waiting_bytes` of what they sent wait. Used on the
    event loop only.
    """

    def __init__(
        self, at_once: int, per_desk: int, waiting: int, waiting_bytes: int, within_s: float, chance: random.Random
    ) -> None:
        self._free = at_once
        self._per_desk, self._most, self._most_bytes, self._within_s = per_desk, waiting, waiting_bytes, within_s
        self._chance = chance
        self._lines: OrderedDict[int, deque[_Waiting]] = OrderedDict()  # the line at the front is served next
        self._running: set[int] = set()
        self._bytes = 0
        self.shed = 0

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return sum(map(len, self._lines.values()))

    @property
    def running(self) -> int:
        """How many calls have their turn now."""
        return len(self._running)

    @asynccontextmanager
    async def turn(self, desk: int, size: int = 0) -> AsyncIterator[None]:
        """Wait for the desk's turn and hold it for the block. Refuses with ``http.busy`` when the line is full or does not move."""
        await self._wait(desk, size)
        try:
            yield
        finally:
            self._give_back(desk)

    async def _wait(self, desk: int, size: int) -> None:
        line = self._lines.get(desk, ())
        full = len(line) >= self._per_desk or self.waiting >= self._most or self._bytes + size > self._most_bytes
        # A message larger than all that may wait still gets its turn when nobody else waits.
        if full and (self._lines or desk in self._running or self._free <= 0):
            self.shed += 1
            raise busy(self._chance)
        mine = _Waiting(asyncio.get_running_loop().create_future(), size)
        self._lines.setdefault(desk, deque()).append(mine)
        self._bytes += size
        self._call_next()
        try:
            async with asyncio.timeout(self._within_s):
                await mine.turn
        except BaseException as error:
            if mine.turn.done() and not mine.turn.cancelled():  # called in the very moment of giving up
                self._give_back(desk)
            else:
                self._leave(desk, mine)
            if isinstance(error, TimeoutError):
                self.shed += 1
                raise busy(self._chance) from error
            raise

    def _give_back(self, desk: int) -> None:
        """The turn is over: who came meanwhile goes first."""
        self._running.discard(desk)
        self._free += 1
        if desk in self._lines:
            self._lines.move_to_end(desk)
        self._call_next()

    def _call_next(self) -> None:
        while self._free > 0:
            desk = next((d for d in self._lines if d not in self._running), None)
            if desk is None:
                return
            mine = self._lines[desk][0]
            self._leave(desk, mine)
            if not mine.turn.done():
                self._free -= 1
                self._running.add(desk)
                mine.turn.set_result(None)

    def _leave(self, desk: int, mine: _Waiting) -> None:
        line = self._lines.get(desk)
        if line is None or mine not in line:
            return
        line.remove(mine)
        self._bytes -= mine.size
        if not line:
            del self._lines[desk]
