"""Small parts of the form that logs a visit."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from gridman.domain import codes
from gridman.kernel.clock import show_instant
from gridman.kernel.words import _, ngettext
from gridman.services.households import HouseholdRow
from gridman.ui.entry.choices import Choice
from gridman.ui.widgets import column_of, label

__all__ = ["choices_of", "facts_of", "field"]


def choices_of(table: str) -> list[Choice]:
    """A code table as choices; the codes are the keys."""
    return [Choice(code.code, code.code, code.word) for code in codes.table(table)]


def field(name: str, widget: QWidget, *, is_required: bool = False) -> QVBoxLayout:
    """A label above its field; required ones are marked."""
    return column_of(label(f"{name} *" if is_required else name, "caption"), widget, spacing=4)


def facts_of(row: HouseholdRow) -> str:
    """People, care groups, last visit and due day in one line."""
    last = show_instant(row.last_visit_at) if row.last_visit_at else _("never")
    parts = [
        ngettext("{n} person", "{n} people", row.people_count).format(n=row.people_count),
        row.care_words,
        _("last visit {when}").format(when=last),
        _("due {day}").format(day=row.due_on) if row.due_on else "",
    ]
    return " · ".join(part for part in parts if part)
