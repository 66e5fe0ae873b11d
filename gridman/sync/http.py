"""The street server over HTTP, as a desk sees it. The only place that knows the HTTP library."""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import httpx
import msgspec

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.audit_anchor import Anchor, AuditPush
from gridman.services.enrolment import Enrolled
from gridman.sync.codec import decode_answer, decode_greeting, encode
from gridman.sync.protocol import Answer, Greeting, Hello, LastWords, Request
from gridman.sync.unreachable import no_street, unreachable

__all__ = ["HttpStreet", "enrol_over_http", "fetch_authority", "is_plain", "street_at", "take_back_over_http"]

T = TypeVar("T")
KEPT_OPEN_S = 200.0
"""Longer than the desk's pause between two rounds (`sync.rhythm`), shorter than the street waits (`server.run`)."""

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_LARGEST_AUTHORITY = 64 << 10
_NOBODY_BEHIND = (502, 503, 504)
"""What a proxy before the street says while the street's own server is stopped."""

_EVENTS = "text/event-stream"
_LISTENING = httpx.Timeout(10.0, read=60.0)
"""The street shows a sign of life every twenty seconds (`server.limits.Limits.beat_s`)."""

_TICKET = "gridman-ticket"
_KEYS = "gridman-keys"
_MEDIA_TYPE = "application/vnd.gridman.sync"


class _Version(msgspec.Struct):
    """What of a street's `/version` tells which street it is."""

    street_id: str


class _Poke(msgspec.Struct):
    n: int


class HttpStreet:
    """`gridman.sync.protocol.Street` over one kept-alive connection. Every trouble is a Refusal that says what helps."""

    def __init__(
        self, url: str, token: str, authority: bytes = b"", *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url = url
        self.wants_ticket = False
        self.ticket = ""
        self.bundle_keys = b""
        self._client = _client(url, transport, {"Authorization": f"Bearer {token}"}, _believing(authority))
        self._is_open = False
        self._listening: httpx.Response | None = None
        self.come_back_s = 0.0

    def greet(self, hello: Hello) -> Greeting:
        """See `Street.greet`."""
        return decode_greeting(self._post("/sync/v1", encode(hello)).content)

    def exchange(self, request: Request) -> Answer:
        """See `Street.exchange`. While `wants_ticket` the next ticket is asked for too, and kept in `ticket`, with the street's
        public keys for bundles in `bundle_keys`.
        """
        answer = self._post("/sync/v1", encode(request), {_TICKET: "wanted"} if self.wants_ticket else {})
        self.ticket = answer.headers.get(_TICKET, self.ticket)
        with suppress(ValueError):
            self.bundle_keys = bytes.fromhex(answer.headers.get(_KEYS, ""))
        return decode_answer(answer.content)

    def send_audit(self, push: AuditPush) -> Anchor:
        """New lines of this desk's audit log; the street's signed confirmation."""
        answer = self._ask(
            "POST", "/audit/v1", content=msgspec.json.encode(push), headers={"Content-Type": "application/json"}
        )
        try:
            return msgspec.json.decode(answer.content, type=Anchor)
        except msgspec.MsgspecError as error:
            raise no_street(self.url) from error

    def farewell(self, words: LastWords) -> Answer:
        """What a desk hands over that may not write any more."""
        return decode_answer(self._post("/farewell/v1", encode(words)).content)

    def blob_size(self, sha256: str) -> int | None:
        """See `Street.blob_size`."""
        return self._offset(self._ask("HEAD", f"/blobs/v1/{sha256}")) or None

    def put_blob(self, sha256: str, offset: int, total: int, chunk: bytes) -> int:
        """See `Street.put_blob`; when the street expects another offset it says so, and that is returned."""
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(total)}
        try:
            answer = self._ask("PATCH", f"/blobs/v1/{sha256}", content=chunk, headers=headers)
        except Refusal as refusal:
            if refusal.code != "blob.offset":
                raise
            return _whole_number(str(refusal.params.get("expected", "")), self.url)
        return self._offset(answer)

    def get_blob(self, sha256: str, offset: int, limit: int) -> tuple[bytes, int]:
        """See `Street.get_blob`."""
        answer = self._ask("GET", f"/blobs/v1/{sha256}", headers={"Range": f"bytes={offset}-{offset + limit - 1}"})
        total = answer.headers.get("Content-Range", f"/{len(answer.content)}").rpartition("/")[2]
        return answer.content, _whole_number(total, self.url)

    def news(self, after: int) -> Iterator[int | None]:
        """See `gridman.sync.listening.NewsSource`."""
        self.come_back_s = 0.0
        request = self._client.build_request("GET", "/events/v1", params={"after": after}, timeout=_LISTENING)
        answer = _checked(lambda: self._client.send(request, stream=True), self.url)
        try:
            if not answer.headers.get("Content-Type", "").startswith(_EVENTS):
                raise no_street(self.url)
            self._listening = answer
            lines = answer.iter_lines()
            while (line := _within(lambda: next(lines, None), self.url)) is not None:
                name, _colon, value = line.partition(":")
                if name == "data":
                    yield _number_of(value, self.url)
                elif name == "retry" and value.strip().isdecimal():
                    self.come_back_s = int(value) / 1000
                elif not name and _colon:
                    yield None
        finally:
            self._listening = None
            answer.close()

    def hang_up(self) -> None:
        """See `gridman.sync.listening.NewsSource`. The thread that reads wakes up when the connection is shut under it."""
        answer = self._listening
        stream = answer.extensions.get("network_stream") if answer is not None else None
        line = stream.get_extra_info("socket") if stream is not None else None
        if line is not None:
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)  # below TLS, whose own goodbye would wait for an answer

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
        answer = self._ask("POST", path, content=body, headers=headers)
        if not answer.headers.get("Content-Type", "").startswith(_MEDIA_TYPE):
            raise no_street(self.url)  # a sign-in page of the network, a proxy's, another program's
        return answer

    def _offset(self, answer: httpx.Response) -> int:
        return _whole_number(answer.headers.get("Upload-Offset", ""), self.url)

    def _ask(self, method: str, path: str, **what: Any) -> httpx.Response:
        answer = _checked(lambda: self._sent(method, path, **what), self.url)
        self._is_open = True
        return answer

    def _sent(self, method: str, path: str, **what: Any) -> httpx.Response:
        """A connection that was open from the round before may turn out to be gone: then once more, over a new one. Everything that is asked of
        the street may be asked twice (operations are numbered, pieces have their place).
        """
        was_open, self._is_open = self._is_open, False
        try:
            return self._client.request(method, path, **what)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if not was_open:
                raise
        return self._client.request(method, path, **what)


def fetch_authority(server_url: str) -> bytes:
    """The certificate of the street's authority (PEM), as whoever answers at the address shows it: nothing is believed yet, nothing
    secret is sent. Empty for a server without TLS, which only this very computer can be.
    """
    if is_plain(server_url):
        return b""
    with _client(server_url, None, {}, _believing_anyone()) as client:
        return _checked(lambda: client.get("/ca"), server_url).content[:_LARGEST_AUTHORITY]


def street_at(server_url: str, authority: bytes) -> str:
    """The id of the street that answers at an address, with a certificate of this authority; nothing of the desk is told to it."""
    with _client(server_url, None, {}, _believing(authority)) as client:
        answer = _checked(lambda: client.get("/version"), server_url)
    try:
        return msgspec.json.decode(answer.content, type=_Version).street_id
    except msgspec.MsgspecError as error:
        raise no_street(server_url) from error


def enrol_over_http(
    server_url: str, login: str, device_name: str, *, password: str | None = None, code: str | None = None,
    authority: bytes = b"", transport: httpx.BaseTransport | None = None,
) -> Enrolled:  # fmt: skip
    """Ask the street server to make this computer a desk of `login`, by password or by one-time code; speaks to the server of this
    authority only.
    """
    form = {"login": login, "device_name": device_name, "password": password, "code": code}
    with _client(server_url, transport, {}, _believing(authority)) as client:
        answer = _checked(lambda: client.post("/enrol/v1", json=form), server_url)
    try:
        return msgspec.json.decode(answer.content, type=Enrolled)
    except msgspec.MsgspecError as error:
        raise no_street(server_url) from error


def take_back_over_http(
    server_url: str, token: str, *, authority: bytes = b"", transport: httpx.BaseTransport | None = None
) -> None:
    """Have the street forget an enrolment just made, of which nothing came on this computer; the code that was used works again."""
    with _client(server_url, transport, {"Authorization": f"Bearer {token}"}, _believing(authority)) as client:
        _checked(lambda: client.delete("/enrol/v1"), server_url)


def is_plain(url: str) -> bool:
    """Whether the address is one without TLS."""
    return url.startswith("http://")


def _believing(authority: bytes) -> ssl.SSLContext:
    """Certificates of this authority, for the very host of the address, and of nobody else: not even those the machine believes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the chain and the name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if authority:
        context.load_verify_locations(cadata=authority.decode("ascii"))
    return context


def _believing_anyone() -> ssl.SSLContext:
    """Only to be shown a certificate whose fingerprint is compared before anything is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _is_here(url: str) -> bool:
    """Whether the address is this very computer, so that no wire is crossed."""
    host = httpx.URL(url).host
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _kept_open(context: ssl.SSLContext) -> httpx.HTTPTransport:
    """One connection from round to round: a new one costs two round trips and 2 kB before the first byte of work. What lies between may
    drop it without a word; probes find that out in half a minute, not when somebody waits.
    """
    limits = httpx.Limits(max_keepalive_connections=1, keepalive_expiry=KEPT_OPEN_S)
    return httpx.HTTPTransport(verify=context, trust_env=False, limits=limits, socket_options=_probes())


def _probes() -> list[tuple[int, int, int]]:
    """The options that this system takes: some know of the finer ones and refuse them, and then no connection could be made."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    with socket.socket() as tried:
        return [option for option in options if _takes(tried, option)]


def _takes(tried: socket.socket, option: tuple[int, int, int]) -> bool:
    try:
        tried.setsockopt(*option)
    except OSError:
        return False
    return True


def _client(
    url: str, transport: httpx.BaseTransport | None, headers: Mapping[str, str], context: ssl.SSLContext
) -> httpx.Client:
    if not url.startswith(("http://", "https://")):
        raise Refusal(
            "sync.bad_address",
            N_("{url} is not the address of a street server."),
            N_("It begins with http:// or https://, for example https://street.example:8750."),
            url=url,
        )
    try:
        if is_plain(url) and not _is_here(url):
            raise Refusal(
                "sync.no_encryption",
                N_(
                    "{url} is an address without encryption; only a server on this very computer is spoken to like that."
                ),
                N_("Type the address with https:// as the administrator gave it."),
                url=url,
            )
        # The office's network has no proxy to its own server; a proxy meant for the internet would only be in the way.
        made = httpx.Client(
            base_url=url, timeout=_TIMEOUT, transport=transport or _kept_open(context), trust_env=False, headers=headers
        )  # fmt: skip
        # What HTTP/1.1 means without them is what is meant; with them a synchronisation that has nothing to say would be half as long again.
        for name in ("Accept", "Accept-Encoding", "Connection", "User-Agent"):
            del made.headers[name]
        return made
    except httpx.InvalidURL as error:
        raise no_street(url) from error


def _checked(call: Callable[[], httpx.Response], url: str) -> httpx.Response:
    answer = _within(call, url)
    if answer.is_success:
        return answer
    if not answer.is_closed:
        _within(answer.read, url)
    raise _refusal_of(answer, url)


def _within(call: Callable[[], T], url: str) -> T:
    """Do a part of a call; trouble of the line comes as a Refusal."""
    try:
        return call()
    except httpx.ConnectError as error:
        raise unreachable(url, str(error)) from error
    except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise Refusal(
            "sync.cut_off",
            N_("The connection to {url} was cut ({why})."),
            N_("Nothing was lost; the next synchronisation goes on from there."),
            url=url,
            why=type(error).__name__,
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise no_street(url) from error


def _number_of(data: str, url: str) -> int:
    """The number in a poke."""
    try:
        return msgspec.json.decode(data, type=_Poke).n
    except msgspec.MsgspecError as error:
        raise no_street(url) from error


def _whole_number(text: str, url: str) -> int:
    """A number of bytes; what says none is no street server."""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise no_street(url)
    return int(text)


def _refusal_of(answer: httpx.Response, url: str) -> Refusal:
    """The server's own refusal, in words of this desk's language."""
    if answer.request.method == "HEAD" and answer.status_code == 404:  # an answer to HEAD has no words
        return Refusal(
            "blob.missing",
            N_("The street has no such photo for this computer."),
            N_("Synchronise first: the photo's record goes before the photo."),
        )
    if "upload-offset" in answer.headers and answer.status_code == 409:
        return Refusal("blob.offset", N_("The photo goes on elsewhere."), "", expected=answer.headers["upload-offset"])
    asked = answer.headers.get("Retry-After", "")  # seconds; a date, which HTTP allows too, no server of ours says
    patience: dict[str, object] = {"retry_after_s": asked} if asked.isascii() and asked.isdigit() else {}
    try:
        said = msgspec.json.decode(answer.content, type=dict[str, Any])
        return Refusal(str(said["code"]), str(said["text"]), str(said["advice"]), **dict(said["params"]) | patience)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        if answer.status_code in _NOBODY_BEHIND:
            away = unreachable(url, "")
            return Refusal(away.code, away.text, away.remedy, **away.params | patience)
        return no_street(url)
