"""What an address of the server takes and answers, said once at its handler. The application's routes and the OpenAPI document come from
this (`gridman.server.openapi`), so that neither is kept by hand beside the other.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ["BINARY", "JSON", "Address", "Body", "Caller", "Param", "Said", "address", "routes_of"]

JSON, BINARY = "application/json", "application/octet-stream"

Handler = Callable[[Request], Awaitable[Response]]


class Caller(StrEnum):
    """Who may call: anyone; an enrolled desk by its token; a desk that was removed, for its last words; a monitor by its own token, or
    from the server's own computer.
    """

    ANYONE = "anyone"
    DESK = "desk"
    LEAVING = "leaving"
    MONITOR = "monitor"


_ALWAYS = ("http.busy", "server.stopping")
_BY_CALLER: Mapping[Caller, tuple[str, ...]] = {
    Caller.ANYONE: (),
    Caller.DESK: ("auth.no_token", "auth.unknown_token", "auth.device_revoked", "auth.suspended", "http.too_many"),
    Caller.LEAVING: ("auth.no_token", "auth.unknown_token", "handover.closed", "auth.suspended", "http.too_many"),
    Caller.MONITOR: ("auth.no_monitor",),
}


@dataclass(frozen=True)
class Param:
    """A part of the address, of its question or of the headers. `schema`: JSON Schema of its value."""

    name: str
    place: str  # path, query, header
    meaning: str
    schema: Mapping[str, Any]
    is_required: bool = False


@dataclass(frozen=True)
class Body:
    """What is sent along, at most as many bytes as the field `limit` of `gridman.server.limits.Limits` says. `shape`: of a JSON body; None
    for bytes of `media_type`. `rule`: what else of the shape's JSON Schema the handler insists on.
    """

    limit: str
    shape: Any = None
    media_type: str = JSON
    meaning: str = ""
    rule: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refuses(self) -> tuple[str, ...]:
        """The codes every body may meet."""
        return ("http.too_large", "http.too_slow", *(("http.malformed",) if self.shape is not None else ()))


@dataclass(frozen=True)
class Said:
    """A good answer. `shape`: of a JSON body; with a `media_type` other than JSON text or bytes, of which `schema` may say more; neither: no body.
    `headers`: name -> meaning.
    """

    status: int
    meaning: str
    shape: Any = None
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Address:
    """One method at one path. `refuses`: the codes of its own; those of its caller and its body come by themselves. `is_always_open`: it
    answers while the server has too much to do or stops, too.
    """

    method: str
    path: str
    handler: Handler
    says: tuple[Said, ...]
    caller: Caller
    body: Body | None
    params: tuple[Param, ...]
    refuses: tuple[str, ...]
    is_always_open: bool = False

    @property
    def codes(self) -> frozenset[str]:
        """Every code this address may refuse with."""
        of_body = self.body.refuses if self.body else ()
        always = () if self.is_always_open else _ALWAYS
        return frozenset((*always, *_BY_CALLER[self.caller], *of_body, *self.refuses))


def routes_of(addresses: Iterable[Address]) -> list[Route]:
    """For the application: one route for each path, so that a call with another method is told all that there are."""
    by_path: dict[str, dict[str, Handler]] = {}
    for one in addresses:
        by_path.setdefault(one.path, {})[one.method] = one.handler
    return [Route(path, _by_method(handlers), methods=list(handlers)) for path, handlers in by_path.items()]


def _by_method(handlers: Mapping[str, Handler]) -> Handler:
    async def handle(request: Request) -> Response:
        method = "GET" if request.method not in handlers else request.method  # HEAD of what can be read
        return await handlers[method](request)

    return handle


def address(
    method: str,
    path: str,
    *says: Said,
    caller: Caller = Caller.DESK,
    body: Body | None = None,
    params: tuple[Param, ...] = (),
    refuses: tuple[str, ...] = (),
    is_always_open: bool = False,
) -> Callable[[Handler], Address]:
    """Declare what a handler does; its docstring becomes the description."""

    def declared(handler: Handler) -> Address:
        return Address(method, path, handler, says, caller, body, params, refuses, is_always_open)

    return declared
