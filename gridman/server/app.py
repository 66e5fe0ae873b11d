"""The application: addresses, and what every answer carries."""

from email.utils import formatdate

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridman.kernel.errors import Refusal
from gridman.server.answers import on_bug, on_disconnect, on_http, on_refusal
from gridman.server.limits import Limits
from gridman.server.parts import StreetParts
from gridman.server.routes.account import get_me, post_password, post_token
from gridman.server.routes.audit import post_audit
from gridman.server.routes.authority import get_authority
from gridman.server.routes.blobs import get_blob, head_blob, patch_blob
from gridman.server.routes.enrol import post_enrol
from gridman.server.routes.incidents import get_incidents
from gridman.server.routes.status import get_health, get_status, get_version
from gridman.server.routes.sync import MEDIA_TYPE, post_farewell, post_sync
from gridman.services.street import Street
from gridman.sync.replica import Replica
from gridman.sync.seal import Keys

__all__ = ["StreetParts", "make_app", "street_app"]

_ROUTES = (
    Route("/", get_status, methods=["GET"]),
    Route("/health", get_health, methods=["GET"]),
    Route("/version", get_version, methods=["GET"]),
    Route("/ca", get_authority, methods=["GET"]),
    Route("/enrol/v1", post_enrol, methods=["POST"]),
    Route("/me/v1", get_me, methods=["GET"]),
    Route("/token/v1", post_token, methods=["POST"]),
    Route("/password/v1", post_password, methods=["POST"]),
    Route("/sync/v1", post_sync, methods=["POST"]),
    Route("/audit/v1", post_audit, methods=["POST"]),
    Route("/farewell/v1", post_farewell, methods=["POST"]),
    Route("/blobs/v1/{sha256}", patch_blob, methods=["PATCH"]),
    Route("/blobs/v1/{sha256}", head_blob, methods=["HEAD"]),
    Route("/blobs/v1/{sha256}", get_blob, methods=["GET"]),
    Route("/incidents/v1", get_incidents, methods=["GET"]),
)


class _Guarded:
    """Headers that keep answers out of caches and browsers from guessing. Messages of the sync go to desks alone, which need none of
    them and may pay for each byte.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("Content-Type") == MEDIA_TYPE:
                    return await send(message)
                headers.setdefault("Date", formatdate(usegmt=True))
                headers.setdefault("Cache-Control", "no-store")
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
            await send(message)

        await self._app(scope, receive, guarded)


def make_app(parts: StreetParts) -> Starlette:
    """The street server's application over these parts."""
    app = Starlette(
        routes=list(_ROUTES),
        middleware=[Middleware(_Guarded)],
        exception_handlers={
            Refusal: on_refusal,
            HTTPException: on_http,
            ClientDisconnect: on_disconnect,
            Exception: on_bug,
        },
    )
    app.state.parts = parts
    return app


def street_app(street: Street, limits: Limits | None = None, *, authority: bytes = b"") -> Starlette:
    """The application over an open street, with its own workshops. `authority`: the certificate (PEM) that new desks are to believe."""
    replica = Replica(street.store, Keys.from_seed(street.key).public, key=street.key)
    return make_app(StreetParts(street, replica, street.photos, limits or Limits(), authority=authority))
