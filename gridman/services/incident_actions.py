"""Who may take which step of an incident's workflow now, to whom it may be sent, and why not."""

from gridman.domain import access, codes
from gridman.domain.access import Actor
from gridman.domain.incident import SUPERVISION_OF_ACTION, TRANSITIONS, Incident, Transition, transition
from gridman.domain.organisation import Organisation, rank_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.store.queries import incidents as query
from gridman.store.unit import Reader, Unit

__all__ = ["EMERGENCY", "actions_for", "require_action", "require_needs", "targets_for"]

EMERGENCY = "B1"
"""What the codes of emergency categories begin with."""

_URGE_EVERY_MS = 4 * 3_600_000


def actions_for(reader: Reader, actor: Actor, incident: Incident) -> list[Transition]:
    """The commands this person may give now, in the workflow's order."""
    return [
        row for row in TRANSITIONS if "draft" not in row.from_states and _why_not(reader, actor, incident, row) is None
    ]


def targets_for(reader: Reader, actor: Actor, incident: Incident, action: str) -> list[Organisation]:
    """Whom the command may send it to: direct subordinates and departments under the actor's organisation; in an emergency anyone of
    the street (domain reference 4.3, rule 2).
    """
    row = transition(action)
    if row is None or "target" not in row.needs:
        return []
    if incident.category.startswith(EMERGENCY):
        return [
            o
            for o in reader.page(Organisation, order_by=("name",))
            if o.id != actor.organisation_id and o.level != "grid"
        ]
    below = reader.page(Organisation, parent_id=actor.organisation_id, order_by=("name",), limit=2_000)
    return sorted(below, key=lambda o: (not o.is_department, o.name))


def require_action(unit: Unit, incident: Incident, action: str, target_id: int | None) -> Transition:
    """The row of the workflow that `action` names, if this person may take it now; else refuses with why not."""
    row = transition(action)
    if row is None or "draft" in row.from_states:
        raise Refusal("incident.unknown_action", N_("“{action}” is not a step of the workflow."), action=action)
    access.require(unit.actor, "incident.act")
    problem = _why_not(unit, unit.actor, incident, row)
    if problem is not None:
        raise problem
    if (
        "target" in row.needs
        and target_id is not None
        and target_id not in {o.id for o in targets_for(unit, unit.actor, incident, action)}
    ):
        raise Refusal(
            "incident.target",
            N_("It can be dispatched only to departments and organisations directly below yours."),
            N_("Choose one of the list, or report it upward."),
        )
    return row


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
    holder, own = reader.find(Organisation, incident.holder_id), reader.find(Organisation, actor.organisation_id)
    if own is None or holder is None:
        return _not_yours(reader, incident, row)
    is_allowed = {
        "anyone": True,
        "holder": own.id == holder.id,
        "receiver": own.id == holder.id,
        "creator": own.id == incident.creator_id,
        "street": rank_of(own) >= 2 and not own.is_department,
        "peer_or_above": rank_of(own) >= rank_of(holder)
        and not own.is_department
        and access.may(actor, "incident.supervise"),
        "above": rank_of(own) > rank_of(holder),
    }[row.who]
    if is_allowed and row.action == "verify_pass" and incident.handler_id == own.id and incident.creator_id != own.id:
        is_allowed = False
    if is_allowed and row.action == "escalate" and own.parent_id is None:
        is_allowed = False
    if is_allowed and row.action == "assign" and not targets_for(reader, actor, incident, "assign"):
        is_allowed = False
    if is_allowed and row.action in SUPERVISION_OF_ACTION:
        is_allowed = _changes_supervision(incident, row.action)
    if is_allowed and row.action == "mark_urgent" and incident.urgency == "1":
        is_allowed = False
    if is_allowed and row.action == "urge":
        last = query.last_step_of(reader, incident.id, "urge")
        is_allowed = last is None or reader.now - last.at >= _URGE_EVERY_MS
    return None if is_allowed else _not_yours(reader, incident, row)


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


def require_needs(row: Transition, target_id: int | None, note: str, result: str, satisfaction: int | None) -> None:
    """Refuse an action that lacks what its row asks for: a target, a note, a result, a rating."""
    missing = {
        "target": target_id is None,
        "note": not note.strip(),
        "result": not result.strip(),
        "rating": satisfaction is None or not 1 <= satisfaction <= 5,
    }
    words = {
        "target": N_("Choose to whom it goes."),
        "note": N_("Write the reason."),
        "result": N_("Write what was done."),
        "rating": N_("Give a rating from 1 to 5."),
    }
    for need in row.needs:
        if missing.get(need):
            raise Refusal(
                f"incident.needs_{need}", N_("“{action}” needs one thing more."), words[need], action=_(row.label)
            )
