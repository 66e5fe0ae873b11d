"""Two steps of the workflow that were taken without knowing of each other (sync design D8): the same step twice is no trouble, and work that
is taken up again beats the close that crossed it. Whatever else comes too late is refused and stays readable on the incident's log.
"""

from typing import Any

from gridman.domain.incident import Incident, IncidentStep, transition
from gridman.services.incident_actions import acting_for
from gridman.services.incidents import perform
from gridman.store.queries import incidents as query
from gridman.store.unit import Unit

__all__ = ["settle_race"]

_OVER_CLOSE = frozenset({"escalate", "verify_fail", "reopen"})
_CLOSED = frozenset({"feedback", "closed", "rated", "voided"})
_PUT_BACK = ("state", "holder_id", "closed_at", "supervision")


def settle_race(unit: Unit, incident_id: int, action: str, knew: str | None, parts: dict[str, Any]) -> bool:
    """Carry out a step that the incident's present state does not allow, where a race explains it; False when none does.

    `knew`: the version of the incident's state that the step was taken on. Refuses like `perform`.
    """
    incident, row = unit.get(Incident, incident_id), transition(action)
    if row is None:
        return False
    if row.to_state == incident.state and _is_repeated(unit, incident, action, parts.get("target_id")):
        _log_again(unit, incident, action, parts)
        return True
    if action not in _OVER_CLOSE:
        return False
    before = _as_known(unit, incident, knew)
    if before is None or before["state"] not in row.from_states:
        return False
    unit.amend(incident, **before)
    perform(unit, incident_id, action, **parts)
    return True


def _is_repeated(unit: Unit, incident: Incident, action: str, target_id: int | None) -> bool:
    """Whether the step that led to the present state was this one, taken for the same organisation and to the same target."""
    steps = unit.page(IncidentStep, incident_id=incident.id, order_by=("-at", "-id"), limit=100)
    last = next((s for s in steps if s.to_state == incident.state and s.from_state != s.to_state), None)
    return (
        last is not None
        and last.action == action
        and last.organisation_id == _own_id(unit, incident)
        and (target_id is None or last.target_id == target_id)
    )


def _own_id(unit: Unit, incident: Incident) -> int:
    """For whom the step is taken."""
    own = acting_for(unit, unit.actor, incident)
    return own.id if own is not None else unit.actor.organisation_id


def _log_again(unit: Unit, incident: Incident, action: str, parts: dict[str, Any]) -> None:
    """The second person's words are kept on the log."""
    unit.create(
        IncidentStep(
            id=parts.get("step_id") or unit.new_id(), incident_id=incident.id, grid_id=incident.grid_id, at=unit.at, action=action,
            from_state=incident.state, to_state=incident.state, user_id=unit.actor.user_id,
            organisation_id=_own_id(unit, incident), target_id=parts.get("target_id"),
            note=parts.get("note") or parts.get("result") or None,
        )
    )  # fmt: skip


def _as_known(unit: Unit, incident: Incident, knew: str | None) -> dict[str, Any] | None:
    """What the incident was like in the version `knew`, when nothing but its closing has happened since; else None."""
    since = query.edits_since(unit, incident.id, knew)
    states = [after["state"] for after, _before in since if "state" in after]
    if not states or not set(states) <= _CLOSED:
        return None
    found = {name: getattr(incident, name) for name in _PUT_BACK}
    for _after, before in reversed(since):
        found.update({name: value for name, value in before.items() if name in _PUT_BACK})
    return found
