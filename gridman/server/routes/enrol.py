"""POST /enrol/v1: a computer becomes a desk of the street."""

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from gridman.server.answers import json_answer, json_body
from gridman.server.auth import host_of
from gridman.server.limits import malformed, read_body
from gridman.server.parts import in_thread, parts_of
from gridman.services.enrolment import enrol

__all__ = ["post_enrol"]


class EnrolForm(Struct, frozen=True):
    """What is typed at the new desk: a login with its password or with a code."""

    login: str
    device_name: str = ""
    password: str | None = None
    code: str | None = None


async def post_enrol(request: Request) -> Response:
    """Answers 201 with `gridman.services.enrolment.Enrolled` as JSON; the token is shown this once."""
    parts = parts_of(request)
    parts.enrolments.take(host_of(request))
    form = json_body(await read_body(request, parts.limits.small_bytes, parts.limits.body_s), EnrolForm)
    if (form.password is None) == (form.code is None):
        raise malformed("password or code")
    street = parts.street
    enrolled = await in_thread(
        lambda: enrol(
            street.store, form.login, form.device_name, password=form.password, code=form.code, hasher=street.hasher
        ),
        parts.hashing,
    )
    return json_answer(enrolled, 201)
