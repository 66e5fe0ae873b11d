"""GET /events/v1: the change notice. Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gridman.server.api import Param, Said, address
from gridman.server.auth import caller_of
from gridman.server.limits import malformed
from gridman.server.parts import StreetParts, in_thread, parts_of
from gridman.services.access import scopes_of_user

__all__ = ["get_events"]

EVENTS = "text/event-stream"
_LONGEST = 18
_EVENT = {
    "type": "object",
    "properties": {
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
        },
        "retry": {"type": "integer"},
    },
}


@address(
    "GET", "/events/v1",
    Said(200, "Events of the form {n}: the number of the last change that concerns the desk.", media_type=EVENTS, schema=_EVENT),
    params=(Param("after", "query", "Up to which change the desk has everything.", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}),),
    refuses=("http.malformed",),
)  # fmt: skip
async def get_events(request: Request) -> Response:
    """Tells a desk, within seconds, that the street has something for it; the desk then synchronises. The connection ends after some minutes."""
    actor = await caller_of(request)
    parts = parts_of(request)
    after = request.query_params.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) <= _LONGEST):
        raise malformed("after")
    store = parts.street.store

    def ask() -> frozenset[str]:
        with store.read() as reader:
            return scopes_of_user(reader, actor.user_id)

    parts.pokes.require_room(actor.replica)
    return StreamingResponse(_told(parts, actor.replica, await in_thread(ask), int(after)), media_type=EVENTS)


async def _told(parts: StreetParts, desk: int, scopes: frozenset[str], after: int) -> AsyncIterator[bytes]:
    """Pokes as they come, and a sign of life in between. A desk that is away is noticed when that cannot be written."""
    line = await parts.pokes.join(desk, scopes, after)
    beats = round(parts.limits.listen_s * parts.chance.uniform(0.8, 1.2) / parts.limits.beat_s)
    try:
        yield b":\n\n"
        for _beat in range(max(1, beats)):
            if line.has_news:
                line.told = line.seq
                yield b'data: {"n":%d}\n\n' % line.seq
            if line.is_over:
                break
            if not await line.news(parts.limits.beat_s) and not line.is_over:
                yield b":\n\n"
        if parts.pokes.is_stopped:
            yield b"retry: %d\n\n" % parts.come_back_ms()
    finally:
        parts.pokes.leave(line)
