"""Roster pages per second, against a bare PDF with the same text.

`python -m tests.benchmarks.bench_reports [households]` prints both and their ratio. The yardstick is the PDF library's own
canvas writing the same cell texts on as many pages, with nothing measured, wrapped, ruled, masked or repeated.
"""

import gc
import io
import sys
import time
from collections.abc import Callable

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from gridman.kernel import words
from gridman.kernel.paths import resource
from gridman.reports.document import Document, Table
from gridman.reports.roster import household_roster
from gridman.reports.typeset import typeset
from tests.reports import sheets

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


def best_times(*works: Callable[[], object], rounds: int = 5) -> list[float]:
    """Least time of each work; they take turns, so that a busy machine is unfair to all of them alike."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for times, work in zip(taken, works, strict=True):
            gc.collect()
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
    return [min(times) for times in taken]


def main(n_households: int) -> None:
    words.use("zh_CN")
    pdfmetrics.registerFont(TTFont(_FONT, str(resource("fonts", "NotoSansSC-Regular.ttf")), shapable=False))
    sheet = sheets.roster(n_households)
    pages = typeset(household_roster(sheet, sheets.STAMP), io.BytesIO()).pages
    document = household_roster(sheet, sheets.STAMP)
    ours, bare = best_times(
        lambda: typeset(household_roster(sheet, sheets.STAMP), io.BytesIO()),
        lambda: bare_pdf(document, pages),
    )
    print(f"roster: {n_households} households, 19 columns, {pages} pages")
    print(f"ours {pages / ours:8.0f} pages/s   ({ours:.2f} s)")
    print(f"bare {pages / bare:8.0f} pages/s   ({bare:.2f} s)")
    print(f"ratio ours/bare time {ours / bare:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
