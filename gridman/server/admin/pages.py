"""One address of the pages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["Served"]


@dataclass(frozen=True)
class Served:
    """A path below `gridman.server.admin.frame.BASE`, the method, and what answers."""

    path: str
    method: str
    handler: Callable[[Request], Awaitable[Response]]
