"""Several servers take connections of one socket in turns, as the workers do on Windows."""

import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gridman.server.certificates import Tls, street_tls
from gridman.server.run import listen, serve_on
from tests.support.streets import town_street

SERVERS = 3
_LINGER = "hh" if sys.platform == "win32" else "ii"


@contextmanager
def turns(listening: socket.socket, tls: Tls | None) -> Iterator[list[threading.Thread]]:
    """Servers that answer with their number."""
    told, stops = threading.Semaphore(0), []
    threads = []
    for number in range(SERVERS):

        async def answer(request: Request, number: int = number) -> PlainTextResponse:
            return PlainTextResponse(str(number))

        def ready(stop: Callable[[], None]) -> None:
            stops.append(stop)
            told.release()

        app, own = Starlette(routes=[Route("/", answer)]), listening.dup()
        threads.append(threading.Thread(target=serve_on, args=(own, app, tls, ready), kwargs={"takes_turns": True}))
        threads[-1].start()
    try:
        assert all(told.acquire(timeout=30) for _ in threads)
        yield threads
    finally:
        for stop in stops:
            stop()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "encrypted"])
def test_each_connection_is_served_by_one_of_them(tmp_path: Path, is_encrypted: bool) -> None:
    with town_street(tmp_path / "street") as town:
        tls = street_tls(town.street) if is_encrypted else None
        listening = listen("127.0.0.1", 0)
        port = listening.getsockname()[1]
        verify = ssl.create_default_context(cadata=tls.authority.decode()) if tls else False
        with turns(listening, tls):
            for number in range(10):  # says nothing that is asked of it, and goes; every second breaks off
                with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
                    line.sendall(b"\x00" * 600)
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, number % 2, 0))
            served = set()
            for _turn in range(300):
                with httpx.Client(verify=verify, trust_env=False, timeout=30) as client:
                    url = f"{'https' if tls else 'http'}://localhost:{port}/"
                    served.add(client.get(url).text)
                if len(served) > 1:
                    break
            assert len(served) > 1, "one of them has all connections for itself"
        listening.close()
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
