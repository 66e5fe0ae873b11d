"""Computers: the code that enrols one, the list, and shutting one out."""

from gridman.domain.grid import Assignment
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import Html, Part, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import Fields, actions, card, chip, empty, facts, form, link, note, table
from gridman.server.admin.slips import code_slip
from gridman.services.enrolment import LOST, RETIRED, new_code, reason_given, revoke_device
from gridman.services.handover import LOST_WINDOW_MS
from gridman.services.overview import DeskLine, page_desks
from gridman.services.trust import browser_fingerprint, fingerprint_of, served
from gridman.sync.protocol import SPOKEN

__all__ = ["ROUTES"]

RIGHT = "account.manage"


def _chips(ask: Ask, line: DeskLine) -> Part:
    chips = []
    if line.device.revoked_as == RETIRED:
        chips.append(chip(ask.say(N_("retired"))))
        if not line.has_taken_leave:
            chips.append(chip(ask.say(N_("has not called since")), "attention"))
    elif line.device.revoked_at is not None:
        chips.append(chip(ask.say(N_("lost")), "danger"))
    if line.is_active and line.is_too_old(SPOKEN.lowest):
        chips.append(chip(ask.say(N_("too old: hands over, receives nothing")), "danger"))
    if line.is_waited_for:
        chips.append(chip(ask.say(N_("waited for")), "information"))
    if line.is_quiet:
        chips.append(chip(ask.say(N_("silent for 10 days")), "attention"))
    if line.has_wrong_clock and line.is_active:
        minutes = round(abs(line.skew_ms) / 60_000)
        text = N_("clock {minutes} min fast") if line.skew_ms > 0 else N_("clock {minutes} min slow")
        chips.append(chip(ask.say(text, minutes=minutes), "attention"))
    if line.broken is not None and line.broken.is_copy:
        chips.append(chip(ask.say(N_("its data was copied")), "attention" if line.broken.is_open else ""))
    elif line.broken is not None:
        chips.append(chip(ask.say(N_("audit log was changed")), "danger"))
    return join(*chips) if chips else chip(ask.say(N_("in use")), "good")


def _version(line: DeskLine) -> str:
    """What the desk said of its program last."""
    return line.device.app or "–"


def _spoken(line: DeskLine) -> str:
    d = line.device
    if not d.highest:
        return "–"
    return str(d.highest) if d.lowest == d.highest else f"{d.lowest}–{d.highest}"


def get_computers(ask: Ask) -> Answer:
    """All computers, with how new ones come to believe this street."""
    with ask.street.store.read() as reader:
        lines = page_desks(reader, ask.actor)
        authority, url = served(reader)
    rows = [
        (
            link(str(d.device.replica), f"/computers/{d.device.replica}"), d.device.name or "–",
            join(link(d.login, f"/accounts/{d.device.user_id}"), f" {d.user_name}"), ask.when(d.device.enrolled_at),
            ask.when(d.device.last_seen_at), _version(d), _chips(ask, d),
        )
        for d in sorted(lines, key=lambda d: (not d.is_active, d.device.replica))
    ]  # fmt: skip
    heads = [
        ask.say(text)
        for text in (
            N_("Number"),
            N_("Name of the computer"),
            N_("User"),
            N_("Enrolled"),
            N_("Last heard of"),
            N_("Version"),
            N_("State"),
        )
    ]
    trust = [(ask.say(N_("Address")), url or ask.url)]
    if authority:
        trust += [
            (ask.say(N_("The street's fingerprint, for desks")), el("strong", fingerprint_of(authority))),
            (ask.say(N_("The same certificate's SHA-256, for browsers")), el("span", browser_fingerprint(authority), class_="small")),
        ]  # fmt: skip
    body = join(
        card(facts(trust), title=ask.say(N_("How computers know this street"))),
        table(heads, rows)
        if rows
        else empty(ask, N_("No computer is enrolled yet."), N_("Open an account and make an enrolment code; the person types it at gridman desk."),
                   link(ask.say(N_("Accounts")), "/accounts", is_button=True)),
    )  # fmt: skip
    return Page(ask.say(N_("Computers")), body, "computers")


def _line(ask: Ask) -> DeskLine:
    number = ask.number("number")
    with ask.street.store.read() as reader:
        found = next((d for d in page_desks(reader, ask.actor) if d.device.replica == number), None)
    if found is None:
        raise Refusal(
            "device.missing",
            N_("There is no device number {replica}."),
            N_("See gridman street device list for those there are."),
            replica=number,
        )
    return found


def get_computer(ask: Ask) -> Answer:
    """One computer, and what shutting it out would do."""
    line = _line(ask)
    d = line.device
    with ask.street.store.read() as reader:
        grids = reader.count(Assignment, user_id=d.user_id, until_on=None)
    about = card(
        facts([
            (ask.say(N_("Number")), d.replica),
            (ask.say(N_("Name of the computer")), d.name or "–"),
            (ask.say(N_("User")), link(f"{line.user_name} ({line.login})", f"/accounts/{d.user_id}")),
            (ask.say(N_("Grids of the user")), grids),
            (ask.say(N_("Enrolled")), ask.when(d.enrolled_at)),
            (ask.say(N_("Last heard of")), ask.when(d.last_seen_at)),
            (ask.say(N_("Version of the program")), _version(line)),
            (ask.say(N_("Versions of the synchronisation")), _spoken(line)),
            (ask.say(N_("Lines of its audit log received")), d.audit_n),
            (ask.say(N_("State")), _chips(ask, line)),
        ])
    )  # fmt: skip
    return Page(
        ask.say(N_("Computer no. {number}"), number=d.replica),
        join(_copied(ask, line), about, _choices(ask, line)),
        "computers",
    )


def _copied(ask: Ask, line: DeskLine) -> Part:
    """What to do about a computer whose data lies in two places."""
    if line.broken is None or not line.broken.is_copy or not line.broken.is_open:
        return None
    return note(
        ask.say(N_("Its data was copied: the copies' audit logs cannot both be right, from line {line} on."), line=line.broken.line + 1),
        ask.say(N_("Set each of the computers up again with a code of its own, then shut this number out. What they had not sent goes to the "
                   "review list.")),
        tone="attention",
    )  # fmt: skip


def _choices(ask: Ask, line: DeskLine) -> Part:
    """Retire or lose it: what each is for; what it does is told before it is done."""
    here = f"/computers/{line.device.replica}/revoke"
    retire = card(
        el("p", ask.say(N_("The computer is given back, replaced, or its user leaves."))),
        el("p", ask.say(N_("If you can, synchronise it first: then nothing has to be reviewed.")), class_="soft"),
        actions(link(ask.say(N_("Retire this computer")), f"{here}?as={RETIRED}", is_button=True)),
        title=ask.say(N_("Taken out of service")),
    )
    lose = card(
        el("p", ask.say(N_("It may be in a stranger's hands."))),
        actions(link(ask.say(N_("Shut it out as lost")), f"{here}?as={LOST}", is_button=True)),
        title=ask.say(N_("Lost or stolen")),
    )
    if line.is_active:
        return el("div", retire, lose, class_="two")
    if line.device.revoked_as == RETIRED:
        return el("div", note(ask.say(N_("It is retired and may still hand over unsent work. If it was stolen meanwhile, shut it out as "
            "lost."))), lose, class_="two")  # fmt: skip
    return note(ask.say(N_("It is shut out. A computer that turns up again is enrolled anew, with a new number.")))


def _what_happens(ask: Ask, how: str) -> list[Html]:
    if how == RETIRED:
        return [
            el("p", ask.say(N_("At its next synchronisation it hands over what it has not sent yet (to the review list), then destroys its "
                               "records and its key. This cannot be taken back."))),
            el("p", ask.say(N_("If you can, synchronise it first: then nothing has to be reviewed.")), class_="soft"),
        ]  # fmt: skip
    return [
        el("p", ask.say(N_("The server gives it nothing any more, from this moment; at its next contact it hands over what it has not sent yet and "
            "destroys its records. This cannot be taken back. What it hands over goes to the review list only, marked as coming from a lost "
            "computer: whoever holds it could have written it. It is taken for {days} days, and no more than an honest worker has."),
            days=LOST_WINDOW_MS // 86_400_000)),
        el("p", ask.say(N_("Its records are encrypted; without the passphrase nobody reads them. It opens for at most 14 days without "
            "contact.")), class_="soft"),
    ]  # fmt: skip


def _ask_first(ask: Ask, how: str, errors: dict[str, str] | None = None) -> Page:
    line = _line(ask)
    number = line.device.replica
    fields = Fields(ask, ask.form, errors or {})
    title = N_("Retire computer no. {number}?") if how == RETIRED else N_("Shut out computer no. {number} as lost?")
    deed = N_("Retire this computer") if how == RETIRED else N_("Shut it out as lost")
    about = facts([
        (ask.say(N_("Name of the computer")), line.device.name or "–"),
        (ask.say(N_("User")), f"{line.user_name} ({line.login})"),
        (ask.say(N_("Last heard of")), ask.when(line.device.last_seen_at)),
    ])  # fmt: skip
    asked = form(
        ask, f"/computers/{number}/revoke",
        el("input", type="hidden", name="as", value=how),
        fields.line("reason", N_("Reason"), required=True, is_first=True, hint=N_("In a few words; it stands in the audit log.")),
        actions(el("button", ask.say(deed), class_="danger"), link(ask.say(N_("Leave it as it is")), f"/computers/{number}", is_button=True)),
    )  # fmt: skip
    body = card(about, *_what_happens(ask, how), asked)
    return Page(ask.say(title, number=number), body, "computers", 422 if errors else 200)


def get_revoke(ask: Ask) -> Answer:
    """What shutting it out does, and the question why."""
    return _ask_first(ask, RETIRED if ask.query.get("as") == RETIRED else LOST)


def post_revoke(ask: Ask) -> Answer:
    """Shut it out."""
    how = RETIRED if ask.form.get("as") == RETIRED else LOST
    try:
        reason = reason_given(ask.form.get("reason", ""))
        with ask.street.store.unit(ask.actor) as unit:
            revoke_device(unit, ask.number("number"), how, reason)
    except Refusal as refusal:
        if refusal.code != "device.reason":
            raise
        return _ask_first(ask, how, {"reason": " ".join(ask.told(refusal))})
    return Go(f"/computers/{ask.number('number')}", "device.revoked")


def post_code(ask: Ask) -> Answer:
    """A new enrolment code on a slip to print or to read out; it is shown this once."""
    with ask.street.store.unit(ask.actor) as unit:
        user = unit.get(User, ask.number("id"))
        code = new_code(unit, user.id)
    return Page(ask.say(N_("Enrolment code")), code_slip(ask, user, code), "accounts")


ROUTES = (
    Served("/computers", "GET", inside(get_computers, RIGHT)),
    Served("/computers/{number}", "GET", inside(get_computer, RIGHT)),
    Served("/computers/{number}/revoke", "GET", inside(get_revoke, RIGHT)),
    Served("/computers/{number}/revoke", "POST", inside(post_revoke, RIGHT)),
    Served("/accounts/{id}/code", "POST", inside(post_code, RIGHT, is_slow=True)),
)
