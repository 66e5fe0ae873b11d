"""The addresses of the pages, and what they need besides: the style sheet, and a page for addresses that are none."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gridman.kernel.words import N_
from gridman.server.admin import (
    accounts,
    backups,
    computers,
    departments,
    grids,
    imports,
    jobs,
    log,
    notices,
    overview,
    restoring,
    review,
    signing,
)
from gridman.server.admin.ask import Answer, Ask, Page
from gridman.server.admin.door import inside
from gridman.server.admin.frame import BASE
from gridman.server.admin.markup import join
from gridman.server.admin.pieces import link, note
from gridman.server.admin.style import style_sheet

__all__ = ["admin_routes"]

_NOUNS = (
    overview, signing, accounts, computers, grids, departments, review, notices, imports, restoring, backups, jobs, log,
)  # fmt: skip


async def _style(request: Request) -> Response:
    return Response(style_sheet(), media_type="text/css", headers={"Cache-Control": "max-age=300"})


def _nowhere(ask: Ask) -> Answer:
    body = join(note(ask.say(N_("There is nothing at this address."))), link(ask.say(N_("Back to the first page")), ""))
    return Page(ask.say(N_("Not found")), body, status=404)


def admin_routes() -> list[Route]:
    """The routes, in the order in which they are tried. They are pages for people, not part of the interface for programs."""
    served = [s for noun in _NOUNS for s in noun.ROUTES]
    return [
        Route(BASE + "/style.css", _style, methods=["GET"], include_in_schema=False),
        *(Route(BASE + s.path, s.handler, methods=[s.method], include_in_schema=False) for s in served),
        Route(BASE + "/{rest:path}", inside(_nowhere, None), methods=["GET"], include_in_schema=False),
    ]
