"""Grids and who works in them: each change is first told in words, then done."""

from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import Html, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import (
    Fields,
    actions,
    card,
    chip,
    empty,
    facts,
    link,
    note,
    press,
    refused,
    search_box,
    table,
)
from gridman.services.assignments import BY_ASSIGNMENT, Foreseen, GridLine, assign, foresee, page_grids, withdraw

__all__ = ["ROUTES"]

RIGHT = "account.manage"
_ALL = 100_000


def get_grids(ask: Ask) -> Answer:
    """All grids, or those that fit what was typed; grids of nobody first."""
    wanted = ask.query.get("q", "").casefold().strip()
    with ask.street.store.read() as reader:
        lines = page_grids(reader, ask.actor)
    shown = [g for g in lines if wanted in _searched(g)]
    rows = [
        (link(g.code, f"/grids/{g.grid_id}"), g.name, g.community, g.household_count, _workers(ask, g))
        for g in sorted(shown, key=lambda g: (bool(g.workers), g.code))
    ]
    heads = [ask.say(text) for text in (N_("Grid code"), N_("Grid"), N_("Community"), N_("Households"), N_("Worker"))]
    without = sum(not g.workers for g in lines)
    body = join(
        note(ask.say(N_("{count} grids have no worker; they stand first."), count=without), tone="attention") if without else None,
        search_box(ask, "/grids", N_("Code, name, community or worker")),
        table(heads, rows, numbers=(3,)) if rows
        else empty(ask, N_("There is no such grid."), N_("Grids come with the street's map: gridman import map.")),
    )  # fmt: skip
    return Page(ask.say(N_("Grids")), body, "grids")


def _searched(grid: GridLine) -> str:
    return " ".join((grid.code, grid.name, grid.community, *(f"{w.name} {w.login}" for w in grid.workers))).casefold()


def _workers(ask: Ask, grid: GridLine) -> Html:
    if not grid.workers:
        return chip(ask.say(N_("nobody")), "attention")
    return join(*(el("div", w.name, " ", el("span", w.login, class_="small")) for w in grid.workers))


def _grid_page(ask: Ask, refusal: Refusal | None = None) -> Page:
    grid_id = ask.number("id")
    with ask.street.store.read() as reader:
        grid = next((g for g in page_grids(reader, ask.actor) if g.grid_id == grid_id), None)
        workers = reader.page(User, role=set(BY_ASSIGNMENT), order_by=("name",), limit=_ALL)
    if grid is None:
        raise Refusal("assign.no_grid", N_("There is no grid {code}."), N_("See gridman street grid list for the codes of the "
            "grids."), code=grid_id)  # fmt: skip
    here = f"/grids/{grid_id}"
    rows = [
        (
            link(w.name, f"/accounts/{w.user_id}"), w.login, w.since_on or "–", w.until_on or "–",
            link(ask.say(N_("Take away …")), f"{here}/change?do=withdraw&user={w.user_id}"),
        )
        for w in grid.workers
    ]  # fmt: skip
    heads = [ask.say(text) for text in (N_("Name"), N_("Sign-in name"), N_("Since"), N_("Last day"), "")]
    has_it = {w.user_id for w in grid.workers}
    others = [(u.id, f"{u.name} ({u.login})") for u in workers if u.id not in has_it]
    chooser = el(
        "form",
        el("input", type="hidden", name="do", value="assign"),
        Fields(ask).choice("user", N_("Grid worker"), others),
        el("button", ask.say(N_("Go on …")), class_="main"),
        method="get",
        action=f"/admin{here}/change",
    )
    body = join(
        refused(ask, refusal) if refusal else None,
        card(facts([
            (ask.say(N_("Grid code")), grid.code), (ask.say(N_("Community")), grid.community), (ask.say(N_("Households")), grid.household_count),
        ])),
        table(heads, rows, caption=ask.say(N_("Who works here"))) if rows
        else empty(ask, N_("Nobody works here."), N_("Its visits are due on nobody's desk until somebody has it.")),
        card(chooser, title=ask.say(N_("Give it to somebody"))) if others
        else note(ask.say(N_("There is no other grid worker. Add an account with the role grid worker first."))),
    )  # fmt: skip
    return Page(grid.name, body, "grids", 422 if refusal else 200)


def get_grid(ask: Ask) -> Answer:
    """One grid."""
    return _grid_page(ask)


def _chosen_user(ask: Ask) -> int:
    text = ask.query.get("user", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def get_change(ask: Ask) -> Answer:
    """What would happen: who receives or loses what."""
    with ask.street.store.read() as reader:
        seen = foresee(reader, ask.actor, _chosen_user(ask), ask.number("id"))
    is_end = ask.query.get("do") == "withdraw"
    here = f"/grids/{seen.grid.id}/change"
    told = _told_end(ask, seen) if is_end else _told_start(ask, seen)
    buttons: tuple[Html, ...]
    if is_end:
        buttons = (
            press(ask, here, N_("Take it away with the end of today"), values={"do": "withdraw", "user": seen.user.id}),
            press(ask, here, N_("Take it away at once"), tone="danger", values={"do": "withdraw", "user": seen.user.id, "now": 1}),
        )  # fmt: skip
    else:
        buttons = (press(ask, here, N_("Give the grid"), tone="main", values={"do": "assign", "user": seen.user.id}),)
    title = N_("{grid}: take away from {name}") if is_end else N_("{grid}: give to {name}")
    cancel = link(ask.say(N_("Cancel")), f"/grids/{seen.grid.id}")
    body = card(el("ul", *(el("li", text) for text in told)), actions(*buttons, cancel))
    return Page(ask.say(title, grid=seen.grid.name, name=seen.user.name), body, "grids")


def _told_start(ask: Ask, seen: Foreseen) -> list[str]:
    told = [
        ask.say(N_("{name} receives {households} households of {grid} with their people and visits."), name=seen.user.name,
                households=seen.household_count, grid=seen.grid.name),
        ask.say(N_("They arrive at the next synchronisation of: {computers}."), computers=", ".join(seen.computers))
        if seen.computers else ask.say(N_("{name} has no computer yet; make an enrolment code for one."), name=seen.user.name),
    ]  # fmt: skip
    if seen.others:
        told.append(
            ask.say(
                N_("{others} keep the grid too; take it away there if it changes hands."), others=", ".join(seen.others)
            )
        )
    return told


def _told_end(ask: Ask, seen: Foreseen) -> list[str]:
    told = [
        ask.say(N_("{households} households of {grid}, with their people and visits, go from the desk of {name} at its next synchronisation."),
                households=seen.household_count, grid=seen.grid.name, name=seen.user.name),
        ask.say(N_("These computers lose them: {computers}."), computers=", ".join(seen.computers))
        if seen.computers else ask.say(N_("{name} has no computer: nothing has to be removed."), name=seen.user.name),
        ask.say(N_("What was not sent by then is not lost: it comes to the review list.")),
        ask.say(N_("The records themselves stay at the street; nothing is deleted.")),
    ]  # fmt: skip
    told.append(
        ask.say(N_("{others} keep the grid."), others=", ".join(seen.others))
        if seen.others
        else ask.say(N_("Nobody has the grid then: its visits are due on nobody's desk."))
    )
    return told


def post_change(ask: Ask) -> Answer:
    """Do it."""
    grid_id, user_id = ask.number("id"), ask.chosen("user") or 0
    try:
        with ask.street.store.unit(ask.actor) as unit:
            if ask.form.get("do") == "withdraw":
                withdraw(unit, user_id, grid_id, at_once=ask.form.get("now") == "1")
            else:
                assign(unit, user_id, grid_id)
    except Refusal as refusal:
        if refusal.code != "assign.role":
            raise
        return _grid_page(ask, refusal)
    ended = "withdrawn" if ask.form.get("now") == "1" else "withdrawn.later"
    return Go(f"/grids/{grid_id}", ended if ask.form.get("do") == "withdraw" else "assigned")


ROUTES = (
    Served("/grids", "GET", inside(get_grids, RIGHT)),
    Served("/grids/{id}", "GET", inside(get_grid, RIGHT)),
    Served("/grids/{id}/change", "GET", inside(get_change, RIGHT)),
    Served("/grids/{id}/change", "POST", inside(post_change, RIGHT)),
)
