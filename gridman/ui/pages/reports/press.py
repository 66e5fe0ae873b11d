"""From the preview to paper or a file: the batch number first, then the pages with it, then where they go."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtPrintSupport import QPrinter

from gridman.domain.sheets import SheetStamp
from gridman.kernel.errors import Refusal
from gridman.kernel.files import write_whole
from gridman.kernel.words import _, ngettext
from gridman.services.rosters import make_stamp
from gridman.ui.pages.reports.making import Made, Wish, draw, rows_of, stamp_name
from gridman.ui.pages.reports.preview import Preview, paint_pages
from gridman.ui.shell import Shell

__all__ = ["Press"]


class Press(QObject):
    """One output at a time. `over`: it is done or refused; the text is the refusal's words, or empty."""

    over = Signal(str)

    def __init__(self, shell: Shell, preview: Preview, parent: QObject) -> None:
        super().__init__(parent)
        self._shell, self._preview = shell, preview
        self._made: Made | None = None
        self._target: Path | QPrinter | None = None

    def put(self, made: Made, target: Path | QPrinter) -> None:
        """Write the audit note, which gives the batch number; then lay out, then print or save."""
        self._made, self._target = made, target
        wish = made.wish
        self._shell.background.do(
            make_stamp,
            stamp_name(wish.report_id),
            wish.purpose,
            rows_of(made.sheet),
            record_id=wish.record_id,
            then=self._take_stamp,
            refused=self._refused,
        )

    def _refused(self, refusal: Refusal) -> None:
        self.over.emit(refusal.words())

    def _take_stamp(self, stamp: SheetStamp) -> None:
        if self._made is not None:
            title = _("Laying out the pages")
            self._shell.background.run(
                _draw_all,
                self._made.wish,
                self._made.sheet,
                stamp,
                title=title,
                then=self._take_pages,
                refused=self._refused,
            )

    def _take_pages(self, made: Made) -> None:
        self._preview.show_pdf(made.pdf)
        try:
            told = self._deliver(made)
        except Refusal as refusal:
            self._refused(refusal)
        else:
            self._shell.say(told)
            self.over.emit("")

    def _deliver(self, made: Made) -> str:
        if isinstance(self._target, Path):
            write_whole(self._target, made.pdf)
            return _("Saved: {file}, batch {batch}").format(file=self._target.name, batch=made.batch)
        n = paint_pages(self._preview.document, self._target)
        return ngettext("{n} page printed, batch {batch}", "{n} pages printed, batch {batch}", n).format(
            n=n, batch=made.batch
        )


def _draw_all(wish: Wish, sheet: Any, stamp: SheetStamp, progress: Any, ticket: Any) -> Made:
    return draw(wish, sheet, stamp, progress, ticket)
