"""Signing in, signing out, and replacing the own password."""

from gridman.domain.access import may
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import SIGN_IN, door, inside
from gridman.server.admin.frame import NAV
from gridman.server.admin.markup import el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import Fields, card, form, note, refused
from gridman.services.accounts import change_password
from gridman.services.web_signin import end, sign_in_to_pages

__all__ = ["ROUTES"]


def _sign_in_page(ask: Ask, refusal: Refusal | None = None, login: str = "") -> Page:
    fields = Fields(ask, {"login": login})
    body = join(
        refused(ask, refusal) if refusal else None,
        card(
            form(
                ask,
                SIGN_IN,
                fields.line(
                    "login", N_("Sign-in name"), required=True, complete="username", is_first=not login
                ),
                fields.line(
                    "password", N_("Password"), kind="password", required=True, complete="current-password", is_first=bool(login)
                ),
                el("button", ask.say(N_("Sign in")), class_="main"),
            )
        ),
        el("p", ask.say(N_("For administrators, auditors and those who write notices. Grid workers use gridman desk.")), class_="small"),
    )  # fmt: skip
    return Page(ask.say(N_("Street server")), body, status=_status(refusal))


def _status(refusal: Refusal | None) -> int:
    from gridman.server.answers import status_of

    return 200 if refusal is None else status_of(refusal)


def get_sign_in(ask: Ask) -> Page:
    """The form."""
    return _sign_in_page(ask)


def post_sign_in(ask: Ask) -> Page | tuple[str, Go]:
    """A session, or the form again with what was wrong."""
    login = ask.form.get("login", "")
    try:
        found = sign_in_to_pages(ask.street.store, login, ask.form.get("password", ""), hasher=ask.street.hasher)
    except Refusal as refusal:
        if not refusal.code.startswith("auth."):
            raise
        return _sign_in_page(ask, refusal, login)
    first = next(path for _key, path, _word, _icon, right in NAV if may(found.actor, right))
    return found.secret, Go("/password" if found.must_change else first)


def post_sign_out(ask: Ask) -> Answer:
    """The session ends on the server, and the browser forgets its secret."""
    assert ask.signed_in is not None
    end(ask.street.store, ask.signed_in)
    return Go(SIGN_IN, "signed_out")


def _password_page(ask: Ask, errors: dict[str, str] | None = None) -> Page:
    assert ask.signed_in is not None
    fields = Fields(ask, {}, errors or {})
    must = ask.signed_in.must_change
    body = join(
        note(ask.say(N_("Somebody else chose your password. Choose one of your own before you go on.")), tone="attention")
        if must
        else None,
        card(
            form(
                ask,
                "/password",
                fields.line("old", N_("Present password"), kind="password", required=True, complete="current-password", is_first=True),
                fields.line(
                    "new", N_("New password"), kind="password", required=True, complete="new-password",
                    hint=N_("At least 10 characters; several words that only you would put together are best."),
                ),
                fields.line("again", N_("New password, once more"), kind="password", required=True, complete="new-password"),
                el("button", ask.say(N_("Change the password")), class_="main"),
            )
        ),
        el("p", ask.say(N_("Afterwards you sign in again, here and in every other browser."))),
    )  # fmt: skip
    return Page(ask.say(N_("Change your password")), body, status=422 if errors else 200)


def get_password(ask: Ask) -> Answer:
    """The form."""
    return _password_page(ask)


def post_password(ask: Ask) -> Answer:
    """Another password of one's own; every session of the user ends."""
    new = ask.form.get("new", "")
    if new != ask.form.get("again", ""):
        return _password_page(ask, {"again": ask.say(N_("The two are not the same."))})
    try:
        change_password(ask.street.store, ask.actor, ask.form.get("old", ""), new, hasher=ask.street.hasher)
    except Refusal as refusal:
        place = {"auth.wrong_password": "old", "auth.locked": "old", "passphrase.weak": "new"}.get(refusal.code)
        if place is None:
            raise
        return _password_page(ask, {place: " ".join(ask.told(refusal))})
    return Go(SIGN_IN, "password")


ROUTES = (
    Served("/sign-in", "GET", door(get_sign_in)),
    Served("/sign-in", "POST", door(post_sign_in)),
    Served("/sign-out", "POST", inside(post_sign_out, None)),
    Served("/password", "GET", inside(get_password, None)),
    Served("/password", "POST", inside(post_password, None, is_slow=True)),
)
