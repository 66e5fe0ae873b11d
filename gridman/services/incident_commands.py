"""The commands of an incident's workflow carried out: what changes, who holds it afterwards, and the line in its log."""

from collections.abc import Callable, Mapping
from typing import Any

from gridman.domain.incident import (
    EXTENSION_OF_ACTION,
    MOST_RETURNS,
    SUPERVISION_OF_ACTION,
    Incident,
    IncidentStep,
    Transition,
    copies_of,
)
from gridman.domain.organisation import Organisation
from gridman.domain.time_limits import time_limit_ms
from gridman.services.incident_actions import acting_for, require_action, require_needs
from gridman.services.incident_tasks import whistle_up
from gridman.store.queries import incidents as query
from gridman.store.unit import Unit

__all__ = ["log_step", "perform"]

_DAY_MS = 86_400_000


def perform(
    unit: Unit,
    incident_id: int,
    action: str,
    *,
    target_id: int | None = None,
    other_id: int | None = None,
    case: str = "",
    note: str = "",
    result: str = "",
    is_solved: bool | None = None,
    satisfaction: int | None = None,
    step_id: int | None = None,
    task_id: int | None = None,
    task_step_id: int | None = None,
) -> Incident:
    """Carry out one command of the workflow, or refuse and say who may do what instead.

    ``target_id``: an organisation; ``other_id``: the incident it is merged into; ``case``: why a department is whistled up.
    On a desk the command itself travels and the street carries it out again under its own rules; the desk's own effect is shown
    until the street's answer comes. ``step_id``, ``task_id``, ``task_step_id``: the ids of the log line, and of the task and its first log
    line where the command makes one, so that both sides write the same records.
    """
    incident = unit.get(Incident, incident_id)
    row = require_action(unit, incident, action, target_id, other_id)
    require_needs(
        row, target_id=target_id, other_id=other_id, case=case, note=note, result=result, satisfaction=satisfaction
    )
    from_state, own = incident.state, acting_for(unit, unit.actor, incident)
    own_id = own.id if own is not None else unit.actor.organisation_id
    step_id = step_id or unit.new_id()
    payload: dict[str, Any] = {
        "action": action, "target_id": target_id, "note": note, "result": result, "is_solved": is_solved,
        "satisfaction": satisfaction, "step_id": step_id,
    }  # fmt: skip
    if "other" in row.needs:
        payload["other_id"] = other_id
    if action == "whistle":
        task_id, task_step_id = task_id or unit.new_id(), task_step_id or unit.new_id()
        payload |= {"case": case, "task_id": task_id, "task_step_id": task_step_id}
    unit.command(incident, payload)
    holder_id = _in_use(unit, _holder_after(unit, incident, row, target_id))
    if row.to_state is not None:
        unit.amend(incident, state=row.to_state, holder_id=holder_id)
    said = _Said(unit, incident, action, target_id, other_id, result, is_solved, satisfaction, own_id)
    effect = _EFFECTS.get(action)
    if effect is not None:
        effect(said)
    if action == "whistle" and target_id is not None and task_id is not None:
        task = whistle_up(unit, incident, target_id, case, note, task_id)
        log_step(unit, task, "whistle", "draft", target_id=target_id, note=note, step_id=task_step_id)
    log_step(
        unit,
        incident,
        action,
        from_state,
        target_id=target_id or (holder_id if row.holder_after != "same" else None),
        note=_note_of(unit, note or result, other_id),
        step_id=step_id,
        organisation_id=own_id,
    )
    return incident


def _note_of(unit: Unit, note: str, other_id: int | None) -> str:
    """A merged incident's log names the one that goes on."""
    other = unit.find(Incident, other_id)
    return note if other is None else f"→ {other.number} {note}".strip()


def log_step(
    unit: Unit,
    incident: Incident,
    action: str,
    from_state: str,
    *,
    target_id: int | None = None,
    note: str = "",
    step_id: int | None = None,
    organisation_id: int | None = None,
) -> IncidentStep:
    """Add a line to an incident's log; `incident` is already as the step leaves it. `organisation_id`: for whom the step was taken, None:
    the actor's own.
    """
    return unit.create(
        IncidentStep(
            id=step_id, incident_id=incident.id, grid_id=incident.grid_id, at=unit.at, action=action, from_state=from_state,
            to_state=incident.state, user_id=unit.actor.user_id, target_id=target_id,
            organisation_id=organisation_id or unit.actor.organisation_id,
            note=note or None,
        )
    )  # fmt: skip


class _Said:
    """What a command said, for its effect."""

    def __init__(
        self, unit: Unit, incident: Incident, action: str, target_id: int | None, other_id: int | None, result: str,
        is_solved: bool | None, satisfaction: int | None, own_id: int,
    ) -> None:  # fmt: skip
        self.unit, self.incident, self.action = unit, incident, action
        self.target_id, self.other_id, self.result = target_id, other_id, result
        self.is_solved, self.satisfaction, self.own_id = is_solved, satisfaction, own_id

    def set(self, **values: Any) -> None:
        """Write into the incident."""
        self.unit.amend(self.incident, **values)

    @property
    def limit_ms(self) -> int:
        """The time an incident of this kind may take."""
        return time_limit_ms(self.incident.category, self.incident.urgency)


def _supervise(said: _Said) -> None:
    said.set(supervision=SUPERVISION_OF_ACTION[said.action])


def _finish(said: _Said) -> None:
    said.set(result=said.result, handler_id=said.own_id)


def _close(said: _Said) -> None:
    said.set(closed_at=said.unit.at, supervision="0")


def _return(said: _Said) -> None:
    said.set(bounce_count=(said.incident.bounce_count or 0) + 1)


def _open_again(said: _Said) -> None:
    said.set(closed_at=None, due_at=said.unit.at + said.limit_ms)


def _void(said: _Said) -> None:
    said.set(closed_at=said.unit.at)


def _merge(said: _Said) -> None:
    said.set(closed_at=said.unit.at, merged_into_id=said.other_id, supervision="0")


def _rate(said: _Said) -> None:
    said.set(is_solved=said.is_solved, satisfaction=said.satisfaction)


def _mark_urgent(said: _Said) -> None:
    """A day from now; of a suspended one from when its clock stopped, because resuming adds all the time it stood still."""
    stopped = query.last_step_of(said.unit, said.incident.id, "suspend") if said.incident.state == "suspended" else None
    most = (said.unit.at if stopped is None else stopped.at) + _DAY_MS
    said.set(urgency="1", due_at=min(said.incident.due_at or most, most))


def _mark_legacy(said: _Said) -> None:
    said.set(is_legacy=True)


def _extend(said: _Said) -> None:
    said.set(extension=EXTENSION_OF_ACTION[said.action])
    if said.action == "grant_extension" and said.incident.due_at is not None:
        said.set(due_at=said.incident.due_at + said.limit_ms)


def _copy(said: _Said) -> None:
    readers = {*copies_of(said.incident), said.target_id} - {None}
    said.set(copied_to=";".join(str(i) for i in sorted(readers, key=lambda i: i or 0)))


def _resume(said: _Said) -> None:
    """The clock stood still while it was suspended."""
    stopped = query.last_step_of(said.unit, said.incident.id, "suspend")
    if stopped is not None and said.incident.due_at is not None:
        said.set(due_at=said.incident.due_at + max(0, said.unit.at - stopped.at))


_EFFECTS: Mapping[str, Callable[[_Said], None]] = {
    **dict.fromkeys(SUPERVISION_OF_ACTION, _supervise),
    **dict.fromkeys(EXTENSION_OF_ACTION, _extend),
    "finish": _finish,
    "verify_pass": _close,
    "return": _return,
    "reopen": _open_again,
    "object": _open_again,
    "refuse": _void,
    "merge": _merge,
    "rate": _rate,
    "mark_urgent": _mark_urgent,
    "mark_legacy": _mark_legacy,
    "copy": _copy,
    "resume": _resume,
}


def _holder_after(unit: Unit, incident: Incident, row: Transition, target_id: int | None) -> int:
    if row.holder_after == "target" and target_id is not None:
        return target_id
    if row.holder_after == "superior":
        return _superior_of(unit, incident.holder_id)
    if row.holder_after == "creator":
        return incident.creator_id
    if row.holder_after == "handler":
        return incident.handler_id or incident.holder_id
    if row.holder_after == "dispatcher":
        dispatcher = query.dispatcher_of(unit, incident)
        # Sent back and forth too often: somebody above has to decide whose it is (domain reference 4.2, return).
        is_stuck = row.action == "return" and (incident.bounce_count or 0) >= MOST_RETURNS
        return _superior_of(unit, dispatcher) if is_stuck else dispatcher
    if row.holder_after == "previous":
        return query.previous_holder(unit, incident) or incident.holder_id
    return incident.holder_id


def _in_use(unit: Unit, organisation_id: int) -> int:
    """Where a department was retired, its superior: an incident that is taken up again must have somebody."""
    found = unit.find(Organisation, organisation_id)
    while found is not None and found.retired_at is not None and found.parent_id is not None:
        found = unit.find(Organisation, found.parent_id)
    return organisation_id if found is None else found.id


def _superior_of(unit: Unit, organisation_id: int) -> int:
    organisation = unit.find(Organisation, organisation_id)
    return organisation_id if organisation is None else organisation.parent_id or organisation_id
