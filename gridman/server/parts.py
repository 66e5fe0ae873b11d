"""What a running street server is joined from."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request

from gridman.domain.access import Actor
from gridman.server.jobs import Jobs
from gridman.server.limits import Buckets, Limits, too_many
from gridman.server.metrics import Traffic
from gridman.server.pokes import Pokes
from gridman.server.preparing import Preparing
from gridman.server.queue import FairQueue, stopping
from gridman.services.monitoring import News, news
from gridman.services.street import Street
from gridman.services.throttling import seconds_to_wait

__all__ = ["Blobs", "Exchange", "StreetParts", "count_trial", "in_thread", "parts_of"]

T = TypeVar("T")
_HASHES_AT_ONCE = 2  # each costs 64 MiB and a core for a fifth of a second


class Exchange(Protocol):
    """The street's side of the sync: an encoded message in, an encoded answer out; raises Refusal for whatever is wrong with it."""

    public_keys: bytes

    def exchange_bytes(self, actor: Actor, body: bytes) -> bytes: ...

    def farewell_bytes(self, actor: Actor, body: bytes) -> bytes:
        """The last operations of a device that was retired: all go to the review list, nothing is given any more."""
        ...


class Blobs(Protocol):
    """Photos by content, received in pieces."""

    def received(self, sha256: str) -> tuple[int, int] | None:
        """Bytes here and whole size; None when nothing of it is here."""
        ...

    def append(self, sha256: str, offset: int, total: int, chunk: bytes) -> int:
        """Add a piece; returns how many bytes are here. Refuses ``blob.offset`` (another offset is expected) and ``blob.damaged``."""
        ...

    def read(self, sha256: str, offset: int, limit: int) -> tuple[bytes, int]:
        """A piece and the whole size. Refuses ``blob.missing``."""
        ...


@dataclass
class StreetParts:
    """The street with its workshops, the limits it keeps to, and what is counted while it runs."""

    street: Street
    exchange: Exchange
    blobs: Blobs
    limits: Limits = field(default_factory=Limits)
    authority: bytes = b""
    certificate_ends_at: int = 0
    started: float = field(default_factory=time.monotonic)
    calls: Buckets = field(init=False)
    enrolments: Buckets = field(init=False)
    hashing: anyio.CapacityLimiter = field(init=False)
    receiving: anyio.CapacityLimiter = field(init=False)  # pieces of a photo are taken one after the other
    traffic: Traffic = field(default_factory=Traffic)
    chance: random.Random = field(default_factory=random.Random)
    pokes: Pokes = field(init=False)
    exchanges: FairQueue = field(init=False)
    counting: anyio.CapacityLimiter = field(init=False)  # strangers never take all threads
    jobs: Jobs = field(init=False)
    restart: Callable[[], None] | None = None
    """Ends the serving and begins it anew in the same process; None where nobody would begin it."""
    hosts: tuple[str, ...] = ()
    """Names in the certificate the server serves with."""
    preparing: Preparing | None = None
    quiet_since: float = field(default_factory=time.monotonic)
    is_stopping: bool = False
    is_cut: bool = False
    under_way: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.calls = Buckets(self.limits.calls_per_s, self.limits.call_burst)
        self.enrolments = Buckets(self.limits.enrolments_per_s, self.limits.enrolment_burst)
        self.hashing = anyio.CapacityLimiter(_HASHES_AT_ONCE)
        self.receiving = anyio.CapacityLimiter(1)
        self.counting = anyio.CapacityLimiter(2)
        self.jobs = Jobs(self.street)
        most = self.limits
        self.pokes = Pokes(self._look, most.listeners, most.look_s, most.pokes_per_s, self.chance)
        self.exchanges = FairQueue(
            most.exchanges_at_once, most.exchanges_per_desk, most.exchanges_waiting, most.exchanges_waiting_bytes,
            most.exchange_wait_s, self.chance,
        )  # fmt: skip

    @property
    def calls_under_way(self) -> int:
        """Calls under way without desks that wait for news, which cost next to nothing."""
        return self.traffic.running - len(self.pokes)

    async def _look(self, before: News | None, scopes: frozenset[str]) -> News:
        return await in_thread(lambda: news(self.street.store, before, scopes))

    def stop(self) -> None:
        """From now on what is under way is finished, what comes new is told to come again, and desks that wait are let go. On the event loop."""
        self.is_stopping = True
        self.pokes.stop()
        self.jobs.stop()

    def cut(self) -> None:
        """The time for what is under way is over: who is not answered yet is told to come again."""
        self.is_cut = True
        for task in tuple(self.under_way):
            task.cancel()

    def come_back_ms(self) -> int:
        """How long a desk that was let go stays away: a time of its own, so that they do not all come back at once."""
        return 1000 * int(str(stopping(self.chance).params["seconds"]))


def parts_of(request: Request) -> StreetParts:
    """The parts of the application that serves this request."""
    parts: StreetParts = request.app.state.parts
    return parts


async def in_thread(work: Callable[[], T], limiter: anyio.CapacityLimiter | None = None) -> T:
    """Do blocking work (database, hashing, files) off the event loop."""
    return await anyio.to_thread.run_sync(work, limiter=limiter)


async def count_trial(parts: StreetParts, caller: str) -> None:
    """Count somebody's trial of a password or a code; refuses with ``http.too_many``. Who is far too fast never gets to the database."""
    parts.enrolments.take(caller)
    limits, store = parts.limits, parts.street.store
    seconds = await in_thread(
        lambda: seconds_to_wait(store, caller, limits.enrolments_per_s, limits.enrolment_burst), parts.counting
    )
    if seconds:
        raise too_many(seconds)
