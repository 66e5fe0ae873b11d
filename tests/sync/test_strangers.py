"""What answers is not the street: a sign-in page, a proxy before a stopped server, noise. Told in words; waiting work stays."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gridman.kernel.errors import Refusal
from gridman.sync.exchange import round as synchronise
from gridman.sync.http import HttpStreet, enrol_over_http
from tests.sync.world import World


@contextmanager
def stranger(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            for name, value in {"Content-Type": "text/html", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = do_PATCH = answer

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


STRANGERS: dict[str, tuple[int, bytes, str]] = {
    "a sign-in page": (200, b"<html>Sign in to the network</html>", "sync.no_street"),
    "nothing": (200, b"", "sync.no_street"),
    "a redirect": (302, b"", "sync.no_street"),
    "another program": (404, b"not found", "sync.no_street"),
    "another program's refusal": (403, b'{"code":1,"text":2,"advice":3,"params":4}', "sync.no_street"),
    "a proxy, the street stopped": (502, b"<h1>Bad Gateway</h1>", "sync.unreachable"),
    "a proxy, the street slow": (504, b"", "sync.unreachable"),
}


@pytest.mark.parametrize(("status", "body", "code"), STRANGERS.values(), ids=STRANGERS.keys())
def test_a_stranger_is_told_and_waiting_work_stays(world: World, status: int, body: bytes, code: str) -> None:
    home, desk = world.add_households(0, 1)[0], world.desk()
    desk.sync()
    desk.amend(home, remark="waits")
    with stranger(status, body) as url:
        street = HttpStreet(url, "gm1.2.token")
        with pytest.raises(Refusal) as told:
            synchronise(desk.store, street)
        street.close()
        with pytest.raises(Refusal) as enrolled:
            enrol_over_http(url, "worker", "Counter", password="a password")
    assert told.value.code == enrolled.value.code == code
    assert url in told.value.words()
    assert desk.sync().sent == 1


CALLS: list[Callable[[HttpStreet], object]] = [
    lambda street: street.blob_size("0" * 64),
    lambda street: street.put_blob("0" * 64, 0, 3, b"abc"),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("said", ["-1", "many", ""])
def test_numbers_that_are_none_are_no_streets(call: Callable[[HttpStreet], object], said: str) -> None:
    with stranger(200, b"", {"Upload-Offset": said}) as url:
        street = HttpStreet(url, "gm1.2.token")
        with pytest.raises(Refusal) as told:
            call(street)
        street.close()
    assert told.value.code == "sync.no_street"


def test_words_from_the_wire_are_shown_and_never_formatted() -> None:
    body = b'{"code":"x","text":"{0} {a.__class__} {a!r} {a:>99999999999} {a}","advice":"","params":{"a":"told"}}'
    with stranger(422, body) as url:
        street = HttpStreet(url, "gm1.2.token")
        with pytest.raises(Refusal) as told:
            street.put_blob("0" * 64, 0, 3, b"abc")
        street.close()
    assert told.value.words() == "{0} {a.__class__} {a!r} {a:>99999999999} told"
