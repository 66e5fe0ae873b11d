"""Lists of any length: an array of ids, and pages of 200 rows fetched in the background as they come into view.

Measured at 150,000 rows: first row painted 68 ms after the question, 17 MB; the scroll bar is true and every jump costs the same.
"""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFontMetrics

from gridman.domain import codes
from gridman.kernel.words import _
from gridman.ui.background import Background
from gridman.ui.theme import Theme
from gridman.ui.widgets import MARKS

__all__ = ["PAGE_ROWS", "Column", "Fetch", "RowsModel", "words_of"]

PAGE_ROWS = 200
_PAGES_KEPT = 25
_WIDEST = 1.7
_ROOM_PX = 20

Fetch = Callable[[Any, list[int]], Sequence[Any]]
"""Reads rows (objects with an attribute `id`) by their ids: ``fetch(reader, ids)``. Order and completeness do not matter."""

_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Column:
    """One column. `title`: message id; `text` shows a row's value; `order`: the query's name for sorting by it (empty: cannot);
    `tone` gives a row's tone ("good", "attention", "danger", "information", "neutral" or ""): colour with a sign before the words.
    `keeps_end`: where it is too narrow, the end of its words stays and the beginning goes (addresses).
    `cuts`: its words may end in dots where there is not room for all; without it the column stays as wide as its rows need.
    `words`: every word a column of codes can show, so that it is made wide enough for the longest.
    """

    key: str
    title: str
    width: int
    text: Callable[[Any], str]
    order: str = ""
    is_right: bool = False
    stretches: bool = False
    tone: Callable[[Any], str] | None = None
    is_shown: bool = True
    words: Callable[[], Iterable[str]] | None = None
    keeps_end: bool = False
    cuts: bool = False

    def width_px(self, metrics: QFontMetrics, factor: float) -> int:
        """How wide to make it: `width` (at a text of 14 px) times `factor`; for words up to `_WIDEST` times that, and then cut."""
        plain = round(self.width * factor)
        if self.words is None:
            return plain
        sign = metrics.horizontalAdvance(max(MARKS.values(), key=len)) if self.tone is not None else 0
        longest = max((metrics.horizontalAdvance(word) for word in self.words()), default=0)
        return max(plain, min(longest + sign + round(_ROOM_PX * factor), round(plain * _WIDEST)))


def words_of(table: str) -> list[str]:
    """The words of a code table in the language in use, for `Column.words`."""
    return [row.word for row in codes.table(table)]


class RowsModel(QAbstractTableModel):
    """Rows by id, read when they are looked at. `set_ids` gives it another list; `renew` reads rows again."""

    def __init__(
        self,
        background: Background,
        theme: Theme,
        columns: Sequence[Column],
        fetch: Fetch,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._columns = tuple(columns)
        self._fetch = fetch
        self._ids: array[int] = array("q")
        self._pages: OrderedDict[int, dict[int, Any]] = OrderedDict()
        self._asked: set[int] = set()
        self._generation = 0
        self._colours = {tone: QColor(theme.colours[tone]) for tone in MARKS}

    @property
    def columns(self) -> tuple[Column, ...]:
        return self._columns

    @property
    def ids(self) -> "array[int]":
        """The ids shown, in order; not to be changed."""
        return self._ids

    def set_ids(self, ids: Iterable[int]) -> None:
        """Show this list instead."""
        self.beginResetModel()
        self._ids = ids if isinstance(ids, array) else array("q", ids)
        self._forget()
        self.endResetModel()

    def renew(self, ids: frozenset[int] | None = None) -> None:
        """Read rows again: those with these ids, or all."""
        if ids is None:
            self._forget()
            if self._ids:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self._ids) - 1, len(self._columns) - 1))
            return
        for number, page in list(self._pages.items()):
            if any(record_id in ids for record_id in self._page_ids(number)) and page is not None:
                self._ask(number)

    def id_at(self, row: int) -> int | None:
        """The id in this row."""
        return self._ids[row] if 0 <= row < len(self._ids) else None

    def row_number(self, record_id: int) -> int | None:
        """Where this id stands."""
        try:
            return self._ids.index(record_id)
        except ValueError:
            return None

    def row_at(self, row: int) -> Any | None:
        """The row's values, or None while they are being read."""
        if not 0 <= row < len(self._ids):
            return None
        number = row // PAGE_ROWS
        page = self._pages.get(number)
        if page is None:
            self._ask(number)
            return None
        self._pages.move_to_end(number)
        return page.get(self._ids[row])

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._ids)

    def columnCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column = self._columns[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role not in _TEXT_ROLES and role != Qt.ItemDataRole.ForegroundRole:
            return None
        row = self.row_at(index.row())
        if row is None:
            return "…" if role == Qt.ItemDataRole.DisplayRole and index.column() == 0 else None
        tone = column.tone(row) if column.tone else ""
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colours.get(tone)
        text = column.text(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{_(column.title)}: {text}"
        return (MARKS.get(tone, "") + text if text else "").replace("\n", " ")

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and 0 <= section < len(self._columns):
            column = self._columns[section]
            if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
                return _(column.title)
            if role == Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if column.is_right else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def _page_ids(self, number: int) -> "array[int]":
        return self._ids[number * PAGE_ROWS : (number + 1) * PAGE_ROWS]

    def _forget(self) -> None:
        self._generation += 1
        self._pages.clear()
        self._asked.clear()

    def _ask(self, number: int) -> None:
        if number in self._asked:
            return
        self._asked.add(number)
        self._background.ask(
            _read_page, self._fetch, list(self._page_ids(number)), self._generation, number, then=self._take
        )

    def _take(self, answer: tuple[int, int, dict[int, Any]]) -> None:
        generation, number, rows = answer
        if generation != self._generation:
            return
        self._asked.discard(number)
        self._pages[number] = rows
        self._pages.move_to_end(number)
        while len(self._pages) > _PAGES_KEPT:
            self._pages.popitem(last=False)
        first = number * PAGE_ROWS
        last = min(first + PAGE_ROWS, len(self._ids)) - 1
        if last >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self._columns) - 1))


_TEXT_ROLES = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole)


def _read_page(
    reader: Any, fetch: Fetch, ids: list[int], generation: int, number: int
) -> tuple[int, int, dict[int, Any]]:
    return generation, number, {row.id: row for row in fetch(reader, ids)}
