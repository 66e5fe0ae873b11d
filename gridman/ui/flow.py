"""Things side by side that go on in the next line when the width is used up; those of a line stand on one middle."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

__all__ = ["FlowLayout"]


class FlowLayout(QLayout):
    """See the module. `between_px`: between its lines, where that is not `spacing`."""

    def __init__(self, parent: QWidget | None = None, spacing: int = 8, between_px: int | None = None) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)
        self._between_px = spacing if between_px is None else between_px

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), is_real=False)

    def setGeometry(self, area: QRect) -> None:
        super().setGeometry(area)
        self._place(area, is_real=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, area: QRect, *, is_real: bool) -> int:
        y = area.y()
        for number, line in enumerate(self._lines(area.width())):
            y += self._between_px if number else 0
            x, height = area.x(), max(item.sizeHint().height() for item in line)
            for item in line:
                hint = item.sizeHint()
                if is_real:
                    corner = QPoint(x, y + (height - hint.height()) // 2)
                    item.setGeometry(QRect(corner, hint.boundedTo(QSize(max(area.width(), 1), hint.height()))))
                x += hint.width() + self.spacing()
            y += height
        return y - area.y()

    def _lines(self, width: int) -> list[list[QLayoutItem]]:
        """What stands in each line; hidden things in none."""
        lines: list[list[QLayoutItem]] = []
        used = 0
        for item in self._items:
            widget = item.widget()
            if widget is not None and widget.isHidden():
                continue
            wide = item.sizeHint().width()
            if not lines or used + wide > width:
                lines.append([])
                used = 0
            lines[-1].append(item)
            used += wide + self.spacing()
        return lines
