"""The audit log, for the auditor: who did what, the exports and prints with their purpose, and whether the chain is whole."""

from urllib.parse import urlencode

from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import Html, Part, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import actions, chip, empty, filter_bar, form, labelled, link, note, table
from gridman.services.audit import ACTS
from gridman.services.audit_anchor import CHANGED_LOG, COPIED_LOG
from gridman.services.audit_log import LogLine, LogPage, page_log, verify_log
from gridman.services.audit_words import act_word, details_in_words, kind_word

__all__ = ["ROUTES"]

RIGHT = "audit.read"
_LIMIT = 100
_FILTERS = ("act", "who", "computer", "day")


def _who(ask: Ask, line: LogLine) -> Part:
    if not line.login:
        return "–" if line.row.actor_id else ask.say(N_("the program"))
    return join(line.login, el("div", line.name, class_="small") if line.name not in ("", line.login) else None)


def _computer(line: LogLine) -> Part:
    if not line.row.replica:
        return "–"
    return join(line.row.replica, el("div", line.computer, class_="small") if line.computer else None)


def _row(ask: Ask, line: LogLine) -> list[Part]:
    r = line.row
    word = kind_word(r.record_kind) if r.record_kind else ""
    known = " ".join((word, line.record or str(r.record_id or ""))).strip()
    named = join(known, el("div", str(r.record_id or ""), class_="small") if line.record else None)
    details = details_in_words(r.record_kind or "", line.details)
    return [ask.when(r.at), _computer(line), _who(ask, line), act_word(r.act), named, details]


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
        note(ask.say(COPIED_LOG if b.is_copy else CHANGED_LOG, number=b.device.replica, name=b.device.name, line=b.line),
             tone="danger" if not b.is_copy else "attention" if b.is_open else "")
        for b in found.desks
    ]  # fmt: skip
    return join(*told)


def _page(ask: Ask, verdict: Html | None = None) -> Page:
    q = ask.query
    act = q.get("act", "")
    acts = ("export", "print") if act == "purposes" else (act,) if act in ACTS else ()
    with ask.street.store.read() as reader:
        found = page_log(
            reader, ask.actor, acts=acts, replica=_whole_number(q.get("computer", "")), login=q.get("who", "").strip(), day=q.get("day", ""),
            older=q.get("older", ""), newer=q.get("newer", ""), limit=_LIMIT,
        )  # fmt: skip
    if act == "purposes":
        made = _purposes(ask, found.lines)
    else:
        heads = [ask.say(t) for t in (N_("When"), N_("Computer"), N_("Who"), N_("What"), N_("Record"), N_("Details"))]
        made = table(heads, [_row(ask, line) for line in found.lines], whole=(0, 2))
    body = join(
        verdict,
        _filters(ask, act),
        _turns(ask, found),
        made if found.lines else empty(ask, N_("No line fits."), N_("Choose another act, name, computer or day.")),
        _turns(ask, found),
        actions(form(ask, "/log/verify", el("button", ask.say(N_("Check that nothing was changed"))))),
    )
    return Page(ask.say(N_("Audit log")), body, "log")


def _turns(ask: Ask, found: LogPage) -> Html | None:
    """To the pages before and after this one, with the same filter."""
    kept = {name: ask.query[name] for name in _FILTERS if ask.query.get(name)}
    places = [
        (N_("Newest"), {}, bool(found.newer)),
        (N_("Newer lines"), {"newer": found.newer}, bool(found.newer)),
        (N_("Older lines"), {"older": found.older}, bool(found.older)),
    ]
    shown = [
        link(ask.say(text), "/log?" + urlencode({**kept, **place}), is_button=True)
        for text, place, is_there in places
        if is_there
    ]
    return el("nav", *shown, class_="actions turns", aria_label=ask.say(N_("Pages of the log"))) if shown else None


def _filters(ask: Ask, act: str) -> Html:
    options = [
        ("", ask.say(N_("everything"))),
        ("purposes", ask.say(N_("exports and prints with purpose"))),
        *sorted(((a, act_word(a)) for a in ACTS), key=lambda pair: pair[1]),
    ]
    chooser = el(
        "select", *(el("option", text, value=value, selected=value == act) for value, text in options), name="act", id="act"
    )  # fmt: skip
    who = el("input", name="who", id="who", value=ask.query.get("who", ""))
    day = el("input", type="date", name="day", id="day", value=ask.query.get("day", ""))
    number = ask.query.get("computer", "")
    computer = el("input", name="computer", id="computer", inputmode="numeric", value=number)
    return filter_bar(
        ask,
        "/log",
        labelled(ask, N_("What"), "act", chooser),
        labelled(ask, N_("Who (sign-in name)"), "who", who),
        labelled(ask, N_("Number of the computer"), "computer", computer),
        labelled(ask, N_("On the day"), "day", day),
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
        d = dict(line.details)
        purpose, count, masked = d.pop("purpose", ""), d.pop("rows", d.pop("count", "")), d.pop("masked", None)
        covered = (
            "–"
            if masked is None
            else chip(ask.say(N_("yes")), "good")
            if masked
            else chip(ask.say(N_("no")), "attention")
        )
        rows.append([
            ask.when(line.row.at), _computer(line), _who(ask, line), act_word(line.row.act), str(purpose) or "–", str(count), covered,
            details_in_words(line.row.record_kind or "", d),
        ])  # fmt: skip
    return table(heads, rows, numbers=(5,), whole=(0, 2))


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
