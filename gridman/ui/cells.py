"""How a cell of a list is drawn where its words do not fit."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

__all__ = ["EndKept"]


class EndKept(QStyledItemDelegate):
    """Gives up the beginning instead of the end: of addresses the end tells one from the other ("…1单元301室")."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Any) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideLeft
