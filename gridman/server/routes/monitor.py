"""For monitors: GET /health/live, GET /health, GET /metrics. Numbers only: no name, no device, no record."""

import time

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from gridman import __version__
from gridman.server.answers import json_answer
from gridman.server.api import Caller, Said, address
from gridman.server.auth import require_monitor_or_here
from gridman.server.metrics import CONTENT_TYPE, family
from gridman.server.parts import StreetParts, in_thread, parts_of
from gridman.server.queue import stopping
from gridman.services.monitoring import Numbers, last_backup_at, street_numbers
from gridman.services.street import street_picture
from gridman.sync.protocol import SPOKEN

__all__ = ["get_health", "get_live", "get_metrics"]


class Health(Struct, frozen=True):
    """How the server is: ``ok``."""

    status: str


@address("GET", "/health/live", Said(200, "The program runs.", Health), caller=Caller.ANYONE, is_always_open=True)
async def get_live(request: Request) -> Response:
    """Whether the program runs and answers; says nothing about its database."""
    return json_answer(Health("ok"))


@address(
    "GET",
    "/health",
    Said(200, "Desks are served.", Health),
    caller=Caller.ANYONE,
    refuses=("server.stopping",),
    is_always_open=True,
)
async def get_health(request: Request) -> Response:
    """Whether the server takes calls and its database answers; 503 or 507 when not, also while it is being stopped."""
    parts = parts_of(request)
    if parts.is_stopping:
        raise stopping(parts.chance)
    await in_thread(lambda: street_picture(parts.street.store, 0))
    return json_answer(Health("ok"))


@address(
    "GET",
    "/metrics",
    Said(200, "Numbers in the text format of Prometheus.", media_type="text/plain"),
    caller=Caller.MONITOR,
    is_always_open=True,
)
async def get_metrics(request: Request) -> Response:
    """What the server did since its start, and the street in numbers; for the server's own computer or with the monitor's token."""
    await require_monitor_or_here(request)
    parts = parts_of(request)
    store = parts.street.store
    known, backup_at = await in_thread(lambda: (street_numbers(store), last_backup_at(store)))
    age_s = None if backup_at is None else (parts.street.clock() - backup_at) / 1000
    lines = [*parts.traffic.lines(), *_of_parts(parts), *_of_street(known, age_s)]
    return Response("\n".join(lines) + "\n", headers={"Content-Type": CONTENT_TYPE})


def _of_parts(parts: StreetParts) -> list[str]:
    build = {"version": __version__, "protocol": str(SPOKEN.highest), "database": parts.street.database_kind}
    own = parts.traffic.own
    return [
        *family("gridman_build_info", "gauge", "What runs here.", [(build, 1)]),
        *family("gridman_up_seconds", "gauge", "Time since the start.", [(own, round(time.monotonic() - parts.started, 1))]),
        *family("gridman_stopping", "gauge", "1 while the server is being stopped.", [(own, int(parts.is_stopping))]),
        *family("gridman_exchanges_running", "gauge", "Exchanges that have their turn.", [(own, parts.exchanges.running)]),
        *family("gridman_exchanges_waiting", "gauge", "Exchanges that wait for it.", [(own, parts.exchanges.waiting)]),
        *family("gridman_exchanges_shed_total", "counter", "Exchanges told to come again.", [(own, parts.exchanges.shed)]),
        *family("gridman_desks_listening", "gauge", "Desks that wait for news.", [(own, len(parts.pokes))]),
    ]  # fmt: skip


def _of_street(known: Numbers, backup_age_s: float | None) -> list[str]:
    heard = zip(("hour", "day", "week"), known.heard, strict=True)
    devices = [({"state": "enrolled"}, known.enrolled), ({"state": "removed"}, known.removed)]
    backup: list[tuple[dict[str, str], float]] = [] if backup_age_s is None else [({}, round(backup_age_s))]
    return [
        *family("gridman_feed_number", "gauge", "The number of the last change.", [({}, known.feed)]),
        *family("gridman_devices", "gauge", "Computers, by state.", devices),
        *family("gridman_devices_heard", "gauge", "Computers that called within the time.", [({"within": w}, n) for w, n in heard]),
        *family("gridman_conflicts_open", "gauge", "Values kept for review that nobody decided yet.", [({}, known.conflicts)]),
        *family("gridman_database_bytes", "gauge", "Size of the database.", [({}, known.database_bytes)]),
        *family("gridman_backup_age_seconds", "gauge", "Time since the last backup; absent when there was none.", backup),
    ]  # fmt: skip
