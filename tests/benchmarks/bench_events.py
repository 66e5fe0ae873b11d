"""Desks that wait for the street's change notice, over TLS: what each costs the server, and how soon it hears.

`python -m tests.benchmarks.bench_events [--small]`: the server in a process of its own, all desks in this one. Linux only: memory and
processor time of the server are read from /proc. Yardstick of the cost at rest: the same desks asking with an ordinary empty call each two
minutes, which is what they do without a change notice.
"""

import asyncio
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.domain.region import Region
from gridman.server.certificates import street_tls
from gridman.services.enrolment import enrol
from gridman.sync.codec import encode
from gridman.sync.protocol import Request
from tests.benchmarks.measures import Figure, arguments, print_figures
from tests.support.streets import CHEAP_HASHER, PASSWORD, WORKER, TownStreet, town_street

__all__ = ["main"]

DESKS, IDLE_S, EVERY_S = 300, 20.0, 120.0
_SERVER = """
import sys
from pathlib import Path
from gridman.server.certificates import street_tls
from gridman.server.run import serve
from gridman.services.street import open_street
street = open_street(Path(sys.argv[1]))
serve(street, port=0, ready=lambda url: print(url, flush=True), tls=street_tls(street))
street.close()
"""


def processor_s(pid: int) -> float:
    """Seconds the process has computed so far."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """What the process holds in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Crowd:
    """Desks, each with a connection that waits; `pokes`: when each heard last."""

    def __init__(self, url: str, tokens: list[tuple[int, str]], trust: ssl.SSLContext, after: int) -> None:
        self.host, port = url.removeprefix("https://").split(":")
        self.port, self.tokens, self.trust, self.after = int(port), tokens, trust, after
        self.heard: dict[int, float] = {}
        self.lines: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.readers: list[asyncio.Task[None]] = []

    async def listen(self) -> None:
        for replica, token in self.tokens:
            reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self.trust)
            writer.write(
                f"GET /events/v1?after={self.after} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
            )
            assert b"200" in await reader.readuntil(b"\r\n\r\n")
            self.lines.append((reader, writer))
            self.readers.append(asyncio.create_task(self._read(replica, reader)))

    async def _read(self, replica: int, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b"data:"):
                self.heard[replica] = time.monotonic()

    async def all_heard(self, count: int, started: float) -> list[float]:
        """Seconds until each of `count` desks heard of what happened at `started`."""
        while sum(at >= started for at in self.heard.values()) < count:
            await asyncio.sleep(0.02)
        return sorted(at - started for at in self.heard.values() if at >= started)

    async def ask(self, calls: int) -> None:
        """The same desks ask with an ordinary empty call over kept connections, `calls` in all, one after the other."""
        lines = [await asyncio.open_connection(self.host, self.port, ssl=self.trust) for _n in range(min(10, calls))]
        for n in range(calls):
            replica, token = self.tokens[n % len(lines)]
            body = encode(Request(1, replica, "", 0, 1))
            reader, writer = lines[n % len(lines)]
            head = f"POST /sync/v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            said = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(said.partition(b"content-length:")[2].split()[0]))
        for _reader, writer in lines:
            writer.close()

    async def close(self) -> None:
        for _reader, writer in self.lines:
            writer.transport.abort()
        await asyncio.gather(*self.readers, return_exceptions=True)


async def measure(town: TownStreet, url: str, pid: int, crowd: Crowd, idle_s: float) -> list[Figure]:
    """All figures of a crowd that listens."""
    desks = len(crowd.tokens)
    empty_mb = memory_mb(pid)
    started, before_s = time.monotonic(), processor_s(pid)
    await crowd.listen()
    joined_ms = (processor_s(pid) - before_s) * 1_000 / desks
    each_kb = (memory_mb(pid) - empty_mb) * 1_000 / desks
    before_s = processor_s(pid)
    await asyncio.sleep(idle_s)
    idle_ms = (processor_s(pid) - before_s) * 1_000 / idle_s
    before_s, calls = processor_s(pid), max(10, desks // 3)
    await crowd.ask(calls)
    asking_ms = (processor_s(pid) - before_s) * 1_000 / calls * desks / EVERY_S

    async def write(record: Household | Region) -> float:
        def commit() -> None:
            with town.street.store.unit(SYSTEM) as unit:
                unit.create(record)

        await asyncio.to_thread(commit)
        return time.monotonic()

    one = []
    for n in range(5):
        wrote = await write(Household(number=f"P{n}", grid_id=town.grids[0], address="Lane 1"))
        one.append((await crowd.all_heard(1, wrote))[0])
        await crowd.all_heard(desks, wrote)
        await asyncio.sleep(0.3 * (n + 1))
    wrote = await write(Region(code="990101001777", name="New", level="community"))
    everyone = await crowd.all_heard(desks, wrote)
    del started, url
    return [
        Figure("events", f"memory of a waiting desk ({desks} wait)", each_kb, "kB"),
        Figure("events", "processor time to take a waiting desk in", joined_ms),
        Figure(
            "events", "processor time a second while all wait", idle_ms, "ms/s",
            (f"all asking every {EVERY_S:.0f} s", asking_ms),
        ),
        Figure("events", "from the commit to the first desk's hearing (median)", statistics.median(one) * 1_000),
        Figure("events", "from the commit to the last desk's hearing, all concerned", everyone[-1] * 1_000),
    ]  # fmt: skip


def main(is_small: bool) -> list[Figure]:
    """Every figure."""
    desks, idle_s = (20, 3.0) if is_small else (DESKS, IDLE_S)
    with tempfile.TemporaryDirectory(prefix="gridman-bench-") as folder, town_street(Path(folder)) as town:
        store = town.street.store
        made = [enrol(store, WORKER, f"D{n}", password=PASSWORD, hasher=CHEAP_HASHER) for n in range(desks)]
        trust = ssl.create_default_context(cadata=street_tls(town.street).authority.decode())
        with store.read() as reader:
            from gridman.store.feed_pages import clock_of

            after = clock_of(reader.connection)[0]
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVER, folder], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            crowd = Crowd(url, [(e.replica, e.token) for e in made], trust, after)

            async def play() -> list[Figure]:
                try:
                    return await measure(town, url, server.pid, crowd, idle_s)
                finally:
                    await crowd.close()

            return asyncio.run(play())
        finally:
            server.terminate()
            server.communicate(timeout=30)


if __name__ == "__main__":
    print_figures(main(arguments("Desks that wait for the change notice")))
