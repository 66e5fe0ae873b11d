"""What every page has: the bar, the rail with the places of the asker's role, and what was just done, in words."""

from gridman.domain.access import may
from gridman.kernel.words import LANGUAGES, N_
from gridman.server.admin.ask import Ask, Page
from gridman.server.admin.markup import Html, Part, el, icon, join
from gridman.services.web_signin import form_token

__all__ = ["BASE", "DONE", "NAV", "csrf_field", "UNWATCHED", "framed", "framed_alone"]

BASE = "/admin"
UNWATCHED = "auto"
"""In the address of what a browser asks for by itself: it does not say that anybody still sits there."""
_AGAIN_S = 2

NAV: tuple[tuple[str, str, str, str, str], ...] = (
    ("overview", "", N_("Overview"), "house", "account.manage"),
    ("accounts", "/accounts", N_("Accounts"), "users", "account.manage"),
    ("computers", "/computers", N_("Computers"), "key-round", "account.manage"),
    ("grids", "/grids", N_("Grids"), "map", "account.manage"),
    ("departments", "/departments", N_("Departments"), "building", "account.manage"),
    ("review", "/review", N_("To review"), "git-merge", "conflict.resolve"),
    ("notices", "/notices", N_("Notices"), "inbox", "notice.write"),
    ("imports", "/imports", N_("Import"), "file-text", "account.manage"),
    ("backups", "/backups", N_("Backup"), "save", "account.manage"),
    ("log", "/log", N_("Audit log"), "book-open", "audit.read"),
)
"""Key, address below BASE, word, icon, and the right that opens it."""

DONE = {
    "account.created": N_("The account is created. The password has to be replaced at the first sign-in."),
    "account.amended": N_("The account was changed."),
    "account.password": N_("The new password is set. It has to be replaced at the next sign-in."),
    "account.suspended": N_("The account is suspended: the server takes nothing from it any more."),
    "account.lifted": N_("The user may sign in again."),
    "assigned": N_("The grid is assigned. The desk receives its households at its next synchronisation."),
    "withdrawn": N_("The grid was taken away."),
    "withdrawn.later": N_("The grid is taken away with the end of today."),
    "department": N_("The department is on the list; incidents can be dispatched to it."),
    "department.renamed": N_("The department has its new name."),
    "department.retired": N_("The department is retired: nothing is dispatched to it any more."),
    "device.revoked": N_("The computer is shut out."),
    "job.stopping": N_("The work stops at its next step."),
    "restored.discarded": N_("The restored street was thrown away."),
    "switch.decided": N_("It is decided: the restored street is served from the next start on."),
    "switch.back": N_("The present street goes on being served."),
    "import.undone": N_("The import was taken back."),
    "notice": N_("The notice is published. Desks show it after their next synchronisation."),
    "notice.withdrawn": N_("The notice was withdrawn."),
    "password": N_("Your password is changed."),
    "signed_out": N_("You are signed out."),
    "review.kept": N_("Decided: what stood stays. Desks learn of it at their next synchronisation."),
    "review.left_out": N_("Decided: it is left out. Desks learn of it at their next synchronisation."),
    "review.restored": N_("Decided and done. Desks learn of it at their next synchronisation."),
    "session.over": N_(
        "You are signed out: nothing was done for 15 minutes, or the session has ended. What was not sent is to be typed again."
    ),
}
"""What a page may say at its top after something was done; the address carries the key only."""


def csrf_field(ask: Ask) -> Html:
    """The hidden field without which no form is taken."""
    return el("input", type="hidden", name="form", value=form_token(ask.secret))


def _document(ask: Ask, page: Page, *parts: Part) -> str:
    title = page.title
    head = join(
        el("meta", http_equiv="refresh", content=f"{_AGAIN_S}; url={BASE}{page.again}?{UNWATCHED}=1")
        if page.again
        else None,
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", f"{title} · gridman"),
        el("link", rel="stylesheet", href=f"{BASE}/style.css"),
    )
    return "<!doctype html>" + el("html", el("head", head), el("body", *parts), lang=ask.language.replace("_", "-"))


def framed(ask: Ask, page: Page) -> str:
    """A page in its frame."""
    return _document(
        ask,
        page,
        el("a", ask.say(N_("To the content")), class_="skip", href="#content"),
        _top(ask),
        el(
            "div",
            _rail(ask, page.nav),
            el("main", el("h1", page.title), _done(ask), page.body, id="content"),
            class_="frame",
        ),
    )


def framed_alone(ask: Ask, page: Page) -> str:
    """A page without the rail: before somebody is signed in."""
    inside = join(el("h1", page.title), _done(ask), page.body, _languages(ask))
    return _document(ask, page, el("main", inside, class_="door", id="content"))


def _done(ask: Ask) -> Part:
    text = DONE.get(ask.query.get("done", ""))
    return el("div", el("p", ask.say(text)), class_="note good", role="status") if text else None


def _top(ask: Ask) -> Html:
    assert ask.signed_in is not None
    who = f"{ask.actor.name} · {ask.word('role', ask.actor.role)}"
    return el(
        "header",
        el("span", "gridman · ", ask.say(N_("Street server")), class_="place"),
        _languages(ask),
        el("a", who, href=f"{BASE}/password", title=ask.say(N_("Change your password"))),
        el("form", csrf_field(ask), el("button", ask.say(N_("Sign out"))), method="post", action=f"{BASE}/sign-out"),
        class_="top",
    )


def _languages(ask: Ask) -> Html:
    others = [(code, name) for code, name in LANGUAGES.items() if code != ask.language]
    return el(
        "span",
        *(el("a", name, href=f"{ask.path}?lang={code}", lang=code.replace("_", "-")) for code, name in others),
        class_="languages",
    )


def _rail(ask: Ask, current: str) -> Html:
    places = [
        el("a", icon(picture), ask.say(word), href=BASE + path, aria_current="page" if key == current else None)
        for key, path, word, picture, right in NAV
        if may(ask.actor, right)
    ]
    return el("nav", *places, class_="rail", aria_label=ask.say(N_("Pages")))
