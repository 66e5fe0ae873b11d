"""The application: addresses, and what every answer carries."""

import asyncio
import time
from email.utils import formatdate

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridman.kernel.errors import Refusal
from gridman.server.admin.routes import admin_routes
from gridman.server.answers import on_bug, on_disconnect, on_http, on_refusal
from gridman.server.api import Address, routes_of
from gridman.server.limits import Limits
from gridman.server.metrics import Traffic
from gridman.server.parts import StreetParts
from gridman.server.preparing import Preparing
from gridman.server.queue import busy, stopping
from gridman.server.routes.account import get_me, post_password, post_token
from gridman.server.routes.audit import post_audit
from gridman.server.routes.authority import get_authority
from gridman.server.routes.blobs import get_blob, head_blob, patch_blob
from gridman.server.routes.description import get_openapi
from gridman.server.routes.enrol import delete_enrol, post_enrol
from gridman.server.routes.events import get_events
from gridman.server.routes.incidents import get_incidents
from gridman.server.routes.monitor import get_health, get_live, get_metrics
from gridman.server.routes.status import get_status, get_version
from gridman.server.routes.sync import MEDIA_TYPE, post_farewell, post_sync
from gridman.services.jobs import settle_jobs
from gridman.services.street import Street
from gridman.sync.catching_up import catch_up
from gridman.sync.replica import Replica
from gridman.sync.seal import Keys
from gridman.sync.snapshots import Snapshots, snapshots_of

__all__ = ["ADDRESSES", "StreetParts", "make_app", "street_app"]

ADDRESSES: tuple[Address, ...] = (
    get_status, get_live, get_health, get_metrics, get_version, get_openapi, get_authority, post_enrol, delete_enrol,
    get_me, post_token, post_password,
    post_sync, get_events, post_audit, post_farewell, patch_blob, head_blob, get_blob, get_incidents,
)  # fmt: skip
"""Every address for programs, in the order of the document (`gridman.server.openapi`)."""

_ALWAYS_OPEN = {a.path for a in ADDRESSES if a.is_always_open}


class _Guarded:
    """Around every call: it is counted and timed, it is turned away while the server stops or has too much to do, and its answer carries
    headers that keep it out of caches and browsers from guessing. Messages of the sync go to desks alone, which need none of these and may
    pay for each byte.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts: StreetParts = scope["app"].state.parts
        started, status, has_begun = time.monotonic(), 500, False

        async def guarded(message: Message) -> None:
            nonlocal status, has_begun
            if message["type"] == "http.response.start":
                status, has_begun = message["status"], True
                headers = MutableHeaders(scope=message)
                if parts.is_stopping:
                    headers["Connection"] = "close"
                if headers.get("Content-Type") == MEDIA_TYPE:
                    return await send(message)
                headers.setdefault("Date", formatdate(usegmt=True))
                headers.setdefault("Cache-Control", "no-store")
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
            await send(message)

        task = asyncio.current_task()
        assert task is not None
        parts.traffic.running += 1
        parts.under_way.add(task)
        try:
            refusal = _turned_away(parts, scope["path"])
            if refusal is None:
                await self._app(scope, receive, guarded)
            else:
                answer = await on_refusal(Request(scope, receive), refusal)
                await answer(scope, receive, guarded)
        except asyncio.CancelledError:
            if has_begun or not parts.is_cut:
                raise
            task.uncancel()
            answer = await on_refusal(Request(scope, receive), stopping(parts.chance))
            await answer(scope, receive, guarded)
        finally:
            parts.traffic.running -= 1
            parts.quiet_since = time.monotonic()
            parts.under_way.discard(task)
            parts.traffic.count_call(_method(scope), _path(scope), status, time.monotonic() - started)


def _turned_away(parts: StreetParts, path: str) -> Refusal | None:
    if path in _ALWAYS_OPEN:
        return None
    if parts.is_stopping:
        return stopping(parts.chance)
    if parts.calls_under_way > parts.limits.calls_at_once:
        return busy(parts.chance)
    return None


def _path(scope: Scope) -> str:
    """The path as a label, as it was declared: names of photos do not belong into numbers."""
    return next((r.path for r in scope["app"].state.described if r.endpoint is scope.get("endpoint")), "other")


def _method(scope: Scope) -> str:
    """The method as a label: strangers may send any word."""
    return scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"


def make_app(parts: StreetParts) -> Starlette:
    """The street server's application over these parts."""
    routes = routes_of(ADDRESSES)
    app = Starlette(
        routes=[*routes, *admin_routes()],
        middleware=[Middleware(_Guarded)],
        exception_handlers={
            Refusal: on_refusal,
            HTTPException: on_http,
            ClientDisconnect: on_disconnect,
            Exception: on_bug,
        },
    )
    app.state.parts, app.state.addresses, app.state.described = parts, ADDRESSES, routes
    return app


def street_app(
    street: Street,
    limits: Limits | None = None,
    *,
    authority: bytes = b"",
    certificate_ends_at: int = 0,
    snapshots: Snapshots | None = None,
    worker: str = "",
) -> Starlette:
    """The application over an open street, with its own workshops. `authority`: the certificate (PEM) that new desks are to believe;
    `certificate_ends_at`: the last instant of the server's own, 0 without one; `snapshots`: others than the usual ones; `worker`: see
    `gridman.server.metrics.Traffic`.
    """
    traffic = Traffic(worker)
    catch_up(street.store)
    settle_jobs(street)
    snapshots = snapshots or snapshots_of(street)
    replica = Replica(
        street.store,
        Keys.from_seed(street.key).public,
        key=street.key,
        told=traffic.count_operation,
        snapshots=snapshots,
    )
    parts = StreetParts(
        street, replica, street.photos, limits or Limits(), authority, certificate_ends_at, traffic=traffic
    )  # fmt: skip
    parts.preparing = Preparing(street, snapshots, parts)
    return make_app(parts)
