"""The audit log, for the auditor: who did what, the exports and prints with their purpose, and whether the chain is whole."""

from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import Html, Part, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import actions, chip, empty, filter_bar, form, labelled, link, note, table
from gridman.services.audit import ACTS
from gridman.services.audit_log import LogLine, page_log, verify_log

__all__ = ["ACT_WORDS", "ROUTES"]

RIGHT = "audit.read"
_LIMIT = 300

ACT_WORDS = {
    "account": N_("account added or changed"),
    "assign": N_("grid assigned or taken away"),
    "audit_broken": N_("audit log was changed"),
    "differed": N_("computer's copy differed from the street's"),
    "enrol": N_("computer enrolled"),
    "enrol_code": N_("enrolment code made"),
    "enrol_failed": N_("enrolment failed"),
    "export": N_("exported"),
    "import": N_("imported"),
    "map_edit": N_("map changed"),
    "notice": N_("notice published or withdrawn"),
    "open": N_("sensitive record opened"),
    "password": N_("password set"),
    "print": N_("printed"),
    "restore": N_("restored"),
    "reveal": N_("covered value uncovered"),
    "revoke": N_("computer shut out"),
    "hand_over": N_("unsent work handed over by a computer"),
    "rotate_keys": N_("keys rotated"),
    "sign_in": N_("signed in"),
    "sign_in_failed": N_("sign-in failed"),
    "sign_out": N_("signed out"),
    "start": N_("started"),
    "suspend": N_("account suspended or let in again"),
    "token": N_("computer's token renewed"),
}
"""What each act is called (`gridman.services.audit.ACTS`)."""


def _act_word(ask: Ask, act: str) -> str:
    return ask.say(ACT_WORDS[act]) if act in ACT_WORDS else act


def _who(ask: Ask, line: LogLine) -> str:
    return line.login or ("–" if line.row.actor_id else ask.say(N_("the program")))


def _details(line: LogLine) -> str:
    return ", ".join(f"{name}={value}" for name, value in line.row.details.items() if value not in (None, ""))


def _row(ask: Ask, line: LogLine) -> list[Part]:
    r = line.row
    record = f"{r.record_kind} {r.record_id}" if r.record_kind else ""
    return [ask.when(r.at), r.replica or "–", _who(ask, line), _act_word(ask, r.act), record, _details(line)]


def _whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None


def _verdict(ask: Ask) -> Html:
    with ask.street.store.read() as reader:
        found = verify_log(reader, ask.actor)
    told = [
        note(ask.say(N_("The street's log is whole: every line stands where it was written.")), tone="good")
        if found.broken_line is None
        else note(ask.say(N_("The street's log was changed or cut at line {line}. Keep the data folder as it is and tell the office in "
            "charge."), line=found.broken_line), tone="danger")
    ]  # fmt: skip
    told += [
        note(ask.say(N_("The audit log of computer {number} ({name}) was cut or changed after line {line}."),
                     number=d.replica, name=d.name, line=d.audit_n), tone="danger")
        for d in found.desks
    ]  # fmt: skip
    return join(*told)


def _page(ask: Ask, verdict: Html | None = None) -> Page:
    act, login = ask.query.get("act", ""), ask.query.get("who", "").strip()
    replica = _whole_number(ask.query.get("computer", ""))
    with ask.street.store.read() as reader:
        acts = ["export", "print"] if act == "purposes" else [act if act in ACTS else None]
        lines = [line for one in acts for line in page_log(reader, ask.actor, act=one, replica=replica, limit=_LIMIT)]
    shown = sorted((n for n in lines if login.casefold() in n.login.casefold()), key=lambda n: -n.row.at)[:_LIMIT]
    if act == "purposes":
        made = _purposes(ask, shown)
    else:
        heads = [ask.say(t) for t in (N_("When"), N_("Computer"), N_("Who"), N_("What"), N_("Record"), N_("Details"))]
        made = table(heads, [_row(ask, line) for line in shown])
    body = join(
        verdict,
        _filters(ask, act, login),
        made if shown else empty(ask, N_("No line fits."), N_("Choose another act, name or computer.")),
        el("p", ask.say(N_("At most {count} lines are shown; gridman street audit lists more."), count=_LIMIT), class_="small"),
        actions(form(ask, "/log/verify", el("button", ask.say(N_("Check that nothing was changed"))))),
    )  # fmt: skip
    return Page(ask.say(N_("Audit log")), body, "log")


def _filters(ask: Ask, act: str, login: str) -> Html:
    options = [
        ("", ask.say(N_("everything"))),
        ("purposes", ask.say(N_("exports and prints with purpose"))),
        *sorted(((a, _act_word(ask, a)) for a in ACTS), key=lambda pair: pair[1]),
    ]
    chooser = el(
        "select", *(el("option", text, value=value, selected=value == act) for value, text in options), name="act", id="act"
    )  # fmt: skip
    who = el("input", name="who", id="who", value=login)
    number = ask.query.get("computer", "")
    computer = el("input", name="computer", id="computer", inputmode="numeric", value=number)
    return filter_bar(
        ask,
        "/log",
        labelled(ask, N_("What"), "act", chooser),
        labelled(ask, N_("Who (sign-in name)"), "who", who),
        labelled(ask, N_("Number of the computer"), "computer", computer),
        link(ask.say(N_("Everything")), "/log", is_button=True),
    )


def _purposes(ask: Ask, lines: list[LogLine]) -> Html:
    """The register of exports (导出台账): what left the program, for what purpose, masked or not, how much."""
    heads = [
        ask.say(t)
        for t in (
            N_("When"),
            N_("Computer"),
            N_("Who"),
            N_("What"),
            N_("Purpose"),
            N_("Rows"),
            N_("Covered"),
            N_("Details"),
        )
    ]
    rows: list[list[Part]] = []
    for line in lines:
        d = dict(line.row.details)
        purpose, count, masked = d.pop("purpose", ""), d.pop("rows", d.pop("count", "")), d.pop("masked", None)
        covered = (
            "–"
            if masked is None
            else chip(ask.say(N_("yes")), "good")
            if masked
            else chip(ask.say(N_("no")), "attention")
        )
        rest = ", ".join(f"{name}={value}" for name, value in d.items() if value not in (None, ""))
        rows.append([
            ask.when(line.row.at), line.row.replica or "–", _who(ask, line), _act_word(ask, line.row.act), purpose or "–", count, covered, rest,
        ])  # fmt: skip
    return table(heads, rows, numbers=(5,))


def get_log(ask: Ask) -> Answer:
    """The newest lines that fit."""
    return _page(ask)


def post_verify(ask: Ask) -> Answer:
    """Count the chain through, then the lines."""
    return _page(ask, _verdict(ask))


ROUTES = (
    Served("/log", "GET", inside(get_log, RIGHT)),
    Served("/log/verify", "POST", inside(post_verify, RIGHT)),
)
