"""The parts of an incident's record that are only read: its facts, the tasks of departments, its log."""

from collections.abc import Callable

from gridman.domain import codes
from gridman.domain.incident import copies_of, step_label
from gridman.domain.masking import mask_phone
from gridman.kernel.clock import show_instant
from gridman.kernel.words import _
from gridman.services.incidents import IncidentFile
from gridman.ui.mapview.symbols import state_word
from gridman.ui.widgets import Card, button, label, row_of

__all__ = ["fact_lines", "log_card", "tasks_card"]


def fact_lines(file: IncidentFile) -> list[tuple[str, str]]:
    """Name and value of each fact; an empty value is not shown."""
    incident = file.incident
    return [
        (_("Number"), incident.number or ""),
        (_("Task of"), file.related.get(incident.parent_id or 0, "")),
        (_("Reason for whistling"), codes.word("whistle_case", incident.whistle_case)),
        (_("Merged into"), file.related.get(incident.merged_into_id or 0, "")),
        (_("Place"), incident.place or ""),
        (_("Grid"), file.grid.name if file.grid else ""),
        (_("Held by"), file.holder.name if file.holder else ""),
        (_("Copies to"), ", ".join(file.names.get(i, "") for i in copies_of(incident))),
        (_("Due"), show_instant(incident.due_at) if incident.due_at else ""),
        (_("More time"), codes.word("extension", incident.extension)),
        (_("Reported at"), show_instant(incident.reported_at)),
        (
            _("Reporter"),
            " ".join(p for p in (incident.reporter_name or "", mask_phone(incident.reporter_phone or "")) if p),
        ),
        (_("Source"), codes.word("incident_source", incident.source)),
        (_("Level"), codes.word("incident_level", incident.level)),
        (_("Result"), incident.result or ""),
        (_("Satisfaction"), "★" * (incident.satisfaction or 0)),
        (_("Times sent back"), str(incident.bounce_count) if incident.bounce_count else ""),
    ]


def tasks_card(file: IncidentFile, opened: Callable[[], None]) -> Card:
    """What the departments that were whistled up have to do, and how far they are. `opened`: a slot; the sender's property "record" says
    which task.
    """
    card = Card(_("Tasks of departments"))
    for task in file.tasks:
        link = button(task.number or "", "link", clicked=opened)
        link.setProperty("record", task.id)
        due = show_instant(task.due_at) if task.due_at else ""
        card.add(row_of(link, None))
        card.add(label(file.names.get(task.holder_id, ""), wraps=True))
        card.add(row_of(label(state_word(task.state)), None, label(due, "small")))
    return card


def log_card(file: IncidentFile) -> Card:
    """Who did what for which organisation, the newest first."""
    card = Card(_("Log"))
    for step in sorted(file.steps, key=lambda step: (step.at, step.id), reverse=True):
        who = " · ".join(
            part
            for part in (file.names.get(step.user_id or 0, ""), file.names.get(step.organisation_id or 0, ""))
            if part
        )
        said = _(step_label(step.action))
        if step.target_id:
            said += f" → {file.names.get(step.target_id, '')}"
        line = row_of(label(said, wraps=True), label(show_instant(step.at), "small"))
        line.setStretch(0, 1)  # a long step goes on in the next line; the time beside it stays
        card.add(line)
        below = [part for part in (who, step.note or "") if part]
        if below:
            card.add(label("\n".join(below), "caption", wraps=True, selectable=True))
    return card
