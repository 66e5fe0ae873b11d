"""Long work: how far it is, a way to stop it, and what came of it. The page asks for itself again while the work goes on; it may be closed."""

from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import Html, Part, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import actions, card, chip, facts, form, link, note, table
from gridman.server.admin.results import came_of
from gridman.services.jobs import CANCELLED, DONE, FAILED, LOST, REFUSED, RUNNING, Job, cancel_job, job_of, page_jobs

__all__ = ["ROUTES", "job_table", "running_note", "shown_soon"]

_SOON_S = 0.8
_TITLES = {
    "check": N_("Looking through a register"),
    "import": N_("Importing a register"),
    "undo": N_("Taking back an import"),
    "backup": N_("Making a backup"),
    "verify": N_("Verifying a backup"),
    "restore": N_("Restoring a backup beside the street"),
}
_NAV = {"check": "imports", "import": "imports", "undo": "imports"}
_STATES = {
    RUNNING: (N_("under way"), "information"),
    DONE: (N_("done"), "good"),
    REFUSED: (N_("not done"), "danger"),
    CANCELLED: (N_("stopped"), "attention"),
    LOST: (N_("cut off"), "danger"),
    FAILED: (N_("failed"), "danger"),
}


def shown_soon(ask: Ask, number: int) -> Go:
    """To the work's page, after a moment in which short work ends."""
    ask.parts.jobs.wait(_SOON_S)
    return Go(f"/jobs/{number}")


def running_note(ask: Ask, jobs: list[Job]) -> Html | None:
    """What is under way, for pages on which one might begin something."""
    found = next((job for job in jobs if job.row.is_running), None)
    if found is None:
        return None
    title = ask.say(_TITLES.get(found.row.kind, found.row.kind))
    return note(
        join(
            f"{title}, {found.login}: {_share(ask, found)} ",
            link(ask.say(N_("How far it is")), f"/jobs/{found.row.id}"),
        )
    )


def job_table(ask: Ask, kinds: frozenset[str], caption: str) -> Html | None:
    """The newest work of these kinds."""
    found = page_jobs(ask.street, ask.actor, kinds=kinds, limit=5)
    if not found:
        return None
    rows = [
        (
            ask.when(j.row.started_at), link(ask.say(_TITLES[j.row.kind]), f"/jobs/{j.row.id}"), j.row.about.get("name") or "–", j.login,
            _state(ask, j),
        )
        for j in found
    ]  # fmt: skip
    heads = [ask.say(t) for t in (N_("When"), N_("What"), N_("File"), N_("Who"), N_("State"))]
    return table(heads, rows, caption=ask.say(caption))


def _state(ask: Ask, job: Job) -> Html:
    text, tone = _STATES.get(job.row.state, (job.row.state, ""))
    return chip(ask.say(text), tone)


def _share(ask: Ask, job: Job) -> str:
    row = job.row
    return f"{100 * min(row.done, row.total) // row.total} %" if row.total else "…"


def _elapsed(ask: Ask, job: Job) -> str:
    seconds = max(0, (job.row.ended_at or ask.street.clock()) - job.row.started_at) // 1000
    return ask.say(N_("{minutes} min {seconds} s"), minutes=seconds // 60, seconds=seconds % 60)


def get_job(ask: Ask) -> Answer:
    """How far it is, or what came of it."""
    job = job_of(ask.street, ask.actor, ask.number("number"))
    title, nav = ask.say(_TITLES.get(job.row.kind, job.row.kind)), _NAV.get(job.row.kind, "backups")
    if job.row.is_running:
        return Page(title, _under_way(ask, job), nav, again=f"/jobs/{job.row.id}")
    return Page(title, join(*came_of(ask, job), _about(ask, job), _back(ask, nav)), nav)


def _about(ask: Ask, job: Job) -> Html:
    pairs: list[tuple[str, Part]] = [
        (ask.say(N_("State")), _state(ask, job)),
        (ask.say(N_("Begun")), ask.when(job.row.started_at)),
        (ask.say(N_("Begun by")), job.login),
        (ask.say(N_("Took")), _elapsed(ask, job)),
    ]
    if job.row.about.get("name"):
        pairs.insert(0, (ask.say(N_("File")), job.row.about["name"]))
    return card(facts(pairs))


def _under_way(ask: Ask, job: Job) -> Html:
    row = job.row
    count = f"{row.done:,} / {row.total:,}" if row.total else (f"{row.done:,}" if row.done else "")
    bar = el(
        "progress",
        _share(ask, job),
        max=row.total or None,
        value=min(row.done, row.total) if row.total else None,
        id="share",
    )
    pairs: list[tuple[str, Part]] = [
        (ask.say(N_("Step")), ask.say(row.step) if row.step else "…"),
        (ask.say(N_("Done")), join(bar, f" {_share(ask, job)} ", el("span", count, class_="small"))),
        (ask.say(N_("So far")), _elapsed(ask, job)),
        (ask.say(N_("Begun by")), job.login),
    ]
    if row.about.get("name"):
        pairs.insert(0, (ask.say(N_("File")), row.about["name"]))
    stop = (
        el("p", ask.say(N_("The work stops at its next step.")))
        if row.cancel_at
        else actions(link(ask.say(N_("Stop the work …")), f"/jobs/{row.id}/stop", is_button=True))
    )
    told = N_(
        "The page shows by itself how far it is. It may be closed: the work goes on, and what came of it is shown here for a day."
    )
    return join(card(facts(pairs), stop), el("p", ask.say(told), class_="soft"))


def _back(ask: Ask, nav: str) -> Html:
    where = ("/imports", N_("To the imports")) if nav == "imports" else ("/backups", N_("To the backups"))
    return actions(link(ask.say(where[1]), where[0], is_button=True))


_STOPPING = {
    "check": N_("Nothing is written by it; the file has to be chosen again."),
    "import": N_("What was imported until then stays; the import can be continued with the same file, or taken back."),
    "undo": N_("What was taken back until then stays so; the rest is taken back when it is begun again."),
    "backup": N_("No half backup is left; earlier ones stay."),
    "verify": N_("The backup stays as it is."),
    "restore": N_("Nothing of it is left; the street that is served is not touched."),
}


def get_stop(ask: Ask) -> Answer:
    """What stopping means, on a page that stands still."""
    job = job_of(ask.street, ask.actor, ask.number("number"))
    here = f"/jobs/{job.row.id}"
    if not job.row.is_running:
        return Go(here)
    body = card(
        el("p", ask.say(_STOPPING[job.row.kind])),
        actions(
            form(ask, f"{here}/stop", el("button", ask.say(N_("Stop the work")), class_="danger")),
            link(ask.say(N_("Let it go on")), here, is_button=True),
        ),
    )
    return Page(ask.say(N_("Stop the work")), body, _NAV.get(job.row.kind, "backups"))


def post_stop(ask: Ask) -> Answer:
    """Ask it to stop."""
    cancel_job(ask.street, ask.actor, ask.number("number"))
    return Go(f"/jobs/{ask.number('number')}", "job.stopping")


ROUTES = (
    Served("/jobs/{number}", "GET", inside(get_job, None)),
    Served("/jobs/{number}/stop", "GET", inside(get_stop, None)),
    Served("/jobs/{number}/stop", "POST", inside(post_stop, None)),
)
