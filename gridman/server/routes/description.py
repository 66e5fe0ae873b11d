"""GET /openapi.json: what this server takes and answers, for those who write programs against it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gridman.server.answers import json_answer
from gridman.server.api import Caller, Said, address
from gridman.server.openapi import document
from gridman.server.parts import parts_of

__all__ = ["get_openapi"]


@address("GET", "/openapi.json", Said(200, "An OpenAPI 3.1 document.", dict[str, Any]), caller=Caller.ANYONE)
async def get_openapi(request: Request) -> Response:
    """What this server takes and answers, as an OpenAPI document."""
    return json_answer(document(request.app.state.addresses, parts_of(request).limits))
