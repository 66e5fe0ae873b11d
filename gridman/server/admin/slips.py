"""The slip with an enrolment code, and what a worker needs besides it."""

from io import BytesIO

import segno

from gridman.domain.user import User
from gridman.kernel.words import N_
from gridman.server.admin.ask import Ask
from gridman.server.admin.markup import Html, el, join
from gridman.server.admin.pieces import actions, facts, link, note
from gridman.services.assignments import lacks_grid
from gridman.services.trust import Invitation, fingerprint_of, served

__all__ = ["code_slip", "grid_missing"]


def code_slip(ask: Ask, user: User, code: str) -> Html:
    """A code on a slip to print or to read out; it is shown this once."""
    with ask.street.store.read() as reader:
        authority, url = served(reader)
    invitation = Invitation(code, fingerprint_of(authority or ask.parts.authority), (url or ask.url).rstrip("/"))
    slip = el(
        "div",
        el("p", f"{user.name} ({user.login})"),
        el("p", invitation.words, class_="code"),
        _qr(invitation.link(authority or ask.parts.authority)),
        facts([(ask.say(N_("Address")), invitation.url), (ask.say(N_("Sign-in name")), user.login)]),
        el("p", ask.say(N_("Works once, for 24 hours. Start gridman desk on the new computer, type the address, the sign-in name and the code, or "
            "scan the QR. "
                           "The last three groups are the street's fingerprint: they protect against a wrong server."))),
        el("p", ask.say(N_("Hand it over yourself; destroy the sheet when it is used.")), class_="soft"),
        class_="card slip",
    )  # fmt: skip
    hint = note(ask.say(N_("Print this page with Ctrl+P. It is shown this once; a new code ends this one.")))
    back = actions(link(ask.say(N_("Back to the account")), f"/accounts/{user.id}", is_button=True))
    return join(el("div", hint, grid_missing(ask, user), class_="screen"), slip, back)


def grid_missing(ask: Ask, user: User) -> Html | None:
    """What to do about a worker without a grid, whose desk stays empty; None for all others."""
    with ask.street.store.read() as reader:
        if not lacks_grid(reader, user):
            return None
    told = ask.say(N_("{name} has no grid yet: the desk receives no household before one is assigned."), name=user.name)
    return note(told, link(ask.say(N_("To the grids")), "/grids"), tone="attention")


def _qr(link_text: str) -> Html:
    drawn = BytesIO()
    segno.make(link_text, error="m", micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=False, nl=False, omitsize=True, border=2
    )
    return Html(drawn.getvalue().decode("ascii"))
