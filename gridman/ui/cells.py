"""How a cell of a list is drawn where its words do not fit."""

from typing import Any

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QListWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

__all__ = ["Cell", "EndKept", "ShortList", "WholeRow"]

_AROUND_PX = 12
_BETWEEN_PX = 6
_BAR_PX = 3


class Cell(QStyledItemDelegate):
    """A cell of a list; in the list that has the keyboard the chosen row has a bar of the accent at its left."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Any) -> None:
        super().paint(painter, option, index)
        view = option.widget
        is_chosen = option.state & QStyle.StateFlag.State_Selected
        if is_chosen and isinstance(view, QAbstractItemView) and view.hasFocus() and option.rect.left() <= 0:
            edge = QRect(option.rect.left(), option.rect.top(), _BAR_PX, option.rect.height())
            painter.fillRect(edge, option.palette.color(QPalette.ColorRole.Accent))


class EndKept(Cell):
    """Gives up the beginning instead of the end: of addresses the end tells one from the other ("…1单元301室")."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Any) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideLeft


class WholeRow(Cell):
    """Rows of a list as wide as the list and as tall as their words, wrapped, need. Qt's own are a padding wider, and scroll sideways."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view
        view.setWordWrap(True)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setItemDelegate(self)

    def sizeHint(self, option: QStyleOptionViewItem, index: Any) -> QSize:
        """Width 0: the view gives a row all it has."""
        room = QRect(0, 0, self._view.viewport().width() - 2 * _AROUND_PX, 10_000)
        text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        words = option.fontMetrics.boundingRect(room, int(Qt.TextFlag.TextWordWrap), text)
        return QSize(0, words.height() + 2 * _BETWEEN_PX)


class ShortList(QListWidget):
    """A few lines to choose from inside a form: words whole, as high as its first `most` lines, never scrolling sideways."""

    def __init__(self, name: str, most: int) -> None:
        super().__init__()
        self._most = most
        self.setAccessibleName(name)
        WholeRow(self)
        model = self.model()
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._fit)

    def _fit(self, *_said: object) -> None:
        rows = sum(self.sizeHintForRow(row) for row in range(min(self.count(), self._most)))
        self.setFixedHeight(max(rows, self.fontMetrics().height()) + 2 * self.frameWidth() + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()
