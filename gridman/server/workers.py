"""Several processes that serve one street behind one address, on PostgreSQL; a supervisor keeps them going.

A worker holds nothing that another would miss: sign-ins, locks of accounts, throttles, operations, numbers, keys and photos lie in the
database and the folder. The supervisor holds the sockets, so connections that wait at a worker that died are served by the next one. Each
worker has a pipe to the supervisor; its end, for whatever reason, makes the worker finish what is under way and stop.

Linux shares the connections out (SO_REUSEPORT, a socket each); elsewhere all workers take them from one socket in turns.
"""

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection as waiting
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import Any

from gridman.kernel.errors import Refusal
from gridman.kernel.log import get_log, start_log
from gridman.kernel.words import N_
from gridman.server.app import street_app
from gridman.server.certificates import Tls
from gridman.server.limits import Limits
from gridman.server.run import address_of, listen, require_safe, serve_on
from gridman.services.street import open_street

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection as Connection
else:
    from multiprocessing.connection import Connection

__all__ = ["Team", "serve_team"]

_log = get_log(__name__)
_START_LIMIT_S = 60.0
_GRACE_S = 20.0
_SHORT_LIFE_S = 5.0
_PAUSE_S = 1.0
_SHARES_OUT = sys.platform == "linux"


@dataclass(frozen=True)
class Team:
    """What every worker is told. `database`: the URL, handed on through a pipe, where no list of processes shows it."""

    data_dir: Path
    database: str = field(repr=False)
    count: int
    tls: Tls | None = None
    limits: Limits = field(default_factory=Limits)
    verbose: bool = False


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    started: float


def serve_team(
    team: Team,
    host: str = "127.0.0.1",
    port: int = 8750,
    ready: Callable[[str], None] = print,
    *,
    stop: threading.Event | None = None,
) -> None:
    """Serve with `team.count` workers until SIGINT or SIGTERM (or `stop`); a worker that ends is replaced. `ready` is told the address once
    all of them listen. Refuses like `server.run.serve`, and with ``server.no_workers`` when they do not come up.
    """
    require_safe(host, team.tls)
    sockets = _sockets(host, port, team.count)
    address = address_of(sockets[0], host, team.tls)
    supervisor = _Supervisor(team, sockets, stop or threading.Event())
    try:
        supervisor.run(lambda: ready(address))
    finally:
        for one in sockets:
            one.close()
    _log.info("stopped serving %s", address)


def _sockets(host: str, port: int, count: int) -> list[socket.socket]:
    if not _SHARES_OUT:
        return [listen(host, port)] * count
    # A socket that does not share finds out whether another program has the port.
    probe = listen(host, port)
    port = probe.getsockname()[1]
    probe.close()
    return [listen(host, port, is_shared=True) for _ in range(count)]


class _Supervisor:
    def __init__(self, team: Team, sockets: list[socket.socket], stop: threading.Event) -> None:
        self._team, self._sockets, self._stop = team, sockets, stop
        self._workers: dict[int, _Worker] = {}
        self._again_at: dict[int, float] = {}

    def run(self, ready: Callable[[], None]) -> None:
        before = self._listen_to_signals()
        try:
            for place in range(self._team.count):
                self._workers[place] = self._start(place)
            if self._all_listen():
                ready()
            while not self._stop.is_set():
                self._look_after()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._end()

    def _listen_to_signals(self) -> dict[int, Any]:
        def stop(number: int, frame: FrameType | None) -> None:
            self._stop.set()

        if threading.current_thread() is not threading.main_thread():
            return {}
        names = [n for n in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, n)]
        return {getattr(signal, name): signal.signal(getattr(signal, name), stop) for name in names}

    def _start(self, place: int) -> _Worker:
        # Spawned, not forked: nothing of this process's threads and connections goes along.
        spawn = multiprocessing.get_context("spawn")
        mine, theirs = spawn.Pipe()
        process = spawn.Process(
            target=work,
            args=(self._team, place + 1, self._sockets[place], theirs, not _SHARES_OUT),
            name=f"gridman street {place + 1}",
        )
        process.start()
        theirs.close()
        return _Worker(process, mine, time.monotonic())

    def _all_listen(self) -> bool:
        """Wait until every worker says so; False when asked to stop meanwhile."""
        until = time.monotonic() + _START_LIMIT_S
        for worker in self._workers.values():
            try:
                while not _has_spoken(worker.pipe):
                    if self._stop.is_set():
                        return False
                    if time.monotonic() > until or not worker.process.is_alive():
                        raise _no_workers()
                worker.pipe.recv()
            except (
                EOFError,
                BrokenPipeError,
            ) as error:  # it ended: the latter on Windows, where looking at its pipe is enough
                raise _no_workers() from error
        return True

    def _look_after(self) -> None:
        """Replace who ended; one that ends again and again is given time."""
        with suppress(InterruptedError):  # Ctrl+C on Windows
            waiting.wait([w.process.sentinel for w in self._workers.values()], 0.2)
        for place, worker in list(self._workers.items()):
            if worker.process.is_alive():
                continue
            now = time.monotonic()
            lived = now - worker.started
            process = worker.process
            _log.error(
                "worker %s, process %s, ended with %s after %.0f s", place + 1, process.pid, process.exitcode, lived
            )
            worker.pipe.close()
            del self._workers[place]
            self._again_at[place] = now + (_PAUSE_S if lived < _SHORT_LIFE_S else 0)
        for place, at in list(self._again_at.items()):
            if time.monotonic() >= at and not self._stop.is_set():
                del self._again_at[place]
                self._workers[place] = self._start(place)

    def _end(self) -> None:
        for worker in self._workers.values():
            worker.pipe.close()  # each worker sees that and stops
        until = time.monotonic() + _GRACE_S
        for worker in self._workers.values():
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _has_spoken(pipe: Connection) -> bool:
    """Whether something has come, or comes soon."""
    try:
        return pipe.poll(0.1)
    except InterruptedError:  # Ctrl+C on Windows; the handler has noted it
        return False


def work(team: Team, number: int, listening: socket.socket, pipe: Connection, takes_turns: bool) -> None:
    """A worker's life, in a process of its own. ``takes_turns``: all workers have the one socket."""
    start_log(team.data_dir / "logs" / f"worker{number}", verbose=team.verbose)
    ended = threading.Event()
    street = open_street(team.data_dir, team.database, must_exist=True)
    try:
        app = street_app(
            street,
            team.limits,
            authority=team.tls.authority if team.tls else b"",
            certificate_ends_at=team.tls.ends_at if team.tls else 0,
            worker=str(number),
        )

        def until_the_supervisor_ends(stop: Callable[[], None]) -> None:
            try:
                pipe.recv()
            except (EOFError, OSError):
                stop()
            ended.set()

        def is_ready(stop: Callable[[], None]) -> None:
            threading.Thread(target=until_the_supervisor_ends, args=(stop,), name="supervisor", daemon=True).start()
            pipe.send(os.getpid())

        serve_on(listening, app, team.tls, is_ready, takes_turns=takes_turns)
    finally:
        street.close()


def _no_workers() -> Refusal:
    return Refusal(
        "server.no_workers",
        N_("The processes that serve the street did not start."),
        N_("The logs of the street's folder (logs/worker1 and so on) say why."),
    )
