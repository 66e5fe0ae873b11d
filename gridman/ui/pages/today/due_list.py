"""Today's due visits as a list: at most some dozens, so they are held whole."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from gridman.kernel.clock import day_of
from gridman.kernel.words import N_, _, ngettext
from gridman.services.visits import DueRow
from gridman.ui.theme import Theme
from gridman.ui.widgets import MARKS

__all__ = ["DueModel"]

_TITLES = (N_("Address"), N_("Head"), N_("Due"), N_("Last visit"))
_Index = QModelIndex | QPersistentModelIndex


class DueModel(QAbstractTableModel):
    """Address, head, how late (word and colour), last visit; the care groups in the tip."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: list[DueRow] = []

    def show(self, rows: Sequence[DueRow]) -> None:
        """Show these."""
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def row_at(self, number: int) -> DueRow | None:
        """The line at this place."""
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def row_number(self, household_id: int) -> int | None:
        """Where this household stands."""
        return next((i for i, row in enumerate(self._rows) if row.household_id == household_id), None)

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(_TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _(_TITLES[section])
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index.row()) if index.isValid() else None
        if row is None:
            return None
        tone = "danger" if row.days_overdue > 0 else "attention"
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 2:
            return self._theme.colour(tone)
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(part for part in (row.address, row.care_words) if part)
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                row.address,
                row.head_name,
                MARKS[tone] + _late_words(row.days_overdue),
                day_of(row.last_visit_at) if row.last_visit_at else _("never"),
            )[index.column()]
        return None


def _late_words(days: int) -> str:
    if days <= 0:
        return _("today")
    return ngettext("{n} day late", "{n} days late", days).format(n=days)
