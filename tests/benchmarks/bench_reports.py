"""Milliseconds for a page of the roster, against a bare PDF with the same text.

`python -m tests.benchmarks.bench_reports [--small]`. The yardstick is the PDF library's own
canvas writing the same cell texts on as many pages, with nothing measured, wrapped, ruled, masked or repeated.
"""

import io

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from gridman.kernel import words
from gridman.kernel.paths import resource
from gridman.reports.document import Document, Table
from gridman.reports.roster import household_roster
from gridman.reports.typeset import typeset
from tests.benchmarks.measures import Figure, arguments, median_times, print_figures
from tests.reports import sheets

__all__ = ["main"]

HOUSEHOLDS = 1_000
_FONT = "Yardstick"


def bare_pdf(document: Document, pages: int) -> bytes:
    """The cells of the roster's table drawn one by one, spread over `pages` pages."""
    (table,) = (block for block in document.blocks if isinstance(block, Table))
    rows = [row for group in table.groups for row in group.rows]
    per_page = -(-len(rows) // pages)
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(842, 595), pageCompression=1, invariant=1)
    for start in range(0, len(rows), per_page):
        canvas.setFont(_FONT, table.size_pt)
        for line, row in enumerate(rows[start : start + per_page]):
            for column, text in enumerate(row):
                if text:
                    canvas.drawString(28 + column * 41, 560 - line * 20, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def main(is_small: bool) -> list[Figure]:
    """A thousand households on nineteen columns."""
    language = words.language()
    words.use("zh_CN")
    try:
        pdfmetrics.registerFont(TTFont(_FONT, str(resource("fonts", "NotoSansSC-Regular.ttf")), shapable=False))
        sheet = sheets.roster(HOUSEHOLDS // (50 if is_small else 1))
        document = household_roster(sheet, sheets.STAMP)
        pages = typeset(document, io.BytesIO()).pages
        ours, bare = median_times(
            lambda: typeset(household_roster(sheet, sheets.STAMP), io.BytesIO()),
            lambda: bare_pdf(document, pages),
            rounds=2 if is_small else 5,
        )
    finally:
        words.use(language)
    return [Figure("reports", "a roster page", ours / pages, yardstick=("bare canvas", bare / pages))]


if __name__ == "__main__":
    print_figures(main(arguments("Roster pages")))
