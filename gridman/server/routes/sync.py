"""POST /sync/v1: one exchange of a desk with the street, both ways in one call (sync design D6). A desk that asks with the header
`Gridman-Ticket: wanted` gets its next ticket in the same header. POST /farewell/v1: what a desk hands over that may not write any more.
"""

from starlette.requests import Request
from starlette.responses import Response

from gridman.server.api import Body, Caller, Param, Said, address
from gridman.server.auth import caller_of
from gridman.server.limits import read_body
from gridman.server.parts import in_thread, parts_of
from gridman.services.lease import issue_ticket

__all__ = ["MEDIA_TYPE", "post_farewell", "post_sync"]

MEDIA_TYPE = "application/vnd.gridman.sync"
TICKET = "gridman-ticket"
KEYS = "gridman-keys"


_MESSAGE = Body(
    "sync_bytes",
    media_type=MEDIA_TYPE,
    meaning="A message of gridman.sync.protocol: msgpack, compressed with Zstandard.",
)
_BESIDE = {
    TICKET: "The next ticket, when it was wanted.",
    KEYS: "With a ticket: the street's public keys for bundles, hexadecimal.",
}
_REFUSES = ("sync.malformed", "sync.too_large", "sync.other_device", "sync.fork", "sync.too_new")


@address(
    "POST", "/sync/v1", Said(200, "The answer, of the same kind.", media_type=MEDIA_TYPE, headers=_BESIDE),
    body=_MESSAGE, params=(Param(TICKET, "header", "Asks for the desk's next ticket.", {"type": "string"}),),
    refuses=(*_REFUSES, "sync.too_old"),
)  # fmt: skip
async def post_sync(request: Request) -> Response:
    """One exchange of a desk with the street: its work up, what is new down."""
    actor = await caller_of(request)
    parts = parts_of(request)
    body = await read_body(request, parts.limits.sync_bytes, parts.limits.body_s)
    wants_ticket = TICKET in request.headers

    def answer() -> Response:
        content = parts.exchange.exchange_bytes(actor, body)
        if not wants_ticket:
            return Response(content, media_type=MEDIA_TYPE)
        ticket = issue_ticket(parts.street.store, parts.street.key, actor.replica, actor.user_id)
        return Response(
            content, headers={TICKET: ticket, KEYS: parts.exchange.public_keys.hex()}, media_type=MEDIA_TYPE
        )

    async with parts.exchanges.turn(actor.replica, len(body)):
        return await in_thread(answer)


@address(
    "POST",
    "/farewell/v1",
    Said(200, "The verdicts.", media_type=MEDIA_TYPE),
    caller=Caller.LEAVING,
    body=_MESSAGE,
    refuses=("sync.malformed", "sync.too_large", "sync.other_device", "sync.too_new", "handover.full"),
)
async def post_farewell(request: Request) -> Response:
    """What a desk hands over that was retired, reported lost, or is a copy: nothing is applied and nothing given, it is kept for review."""
    actor = await caller_of(request, is_farewell=True)
    parts = parts_of(request)
    body = await read_body(request, parts.limits.sync_bytes, parts.limits.body_s)
    async with parts.exchanges.turn(actor.replica, len(body)):
        answer = await in_thread(lambda: parts.exchange.farewell_bytes(actor, body))
    return Response(answer, media_type=MEDIA_TYPE)
