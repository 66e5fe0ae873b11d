"""Taking connections of a listening socket in a thread, and handing them to the event loop: for Windows.

The event loop that waits at a listening socket there has it for itself: a second process that is given the same one cannot wait at it in
its own loop. And it closes the socket when a connection is reset just before it is accepted, as happens on bad lines
(github.com/python/cpython/issues/93821): nobody could come any more. A thread of each process does neither.
"""

import asyncio
import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress

__all__ = ["Accepting"]

_LOOK_S = 0.1
_LONGEST_GREETING_S = 20.0


class Accepting:
    """Takes connections of ``listening`` for a running loop, from `start` until `stop`."""

    def __init__(
        self, listening: socket.socket, protocol: Callable[[], asyncio.Protocol], context: ssl.SSLContext | None
    ) -> None:
        self._listening, self._protocol, self._context = listening, protocol, context
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._take, name="accepting", daemon=True)
        self._greeting: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin, in the loop that runs here."""
        self._loop = asyncio.get_running_loop()
        self._listening.setblocking(False)
        self._thread.start()

    async def stop(self) -> None:
        """Take no more; those whose encryption is still being agreed on are let go."""
        self._ended.set()
        await asyncio.to_thread(self._thread.join)
        for task in self._greeting:
            task.cancel()

    def _take(self) -> None:
        assert self._loop is not None
        while not self._ended.is_set():
            try:
                if not select.select([self._listening], [], [], _LOOK_S)[0]:
                    continue
                connection, _address = self._listening.accept()
            except BlockingIOError:  # another process was faster
                continue
            except (
                OSError
            ):  # the other side is gone already, or this process has no room for another: those waiting wait on
                self._ended.wait(_LOOK_S)
                continue
            connection.setblocking(False)
            try:
                self._loop.call_soon_threadsafe(self._greet, connection)
            except RuntimeError:  # the loop is closed
                connection.close()
                return

    def _greet(self, connection: socket.socket) -> None:
        assert self._loop is not None
        task = self._loop.create_task(self._connect(connection))
        self._greeting.add(task)
        task.add_done_callback(self._greeting.discard)

    async def _connect(self, connection: socket.socket) -> None:
        assert self._loop is not None
        limit = None if self._context is None else _LONGEST_GREETING_S
        with suppress(OSError):  # who does not come to terms about encryption (an SSLError is one) is no desk
            await self._loop.connect_accepted_socket(
                self._protocol, connection, ssl=self._context, ssl_handshake_timeout=limit
            )
            return
        connection.close()
