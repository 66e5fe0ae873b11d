"""Who may take which step of an incident's workflow now, to whom it may be sent, and why not."""

from gridman.domain import access, codes
from gridman.domain.access import Actor
from gridman.domain.incident import (
    OPEN_STATES,
    SUPERVISION_OF_ACTION,
    TRANSITIONS,
    Incident,
    Transition,
    copies_of,
    transition,
)
from gridman.domain.organisation import Organisation, rank_of
from gridman.domain.time_limits import EMERGENCY
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.services.access import organisation_for
from gridman.services.incident_tasks import has_open_tasks, merge_candidates
from gridman.store.queries import incidents as query
from gridman.store.unit import Reader, Unit

__all__ = ["acting_for", "actions_for", "require_action", "require_needs", "targets_for"]

_URGE_EVERY_MS = 4 * 3_600_000
_ENDS = ("finish", "refuse", "merge")
"""What leaves nothing to do: not while a department that was whistled up is at work for it."""


def acting_for(reader: Reader, actor: Actor, incident: Incident) -> Organisation | None:
    """The organisation for which this person takes steps of the incident: a worker of several grids acts for the team of its grid."""
    return organisation_for(reader, actor, incident.grid_id, (incident.creator_id, incident.holder_id))


def actions_for(reader: Reader, actor: Actor, incident: Incident) -> list[Transition]:
    """The commands this person may give now, in the workflow's order."""
    return [
        row for row in TRANSITIONS if "draft" not in row.from_states and _why_not(reader, actor, incident, row) is None
    ]


def targets_for(reader: Reader, actor: Actor, incident: Incident, action: str) -> list[Organisation]:
    """To whom the command may send it: direct subordinates and departments under the actor's organisation, in an emergency anyone of
    the street (domain reference 4.2, rule 2); whistled up are departments; a copy goes to any superior too.
    """
    row = transition(action)
    if row is None or "target" not in row.needs:
        return []
    if action == "copy":
        return _readers_for(reader, actor, incident)
    if incident.category.startswith(EMERGENCY):
        found = [
            o
            for o in reader.page(Organisation, order_by=("name",), limit=2_000)
            if o.id != actor.organisation_id and o.level != "grid"
        ]
    else:
        below = reader.page(Organisation, parent_id=actor.organisation_id, order_by=("name",), limit=2_000)
        found = sorted(below, key=lambda o: (not o.is_department, o.name))
    return [o for o in found if o.is_department] if action == "whistle" else found


def _readers_for(reader: Reader, actor: Actor, incident: Incident) -> list[Organisation]:
    """Superiors, the nearest first, then direct subordinates; without those that see it anyway."""
    see_it = {incident.creator_id, incident.holder_id, incident.handler_id, *copies_of(incident)}
    above: list[Organisation] = []
    own = acting_for(reader, actor, incident)
    own_id = own.id if own is not None else actor.organisation_id
    while own is not None and own.parent_id is not None and len(above) < 5:
        own = reader.find(Organisation, own.parent_id)
        above += [own] if own is not None else []
    below = reader.page(Organisation, parent_id=own_id, order_by=("name",), limit=2_000)
    return [o for o in (*above, *below) if o.id not in see_it]


def require_action(
    unit: Unit, incident: Incident, action: str, target_id: int | None, other_id: int | None = None
) -> Transition:
    """The row of the workflow that `action` names, if this person may take it now; else refuses with why not."""
    row = transition(action)
    if row is None or "draft" in row.from_states:
        raise Refusal("incident.unknown_action", N_("“{action}” is not a step of the workflow."), action=action)
    access.require(unit.actor, "incident.act")
    problem = _why_not(unit, unit.actor, incident, row)
    if problem is not None:
        raise problem
    if target_id is not None and "target" in row.needs:
        _require_target(unit, incident, action, target_id)
    if other_id is not None and "other" in row.needs:
        _require_other(unit, incident, other_id)
    return row


def _require_target(unit: Unit, incident: Incident, action: str, target_id: int) -> None:
    if target_id in {o.id for o in targets_for(unit, unit.actor, incident, action)}:
        return
    if action == "whistle":
        raise Refusal(
            "incident.not_a_department",
            N_("Only departments under yours can be whistled up."),
            N_("Choose one of the list, or report it upward."),
        )
    if action == "copy":
        raise Refusal(
            "incident.no_reader",
            N_(
                "A copy goes to superiors and to organisations directly below yours that do not see the incident anyway."
            ),
            N_("Choose one of the list."),
        )
    raise Refusal(
        "incident.target",
        N_("It can be dispatched only to departments and organisations directly below yours."),
        N_("Choose one of the list, or report it upward."),
    )


def _require_other(unit: Unit, incident: Incident, other_id: int) -> None:
    """It is merged into an open incident, never into itself or into one of its own tasks."""
    other = unit.find(Incident, other_id)
    if other is None or other.id == incident.id or other.parent_id == incident.id or other.state not in OPEN_STATES:
        raise Refusal(
            "incident.other",
            N_("It can be merged only into another incident that is open."),
            N_("Choose one of the list; somebody may have closed the other meanwhile."),
        )


def _why_not(reader: Reader, actor: Actor, incident: Incident, row: Transition) -> Refusal | None:
    """None when `actor` may do `row` now, else the refusal."""
    if incident.state not in row.from_states:
        return Refusal(
            "incident.state",
            N_("{number}: “{action}” is not possible while the incident is “{state}”."),
            N_("Somebody may have moved it on; synchronise and look at its log."),
            number=incident.number,
            action=_(row.label),
            state=codes.word("incident_state", incident.state),
        )
    if not access.may(actor, "incident.act") or (row.roles and actor.role not in row.roles):
        return _not_yours(reader, incident, row)
    holder, own = reader.find(Organisation, incident.holder_id), acting_for(reader, actor, incident)
    if own is None or holder is None:
        return _not_yours(reader, incident, row)
    is_allowed = {
        "anyone": True,
        "holder": own.id == holder.id,
        "receiver": own.id == holder.id,
        "creator": own.id == incident.creator_id,
        "dispatcher": row.who == "dispatcher" and own.id == query.dispatcher_of(reader, incident),
        "street": rank_of(own) >= 2 and not own.is_department,
        "street_holder": own.id == holder.id and rank_of(own) >= 2 and not own.is_department,
        "holder_or_street": own.id == holder.id or (rank_of(own) >= 2 and not own.is_department),
        "superior": own.id == holder.parent_id
        or (holder.parent_id is None and own.id == holder.id and actor.role == "street_supervisor"),
        "peer_or_above": rank_of(own) >= rank_of(holder)
        and not own.is_department
        and access.may(actor, "incident.supervise"),
        "above": rank_of(own) > rank_of(holder),
    }[row.who]
    if is_allowed and row.action in _ENDS and has_open_tasks(reader, incident.id):
        return _tasks_open(incident)
    if is_allowed and row.action == "urge":
        return _urged_lately(reader, incident)
    is_allowed = is_allowed and _is_timely(reader, actor, incident, row, own)
    return None if is_allowed else _not_yours(reader, incident, row)


def _is_timely(reader: Reader, actor: Actor, incident: Incident, row: Transition, own: Organisation) -> bool:
    """What else the workflow's table asks of single actions, beside state and person."""
    if row.action in SUPERVISION_OF_ACTION:
        return _changes_supervision(incident, row.action)
    match row.action:
        case "verify_pass":
            return incident.handler_id != own.id or incident.creator_id == own.id
        case "escalate":
            return own.parent_id is not None
        case "assign" | "whistle" | "copy":
            return bool(targets_for(reader, actor, incident, row.action))
        case "back":
            return query.previous_holder(reader, incident) is not None
        case "merge":
            return bool(merge_candidates(reader, incident))
        case "object":  # once, and not against a merger
            return incident.merged_into_id is None and query.last_step_of(reader, incident.id, "object") is None
        case "ask_extension":  # before it is overdue, and once
            return not incident.extension and (incident.due_at is None or reader.now <= incident.due_at)
        case "grant_extension" | "refuse_extension":
            return incident.extension == "1"
        case "mark_urgent":
            return incident.urgency != "1"
        case "mark_legacy":
            return not incident.is_legacy
    return True


def _tasks_open(incident: Incident) -> Refusal:
    return Refusal(
        "incident.tasks_open",
        N_("{number}: departments that were whistled up are still at work."),
        N_("Urge them, or wait until their tasks are closed; then it can be handled as a whole."),
        number=incident.number,
    )


def _urged_lately(reader: Reader, incident: Incident) -> Refusal | None:
    last = query.last_step_of(reader, incident.id, "urge")
    if last is None or reader.now - last.at >= _URGE_EVERY_MS:
        return None
    return Refusal(
        "incident.urged",
        N_("{number}: it was urged at {at} already."),
        N_("It can be urged again from {again}."),
        number=incident.number,
        at=show_instant(last.at),
        again=show_instant(last.at + _URGE_EVERY_MS),
    )


def _changes_supervision(incident: Incident, action: str) -> bool:
    """The level only rises, and is lifted as a whole."""
    now, wanted = incident.supervision or "0", SUPERVISION_OF_ACTION[action]
    return now != "0" if wanted == "0" else wanted > now


def _not_yours(reader: Reader, incident: Incident, row: Transition) -> Refusal:
    responsible = incident.creator_id if row.who == "creator" else incident.holder_id
    organisation = reader.find(Organisation, responsible)
    return Refusal(
        "incident.not_yours",
        N_("{number}: “{action}” is for {organisation} now."),
        N_("You can urge it, or ask a superior to supervise it."),
        number=incident.number,
        action=_(row.label),
        organisation=organisation.name if organisation else "?",
    )


def require_needs(
    row: Transition,
    *,
    target_id: int | None,
    other_id: int | None,
    case: str,
    note: str,
    result: str,
    satisfaction: int | None,
) -> None:
    """Refuse an action that lacks what its row asks for: a target, another incident, a case, a note, a result, a rating."""
    missing = {
        "target": target_id is None,
        "other": other_id is None,
        "case": case not in codes.table("whistle_case"),
        "note": not note.strip(),
        "result": not result.strip(),
        "rating": satisfaction is None or not 1 <= satisfaction <= 5,
    }
    words = {
        "target": N_("Choose to whom it goes."),
        "other": N_("Choose the incident that goes on."),
        "case": N_("Choose one of the three reasons for which departments may be whistled up."),
        "note": N_("Write the reason."),
        "result": N_("Write what was done."),
        "rating": N_("Give a rating from 1 to 5."),
    }
    for need in row.needs:
        if missing.get(need):
            raise Refusal(
                f"incident.needs_{need}", N_("“{action}” needs one thing more."), words[need], action=_(row.label)
            )
