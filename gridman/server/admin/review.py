"""The review (待核对) at the server: what two people wrote without knowing of each other, and work that came too late, both values side by
side. The same list and the same decisions as on a desk's Sync page, for who sits in the office without one.
"""

from gridman.domain.conflict import Conflict
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import Html, Part, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import actions, empty, link, note, press
from gridman.services.conflict_parts import is_entry
from gridman.services.conflicts import DEEDS, TITLES, ConflictLine, open_conflicts, resolve, reveal_conflict

__all__ = ["ROUTES"]

RIGHT = "conflict.resolve"
_SHOWN = 50


def _page(ask: Ask, body: Html) -> Page:
    return Page(ask.say(N_("To review")), body, "review")


def get_review(ask: Ask) -> Answer:
    """What waits for a decision in the asker's grids, the newest first."""
    with ask.street.store.read() as reader:
        lines = open_conflicts(reader, _SHOWN + 1, grid_ids=ask.actor.grid_ids)
    if not lines:
        return _page(ask, empty(
            ask, N_("Nothing to review"),
            N_("When two people change the same thing without knowing of each other, both values are kept and shown here."),
        ))  # fmt: skip
    more = len(lines) > _SHOWN
    told = note(
        ask.say(N_("The newest {count} are shown; those before them come when some are decided."), count=_SHOWN)
    )
    return _page(ask, join(*(_card(ask, line) for line in lines[:_SHOWN]), told if more else None))


def _card(ask: Ask, line: ConflictLine) -> Html:
    """One conflict with what can be decided."""
    conflict: Conflict = line.conflict
    here = f"/review/{conflict.id}"
    kept_title, lost_title = TITLES.get(line.deed, TITLES[""])
    where = " · ".join(part for part in (line.field_label, line.place_words) if part)
    done = press(ask, f"{here}/restore", DEEDS[line.deed]) if line.deed else None
    show = (
        press(ask, f"{here}/reveal", N_("Show the numbers; this look is logged"), tone="plain")
        if line.is_covered
        else None
    )
    return el(
        "section",
        el("h2", line.record_words),
        el("p", where) if where else None,
        el("p", line.reason_words, class_="soft"),
        note(line.source_words, tone="danger" if conflict.reason == "lost_desk" else "") if line.source_words else None,
        el(
            "div",
            _value(ask, kept_title, line.kept_words, line.kept_by, conflict.kept_at),
            _value(ask, lost_title, line.lost_words, line.lost_by, conflict.lost_at),
            class_="two",
        ),
        el("p", ask.say(line.by_hand), class_="small") if line.by_hand else None,
        actions(press(ask, f"{here}/keep", line.stay, tone="" if line.is_entry else "main"), done, show),
        class_="card",
        id=f"c{conflict.id}",
    )


def _value(ask: Ask, title: str, words: str, who: str, at: int | None) -> Html:
    said: list[Part] = [el("div", part) for part in (words or ask.say(N_("(nothing)"))).splitlines()]
    wrote = " · ".join(part for part in (who, ask.when(at) if at else "") if part)
    return el("div", el("h3", ask.say(title), class_="small"), *said, el("p", wrote, class_="small"), class_="value")


def post_reveal(ask: Ask) -> Answer:
    """One conflict with its values in full; the look is logged."""
    with ask.street.store.unit(ask.actor) as unit:
        line = reveal_conflict(unit, ask.number("id"))
    return _page(ask, join(_card(ask, line), el("p", link(ask.say(N_("Back to the list")), "/review"))))


def _decide(ask: Ask, choice: str) -> Answer:
    with ask.street.store.unit(ask.actor) as unit:
        is_left_out = is_entry(resolve(unit, ask.number("id"), choice)) and choice == "kept"
    return Go("/review", "review.left_out" if is_left_out else f"review.{choice}")


def post_keep(ask: Ask) -> Answer:
    """What stands stays; an entry is left out."""
    return _decide(ask, "kept")


def post_restore(ask: Ask) -> Answer:
    """The other value is put back, or what else the conflict's kind calls for."""
    return _decide(ask, "restored")


ROUTES = (
    Served("/review", "GET", inside(get_review, RIGHT)),
    Served("/review/{id}/reveal", "POST", inside(post_reveal, RIGHT)),
    Served("/review/{id}/keep", "POST", inside(post_keep, RIGHT)),
    Served("/review/{id}/restore", "POST", inside(post_restore, RIGHT)),
)
