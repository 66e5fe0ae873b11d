"""What a signed-in user asks about the own account: GET /me/v1, POST /token/v1, POST /password/v1."""

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from gridman.server.answers import json_answer, json_body
from gridman.server.api import Body, Said, address
from gridman.server.auth import caller_of
from gridman.server.limits import read_body
from gridman.server.parts import count_trial, in_thread, parts_of
from gridman.services.access import scopes_of_user
from gridman.services.accounts import change_password
from gridman.services.enrolment import rotate_token

__all__ = ["get_me", "post_password", "post_token"]


class Me(Struct, frozen=True):
    """Who the street takes the caller for, and the scopes its desk receives."""

    user_id: int
    name: str
    role: str
    organisation_id: int
    replica: int
    scopes: list[str]


class NewToken(Struct, frozen=True):
    """A token; it is shown this once."""

    token: str


class PasswordForm(Struct, frozen=True):
    """A change of password."""

    old: str
    new: str


@address("GET", "/me/v1", Said(200, "The user.", Me))
async def get_me(request: Request) -> Response:
    """Who the street takes the caller for, and the scopes its desk receives."""
    actor = await caller_of(request)
    store = parts_of(request).street.store

    def ask() -> list[str]:
        with store.read() as reader:
            return sorted(scopes_of_user(reader, actor.user_id))

    scopes = await in_thread(ask)
    return json_answer(Me(actor.user_id, actor.name, actor.role, actor.organisation_id, actor.replica, scopes))


@address("POST", "/token/v1", Said(200, "The new token.", NewToken))
async def post_token(request: Request) -> Response:
    """Another token for this device; the old one works until the new one is used."""
    actor = await caller_of(request)
    store = parts_of(request).street.store

    def rotate() -> str:
        with store.unit(actor) as unit:
            return rotate_token(unit)

    return json_answer(NewToken(await in_thread(rotate)))


@address(
    "POST", "/password/v1", Said(204, "The password was replaced."),
    body=Body("small_bytes", PasswordForm), refuses=("auth.wrong_password", "auth.locked", "passphrase.weak"),
)  # fmt: skip
async def post_password(request: Request) -> Response:
    """The user's own new password; answers 204."""
    actor = await caller_of(request)
    parts = parts_of(request)
    await count_trial(parts, f"password {actor.user_id}")
    form = json_body(await read_body(request, parts.limits.small_bytes, parts.limits.body_s), PasswordForm)
    street = parts.street
    await in_thread(
        lambda: change_password(street.store, actor, form.old, form.new, hasher=street.hasher), parts.hashing
    )
    return Response(status_code=204)
