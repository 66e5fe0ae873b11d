"""POST /sync/v1: one exchange of a desk with the street, both ways in one call (sync design D6)."""

from starlette.requests import Request
from starlette.responses import Response

from gridman.server.auth import caller_of
from gridman.server.limits import read_body
from gridman.server.parts import in_thread, parts_of

__all__ = ["post_sync"]

MEDIA_TYPE = "application/vnd.gridman.sync"


async def post_sync(request: Request) -> Response:
    """The body is an encoded message of `gridman.sync.protocol` (compressed msgpack); so is the answer."""
    actor = await caller_of(request)
    parts = parts_of(request)
    body = await read_body(request, parts.limits.sync_bytes, parts.limits.body_s)
    answer = await in_thread(lambda: parts.exchange.exchange_bytes(actor, body))
    return Response(answer, media_type=MEDIA_TYPE)
