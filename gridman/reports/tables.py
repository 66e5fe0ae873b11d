"""Placing a ruled table: header on every page, groups kept together, merged cells, long texts wrapped."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridman.reports.document import Group, Table
from gridman.reports.flow import HAIRLINE, MM, PAD, RULE, Flow, Ink
from gridman.reports.lines import Fit, Ruler

__all__ = ["place_table"]

_SIDE = 1.6
"""Room left and right of a cell's text."""
_HEAD_GREY = 0.94
_CODE_SIDE = 14 * MM
_MOST_GROWTH, _LEAST_SHARE = 1.6, 6 / 7
_SHORT_TEXT = 6
_HEAD_SHARE = 0.8
"""Headings may be this much smaller than declared before their column is widened."""


class _Column:
    """A column in place: where it stands, and the fits of its texts (most texts of a register repeat)."""

    def __init__(self, ruler: Ruler, table: Table, index: int, x: float, width: float) -> None:
        self.spec = table.columns[index]
        self.x, self.width = x, width
        self._ruler, self._size = ruler, table.size_pt
        self._fits: dict[str, Fit] = {}

    def fit(self, text: str) -> Fit:
        found = self._fits.get(text)
        if found is None:
            inside = self.width - 2 * _SIDE
            found = self._ruler.fit(text, inside, self._size, align=self.spec.align, lines=2)
            self._fits[text] = found
        return found


def _widths(flow: Flow, table: Table) -> list[float]:
    """The columns' widths in points: as declared, but a column too narrow for a word of its own takes what it lacks from those
    with room to spare (each gives at most a seventh, and none that wraps its short texts then), so that no word is cut.
    """
    declared = [column.width_mm * flow.width / sum(c.width_mm for c in table.columns) for column in table.columns]
    extents = [_extents(flow.ruler, table, index) for index in range(len(table.columns))]
    widths = declared
    for scale in (1.0, 0.87, 0.8):  # the sizes a cell's text may take
        needs = [
            min(word * scale + 2 * _SIDE + 0.1, width * _MOST_GROWTH)
            for (word, _), width in zip(extents, declared, strict=True)
        ]
        spare = [
            max(0.0, width - max(need, whole + 2 * _SIDE + 0.1, width * _LEAST_SHARE))
            for need, (_, whole), width in zip(needs, extents, declared, strict=True)
        ]
        lack = [max(0.0, need - width) for need, width in zip(needs, declared, strict=True)]
        total, room = sum(lack), sum(spare)
        moved = min(total, room)
        if moved:
            widths = [w + moved * (n / total - s / room) for w, n, s in zip(declared, lack, spare, strict=True)]
        if total <= room:
            break
    return widths


def _extents(ruler: Ruler, table: Table, index: int) -> tuple[float, float]:
    """Points of the column's widest word that must stay whole, and of its widest short text, which had better stay on one line."""
    column = table.columns[index]
    size = table.size_pt
    word, whole = ruler.widest_word(column.title, size * _HEAD_SHARE, bold=True), 0.0
    if not column.is_code:
        for text in {row[index] for group in table.groups for row in group.rows}:
            word = max(word, ruler.widest_word(text, size))
            if len(text) <= _SHORT_TEXT and "\n" not in text:
                whole = max(whole, ruler.width(ruler.clean(text), size))
    return word, whole


@dataclass(slots=True)
class _Row:
    """A measured row: fits by column (merged columns None) and its height."""

    fits: list[Fit | None]
    height: float


class _Place:
    """One table being placed."""

    def __init__(self, flow: Flow, table: Table) -> None:
        self.flow, self.table = flow, table
        self.columns: list[_Column] = []
        x = flow.left
        for index, width in enumerate(_widths(flow, table)):
            self.columns.append(_Column(flow.ruler, table, index, x, width))
            x += width
        self.right = x
        self.merged = [i for i, column in enumerate(table.columns) if column.is_merged]
        self.coded = [i for i in self.merged if table.columns[i].is_code]
        self.single = [i for i, column in enumerate(table.columns) if not column.is_merged]
        self.head_name, self.head_height = self._make_head()
        self.top = 0.0

    def _make_head(self) -> tuple[str, float]:
        size = self.table.size_pt
        fits = [
            self.flow.ruler.fit(
                column.spec.title, column.width - 2 * _SIDE, size, bold=True, align="center", lines=2, is_even=True
            )
            for column in self.columns
        ]
        height = max(max(fit.height for fit in fits) + 2 * PAD, self.table.row_mm * MM)
        ink = Ink()
        ink.boxes.append((self.flow.left, 0.0, self.right - self.flow.left, height, _HEAD_GREY))
        for column, fit in zip(self.columns, fits, strict=True):
            ink.fit(column.x + _SIDE, (height - fit.height) / 2, fit, bold=True)
        ink.strokes.append((self.flow.left, 0.0, self.right, 0.0, RULE))
        ink.strokes.append((self.flow.left, height, self.right, height, RULE))
        return self.flow.share(ink), height

    def begin(self) -> None:
        """Header row at the pen."""
        flow = self.flow
        self.top = flow.y
        flow.page.shared.append((self.head_name, flow.y))
        flow.y += self.head_height

    def end(self) -> None:
        """Upright rules of the part of the table on this page, and its last rule."""
        flow = self.flow
        strokes = flow.ink.strokes
        strokes.append((flow.left, flow.y, self.right, flow.y, RULE))
        strokes.append((flow.left, self.top, flow.left, flow.y, RULE))
        strokes.extend((column.x, self.top, column.x, flow.y, HAIRLINE) for column in self.columns[1:])
        strokes.append((self.right, self.top, self.right, flow.y, RULE))

    def turn(self) -> None:
        self.end()
        self.flow.turn()
        self.begin()

    def measure(self, group: Group) -> list[_Row]:
        least = self.table.row_mm * MM
        rows: list[_Row] = []
        for texts in group.rows:
            fits: list[Fit | None] = [None] * len(self.columns)
            height = least
            for i in self.single:
                fits[i] = fit = self.columns[i].fit(texts[i])
                if fit.height + 2 * PAD > height:
                    height = fit.height + 2 * PAD
            rows.append(_Row(fits, height))
        return rows

    def merged_fits(self, texts: Sequence[str], again: bool = False) -> list[tuple[_Column, Fit]]:
        tail = f"\n{self.flow.document.words.continued}" if again else ""
        return [
            (self.columns[i], self.columns[i].fit(texts[i] + tail if texts[i] else ""))
            for i in self.merged
            if i not in self.coded
        ]

    def group(self, group: Group) -> None:
        """Rows of one group, all on one page unless no page could hold them."""
        flow = self.flow
        rows = self.measure(group)
        first = group.rows[0]
        cells = self.merged_fits(first)
        tallest = max((fit.height + 2 * PAD for _, fit in cells), default=0.0)
        tallest = max([tallest, *(self.code_side(i) + 2 for i in self.coded if first[i])])
        total = sum(row.height for row in rows)
        if tallest > total:
            for row in rows:
                row.height += (tallest - total) / len(rows)
            total = tallest
        full = flow.body - self.head_height
        if total > flow.room and (total <= full or flow.room < full / 3):
            self.turn()
        if total <= flow.room:
            self.codes(first, total)
            self.draw(rows, cells)
            return
        again = False
        while rows:
            part, rows = self.cut(rows)
            if part:
                if not again:
                    self.codes(first, sum(row.height for row in part))
                self.draw(part, self.clipped(self.merged_fits(first, again), sum(row.height for row in part)))
                again = True
            if rows:
                self.turn()

    def code_side(self, index: int) -> float:
        return min(self.columns[index].width - 2, _CODE_SIDE)

    def codes(self, texts: Sequence[str], height: float) -> None:
        """QR codes of a group that begins at the pen."""
        for i in self.coded:
            if texts[i]:
                side = self.code_side(i)
                y = self.flow.y + (height - side) / 2
                self.flow.ink.codes.append((self.columns[i].x + (self.columns[i].width - side) / 2, y, side, texts[i]))

    def cut(self, rows: list[_Row]) -> tuple[list[_Row], list[_Row]]:
        """As many rows as fit here, and the rest; a row taller than a page is cut between lines."""
        room = self.flow.room
        taken: list[_Row] = []
        for row in rows:
            if row.height > room:
                break
            taken.append(row)
            room -= row.height
        if taken or not rows:
            return taken, rows[len(taken) :]
        row = rows[0]
        if row.height <= self.flow.body - self.head_height:
            return [], rows
        upper = [fit and fit.first(int((room - 2 * PAD) / fit.leading)) for fit in row.fits]
        lower = [fit and fit.after(int((room - 2 * PAD) / fit.leading)) for fit in row.fits]
        rest = max((fit.height for fit in lower if fit), default=0.0) + 2 * PAD
        return [_Row(upper, room)], [_Row(lower, max(rest, self.table.row_mm * MM)), *rows[1:]]

    def clipped(self, cells: list[tuple[_Column, Fit]], height: float) -> list[tuple[_Column, Fit]]:
        return [(column, fit.first(max(1, int((height - PAD) / fit.leading)))) for column, fit in cells]

    def draw(self, rows: list[_Row], merged: list[tuple[_Column, Fit]]) -> None:
        flow = self.flow
        ink = flow.ink
        top = flow.y
        total = sum(row.height for row in rows)
        for index, row in enumerate(rows):
            y = flow.y
            by_column = {id(column): fit for column, fit in merged} if index == 0 else {}
            for column, fit in zip(self.columns, row.fits, strict=True):
                if fit is None:
                    tall = by_column.get(id(column))
                    if tall is not None and tall.lines:
                        ink.fit(column.x + _SIDE, top + (total - tall.height) / 2, tall)
                elif fit.lines:
                    ink.fit(column.x + _SIDE, y + (row.height - fit.height) / 2, fit)
            flow.y += row.height
            if index < len(rows) - 1:
                self._inner_rule()
        ink.strokes.append((flow.left, flow.y, self.right, flow.y, RULE if len(self.merged) else HAIRLINE))

    def _inner_rule(self) -> None:
        """A rule between rows of a group: across all columns that are not merged."""
        start: float | None = None
        strokes = self.flow.ink.strokes
        y = self.flow.y
        for column in self.columns:
            if column.spec.is_merged:
                if start is not None:
                    strokes.append((start, y, column.x, y, HAIRLINE))
                    start = None
            elif start is None:
                start = column.x
        if start is not None:
            strokes.append((start, y, self.right, y, HAIRLINE))


def place_table(flow: Flow, table: Table) -> None:
    """Put `table` at the pen, over as many pages as it takes."""
    place = _Place(flow, table)
    first = place.head_height + table.row_mm * MM
    flow.heading(table.title, 10.5, first)
    if flow.room < first:
        flow.turn()
    place.begin()
    for group in table.groups:
        if group.rows:
            place.group(group)
    if not table.groups:
        place.end()
        fit = flow.ruler.fit(table.empty_text, flow.width, max(table.size_pt, 9.0), align="center")
        height = max(12 * MM, fit.height + 2 * PAD) if table.empty_text else table.row_mm * MM
        flow.ink.fit(flow.left, flow.y + (height - fit.height) / 2, fit)
        flow.ink.strokes.append((flow.left, flow.y, flow.left, flow.y + height, RULE))
        flow.y += height
        flow.ink.strokes.append((flow.left, flow.y, place.right, flow.y, RULE))
        flow.ink.strokes.append((place.right, flow.y - height, place.right, flow.y, RULE))
        return
    place.end()
