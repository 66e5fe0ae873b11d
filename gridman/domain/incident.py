"""The incident (事件), its states, and who may do what: the workflow as one table (domain reference 4.1-4.3).

The holder is an organisation, not a person. Only the holder acts; it assigns only to direct subordinates or to a department
under it, escalates only to its direct superior; the organisation that created the incident verifies; supervision comes from the
same or a higher level and only rises.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Privacy, Synced, column
from gridman.kernel.words import N_

__all__ = [
    "CLOCK_STATES", "EXTENSION_OF_ACTION", "MOST_RETURNS", "OPEN_STATES", "SUPERVISION_OF_ACTION", "TRANSITIONS", "Incident",
    "IncidentStep", "Transition", "copies_of", "step_label", "transition",
]  # fmt: skip


class Incident(Synced):
    """One incident. After it is reported, its state and holder change by commands (`TRANSITIONS`), never by editing fields."""

    __tablename__ = "incident"

    number: Mapped[str | None] = column(N_("Incident no."), index=True, merge=Merge.ONCE)
    category: Mapped[str] = column(N_("Category"), Kind.CODE, code_table="incident_category", is_required=True)
    description: Mapped[str] = column(
        N_("Description"),
        Kind.NOTE,
        is_required=True,
        max_length=2000,
    )
    place: Mapped[str | None] = column(N_("Place"))
    lng: Mapped[float | None] = column(N_("Longitude"), Kind.MEASURE, is_shown=False)
    lat: Mapped[float | None] = column(N_("Latitude"), Kind.MEASURE, is_shown=False)
    grid_id: Mapped[int | None] = column(N_("Grid"), Kind.REFERENCE, index=True, is_required=True, merge=Merge.STREET)
    household_id: Mapped[int | None] = column(N_("Household"), Kind.REFERENCE, index=True)
    source: Mapped[str | None] = column(N_("Source"), Kind.CODE, code_table="incident_source")
    level: Mapped[str | None] = column(N_("Level"), Kind.CODE, code_table="incident_level")
    urgency: Mapped[str | None] = column(N_("Urgency"), Kind.CODE, code_table="incident_urgency")
    happened_at: Mapped[int | None] = column(N_("Happened at"), Kind.INSTANT)
    reported_at: Mapped[int] = column(N_("Reported at"), Kind.INSTANT, index=True, merge=Merge.ONCE)
    reporter_id: Mapped[int | None] = column(N_("Logged by"), Kind.REFERENCE, merge=Merge.ONCE)
    reporter_name: Mapped[str | None] = column(N_("Reporter"), Kind.NAME, privacy=Privacy.PERSONAL, max_length=100)
    reporter_phone: Mapped[str | None] = column(N_("Reporter's phone"), Kind.PHONES, privacy=Privacy.PERSONAL)
    state: Mapped[str] = column(
        N_("State"),
        Kind.CODE,
        code_table="incident_state",
        index=True,
        merge=Merge.STREET,
    )
    creator_id: Mapped[int] = column(N_("Created by"), Kind.REFERENCE, merge=Merge.ONCE)
    holder_id: Mapped[int] = column(N_("Held by"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    handler_id: Mapped[int | None] = column(N_("Handled by"), Kind.REFERENCE, merge=Merge.STREET)
    supervision: Mapped[str | None] = column(N_("Supervision"), Kind.CODE, code_table="supervision", merge=Merge.STREET)
    due_at: Mapped[int | None] = column(N_("Due"), Kind.INSTANT, index=True, merge=Merge.STREET)
    result: Mapped[str | None] = column(N_("Result"), Kind.NOTE, max_length=2000, merge=Merge.STREET)
    closed_at: Mapped[int | None] = column(N_("Closed at"), Kind.INSTANT, merge=Merge.STREET)
    is_solved: Mapped[bool | None] = column(N_("Solved, says the resident"), Kind.FLAG, merge=Merge.STREET)
    satisfaction: Mapped[int | None] = column(N_("Satisfaction (1-5)"), Kind.NUMBER, merge=Merge.STREET)
    bounce_count: Mapped[int | None] = column(N_("Times returned"), Kind.NUMBER, merge=Merge.STREET)
    parent_id: Mapped[int | None] = column(N_("Task of"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    whistle_case: Mapped[str | None] = column(
        N_("Reason for whistling"), Kind.CODE, code_table="whistle_case", merge=Merge.STREET
    )
    merged_into_id: Mapped[int | None] = column(N_("Merged into"), Kind.REFERENCE, merge=Merge.STREET)
    copied_to: Mapped[str | None] = column(N_("Copies to"), is_shown=False, max_length=2000, merge=Merge.STREET)
    extension: Mapped[str | None] = column(N_("More time"), Kind.CODE, code_table="extension", merge=Merge.STREET)
    is_legacy: Mapped[bool | None] = column(N_("Left from the past"), Kind.FLAG, merge=Merge.STREET)


class IncidentStep(Synced):
    """One line of an incident's log: who did what for which organisation. Written once."""

    __tablename__ = "incident_step"

    incident_id: Mapped[int] = column(N_("Incident"), Kind.REFERENCE, index=True, merge=Merge.ONCE)
    grid_id: Mapped[int | None] = column(N_("Grid"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    at: Mapped[int] = column(N_("When"), Kind.INSTANT, merge=Merge.ONCE)
    action: Mapped[str] = column(N_("Action"), merge=Merge.ONCE)
    from_state: Mapped[str | None] = column(N_("From"), Kind.CODE, code_table="incident_state", merge=Merge.ONCE)
    to_state: Mapped[str | None] = column(N_("To"), Kind.CODE, code_table="incident_state", merge=Merge.ONCE)
    user_id: Mapped[int | None] = column(N_("Who"), Kind.REFERENCE, merge=Merge.ONCE)
    organisation_id: Mapped[int | None] = column(N_("For"), Kind.REFERENCE, merge=Merge.ONCE)
    target_id: Mapped[int | None] = column(N_("To organisation"), Kind.REFERENCE, merge=Merge.ONCE)
    note: Mapped[str | None] = column(N_("Note"), Kind.NOTE, max_length=2000, merge=Merge.ONCE)


@dataclass(frozen=True)
class Transition:
    """One row of the workflow: `action` takes an incident from one of `from_states` to `to_state` (None: stays). `key`: the letter or
    digit that gives it together with Alt, its own in every state and language; "" when it is given by a form.

    `who`: "holder" (a member of the holding organisation), "receiver" (the organisation it was sent to, which is then the holder),
    "creator", "reporter", "street" (any organisation of street level or above), "street_holder" (the holder, of street level or above),
    "holder_or_street", "dispatcher" (who sent it where it is), "superior" (the holder's direct superior; at the top its own
    supervisor), "peer_or_above" (same level as the holder or higher), "above" (strictly higher), "anyone".
    `needs`: what the command must bring: "target" (an organisation), "other" (another incident), "case" (a code of `whistle_case`), "note",
    "result", "rating", "place".
    `holder_after`: "same", "target", "superior", "creator", "dispatcher", "handler", "previous" (who held it before).
    """

    action: str
    key: str
    label: str
    from_states: tuple[str, ...]
    to_state: str | None
    who: str
    needs: tuple[str, ...] = ()
    holder_after: str = "same"
    roles: tuple[str, ...] = ()


OPEN_STATES = ("reported", "handling", "dispatched", "suspended", "feedback", "returned")

CLOCK_STATES = tuple(state for state in OPEN_STATES if state != "suspended")
"""States in which the time limit runs."""

_STREET_ROLES = ("street_clerk", "street_supervisor")

TRANSITIONS: tuple[Transition, ...] = (
    Transition("report", "", N_("Report"), ("draft",), "reported", "anyone", ("place",)),
    Transition("self_close", "", N_("Handled on the spot"), ("draft",), "self_handled", "anyone", ("result",)),
    Transition("accept", "A", N_("Accept"), ("reported", "returned"), "handling", "holder"),
    Transition("refuse", "N", N_("Not accepted"), ("reported",), "voided", "holder", ("note",)),
    Transition("merge", "M", N_("Merge into another"), ("reported",), "voided", "holder_or_street", ("other",)),
    Transition("object", "J", N_("Object"), ("voided",), "reported", "creator", ("note",), "superior"),
    Transition("log", "L", N_("Add a note"), ("handling",), "handling", "holder", ("note",)),
    Transition("assign", "D", N_("Dispatch"), ("handling",), "dispatched", "holder", ("target",), "target"),
    Transition("sign", "S", N_("Sign for"), ("dispatched",), "handling", "receiver"),
    Transition("return", "B", N_("Send back"), ("dispatched",), "handling", "receiver", ("note",), "dispatcher"),
    Transition("recall", "C", N_("Call back"), ("dispatched",), "handling", "dispatcher", ("note",), "dispatcher"),
    Transition("escalate", "U", N_("Report upward"), ("handling",), "reported", "holder", ("note",), "superior"),
    Transition("back", "H", N_("Hand back"), ("handling",), "handling", "holder", ("note",), "previous"),
    Transition(
        "whistle",
        "W",
        N_("Whistle"),
        ("handling",),
        None,
        "street_holder",
        ("target", "case", "note"),
        roles=_STREET_ROLES,
    ),
    Transition("copy", "Y", N_("Send a copy"), ("handling",), None, "holder", ("target",)),
    Transition("ask_extension", "T", N_("Ask for more time"), ("handling",), None, "holder", ("note",)),
    Transition("grant_extension", "G", N_("Grant more time"), ("handling",), None, "superior"),
    Transition("refuse_extension", "X", N_("Grant no more time"), ("handling",), None, "superior", ("note",)),
    Transition("suspend", "P", N_("Suspend"), ("handling",), "suspended", "street", ("note",)),
    Transition("resume", "R", N_("Resume"), ("suspended",), "handling", "street"),
    Transition("finish", "F", N_("Handled"), ("handling",), "feedback", "holder", ("result",), "creator"),
    Transition("verify_pass", "V", N_("Verified: close"), ("feedback",), "closed", "creator"),
    Transition(
        "verify_fail", "E", N_("Not solved: return"), ("feedback",), "returned", "creator", ("note",), "handler"
    ),
    Transition("rate", "5", N_("Resident's rating"), ("closed",), "rated", "anyone", ("rating",)),
    Transition(
        "reopen", "O", N_("Reopen"), ("closed", "rated"), "handling", "street", ("note",), "handler", _STREET_ROLES
    ),
    Transition("urge", "Q", N_("Urge"), OPEN_STATES, None, "anyone"),
    Transition("supervise_normal", "1", N_("Supervise"), OPEN_STATES, None, "peer_or_above"),
    Transition("supervise_yellow", "2", N_("Yellow card"), OPEN_STATES, None, "peer_or_above"),
    Transition("supervise_red", "3", N_("Red card"), OPEN_STATES, None, "peer_or_above"),
    Transition("unsupervise", "0", N_("Lift supervision"), OPEN_STATES, None, "peer_or_above"),
    Transition("instruct", "I", N_("Instruct"), OPEN_STATES, None, "above", ("note",)),
    Transition("mark_urgent", "K", N_("Mark urgent"), OPEN_STATES, None, "street"),
    Transition(
        "mark_legacy",
        "Z",
        N_("Mark as left from the past"),
        OPEN_STATES,
        None,
        "street",
        ("note",),
        roles=("street_supervisor",),
    ),
)

SUPERVISION_OF_ACTION = {"supervise_normal": "1", "supervise_yellow": "2", "supervise_red": "3", "unsupervise": "0"}
EXTENSION_OF_ACTION = {"ask_extension": "1", "grant_extension": "2", "refuse_extension": "3"}

MOST_RETURNS = 2
"""An incident that was sent back as often as this goes to the dispatcher's superior when it is sent back once more."""


def copies_of(record: Any) -> list[int]:
    """The organisations that read an incident along, from its `copied_to` ("7;12")."""
    return [int(part) for part in (record.copied_to or "").split(";") if part]


def transition(action: str) -> Transition | None:
    """The workflow row of `action`, or None."""
    return next((row for row in TRANSITIONS if row.action == action), None)


def step_label(action: str) -> str:
    """What a line of the log says was done, to be translated; "rejected": a step that came too late and was not taken."""
    row = transition(action)
    return row.label if row is not None else N_("Came too late") if action == "rejected" else action
