"""The way in: over TLS only, signed in, with the right that the page needs, and for whatever changes something a form made for this very
session. A session is a row in the street's database and a secret in a cookie that no script and no other site can use.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from gridman.domain.access import require
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import random_token
from gridman.kernel.words import LANGUAGES, N_, speaking
from gridman.server.admin.ask import Answer, Ask, File, Go, Page, Work, read_form
from gridman.server.admin.frame import BASE, UNWATCHED, framed, framed_alone
from gridman.server.admin.markup import el, join
from gridman.server.admin.pieces import refused
from gridman.server.answers import language_of, refusal_of, status_of
from gridman.server.auth import host_of
from gridman.server.limits import read_body
from gridman.server.parts import count_trial, in_thread, parts_of
from gridman.services.web_signin import is_form_token, signed_in

__all__ = ["COOKIE", "SIGN_IN", "door", "inside"]

COOKIE = "__Host-gridman-admin"
"""The prefix makes browsers insist on HTTPS, this host and the whole path (RFC 6265bis)."""
_LANGUAGE = "gridman-language"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
SIGN_IN = "/sign-in"
_BEFORE_ALL = frozenset({BASE + "/password", BASE + "/sign-out"})
"""What is open to those whose password somebody else chose."""
_SAFE = ("GET", "HEAD")

Handler = Callable[[Request], Awaitable[Response]]


def _language(request: Request) -> str:
    """What the person chose here, now or before, else what the browser prefers."""
    chosen = request.query_params.get("lang") or request.cookies.get(_LANGUAGE, "")
    return chosen if chosen in LANGUAGES else language_of(request)


def _ask(request: Request) -> Ask:
    return Ask(
        parts=parts_of(request),
        language=_language(request),
        secret=request.cookies.get(COOKIE, ""),
        query={name: value[:200] for name, value in request.query_params.items() if value.isprintable()},
        params=dict(request.path_params),
        host=host_of(request),
        path=request.url.path if request.method in _SAFE else BASE,
        url=f"{request.url.scheme}://{request.url.netloc}",
    )


def _set_secret(response: Response, secret: str) -> None:
    """Give the browser its secret; it goes when the browser is closed."""
    response.set_cookie(COOKIE, secret, path="/", secure=True, httponly=True, samesite="strict")


def answered(ask: Ask, answer: Page | Go | File) -> Response:
    """An answer as HTTP."""
    if isinstance(answer, Go):
        response: Response = RedirectResponse(_address(answer), 303, _HEADERS)
        if answer.path == SIGN_IN:
            response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
        return _speaking_on(ask, response)
    if isinstance(answer, File):
        return FileResponse(answer.path, headers=_HEADERS, media_type="application/octet-stream", filename=answer.name)
    text = framed(ask, answer) if ask.signed_in and not ask.signed_in.must_change else framed_alone(ask, answer)
    return _speaking_on(ask, HTMLResponse(text, answer.status, _HEADERS))


def _speaking_on(ask: Ask, response: Response) -> Response:
    """Have the browser remember the language that this very address chose, also where it is sent on to another."""
    if ask.query.get("lang") == ask.language:
        response.set_cookie(
            _LANGUAGE, ask.language, max_age=31_536_000, path=BASE, secure=True, httponly=True, samesite="strict"
        )
    return response


def _address(answer: Go) -> str:
    return BASE + answer.path + (f"?done={answer.done}" if answer.done else "")


def _failed(request: Request, ask: Ask, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):  # nobody reads the page; it is no mistake of the program's either
        raise error
    refusal = refusal_of(request, error)
    body = join(refused(ask, refusal), el("p", el("a", ask.say(N_("Back to the first page")), href=BASE)))
    response = answered(ask, Page(ask.say(N_("That was not done")), body, status=status_of(error)))
    if "seconds" in refusal.params and response.status_code == 429:
        response.headers["Retry-After"] = str(refusal.params["seconds"])
    return response


async def _require_own_form(request: Request, ask: Ask, most_bytes: int) -> None:
    """Read the form; refuse one that another site sent, or that was made for another session."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    body = await read_body(request, most_bytes, ask.parts.limits.body_s)
    ask.form, ask.uploads = await in_thread(lambda: read_form(request, body))
    is_ours = origin in (None, ask.url) and site == "same-origin"
    if not is_ours or not is_form_token(ask.secret, ask.form.pop("form", "")):
        raise Refusal(
            "http.other_form",
            N_("This form was not made for you, or it is too old."),
            N_("Open the page again and send it once more. Nothing was changed."),
        )


def _require_tls(request: Request) -> None:
    if request.url.scheme != "https":
        raise Refusal(
            "http.needs_tls",
            N_("These pages are served with encryption only."),
            N_("Start the street server without --insecure-http and open the address that begins with https."),
        )


def door(work: Callable[[Ask], Page | tuple[str, Go]]) -> Handler:
    """A page for those who are not signed in yet. It gets an anonymous secret for its form, which no session ever has; what signs
    somebody in returns the session's own new one.
    """

    async def handle(request: Request) -> Response:
        ask = _ask(request)
        try:
            _require_tls(request)
            if request.method not in _SAFE:
                await count_trial(ask.parts, ask.host)  # before the form is waited for: a stranger's may take its time
                await _require_own_form(request, ask, ask.parts.limits.small_bytes)
                answer = await in_thread(lambda: work(ask), ask.parts.hashing)
            else:
                ask.secret = ask.secret or random_token()
                answer = work(ask)
        except Exception as error:  # a bug too is told on a page; the log has the rest
            return _failed(request, ask, error)
        if isinstance(answer, tuple):
            response = answered(ask, answer[1])
            _set_secret(response, answer[0])
            return response
        response = answered(ask, answer)
        _set_secret(response, ask.secret)
        return response

    return handle


def _done(ask: Ask, work: Work) -> Answer:
    with speaking(ask.language):  # what the services put into words is for this very reader
        return work(ask)


def inside(work: Work, right: str | None, *, most_bytes: int = 0, is_slow: bool = False) -> Handler:
    """A page for those who are signed in and have `right`. ``is_slow``: it computes a hash, of which few run at once."""

    async def handle(request: Request) -> Response:
        ask = _ask(request)
        try:
            _require_tls(request)
            is_watched = UNWATCHED not in ask.query
            ask.signed_in = await in_thread(
                lambda: signed_in(ask.parts.street.store, ask.secret, is_watched=is_watched)
            )
            if ask.signed_in is None:
                return answered(ask, Go(SIGN_IN, "session.over" if ask.secret and request.url.path != BASE else ""))
            ask.parts.calls.take(f"page {ask.actor.user_id}")
            if ask.signed_in.must_change and request.url.path not in _BEFORE_ALL:
                return answered(ask, Go("/password"))
            if right is not None:
                require(ask.actor, right)
            if request.method not in _SAFE:
                await _require_own_form(request, ask, most_bytes or ask.parts.limits.small_bytes)
            return answered(ask, await in_thread(lambda: _done(ask, work), ask.parts.hashing if is_slow else None))
        except Exception as error:  # a bug too is told on a page; the log has the rest
            return _failed(request, ask, error)

    return handle
