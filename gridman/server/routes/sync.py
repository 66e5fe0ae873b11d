"""POST /sync/v1: one exchange of a desk with the street, both ways in one call (sync design D6). A desk that asks with the header
`Gridman-Ticket: wanted` gets its next ticket in the same header. POST /farewell/v1: the last operations of a retired desk.
"""

from starlette.requests import Request
from starlette.responses import Response

from gridman.server.auth import caller_of
from gridman.server.limits import read_body
from gridman.server.parts import in_thread, parts_of
from gridman.services.lease import issue_ticket

__all__ = ["MEDIA_TYPE", "post_farewell", "post_sync"]

MEDIA_TYPE = "application/vnd.gridman.sync"
TICKET = "gridman-ticket"


async def post_sync(request: Request) -> Response:
    """The body is an encoded message of `gridman.sync.protocol` (compressed msgpack); so is the answer."""
    actor = await caller_of(request)
    parts = parts_of(request)
    body = await read_body(request, parts.limits.sync_bytes, parts.limits.body_s)
    wants_ticket = TICKET in request.headers

    def answer() -> Response:
        content = parts.exchange.exchange_bytes(actor, body)
        if not wants_ticket:
            return Response(content, media_type=MEDIA_TYPE)
        ticket = issue_ticket(parts.street.store, parts.street.key, actor.replica, actor.user_id)
        return Response(content, headers={TICKET: ticket}, media_type=MEDIA_TYPE)

    return await in_thread(answer)


async def post_farewell(request: Request) -> Response:
    """Like an exchange, but nothing is applied and nothing given: what the desk sends is kept for review."""
    actor = await caller_of(request, is_farewell=True)
    parts = parts_of(request)
    body = await read_body(request, parts.limits.sync_bytes, parts.limits.body_s)
    answer = await in_thread(lambda: parts.exchange.farewell_bytes(actor, body))
    return Response(answer, media_type=MEDIA_TYPE)
