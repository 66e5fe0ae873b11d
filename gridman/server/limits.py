"""Limits on everything a stranger may send: how large, how slow, how often."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["Buckets", "Limits", "malformed", "read_body", "too_large", "too_many"]


@dataclass(frozen=True)
class Limits:
    """The limits of one server. A desk on a bad line needs minutes for a body; a first sync on a good one makes many calls.

    `exchanges_*`: `gridman.server.queue`; `listeners` to `listen_s`: `gridman.server.pokes`; `stop_s`: how long a stop waits for what is
    under way.
    """

    sync_bytes: int = 8 << 20
    chunk_bytes: int = 1 << 20
    blob_bytes: int = 32 << 20
    small_bytes: int = 16 << 10
    body_s: float = 120.0
    calls_per_s: float = 50.0
    call_burst: int = 400
    enrolments_per_s: float = 0.5
    enrolment_burst: int = 40
    calls_at_once: int = 512
    exchanges_at_once: int = 16
    exchanges_per_desk: int = 4
    exchanges_waiting: int = 256
    exchanges_waiting_bytes: int = 128 << 20
    exchange_wait_s: float = 30.0
    listeners: int = 2_000
    look_s: float = 1.0
    pokes_per_s: float = 50.0
    beat_s: float = 20.0
    listen_s: float = 900.0
    stop_s: float = 10.0


class Buckets:
    """A leaky bucket per caller: `burst` calls at once, `per_s` in the long run. Used on the event loop only."""

    def __init__(self, per_s: float, burst: int, now: Callable[[], float] = time.monotonic, most: int = 10_000) -> None:
        self._per_s = per_s
        self._burst = burst
        self._now = now
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count a call; refuses with ``http.too_many`` and the seconds to wait."""
        now = self._now()
        left, at = self._left.pop(caller, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) * self._per_s)
        self._left[caller] = (left - 1 if left >= 1 else left, now)
        while len(self._left) > self._most:
            self._left.popitem(last=False)
        if left < 1:
            raise too_many(max(1, round((1 - left) / self._per_s)))


async def read_body(request: Request, most_bytes: int, within_s: float) -> bytes:
    """The whole body, or ``http.too_large`` as soon as it is known, or ``http.too_slow``."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > most_bytes:
        raise too_large(most_bytes)
    try:
        return await asyncio.wait_for(_gather(request, most_bytes), within_s)
    except TimeoutError as error:
        raise Refusal(
            "http.too_slow",
            N_("The message did not arrive within {seconds} seconds."),
            N_("Check the network, then try again."),
            seconds=round(within_s),
        ) from error


async def _gather(request: Request, most_bytes: int) -> bytes:
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > most_bytes:
            raise too_large(most_bytes)
    return bytes(found)


def too_many(seconds: int) -> Refusal:
    """The refusal of a caller who has to wait."""
    return Refusal(
        "http.too_many", N_("Too many calls."), N_("Wait {seconds} seconds, then try again."), seconds=seconds
    )


def too_large(most_bytes: int) -> Refusal:
    """The refusal of a message that is larger than allowed."""
    return Refusal(
        "http.too_large",
        N_("The message is larger than {most} bytes."),
        N_("Send less at a time."),
        most=most_bytes,
    )


def malformed(why: str) -> Refusal:
    """The refusal of a message that is not what the address expects; `why` names the part."""
    return Refusal(
        "http.malformed",
        N_("The message cannot be read ({why})."),
        N_("Both sides should run the same version of gridman; try again."),
        why=why,
    )
