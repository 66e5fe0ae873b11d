"""Answers: JSON, and refusals as JSON bodies with a fitting status. A stranger's input never ends in a 5xx, and a bug never tells its inside."""

from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gridman.kernel.errors import Refusal, Trouble
from gridman.kernel.files import full_disk, is_full_disk
from gridman.kernel.log import get_log
from gridman.kernel.words import LANGUAGES, N_, said_in
from gridman.server.limits import malformed

__all__ = [
    "Refused",
    "json_answer",
    "json_body",
    "language_of",
    "on_bug",
    "on_disconnect",
    "on_http",
    "on_refusal",
    "refusal_of",
    "status_of",
    "status_of_code",
]

T = TypeVar("T")
_log = get_log(__name__)

_STATUS = {
    "access.other_grid": 403,
    "access.role": 403,
    "auth.device_revoked": 403,
    "auth.locked": 429,
    "auth.no_monitor": 403,
    "auth.no_token": 401,
    "auth.suspended": 403,
    "auth.unknown_token": 401,
    "auth.wrong_password": 401,
    "assign.no_grid": 404,
    "backup.missing": 404,
    "backup.no_restored": 404,
    "handover.closed": 403,
    "handover.full": 403,
    "blob.missing": 404,
    "device.missing": 404,
    "blob.offset": 409,
    "disk.full": 507,
    "file.cannot_write": 507,
    "auth.no_pages": 403,
    "http.busy": 503,
    "http.malformed": 400,
    "http.needs_tls": 403,
    "http.other_form": 403,
    "http.no_authority": 404,
    "http.too_large": 413,
    "http.too_many": 429,
    "http.too_slow": 408,
    "record.missing": 404,
    "server.stopping": 503,
    "job.busy": 409,
    "job.missing": 404,
    "enrol.in_use": 409,
    "sync.fork": 409,
    "sync.malformed": 400,
    "sync.other_device": 403,
    "sync.too_large": 413,
    "server.trouble": 503,
    "sync.too_new": 409,
    "sync.too_old": 409,
}
_OTHERWISE = 422

_NOT_FOUND = Refusal("http.not_found", N_("There is nothing at this address."), N_("Check the address of the server."))
_BUG = Refusal(
    "server.bug",
    N_("The street server made a mistake."),
    N_("Try again; if it happens again, tell the street's administrator the time: the server's log has the rest."),
)


_TROUBLE = N_("The street server cannot work at the moment ({trouble}).")
_TROUBLE_REMEDY = N_(
    "Nothing was lost: what you did stays on this computer and is sent later. Tell the street's administrator; the server's log says more."
)


def status_of_code(code: str) -> int:
    """The HTTP status of a refusal with this code."""
    return _STATUS.get(code, _OTHERWISE)


class Refused(msgspec.Struct, frozen=True):
    """Why the server did not do what was asked, for people (`words`, `remedy`) and for a desk, which puts it into its own language from
    `text`, `advice` and `params`. `code` stays the same across versions.
    """

    code: str
    words: str
    remedy: str
    text: str
    advice: str
    params: dict[str, str]


def json_answer(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`content` (builtins, structs or dataclasses) as JSON."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def json_body(body: bytes, shape: type[T]) -> T:
    """A JSON body of the given shape; refuses with ``http.malformed``."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(str(error)[:200]) from error


def language_of(request: Request) -> str:
    """The language of the person who asks: the first of ours in Accept-Language (`?lang=` goes before), else English."""
    asked = request.query_params.get("lang", "") + "," + request.headers.get("accept-language", "")
    for wish in asked[:200].lower().replace("_", "-").split(","):
        tag = wish.partition(";")[0].strip()
        if tag.partition("-")[0] == "zh":
            return "zh_CN"
        if tag.partition("-")[0] in LANGUAGES:
            return tag.partition("-")[0]
    return "en"


def status_of(error: Exception) -> int:
    """The HTTP status of an error."""
    if is_full_disk(error):
        return 507
    if not isinstance(error, Refusal) or error is _BUG:
        return 500
    return _STATUS.get(error.code, 503 if isinstance(error, Trouble) else _OTHERWISE)


def refusal_answer(refusal: Refusal, language: str, status: int | None = None) -> Response:
    """A refusal for people (`words`, `remedy`) and for a desk, which puts it into its own language (`text`, `advice`, `params`)."""
    params = {name: str(value) for name, value in refusal.params.items()}
    words, remedy = _filled(refusal.text, params, language), _filled(refusal.remedy, params, language)
    body = Refused(refusal.code, words, remedy, refusal.text, refusal.remedy, params)
    status = status or status_of(refusal)
    headers = {"Retry-After": params["seconds"]} if status in (429, 503) and "seconds" in params else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refusal.code == "blob.offset" and "expected" in params:
        headers["Upload-Offset"] = params["expected"]
    return json_answer(body, status, headers)


def _filled(text: str, params: dict[str, str], language: str) -> str:
    said = said_in(language, text)
    for name, value in params.items():
        said = said.replace("{" + name + "}", value)
    return said


def refusal_of(request: Request, error: Exception) -> Refusal:
    """What a caller is told of an error. Trouble of this machine and our own mistakes are told in full here, in the log; who asks from
    elsewhere can do nothing about them.
    """
    if is_full_disk(error):
        error = full_disk("-")
    if isinstance(error, Trouble):
        _log.error("%s %s: %s", request.method, request.url.path, error)
        return Refusal("server.trouble", _TROUBLE, _TROUBLE_REMEDY, trouble=error.code)
    if isinstance(error, Refusal):
        return error
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _BUG


async def on_refusal(request: Request, error: Exception) -> Response:
    """An expected problem."""
    return refusal_answer(refusal_of(request, error), language_of(request), status_of(error))


async def on_http(request: Request, error: Exception) -> Response:
    """No such address, or not that method."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers: Any = getattr(error, "headers", None)
    answer = refusal_answer(_NOT_FOUND, language_of(request), status)
    answer.headers.update(headers or {})
    return answer


async def on_disconnect(request: Request, error: Exception) -> Response:
    """The caller went away in mid-message: nothing was done, nobody reads this."""
    return Response(status_code=400)


async def on_bug(request: Request, error: Exception) -> Response:
    """Anything else is our mistake: to the log with the trace, and not a word of it to the caller."""
    return refusal_answer(refusal_of(request, error), language_of(request), status_of(error))
