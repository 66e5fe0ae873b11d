"""While nobody asks for anything, the server makes the snapshots that new desks will begin with (`sync.preparing`).

It gives way between any two pieces of the work, some tens of milliseconds each, as long as a call is under way, and gives up when that takes
long; only the snapshot that a desk waits for is finished first.
"""

import asyncio
import threading
import time
from typing import Protocol

import anyio.to_thread

from gridman.kernel.errors import Refusal
from gridman.kernel.log import get_log
from gridman.kernel.progress import Cancelled
from gridman.services.street import Street
from gridman.sync.preparing import last_change, prepare
from gridman.sync.snapshots import Snapshots

__all__ = ["Preparing"]

_log = get_log(__name__)
QUIET_S = 3.0
"""So long nobody may have asked for anything."""

AGAIN_S = 60.0
"""So long after a whole pass the next one begins at the earliest, and only if something changed."""

RENEW_S = 3_600.0
_LOOK_S = 0.5
_PATIENCE_S = 5.0
_STEP_S = 0.02


class Calls(Protocol):
    """What is under way at the server."""

    @property
    def calls_under_way(self) -> int: ...

    @property
    def quiet_since(self) -> float: ...


class Preparing:
    """The work of one server process; of several that serve one street, one does it. `quiet_s`: see QUIET_S."""

    def __init__(self, street: Street, snapshots: Snapshots, calls: Calls, quiet_s: float = QUIET_S) -> None:
        self._street, self._snapshots, self._calls = street, snapshots, calls
        self.quiet_s = quiet_s
        self._stopping = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._done_at, self._done_seq = float("-inf"), -1

    def start(self) -> None:
        """Begin to look for quiet moments. On the event loop."""
        self._task = asyncio.create_task(self._look())

    def give_up(self) -> None:
        """End what is under way, between two pieces of the work."""
        self._stopping.set()

    async def stop(self) -> None:
        """Give up, and wait until all is let go."""
        self.give_up()
        if self._task is not None:
            await self._task

    async def _look(self) -> None:
        while not self._stopping.is_set():
            if self._is_quiet() and self._is_time():
                await anyio.to_thread.run_sync(self._pass)
            await asyncio.sleep(_LOOK_S)

    def _is_quiet(self) -> bool:
        return not self._calls.calls_under_way and time.monotonic() - self._calls.quiet_since >= self.quiet_s

    def _is_time(self) -> bool:
        return time.monotonic() - self._done_at >= AGAIN_S

    def _pass(self) -> None:
        """All that is to be made, or as much as the quiet lasts."""
        try:
            seq = last_change(self._street.store)
            if seq == self._done_seq and time.monotonic() - self._done_at < RENEW_S:
                return
            done = prepare(self._street.store, self._snapshots, self._give_way)
            self._done_at, self._done_seq = time.monotonic(), seq
            if done.made:
                _log.info("%s snapshots of %s rows were made ahead", done.made, done.rows)
        except Cancelled:
            pass
        except Refusal as trouble:  # the database does not answer, the disk is full: calls tell of it, too
            _log.warning("nothing was prepared: %s", trouble)
            self._done_at = time.monotonic()
        except Exception as error:
            _log.error("nothing was prepared: %s", type(error).__name__)
            self._done_at = time.monotonic() + RENEW_S

    def _give_way(self, scope: str) -> None:
        """Wait while a call is under way that does not wait for this very snapshot; raises Cancelled when it takes long, or at the end."""
        until = time.monotonic() + _PATIENCE_S
        while not self._stopping.is_set():
            if not self._calls.calls_under_way or self._snapshots.is_awaited(scope):
                return
            if time.monotonic() >= until:
                break
            self._stopping.wait(_STEP_S)
        raise Cancelled
