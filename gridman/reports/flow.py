"""Pages being filled from top to bottom: the pen, its ink, and what stands on every page. Knows no PDF library.

Coordinates are points from the top left of the sheet, downwards; the typesetter turns them over.
"""

from dataclasses import dataclass, field

from gridman.reports.document import Document, Paper, Picture
from gridman.reports.lines import Fit, Ruler

__all__ = ["HAIRLINE", "MM", "PAD", "RULE", "Flow", "Ink", "Page", "margins"]

MM = 72 / 25.4
PAD = 2.0
"""Room between a rule and the text in a cell."""
HAIRLINE = 0.35
RULE = 0.7

Stroke = tuple[float, float, float, float, float]
"""x0, y0, x1, y1, thickness."""
Word = tuple[float, float, float, bool, str]
"""x, baseline y, size, bold, text."""


@dataclass(slots=True)
class Ink:
    """What is drawn: words, rules, filled boxes (x, y, w, h, grey), pictures, QR codes, and slanted light words."""

    words: list[Word] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    pictures: list[tuple[float, float, float, float, Picture]] = field(default_factory=list)
    codes: list[tuple[float, float, float, str]] = field(default_factory=list)
    """x, y, side, text: QR codes."""
    slanted: list[tuple[float, float, float, str]] = field(default_factory=list)
    """x, baseline y, size, text: the watermark."""

    def fit(self, x: float, top: float, fit: Fit, bold: bool = False) -> None:
        """Lines of `fit` with the first line's top at `top`."""
        size = fit.size
        base = top + (fit.leading - size) / 2 + 0.88 * size
        for indent, text in fit.lines:
            self.words.append((x + indent, base, size, bold, text))
            base += fit.leading

    def frame(self, x: float, y: float, w: float, h: float, thickness: float = HAIRLINE) -> None:
        """The four sides of a box."""
        self.strokes += [
            (x, y, x + w, y, thickness),
            (x, y + h, x + w, y + h, thickness),
            (x, y, x, y + h, thickness),
            (x + w, y, x + w, y + h, thickness),
        ]


@dataclass(slots=True)
class Page:
    """One page: ink of its own, and names of ink shared between pages with how far down each is moved."""

    ink: Ink = field(default_factory=Ink)
    shared: list[tuple[str, float]] = field(default_factory=list)


def margins(paper: Paper) -> tuple[float, float]:
    """Left and right margin in points; upright A4 leaves room to bind."""
    if paper.width_mm > paper.height_mm:
        return 10 * MM, 10 * MM
    return (20 * MM, 15 * MM) if paper.width_mm > 160 else (14 * MM, 10 * MM)


class Flow:
    """The pen: where it is, what page it is on, and how much room is left."""

    def __init__(self, document: Document, ruler: Ruler, *, foot: float) -> None:
        paper = document.paper
        landscape = paper.width_mm > paper.height_mm
        self.document, self.ruler = document, ruler
        self.paper_width, self.paper_height = paper.width_mm * MM, paper.height_mm * MM
        self.left, right = margins(paper)
        self.width = self.paper_width - self.left - right
        self.head = 9 * MM if landscape else 12 * MM
        self.running = 5.5 * MM
        self.bottom = self.paper_height - foot
        self.shared: dict[str, Ink] = {}
        self.pages: list[Page] = []
        self.y = 0.0
        self.turn()

    @property
    def page(self) -> Page:
        return self.pages[-1]

    @property
    def ink(self) -> Ink:
        return self.pages[-1].ink

    @property
    def room(self) -> float:
        """Points left on this page."""
        return self.bottom - self.y

    @property
    def body(self) -> float:
        """Points a fresh following page offers."""
        return self.bottom - self.head - self.running

    def turn(self) -> None:
        """Go on at the top of a new page."""
        self.pages.append(Page())
        self.page.shared.append(("frame", 0.0))
        self.y = self.head
        if len(self.pages) > 1:
            self.page.shared.append(("running", 0.0))
            self.y += self.running

    def share(self, ink: Ink) -> str:
        """Keep ink that many pages use; returns its name."""
        name = f"shared{len(self.shared)}"
        self.shared[name] = ink
        return name

    def heading(self, text: str, size: float, keep: float) -> None:
        """A section's name, on the same page as the next `keep` points."""
        if not text:
            return
        fit = self.ruler.fit(text, self.width, size, bold=True)
        if self.room < fit.height + 2 * PAD + keep:
            self.turn()
        self.ink.fit(self.left, self.y + PAD, fit, bold=True)
        self.y += fit.height + 2 * PAD
