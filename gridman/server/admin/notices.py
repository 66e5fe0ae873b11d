"""Notices (通知): write one to an organisation and those below it, see what is shown, take one back."""

from gridman.domain.notice import Notice
from gridman.domain.organisation import ORG_LEVELS
from gridman.domain.rules import Invalid
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import Part, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import Fields, card, chip, empty, fold, form, press, table
from gridman.services.departments import page_organisations
from gridman.services.notices import NoticeLine, audiences, page_notices, publish, withdraw_notice

__all__ = ["ROUTES"]

RIGHT = "notice.write"
_STATES = {"shown": (N_("shown"), "good"), "over": (N_("over"), ""), "withdrawn": (N_("withdrawn"), "")}


def _row(ask: Ask, line: NoticeLine) -> list[Part]:
    n = line.notice
    text, tone = _STATES[line.state]
    urgent = join(" ", chip(ask.say(N_("urgent")), "danger")) if n.is_urgent else None
    body = el("div", n.body, class_="small") if n.body else None
    end = (
        press(ask, f"/notices/{n.id}/withdraw", N_("Withdraw"), tone="plain")
        if line.state == "shown" and line.is_ours
        else None
    )
    return [
        join(el("strong", n.title), urgent, body), line.audience or ask.say(N_("the whole street")), line.author or "–",
        ask.when(n.published_at), n.until_on or "–", chip(ask.say(text), tone), end,
    ]  # fmt: skip


def _page(ask: Ask, errors: dict[str, str] | None = None) -> Page:
    with ask.street.store.read() as reader:
        lines = page_notices(reader, ask.actor)
        own, below = audiences(reader, ask.actor)
        places = [o for o in page_organisations(reader) if o.level in ORG_LEVELS and (below is None or o.id in below)]
    offices = [(o.id, ask.organisation(o)) for o in places]
    everybody = [("", ask.say(N_("the whole street")))] if below is None else []
    fields = Fields(ask, ask.form or {"audience_id": own if below is not None else ""}, errors or {})
    heads = [
        ask.say(text)
        for text in (
            N_("Notice"),
            N_("Shown to"),
            N_("Published by"),
            N_("Published"),
            N_("Shown until"),
            N_("State"),
            "",
        )
    ]
    body = join(
        fold(
            ask.say(N_("Write a notice")),
            card(form(
                ask, "/notices",
                fields.line("title", N_("Title"), required=True),
                fields.text("body", N_("Text"), hint=N_("No names, numbers or addresses of residents: every desk of the street stores it.")),
                fields.choice("audience_id", N_("Shown to"), [*everybody, *offices], hint=N_("An organisation and everybody below it.")),
                fields.line("until_on", N_("Shown until"), kind="date", hint=N_("The last day; empty: until it is withdrawn.")),
                fields.tick("is_urgent", N_("Urgent"), hint=N_("Stands first on the Today page.")),
                el("button", ask.say(N_("Publish")), class_="main"),
            )),
            is_open=bool(errors) or not lines,
        ),
        table(heads, [_row(ask, line) for line in lines]) if lines
        else empty(ask, N_("No notice was written yet."), N_("A notice stands on the Today page of each desk it is for.")),
    )  # fmt: skip
    return Page(ask.say(N_("Notices")), body, "notices", 422 if errors else 200)


def get_notices(ask: Ask) -> Answer:
    """The list and the form."""
    return _page(ask)


def post_notice(ask: Ask) -> Answer:
    """Publish one."""
    form_ = ask.form
    try:
        with ask.street.store.unit(ask.actor) as unit:
            publish(
                unit, form_.get("title", ""), form_.get("body", ""), audience_id=ask.chosen("audience_id"),
                until_on=form_.get("until_on") or None, is_urgent=form_.get("is_urgent") == "1",
            )  # fmt: skip
    except Invalid as refusal:
        return _page(ask, ask.invalid(refusal, Notice))
    except Refusal as refusal:
        if refusal.code not in ("notice.other_office", "record.missing"):
            raise
        return _page(ask, {"audience_id": " ".join(ask.told(refusal))})
    return Go("/notices", "notice")


def post_withdraw(ask: Ask) -> Answer:
    """Take one back."""
    with ask.street.store.unit(ask.actor) as unit:
        withdraw_notice(unit, ask.number("id"))
    return Go("/notices", "notice.withdrawn")


ROUTES = (
    Served("/notices", "GET", inside(get_notices, RIGHT)),
    Served("/notices", "POST", inside(post_notice, RIGHT)),
    Served("/notices/{id}/withdraw", "POST", inside(post_withdraw, RIGHT)),
)
