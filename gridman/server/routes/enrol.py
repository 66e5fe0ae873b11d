"""POST /enrol/v1: a computer becomes a desk of the street; DELETE: it did not come to it."""

from dataclasses import replace

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from gridman.server.answers import json_answer, json_body
from gridman.server.api import Body, Caller, Said, address
from gridman.server.auth import caller_of, host_of
from gridman.server.limits import malformed, read_body
from gridman.server.parts import count_trial, in_thread, parts_of
from gridman.services.enrolment import Enrolled, enrol, take_back
from gridman.services.lease import issue_ticket, signer_of

__all__ = ["delete_enrol", "post_enrol"]


class EnrolForm(Struct, frozen=True):
    """What is typed at the new desk: a login with its password or with a code."""

    login: str
    device_name: str = ""
    password: str | None = None
    code: str | None = None


_EITHER = {
    "oneOf": [
        {"required": [one], "properties": {one: {"type": "string"}, other: {"type": "null"}}}
        for one, other in (("password", "code"), ("code", "password"))
    ]
}


@address(
    "POST", "/enrol/v1", Said(201, "The computer is a desk now; the token is shown this once.", Enrolled),
    caller=Caller.ANYONE, body=Body("small_bytes", EnrolForm, rule=_EITHER),
    refuses=("auth.wrong_password", "auth.locked", "auth.suspended", "http.too_many"),
)  # fmt: skip
async def post_enrol(request: Request) -> Response:
    """A computer becomes a desk of the street, by the password of its user or by a code."""
    parts = parts_of(request)
    await count_trial(parts, host_of(request))
    form = json_body(await read_body(request, parts.limits.small_bytes, parts.limits.body_s), EnrolForm)
    if (form.password is None) == (form.code is None):
        raise malformed("password or code")
    street = parts.street

    def make() -> Enrolled:
        made = enrol(
            street.store, form.login, form.device_name, password=form.password, code=form.code, hasher=street.hasher
        )
        ticket = issue_ticket(street.store, street.key, made.replica, made.user_id)
        return replace(made, signer=signer_of(street.store, street.key), ticket=ticket)

    return json_answer(await in_thread(make, parts.hashing), 201)


@address("DELETE", "/enrol/v1", Said(204, "The enrolment was taken back."), refuses=("enrol.in_use",))
async def delete_enrol(request: Request) -> Response:
    """A computer that could not be set up takes its enrolment back; the code that was used for it works again."""
    actor = await caller_of(request)
    store = parts_of(request).street.store

    def undo() -> None:
        with store.unit(actor) as unit:
            take_back(unit)

    await in_thread(undo)
    return Response(status_code=204)
