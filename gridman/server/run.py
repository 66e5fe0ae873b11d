"""Running the application: the socket, the signals, a graceful stop; in this thread (`serve`) or beside it (`ServerThread`)."""

import asyncio
import errno
import logging
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette

from gridman.kernel.errors import Refusal
from gridman.kernel.log import get_log
from gridman.kernel.words import N_
from gridman.server.accepting import Accepting
from gridman.server.app import street_app
from gridman.server.certificates import Tls, is_loopback
from gridman.server.limits import Limits
from gridman.server.parts import StreetParts
from gridman.server.preparing import Preparing
from gridman.services.street import Street

__all__ = ["ServerThread", "Tls", "address_of", "listen", "require_safe", "serve", "serve_on"]

_log = get_log(__name__)
_GRACE_S = 2
_LOOK_S = 0.05
_MOST_FILES = 65_536
_GOODBYE_S = 0.2
_KEEP_ALIVE_S = 240
"""Longer than a desk's pause between two rounds: a connection that is kept saves it two round trips."""

_START_LIMIT_S = 30.0
_ACCEPTS_ITSELF = sys.platform == "win32"
"""An event loop of Windows closes the listening socket, for good, when a connection is reset just before it is accepted."""


class _Server(uvicorn.Server):
    """Says when it listens, and leaves the signals to `serve`: uvicorn's own way would end the process by the signal once more."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        listening: socket.socket,
        takes_turns: bool = False,
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        accepts_itself = takes_turns or _ACCEPTS_ITSELF
        self._accepting = Accepting(listening, self._protocol, config.ssl) if accepts_itself else None

    def _protocol(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        return kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[no-any-return]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([] if self._accepting else sockets)
        if self.started:
            if self._accepting:
                self._accepting.start()
            preparing = self._preparing()
            if preparing is not None:
                preparing.start()
            self._on_started()

    def _preparing(self) -> Preparing | None:
        parts: StreetParts | None = getattr(getattr(self.config.app, "state", None), "parts", None)
        return None if parts is None else parts.preparing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        preparing = self._preparing()
        if preparing is not None:
            preparing.give_up()
        await self._finish()
        if self._accepting:
            await self._accepting.stop()
        if preparing is not None:
            await preparing.stop()
        letting_go = asyncio.create_task(self._let_idle_go())
        await super().shutdown(sockets)
        letting_go.cancel()

    async def _finish(self) -> None:
        """Let what is under way come to its end, within bounds. Who comes meanwhile is told, in so many words, when to come again."""
        parts: StreetParts | None = getattr(getattr(self.config.app, "state", None), "parts", None)
        if parts is None:
            return
        parts.stop()
        loop = asyncio.get_running_loop()
        until = loop.time() + parts.limits.stop_s
        while (parts.traffic.running or parts.jobs.is_busy) and loop.time() < until and not self.force_exit:
            await asyncio.sleep(_LOOK_S)
        if parts.traffic.running:
            parts.cut()
            await asyncio.sleep(_LOOK_S)

    async def _let_idle_go(self) -> None:
        """Cut connections on which nothing is under way. TLS would wait for the other side's goodbye, which an idle desk never reads."""
        while True:
            await asyncio.sleep(_GOODBYE_S)
            for connection in list(self.server_state.connections):
                cycle, transport = getattr(connection, "cycle", None), getattr(connection, "transport", None)
                if transport is not None and (cycle is None or cycle.response_complete):
                    transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(
    app: Starlette | Street,
    host: str = "127.0.0.1",
    port: int = 8750,
    ready: Callable[[str], None] = print,
    *,
    tls: Tls | None = None,
    on: socket.socket | None = None,
) -> bool:
    """Serve an application, or a street's own, until SIGINT or SIGTERM (Ctrl+C, Ctrl+Break); then finish what is under way and return.

    `ready` is told the address. `on`: a socket that listens already and stays open: who calls meanwhile waits there. Then the pages may ask
    to be served anew, and True comes back: the caller is to begin again. Refuses with ``server.port_in_use``, ``server.bad_address``,
    ``server.bad_certificate`` or, without `tls` at an address that other computers reach, ``server.plain_http``, before anything is served.
    """
    require_safe(host, tls)
    _allow_many_connections()
    application = _application(app, tls)
    config = _config(application, tls)
    listening = listen(host, port) if on is None else on.dup()
    address = address_of(listening, host, tls)
    server = _Server(config, lambda: ready(address), listening)
    again = threading.Event()

    def restart() -> None:
        again.set()
        server.should_exit = True

    parts: StreetParts | None = getattr(application.state, "parts", None)
    if parts is not None:
        parts.restart, parts.hosts = (restart if on is not None else None), (() if tls is None else tls.hosts)
    with _stopping_by_signal(server):
        server.run(sockets=[listening])
    _log.info("stopped serving %s", address)
    return again.is_set()


def serve_on(
    listening: socket.socket,
    app: Starlette,
    tls: Tls | None,
    ready: Callable[[Callable[[], None]], None],
    *,
    takes_turns: bool = False,
) -> None:
    """Serve on a socket that listens already, until a signal or until what `ready` was given is called. ``takes_turns``: other processes take
    connections of the same socket.
    """

    def stop() -> None:
        server.should_exit = True

    _allow_many_connections()
    server = _Server(_config(app, tls), lambda: ready(stop), listening, takes_turns)
    with _stopping_by_signal(server):
        server.run(sockets=[listening])


def _allow_many_connections() -> None:
    """Every desk holds two connections open; many systems allow a program a thousand files unless it asks for more."""
    if sys.platform != "win32":  # which has no such limit
        import resource

        with suppress(OSError, ValueError):
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
            if soft < wanted:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _application(app: Starlette | Street, tls: Tls | None) -> Starlette:
    if not isinstance(app, Street):
        return app
    return street_app(app) if tls is None else street_app(app, authority=tls.authority, certificate_ends_at=tls.ends_at)


def require_safe(host: str, tls: Tls | None) -> None:
    """Refuse ``server.plain_http``: no encryption at an address that other computers reach."""
    if tls is None and not is_loopback(host):
        raise Refusal(
            "server.plain_http",
            N_("Without encryption the server listens to this computer only, not at {host}."),
            N_("Leave --insecure-http out: the street has a certificate of its own."),
            host=host,
        )


def _tells_something(record: logging.LogRecord) -> bool:
    """uvicorn reports as an error that it cut off 0 tasks, when only idle connections had outlasted the time to finish."""
    return not (str(record.msg).startswith("Cancel %s running task") and record.args == (0,))


def _config(app: Starlette, tls: Tls | None) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").addFilter(_tells_something)  # the same filter is kept once
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=1_024,
        date_header=False,  # `app` dates what a cache could meet
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        ssl_certfile=None if tls is None else str(tls.certificate),
        ssl_keyfile=None if tls is None or tls.key is None else str(tls.key),
        ssl_keyfile_password=None if tls is None else tls.password,
    )
    try:
        config.load()
        if config.ssl is not None:
            config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    except OSError as error:  # ssl.SSLError is one
        raise Refusal(
            "server.bad_certificate",
            N_("The certificate cannot be used: {why}."),
            N_("Check the files given with --certificate and --key: both PEM, and made for each other."),
            why=error.strerror or error,
        ) from error
    return config


def listen(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """A socket that listens; ``is_shared``: beside others of this program at the same port, which share the connections (Linux)."""
    try:
        if not 0 <= port <= 65_535:  # getaddrinfo would quietly take the remainder
            raise OverflowError("0..65535")
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise _badaddress_of(host, port, error) from error
    try:
        if sys.platform == "win32":  # SO_REUSEADDR there would let two servers share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if is_shared:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address)
        listening.listen(1_024)
    except (OSError, OverflowError) as error:
        listening.close()
        if getattr(error, "errno", None) != errno.EADDRINUSE:
            raise _badaddress_of(host, port, error) from error
        raise Refusal(
            "server.port_in_use",
            N_("Port {port} is in use by another program."),
            N_(
                "Stop that program (a street server or a demonstration that is still open?), or have the street server take another port "
                "with --port (0 takes any free one)."
            ),
            port=port,
        ) from error
    listening.setblocking(False)
    return listening


def _badaddress_of(host: str, port: int, error: Exception) -> Refusal:
    return Refusal(
        "server.bad_address",
        N_("The server cannot listen at {host}, port {port}: {why}."),
        N_(
            "Use an address of this computer, 127.0.0.1 for this computer only, or 0.0.0.0 for the whole office network."
        ),
        host=host,
        port=port,
        why=getattr(error, "strerror", None) or error,
    )


def address_of(listening: socket.socket, host: str, tls: Tls | None) -> str:
    """The URL of a listening socket."""
    port = listening.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    return f"{'http' if tls is None else 'https'}://{shown}:{port}"


@contextmanager
def _stopping_by_signal(server: uvicorn.Server) -> Iterator[None]:
    """The first signal asks for a graceful stop, the second does not wait."""

    def stop(number: int, frame: FrameType | None) -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [n for n in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, n)]
    before = {getattr(signal, name): signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ServerThread:
    """An application, or a street's own, served from a thread, for the demonstration and for tests: `with ServerThread(street) as url:`."""

    def __init__(
        self, app: Starlette | Street, host: str = "127.0.0.1", port: int = 0, *, tls: Tls | None = None
    ) -> None:
        require_safe(host, tls)
        self._started = threading.Event()
        config = _config(_application(app, tls), tls)
        self._listening = listen(host, port)
        self._server = _Server(config, self._started.set, self._listening)
        self.url = address_of(self._listening, host, tls)
        self._thread = threading.Thread(target=self._run, name="street server", daemon=True)

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listening])
        finally:
            self._started.set()

    def start(self) -> str:
        """Start serving; returns the address once it listens."""
        self._thread.start()
        if not self._started.wait(_START_LIMIT_S) or not self._server.started:
            raise RuntimeError("the street server did not start; see the log")
        return self.url

    def stop(self) -> None:
        """Finish what is under way and stop; waits for the thread."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(Limits.stop_s + _GRACE_S + 5)
        self._listening.close()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
