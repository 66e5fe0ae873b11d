"""How wide a list's columns are: what they usually need, what their rows really need, and who gives way where there is not room for all.

What is no use when cut (a day, a time, a number, a name) keeps its whole width; long words give way, and the main column takes what is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHeaderView, QTableView

from gridman.ui.theme import Theme

__all__ = ["ColumnFit", "Room", "shared"]

MAIN_SHARE = 0.34
"""The least part of a list's width for its main column, as long as others can give way."""
_FLOOR = 0.6
"""How far a column of words gives way at most."""
_WIDEST = 1.7
"""How much wider than planned a column gets for long texts; beyond that they end in dots."""
_MOST_ROWS = 60
_CELL_PX, _TITLE_PX, _ARROW_PX = 18, 17, 20


@dataclass(frozen=True)
class Room:
    """The widths of one column that is not the main one, in pixels: as planned, what its rows need, and the least it may come to."""

    planned: int
    needed: int
    least: int


def shared(rooms: Sequence[Room], main_px: int, wide_px: int) -> list[int]:
    """The widths of the columns beside the main one in a list `wide_px` wide, whose main column wants `main_px`.

    Planned widths where there is room; then they shrink to what the rows need; then those that may be cut give way until the main
    column has `MAIN_SHARE` of the list. Only in a list too narrow for half of that do all give way.
    """
    found = [max(room.planned, room.needed) for room in rooms]
    found = _give_way(found, [room.needed for room in rooms], sum(found) + main_px - wide_px)
    main_least = min(main_px, int(wide_px * MAIN_SHARE))
    found = _give_way(found, [min(room.least, room.needed) for room in rooms], sum(found) + main_least - wide_px)
    return _give_way(found, [round(width * _FLOOR) for width in found], sum(found) + main_least // 2 - wide_px)


def _give_way(widths: list[int], floors: list[int], lacking_px: int) -> list[int]:
    """Take `lacking_px` from the columns, each in proportion to what it has above its floor."""
    spare = [max(0, width - floor) for width, floor in zip(widths, floors, strict=True)]
    part = min(1.0, max(0, lacking_px) / max(1, sum(spare)))
    return [width - round(one * part) for width, one in zip(widths, spare, strict=True)]


class ColumnFit(QObject):
    """Keeps the columns of `view` fitted: `planned` gives their widths in pixels (the main column's is ignored), `cuttable` those whose
    texts may end in dots. Only rows in sight are measured, and what a column once needed it keeps: nothing moves back and forth.
    """

    def __init__(
        self, view: QTableView, theme: Theme, planned: Sequence[int], main: int | None, cuttable: Sequence[int]
    ) -> None:
        super().__init__(view)
        self._view, self._main, self._cuttable = view, main, frozenset(cuttable)
        self._planned = list(planned)
        self._by_hand: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self._is_fitting = False
        self._titles = QFontMetrics(theme.font("small"))
        self._cells = QFontMetrics(theme.font())
        header = view.horizontalHeader()
        header.setMinimumSectionSize(40)
        for i, width in enumerate(planned):
            header.setSectionResizeMode(
                i, QHeaderView.ResizeMode.Stretch if i == main else QHeaderView.ResizeMode.Interactive
            )
            view.setColumnWidth(i, width)
        model = view.model()
        model.dataChanged.connect(self._look)
        model.modelReset.connect(self._look)
        view.verticalScrollBar().valueChanged.connect(self._look)
        view.viewport().installEventFilter(self)
        header.sectionResized.connect(self._resized)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._look()
            self.fit()
        return False

    def _resized(self, section: int, was: int, now: int) -> None:
        """A column drawn wider or narrower by hand stays so; one that is hidden or shown is no such act."""
        if not self._is_fitting and section != self._main and was and now and self._view.isVisible():
            self._by_hand[section] = now

    def _look(self, *_said: object) -> None:
        """Measure the rows in sight; fit anew where a column needs more than before."""
        model, grew = self._view.model(), False
        first, last = max(0, self._view.rowAt(0)), self._view.rowAt(self._view.viewport().height() - 1)
        end = last + 1 if last >= 0 else min(model.rowCount(), first + _MOST_ROWS)
        for row in range(first, end):
            for i in self._shown():
                text = model.index(row, i).data(Qt.ItemDataRole.DisplayRole)
                need = self._cells.horizontalAdvance(str(text)) + _CELL_PX if text else 0
                if need > self._seen.get(i, 0):
                    self._seen[i], grew = need, True
        if grew:
            self.fit()

    def _shown(self) -> list[int]:
        header = self._view.horizontalHeader()
        return [i for i in range(len(self._planned)) if not header.isSectionHidden(i)]

    def _room(self, i: int) -> Room:
        if i in self._by_hand:
            return Room(self._by_hand[i], self._by_hand[i], self._by_hand[i])
        title = self._title_px(i)
        needed = max(title, min(self._seen.get(i, 0), round(self._planned[i] * _WIDEST)))
        least = max(title, round(needed * _FLOOR)) if i in self._cuttable else needed
        return Room(self._planned[i], needed, least)

    def _title_px(self, i: int) -> int:
        header = self._view.horizontalHeader()
        is_sorted = header.isSortIndicatorShown() and header.sortIndicatorSection() == i
        words = str(self._view.model().headerData(i, Qt.Orientation.Horizontal) or "")
        return self._titles.horizontalAdvance(words) + _TITLE_PX + (_ARROW_PX if is_sorted else 0)

    def fit(self) -> None:
        """Share the width among the columns shown."""
        others = [i for i in self._shown() if i != self._main]
        if self._main is None or self._main not in self._shown() or not others:
            return
        main = max(self._title_px(self._main), self._seen.get(self._main, self._planned[self._main]))
        widths = shared([self._room(i) for i in others], main, self._view.viewport().width())
        self._is_fitting = True
        for i, width in zip(others, widths, strict=True):
            self._view.setColumnWidth(i, width)
        self._is_fitting = False
