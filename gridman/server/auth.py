"""Who calls: the bearer token of an enrolled device, checked against today's rights at every call."""

from starlette.requests import Request

from gridman.domain.access import Actor
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.certificates import is_loopback
from gridman.server.parts import StreetParts, in_thread, parts_of
from gridman.services import enrolment
from gridman.services.monitoring import require_monitor

__all__ = ["caller_of", "host_of", "require_monitor_or_here"]

_LONGEST = 200


async def caller_of(request: Request, *, is_farewell: bool = False) -> Actor:
    """The actor behind a request. Refuses ``auth.*`` and, when the device calls too often, ``http.too_many``."""
    parts, token = parts_of(request), _token(request)
    actor = await in_thread(lambda: _known(parts, token, is_farewell))
    parts.calls.take(f"device {actor.replica}")
    return actor


def _token(request: Request) -> str:
    token = bearer_of(request)
    if not 0 < len(token) <= _LONGEST:
        raise Refusal(
            "auth.no_token",
            N_("This address needs the token of an enrolled computer."),
            N_("Enrol this computer first."),
        )
    return token


def bearer_of(request: Request) -> str:
    """The token of the request's Authorization header, empty without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _known(parts: StreetParts, token: str, is_farewell: bool) -> Actor:
    store = parts.street.store
    with store.read() as reader:
        actor = enrolment.actor_of_token(reader, token, is_farewell=is_farewell)
    enrolment.note_seen(store, actor, token)
    return actor


def host_of(request: Request) -> str:
    """The caller's address, for limits on those who have no token yet."""
    return request.client.host if request.client else "?"


async def require_monitor_or_here(request: Request) -> None:
    """Refuse with ``auth.no_monitor`` whoever asks neither from this very computer nor with the monitor's token. What came through a proxy
    on this computer came from elsewhere.
    """
    through_proxy = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via"))
    if is_loopback(host_of(request)) and not through_proxy:
        return
    store, token = parts_of(request).street.store, bearer_of(request)
    await in_thread(lambda: require_monitor(store, token))
