"""Placing a ruled form: rows of label and value cells, with photos and room to sign."""

from dataclasses import dataclass, replace

from gridman.reports.document import Cell, Form, Signatures
from gridman.reports.flow import HAIRLINE, MM, PAD, RULE, Flow
from gridman.reports.lines import Fit

__all__ = ["place_form", "place_signatures"]

_SIDE = 4.0
_LABEL_GREY = 0.95
_SIGN_ROOM = 9 * MM
_CAPTION_PT = 7.5
_PICTURES_PER_ROW = 6


@dataclass(slots=True)
class _Box:
    """A measured cell."""

    cell: Cell
    x: float
    width: float
    label: Fit
    value: Fit
    per_row: int
    picture_rows: int
    below: float
    """Height of photos and signature, under the text."""

    @property
    def height(self) -> float:
        text = self.value.height + 2 * PAD if self.value.lines else 0.0
        return max(text + self.below, self.label.height + 2 * PAD, self.cell.height_mm * MM)


class _Place:
    def __init__(self, flow: Flow, form: Form) -> None:
        self.flow, self.form = flow, form
        self.label = form.label_mm * MM
        self.picture = form.picture_mm * MM

    def measure(self, row: tuple[Cell, ...]) -> list[_Box]:
        share = self.flow.width / sum(cell.weight for cell in row)
        x = self.flow.left
        boxes: list[_Box] = []
        for cell in row:
            boxes.append(self._box(cell, x, cell.weight * share))
            x += cell.weight * share
        return boxes

    def _box(self, cell: Cell, x: float, width: float) -> _Box:
        ruler, size = self.flow.ruler, self.form.size_pt
        inside = width - self.label - 2 * _SIDE
        label = ruler.fit(cell.label, self.label - 2 * PAD, size, bold=True, align="center", lines=2, is_even=True)
        value = ruler.fit(cell.value, inside, size, align=cell.align)
        per_row = max(1, int(inside / (self.picture * 1.34)))
        picture_rows = -(-len(cell.pictures) // per_row)
        below = picture_rows * (self.picture + _CAPTION_PT * 1.5 + 2 * PAD)
        if cell.signature:
            below += _SIGN_ROOM
        return _Box(cell, x, width, label, value, per_row, picture_rows, below)

    def row(self, row: tuple[Cell, ...]) -> None:
        flow = self.flow
        boxes = self.measure(row)
        height = max(box.height for box in boxes)
        if height > flow.room and (height <= flow.body or flow.room < flow.body / 3):
            flow.turn()
        while height > flow.room and any(box.value.lines for box in boxes):
            self._upper_part(boxes)
            height = max(box.height for box in boxes)
        self.draw(boxes, height)

    def _upper_part(self, boxes: list[_Box]) -> None:
        """Lines that still fit on this page; the boxes keep the rest for the next."""
        flow = self.flow
        room = flow.room
        full = [box.value for box in boxes]
        kept = [box.below for box in boxes]
        for box in boxes:
            n = int((room - 2 * PAD) / box.value.leading)
            box.below = 0.0
            box.value = box.value.first(n)
        self.draw(boxes, room, is_whole=False)
        for box, value, below in zip(boxes, full, kept, strict=True):
            n = len(box.value.lines)
            box.value, box.below = value.after(n), below
            again = f"{box.cell.label}\n{flow.document.words.continued}"
            box.label = flow.ruler.fit(again, self.label - 2 * PAD, self.form.size_pt, bold=True, align="center")
        flow.turn()

    def draw(self, boxes: list[_Box], height: float, is_whole: bool = True) -> None:
        flow = self.flow
        ink, y = flow.ink, flow.y
        for box in boxes:
            ink.boxes.append((box.x, y, self.label, height, _LABEL_GREY))
            ink.fit(box.x + PAD, y + (height - box.label.height) / 2, box.label, bold=True)
            self._value(box, y, height, is_whole)
            ink.strokes.append((box.x, y, box.x, y + height, HAIRLINE))
            ink.strokes.append((box.x + self.label, y, box.x + self.label, y + height, HAIRLINE))
        right = flow.left + flow.width
        ink.strokes.append((flow.left, y, flow.left, y + height, RULE))
        ink.strokes.append((right, y, right, y + height, RULE))
        flow.y += height
        ink.strokes.append((flow.left, flow.y, right, flow.y, HAIRLINE))

    def _value(self, box: _Box, y: float, height: float, is_whole: bool) -> None:
        ink = self.flow.ink
        x = box.x + self.label + _SIDE
        is_tall = bool(box.below) or box.cell.height_mm > 12 or not is_whole
        top = y + PAD if is_tall else y + (height - box.value.height) / 2
        ink.fit(x, top, box.value)
        if not is_whole:
            return
        if box.cell.pictures:
            self._pictures(box, x, top + box.value.height + PAD)
        if box.cell.signature:
            inside = box.width - self.label - 2 * _SIDE
            line = self.flow.ruler.fit(box.cell.signature, inside, self.form.size_pt, align="right", lines=1)
            ink.fit(x, y + height - line.height - PAD, line)

    def _pictures(self, box: _Box, x: float, top: float) -> None:
        ink = self.flow.ink
        inside = box.width - self.label - 2 * _SIDE
        slot = inside / box.per_row
        step = self.picture + _CAPTION_PT * 1.5 + 2 * PAD
        for n, picture in enumerate(box.cell.pictures):
            left = x + slot * (n % box.per_row)
            y = top + step * (n // box.per_row)
            ink.pictures.append((left, y, slot - 4, self.picture, picture))
            caption = self.flow.ruler.fit(picture.caption, slot - 4, _CAPTION_PT, align="center", lines=1)
            ink.fit(left, y + self.picture + 1, caption.first(1))


def place_form(flow: Flow, form: Form) -> None:
    """Put `form` at the pen, over as many pages as it takes."""
    place = _Place(flow, form)
    flow.heading(form.title, form.size_pt, 12 * MM)
    if flow.room < 10 * MM:
        flow.turn()
    start = len(flow.pages), flow.y
    for row in (part for whole in form.rows for part in _few_pictures(whole)):
        page = len(flow.pages)
        top = flow.y
        place.row(row)
        if len(flow.pages) != page or (page, top) == start:
            _top_rule(flow, top if len(flow.pages) == page else flow.head + flow.running)
    flow.ink.strokes.append((flow.left, flow.y, flow.left + flow.width, flow.y, RULE))


def _few_pictures(row: tuple[Cell, ...]) -> list[tuple[Cell, ...]]:
    """A row with more photos than a page takes, as several rows."""
    if len(row) != 1 or len(row[0].pictures) <= _PICTURES_PER_ROW:
        return [row]
    cell = row[0]
    head = replace(cell, pictures=cell.pictures[:_PICTURES_PER_ROW], signature="")
    rest = replace(cell, pictures=cell.pictures[_PICTURES_PER_ROW:], value="")
    return [(head,), *_few_pictures((rest,))]


def _top_rule(flow: Flow, y: float) -> None:
    flow.ink.strokes.append((flow.left, y, flow.left + flow.width, y, RULE))


def place_signatures(flow: Flow, block: Signatures) -> None:
    """Words with a line to sign after each, side by side."""
    height = 13 * MM
    if flow.room < height:
        flow.turn()
    slot = flow.width / len(block.labels)
    base = flow.y + 9 * MM
    for n, label in enumerate(block.labels):
        fit = flow.ruler.fit(f"{label}{flow.document.words.colon}", slot * 0.6, 10.5, lines=1)
        x = flow.left + n * slot
        flow.ink.fit(x, base - fit.height + 2, fit)
        end = max((flow.ruler.width(text, fit.size) for _, text in fit.lines), default=0.0)
        flow.ink.strokes.append((x + end + 2, base + 1, x + slot - 5 * MM, base + 1, HAIRLINE))
    flow.y += height
