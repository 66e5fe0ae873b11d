"""GET /incidents/v1: incidents for an office's own scripts, as JSON; read only, within the caller's scopes."""

import re
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from gridman.server.answers import json_answer
from gridman.server.api import Param, Said, address
from gridman.server.auth import caller_of
from gridman.server.limits import malformed
from gridman.server.parts import in_thread, parts_of
from gridman.services.scoped import IncidentPage, page_incidents

__all__ = ["get_incidents"]

_USUAL, _MOST = 100, 500
_STATE = re.compile(r"[0-9A-Za-z_]{0,40}")
_COUNT = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}


class Incidents(Struct, frozen=True):
    """A page of incidents without personal fields. `next`: the `after` of the next page, null at the end."""

    incidents: list[dict[str, Any]]
    next: int | None


@address(
    "GET", "/incidents/v1", Said(200, "A page.", Incidents),
    params=(
        Param("after", "query", "Only incidents with a higher id.", _COUNT),
        Param("limit", "query", "How many at most; more than 500 counts as 500.", _COUNT),
        Param("state", "query", "Only incidents in this state.", {"type": "string", "pattern": "^[0-9A-Za-z_]{0,40}$"}),
    ),
    refuses=("http.malformed", "access.role"),
)  # fmt: skip
async def get_incidents(request: Request) -> Response:
    """Incidents within the caller's scopes, for an office's own scripts; the oldest first."""
    actor = await caller_of(request)
    asked = request.query_params
    after, limit = _whole(asked.get("after", "0")), _whole(asked.get("limit", str(_USUAL)))
    state = asked.get("state") or None
    if state is not None and not _STATE.fullmatch(state):  # PostgreSQL cannot even ask for some texts
        raise malformed("state")
    store = parts_of(request).street.store

    def ask() -> IncidentPage:
        with store.read() as reader:
            return page_incidents(reader, actor, after_id=after, limit=max(1, min(limit, _MOST)), state=state)

    page = await in_thread(ask)
    return json_answer(Incidents(page.incidents, page.next_id))


def _whole(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    raise malformed("after, limit")
