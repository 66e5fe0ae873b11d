"""GET /incidents/v1: incidents for an office's own scripts, as JSON; read only, within the caller's scopes."""

from starlette.requests import Request
from starlette.responses import Response

from gridman.server.answers import json_answer
from gridman.server.auth import caller_of
from gridman.server.limits import malformed
from gridman.server.parts import in_thread, parts_of
from gridman.services.scoped import IncidentPage, page_incidents

__all__ = ["get_incidents"]

_USUAL, _MOST = 100, 500


async def get_incidents(request: Request) -> Response:
    """`?after=ID&limit=N&state=CODE`: oldest number first; `next` is the `after` of the next page, null at the end."""
    actor = await caller_of(request)
    asked = request.query_params
    after, limit = _whole(asked.get("after", "0")), _whole(asked.get("limit", str(_USUAL)))
    state = asked.get("state") or None
    if state is not None and not state.isprintable():  # PostgreSQL cannot even ask for some of these
        raise malformed("state")
    store = parts_of(request).street.store

    def ask() -> IncidentPage:
        with store.read() as reader:
            return page_incidents(reader, actor, after_id=after, limit=max(1, min(limit, _MOST)), state=state)

    page = await in_thread(ask)
    return json_answer({"incidents": page.incidents, "next": page.next_id})


def _whole(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    raise malformed("after, limit")
