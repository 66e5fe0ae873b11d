"""The rest of the day: one incident travels from grid to community to street to department and back; the roster is printed."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gridman.demo.account import Account
from gridman.demo.clock import DayClock
from gridman.demo.desks import synchronise
from gridman.demo.stage import CLERK, DEPARTMENT, SUPERVISOR, WORKER
from gridman.demo.state import DayState
from gridman.domain import codes
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.incident import Incident, IncidentStep, step_label
from gridman.domain.person import Person
from gridman.kernel.words import _, language, use
from gridman.reports.catalogue import get_report
from gridman.services.desk import Desk
from gridman.services.incident_actions import actions_for, targets_for
from gridman.services.incidents import open_incident, perform
from gridman.services.rosters import make_stamp, roster_sheet

__all__ = ["allowed_words", "handle_incident", "print_roster"]


def allowed_words(actions: Iterable[str]) -> str:
    """Steps of an incident as the desk calls them."""
    return _(", ").join(_(step_label(action)) for action in actions)


def _do(desks: Mapping[str, Desk], login: str, incident_id: int, action: str, account: Account, **what: Any) -> None:
    """One command on one desk, synchronised; skipped when an earlier run already did it."""
    desk = desks[login]
    desk.synchronise()
    with desk.store.read() as reader:
        own = desk.actor.organisation_id
        if reader.first(IncidentStep, incident_id=incident_id, action=action, organisation_id=own) is not None:
            return
        incident = reader.get(Incident, incident_id)
        allowed = [t.action for t in actions_for(reader, desk.actor, incident)]
    account.check(
        action in allowed,
        _("{login} may: {actions}").format(login=login, actions=allowed_words(allowed)),
    )
    with desk.store.unit(desk.actor) as unit:
        perform(unit, incident_id, action, **what)
    desk.synchronise()


def handle_incident(desks: Mapping[str, Desk], clock: DayClock, state: DayState, account: Account) -> None:
    """Accepted by the community, reported upward, dispatched by the street, handled by a department, verified by the grid, closed."""
    incident_id = state.facts["incidents"][0]
    synchronise(desks, (WORKER, CLERK, SUPERVISOR), account)
    clock.until(17, 25)
    _do(desks, CLERK, incident_id, "accept", account)
    _do(desks, CLERK, incident_id, "escalate", account, note="社区无执法权，请街道协调。")
    clock.until(17, 30)
    _do(desks, SUPERVISOR, incident_id, "accept", account)
    supervisor = desks[SUPERVISOR]
    with supervisor.store.read() as reader:
        incident = reader.get(Incident, incident_id)
        target = (
            next(
                o
                for o in targets_for(reader, supervisor.actor, incident, "assign")
                if o.id == desks[DEPARTMENT].actor.organisation_id
            )
            if incident.state == "handling"
            else None
        )
    if target is not None and not _has(supervisor, incident_id, "assign"):
        _do(desks, SUPERVISOR, incident_id, "assign", account, target_id=target.id, note="请于 24 小时内处置并反馈。")
    clock.until(17, 35)
    _do(desks, DEPARTMENT, incident_id, "sign", account)
    clock.until(17, 50)
    _do(desks, DEPARTMENT, incident_id, "finish", account, result="已拆除飞线，清理楼道，张贴告知书，约谈车主。")
    clock.until(17, 58)
    _do(desks, WORKER, incident_id, "verify_pass", account, note="现场复核，通道畅通。")
    synchronise(desks, (WORKER, CLERK, SUPERVISOR, DEPARTMENT), account)
    _check_closed(desks, incident_id, account)


def _has(desk: Desk, incident_id: int, action: str) -> bool:
    with desk.store.read() as reader:
        return reader.first(IncidentStep, incident_id=incident_id, action=action) is not None


def _check_closed(desks: Mapping[str, Desk], incident_id: int, account: Account) -> None:
    wanted = ["report", "accept", "escalate", "accept", "assign", "sign", "finish", "verify_pass"]
    for login in (WORKER, CLERK, SUPERVISOR, DEPARTMENT):
        with desks[login].store.read() as reader:
            file = open_incident(reader, incident_id)
        account.equal(
            (file.incident.state, [s.action for s in file.steps]), ("closed", wanted),
            _("{login} sees {number} {state} with all {n} steps").format(
                login=login, number=file.incident.number, state=codes.word("incident_state", "closed"), n=len(wanted)
            ),
        )  # fmt: skip
        if login == SUPERVISOR:
            for step in file.steps:
                what = codes.word("incident_state", step.to_state)
                account.say(
                    f"{file.names.get(step.organisation_id or 0, '')} · {file.names.get(step.user_id or 0, '')} → {what} {step.note or ''}"
                )


def print_roster(desk: Desk, path: Path, clock: DayClock, state: DayState, account: Account) -> None:
    """The clerk prints the worker's grid's household roster; the sheet's households are counted against the register."""
    from gridman.reports.typeset import typeset

    clock.until(17, 40)
    spoken = language()
    use("zh_CN")  # what an office of a Chinese street prints, whatever the account's language is
    grid_id = state.facts["grid"]
    with desk.store.read() as reader:
        sheet = roster_sheet(reader, desk.actor, grid_id)
        grid = reader.get(Grid, grid_id)
        households = reader.count(Household, grid_id=grid_id)
        living = reader.count(Person, grid_id=grid_id, moved_out_on=None, died_on=None)
    with desk.store.unit(desk.actor) as unit:
        stamp = make_stamp(unit, "F01", "年末住户核对", len(sheet.households))
    printed = typeset(get_report("F01").build(sheet, stamp), path, account.progress)
    use(spoken)
    account.equal(
        len(sheet.households),
        households,
        _("{file}: all {n} households of {grid}").format(file=path.name, n=households, grid=grid.name),
    )
    account.equal(
        sum(len(h.people) for h in sheet.households), living, _("all {n} residents are on it").format(n=living)
    )
    account.equal(list(printed.undrawable), [], _("every character of every name can be drawn"))
    account.say(
        _("{pages} pages, batch {batch}, ID numbers masked, watermark {who}").format(
            pages=printed.pages, batch=stamp.batch, who=stamp.who
        )
    )
    state.facts["roster_numbers"] = [h.number for h in sheet.households]
    state.facts.update(roster_pages=printed.pages, roster_households=households, roster_batch=stamp.batch)
