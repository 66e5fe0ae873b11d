"""A bad line on purpose: a TCP proxy on 127.0.0.1 that delays, limits the rate, loses segments, loses answers, goes silent and cuts, and that
counts what it sees. It knows nothing of TLS, so what passes is the product's own traffic.

Loss is modelled as what a TCP user feels of it: a lost segment holds up everything behind it for one round trip (head-of-line stall). The
rate is shared by all connections of a direction, as on one radio link. A connection costs one round trip before the first byte.
"""

import asyncio
import random
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

__all__ = ["BAD", "GOOD", "BadLink", "Counts", "Weather"]

_SEGMENT = 1_460
_SEGMENT_OVERHEAD = 40
_DEAD_S = 2.0
_SILENT_S = 6.0
_REQUEST = re.compile(rb"(?:GET|PUT|POST|HEAD|DELETE|PATCH) [^ \r\n]+ HTTP/1\.1\r\n")


@dataclass(frozen=True)
class Weather:
    """What the line does. `rtt_s`: round trip; `bytes_per_s`: 0 is unlimited; `loss`: share of segments that stall; `cut_every_s`: mean time
    between cuts of every open connection, each followed by two seconds without any (0: never); `lost_answers`: share of answers after whose
    request the connection is aborted, so that the street has acted and the desk does not know; `silences`: share of requests that are
    swallowed for six seconds before the connection breaks; `most_up`: bytes after which a connection breaks on their way up (0: none), as
    behind a box that lets small messages pass only.
    """

    rtt_s: float = 0.0
    bytes_per_s: float = 0.0
    loss: float = 0.0
    cut_every_s: float = 0.0
    lost_answers: float = 0.0
    silences: float = 0.0
    dead_s: float = _DEAD_S
    most_up: int = 0


GOOD = Weather()
BAD = Weather(rtt_s=0.6, bytes_per_s=20_000, loss=0.05)
"""The bad line of the sync study: 600 ms, 20 kB/s, 5 % loss (measured goodput 13.4 kB/s)."""


@dataclass
class Counts:
    """What passed. `turns`: times a client began to speak (again): on a connection that is open already, the number of its requests.
    `requests`: of plain HTTP only.
    """

    up: int = 0
    down: int = 0
    connections: int = 0
    turns: int = 0
    requests: int = 0
    stalls: int = 0
    cuts: int = 0
    connections_cut: int = 0
    refused: int = 0
    answers_lost: int = 0
    silences: int = 0

    @property
    def carried(self) -> int:
        """Bytes both ways, TLS and HTTP included, IP and TCP headers not."""
        return self.up + self.down


@dataclass
class _Side:
    """One direction's share of the rate."""

    free_at: float = 0.0

    async def take(self, count: int, rate: float) -> None:
        if rate:
            now = time.monotonic()
            self.free_at = max(self.free_at, now) + (count + _SEGMENT_OVERHEAD) / rate
            await asyncio.sleep(max(0.0, self.free_at - now))


@dataclass(eq=False)
class _Pair:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    client_speaks: bool = False
    loses_answer: bool = False
    tail: bytes = b""
    up: int = 0

    def abort(self) -> None:
        for writer in (self.client, self.server):
            with suppress(Exception):
                writer.transport.abort()


class BadLink:
    """`with BadLink(port, weather) as link:` then use `link.port`. The weather may change while it runs (`link.weather = …`)."""

    def __init__(self, upstream_port: int, weather: Weather = GOOD, seed: int = 1) -> None:
        self.upstream_port = upstream_port
        self.weather = weather
        self.counts = Counts()
        self.port = 0
        self._chance = random.Random(seed)
        self._pairs: set[_Pair] = set()
        self._sides = {"up": _Side(), "down": _Side()}
        self._dead_until = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="bad link", daemon=True)

    def __enter__(self) -> "BadLink":
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the proxy did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None and self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def taken(self) -> Counts:
        """The counts since the last call."""
        found, self.counts = self.counts, Counts()
        return found

    @property
    def is_asked(self) -> bool:
        """Whether any client waits for an answer."""
        return any(pair.client_speaks for pair in list(self._pairs))

    def cut(self) -> None:
        """Abort every connection now; none comes about for a while."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        if self._pairs:
            self.counts.cuts += 1
            self.counts.connections_cut += len(self._pairs)
        self._dead_until = time.monotonic() + self.weather.dead_s
        for pair in list(self._pairs):
            pair.abort()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(lambda _loop, _context: None)  # aborted connections complain in many ways
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        cutting = asyncio.create_task(self._cutting())
        self._ready.set()
        await self._stop.wait()
        cutting.cancel()
        server.close()
        for pair in list(self._pairs):
            pair.abort()

    async def _cutting(self) -> None:
        while True:
            every = self.weather.cut_every_s
            await asyncio.sleep(self._chance.expovariate(1 / every) if every else 0.2)
            if every and self.weather.cut_every_s:
                self._cut()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if time.monotonic() < self._dead_until:
            self.counts.refused += 1
            writer.transport.abort()
            return
        self.counts.connections += 1
        await asyncio.sleep(self.weather.rtt_s)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        except OSError:  # the server is being killed
            self.counts.refused += 1
            writer.transport.abort()
            return
        pair = _Pair(writer, back)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._pump(pair, reader, back, "up"), self._pump(pair, there, writer, "down"))
        except (ConnectionError, OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._pairs.discard(pair)
            pair.abort()

    async def _pump(self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        writing = asyncio.create_task(self._deliver(queue, writer))
        held_until = 0.0
        try:
            while data := await reader.read(_SEGMENT if self.weather.bytes_per_s else 65_536):
                weather = self.weather
                setattr(self.counts, way, getattr(self.counts, way) + len(data))
                if way == "up":
                    await self._client_spoke(pair, data)
                elif pair.client_speaks:
                    pair.client_speaks = False
                    if pair.loses_answer:
                        self.counts.answers_lost += 1
                        pair.abort()
                        break
                await self._sides[way].take(len(data), weather.bytes_per_s)
                due = time.monotonic() + weather.rtt_s / 2
                if weather.loss and self._chance.random() < weather.loss:
                    self.counts.stalls += 1
                    held_until = due + weather.rtt_s
                    await asyncio.sleep(weather.rtt_s)
                queue.put_nowait((max(due, held_until), data))
        finally:
            queue.put_nowait((0.0, b""))
            with suppress(Exception):
                await writing

    async def _client_spoke(self, pair: _Pair, data: bytes) -> None:
        self.counts.requests += len(_REQUEST.findall(pair.tail + data)) - len(_REQUEST.findall(pair.tail))
        pair.tail = (pair.tail + data)[-160:]
        pair.up += len(data)
        if 0 < self.weather.most_up < pair.up:
            pair.abort()
            raise ConnectionAbortedError
        if pair.client_speaks:
            return
        pair.client_speaks = True
        self.counts.turns += 1
        dice = self._chance.random()
        pair.loses_answer = dice < self.weather.lost_answers
        if 0 <= dice - self.weather.lost_answers < self.weather.silences:
            self.counts.silences += 1
            await asyncio.sleep(_SILENT_S)
            pair.abort()

    async def _deliver(self, queue: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
        while True:
            due, data = await queue.get()
            if not data:
                break
            wait = due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            writer.write(data)
            await writer.drain()
        with suppress(Exception):
            writer.write_eof()
