"""POST /audit/v1: a desk's new audit lines; the answer confirms, signed, up to where the street has the log."""

from starlette.requests import Request
from starlette.responses import Response

from gridman.server.answers import json_answer, json_body
from gridman.server.api import Body, Said, address
from gridman.server.auth import caller_of
from gridman.server.limits import read_body
from gridman.server.parts import in_thread, parts_of
from gridman.services.audit_anchor import Anchor, AuditPush, receive

__all__ = ["post_audit"]


_RULE = {"properties": {"head": {"pattern": "^[0-9]{1,15}(:[\\s\\S]*)?$"}, "rows": {"maxItems": 500}}}


@address(
    "POST",
    "/audit/v1",
    Said(200, "Up to where the street has the log.", Anchor),
    body=Body("chunk_bytes", AuditPush, rule=_RULE),
)
async def post_audit(request: Request) -> Response:
    """New lines of a desk's audit log; the answer confirms, signed, up to where the street has it."""
    actor = await caller_of(request)
    parts = parts_of(request)
    push = json_body(await read_body(request, parts.limits.chunk_bytes, parts.limits.body_s), AuditPush)
    street = parts.street
    return json_answer(await in_thread(lambda: receive(street.store, street.key, actor, push)))
