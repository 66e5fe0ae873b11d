"""From a Document to pages of ink: title, facts, blocks, notes, and what stands on every page."""

import math
from dataclasses import dataclass

from gridman.reports.document import Document, Form, Signatures, Table
from gridman.reports.flow import HAIRLINE, MM, PAD, Flow, Ink, Page, margins
from gridman.reports.forms import place_form, place_signatures
from gridman.reports.lines import LEADING, Fit, Ruler
from gridman.reports.tables import place_table

__all__ = ["Layout", "lay_out"]

QR_MM = 19.0
_TITLE_PT, _SUBTITLE_PT, _FACT_PT, _FOOT_PT, _NUMBER_PT = 18.0, 10.5, 9.5, 7.0, 9.0
_FOOT_MARGIN = 7 * MM
_SLANT_DEG = 30.0


@dataclass(frozen=True, slots=True)
class Layout:
    """All pages and the ink they share."""

    width: float
    height: float
    pages: list[Page]
    shared: dict[str, Ink]


def lay_out(document: Document, ruler: Ruler) -> Layout:
    """Place everything; pure: the same document gives the same pages."""
    foot_fits = _foot_fits(document, ruler)
    foot = _FOOT_MARGIN + sum(fit.height for fit in foot_fits) + 5
    flow = Flow(document, ruler, foot=foot)
    flow.shared["frame"] = _frame(flow, foot_fits)
    flow.shared["running"] = _running(flow)
    _title(flow)
    for block in document.blocks:
        if isinstance(block, Table):
            place_table(flow, block)
        elif isinstance(block, Form):
            place_form(flow, block)
        elif isinstance(block, Signatures):
            place_signatures(flow, block)
        flow.y += 2 * MM
    _notes(flow, document.notes)
    _number(flow)
    return Layout(flow.paper_width, flow.paper_height, flow.pages, flow.shared)


def _foot_fits(document: Document, ruler: Ruler) -> list[Fit]:
    """The footer's lines; the last one, with the batch before it, leaves room for the page number."""
    width = document.paper.width_mm * MM - sum(margins(document.paper))
    *above, last = document.footer or ("",)
    last = " · ".join(part for part in (document.batch, last) if part)
    room = ruler.width(ruler.clean(document.words.page_of), _NUMBER_PT) + 12
    fits = [ruler.fit(line, width, _FOOT_PT) for line in above if line]
    return [*fits, ruler.fit(last or " ", width - room, _FOOT_PT)]


def _frame(flow: Flow, foot_fits: list[Fit]) -> Ink:
    """Watermark and footer: the same on every page."""
    ink = Ink()
    _watermark(flow, ink)
    y = flow.bottom + 2
    ink.strokes.append((flow.left, y, flow.left + flow.width, y, HAIRLINE))
    y += 1.5
    for fit in foot_fits:
        ink.fit(flow.left, y, fit)
        y += fit.height
    return ink


def _watermark(flow: Flow, ink: Ink) -> None:
    """The same light line again and again across the sheet, slanted."""
    text = flow.ruler.clean(flow.document.watermark)
    if not text:
        return
    size = 11.0
    slope = math.tan(math.radians(_SLANT_DEG))
    length = flow.ruler.width(text, size) + 42
    across = length * math.cos(math.radians(_SLANT_DEG))
    down = 40 * MM
    n_rows = int((flow.paper_height + flow.paper_width * slope) / down) + 1
    for row in range(1, n_rows):
        x = (row % 2) * -across / 2
        while x < flow.paper_width:
            y = row * down - x * slope
            rise = across * slope
            if -rise < y - rise and y - rise < flow.paper_height and y > 0:
                ink.slanted.append((x, y, size, text))
            x += across


def _running(flow: Flow) -> Ink:
    """The line at the head of pages after the first: which document this is."""
    ink = Ink()
    document = flow.document
    text = "   ".join(
        [document.title, *(f"{fact.label}{document.words.colon}{fact.value}" for fact in document.facts[:3])]
    )
    fit = flow.ruler.fit(text, flow.width, 8.0, lines=1).first(1)
    ink.fit(flow.left, flow.head, fit)
    return ink


def _title(flow: Flow) -> None:
    """Title, subtitle, facts and the document's QR code."""
    document, ruler = flow.document, flow.ruler
    side = QR_MM * MM if document.qr else 0.0
    top = flow.y
    inside = flow.width - 2 * side
    fit = ruler.fit(document.title, inside, _TITLE_PT, bold=True, align="center", lines=1)
    flow.ink.fit(flow.left + side, flow.y, fit, bold=True)
    flow.y += fit.height
    if document.subtitle:
        fit = ruler.fit(document.subtitle, inside, _SUBTITLE_PT, align="center")
        flow.ink.fit(flow.left + side, flow.y, fit)
        flow.y += fit.height
    flow.y = max(flow.y + 1.5 * MM, top + side - 10 * MM)
    _facts(flow, flow.width - (side + 3 * MM if side else 0.0))
    flow.y = max(flow.y, top + side - 3 * MM) + 1.5 * MM
    if side:
        flow.ink.codes.append((flow.left + flow.width - side + 2 * MM, top - 2 * MM, side, document.qr))


def _facts(flow: Flow, width: float) -> None:
    """Facts spread over one line, or over as many lines as they need."""
    document, ruler = flow.document, flow.ruler
    texts = [ruler.clean(f"{fact.label}{document.words.colon}{fact.value}") for fact in document.facts]
    line: list[tuple[str, float]] = []
    lines = [line]
    for text in texts:
        wide = ruler.width(text, _FACT_PT)
        if line and sum(w for _, w in line) + wide + 14 * len(line) > width:
            line = []
            lines.append(line)
        line.append((text, wide))
    for line in lines:
        if not line:
            continue
        gap = (width - sum(w for _, w in line)) / max(1, len(line) - 1)
        x = flow.left
        for text, wide in line:
            fit = ruler.fit(text, width, _FACT_PT)
            flow.ink.fit(x, flow.y, fit)
            x += wide + min(gap, 60.0 if len(lines) > 1 else gap)
        flow.y += _FACT_PT * 1.4 * max(1, len(fit.lines))


def _notes(flow: Flow, notes: tuple[str, ...]) -> None:
    for note in notes:
        fit = flow.ruler.fit(note, flow.width, 8.5)
        while fit.lines:
            n = int((flow.room - PAD) / fit.leading)
            if n < 1:
                flow.turn()
                continue
            flow.ink.fit(flow.left, flow.y, fit.first(n))
            flow.y += fit.first(n).height + 1
            fit = fit.after(n)


def _number(flow: Flow) -> None:
    """Page x of y, at the right of the footer's last line."""
    words = flow.document.words
    y = flow.paper_height - _FOOT_MARGIN - _NUMBER_PT * LEADING
    for number, page in enumerate(flow.pages, 1):
        text = words.page_of.format(page=number, pages=len(flow.pages))
        page.ink.fit(flow.left, y, flow.ruler.fit(text, flow.width, _NUMBER_PT, align="right"))
