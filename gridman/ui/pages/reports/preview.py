"""The finished pages in the window: scroll, zoom, and the same pages onto a printer."""

from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter
from PySide6.QtPdf import QPdfDocument
from PySide6.QtPdfWidgets import QPdfView
from PySide6.QtWidgets import QFrame, QLabel, QStackedLayout, QVBoxLayout, QWidget

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _, ngettext
from gridman.ui.shell import Shell
from gridman.ui.widgets import column_of, icon_button, label, row_of

__all__ = ["Preview", "labelled", "paint_pages"]

_STEP = 1.2
_PRINT_DPI = 300
_EDGE = 24
_INK = 110
"""Darker than paper, watermark and frame, of 255."""


class Preview(QFrame):
    """Shows PDF bytes; before there are any, a message."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "canvas")
        self.document = QPdfDocument(self)
        self.view = self._new_view()
        self._message = label("", "soft", wraps=True)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages: QLabel = label("", "small")
        theme = shell.theme
        bar = QFrame()
        bar.setProperty("kind", "bar")
        bar.setLayout(
            row_of(
                self._pages,
                None,
                icon_button(theme, "zoom-out", _("Smaller"), self.zoom_out),
                icon_button(theme, "zoom-in", _("Larger"), self.zoom_in),
                icon_button(theme, "maximize", _("Fit to the width"), self.fit),
                margins=(12, 4, 8, 4),
            )
        )
        self._stack = QStackedLayout()
        self._stack.addWidget(self._message)
        self._stack.addWidget(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(bar)
        layout.addLayout(self._stack, 1)

    @property
    def message(self) -> str:
        """What stands in the pages' place; empty while pages are shown."""
        return "" if self._stack.currentWidget() is self.view else self._message.text()

    def tell(self, text: str) -> None:
        """Say something in the place of the pages."""
        self._message.setText(text)
        self._pages.setText("")
        self._stack.setCurrentIndex(0)

    def show_pdf(self, content: bytes) -> None:
        """Show these pages, staying where one was."""
        # Each in a document and a view of its own: Qt paints in a thread, forgets a page that it was to paint when the document is closed
        # meanwhile, and never paints that page again.
        old, at, has_focus = self.view, self.view.verticalScrollBar().value(), self.view.hasFocus()
        self.document = QPdfDocument(self)
        buffer = QBuffer(self.document)
        buffer.setData(QByteArray(content))
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self.document.load(buffer)
        self.view = self._new_view(old)
        self._stack.addWidget(self.view)
        n = self.document.pageCount()
        self._pages.setText(ngettext("{n} page", "{n} pages", n).format(n=n))
        self._stack.setCurrentWidget(self.view)
        if has_focus:
            self.view.setFocus()
        self._stack.removeWidget(old)
        shown = old.document()
        old.deleteLater()
        if shown is not None:
            shown.deleteLater()
        self._stack.activate()  # so that the view knows its size, and with it how far it scrolls
        self.view.verticalScrollBar().setValue(at)

    def forget(self) -> None:
        """No pages any more; something else is told."""
        self.document = QPdfDocument(self)

    def _new_view(self, like: QPdfView | None = None) -> QPdfView:
        view = QPdfView(self)
        view.setAccessibleName(_("Preview of the pages"))
        view.setPageMode(QPdfView.PageMode.MultiPage)
        view.setZoomMode(QPdfView.ZoomMode.FitToWidth if like is None else like.zoomMode())
        view.setZoomFactor(1.0 if like is None else like.zoomFactor())
        view.setDocument(self.document)
        return view

    def is_painted(self) -> bool:
        """Whether there is ink on the page that is shown, or no page to show: Qt paints pages in a thread of its own and does not say when."""
        if self._stack.currentWidget() is not self.view or not self.isVisible():
            return True
        shown, page = self.view.viewport(), self.document.pagePointSize(0)
        high = min(shown.height(), round(0.9 * shown.width() * page.height() / max(page.width(), 1)))
        wide = (
            shown.width() // 8 * 4
        )  # of an image whose lines are no multiple of four bytes long, the rest of each would count
        middle = QRect(shown.width() // 4, _EDGE, wide, high - _EDGE)  # what lies around a page is dark
        image = shown.grab(middle).toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        return min(bytes(image.constBits()), default=0) < _INK

    def zoom_in(self) -> None:
        """Larger."""
        self._zoom(_STEP)

    def zoom_out(self) -> None:
        """Smaller."""
        self._zoom(1 / _STEP)

    def _zoom(self, by: float) -> None:
        factor = self._fit_factor() if self.view.zoomMode() == QPdfView.ZoomMode.FitToWidth else self.view.zoomFactor()
        self.view.setZoomMode(QPdfView.ZoomMode.Custom)
        self.view.setZoomFactor(min(6.0, max(0.2, factor * by)))

    def _fit_factor(self) -> float:
        points = self.document.pagePointSize(0).width() if self.document.pageCount() else 595.0
        return float(self.view.viewport().width() / (points * self.logicalDpiX() / 72.0))

    def fit(self) -> None:
        """As wide as the window."""
        self.view.setZoomMode(QPdfView.ZoomMode.FitToWidth)


def paint_pages(document: QPdfDocument, printer: Any) -> int:
    """Put every page on a QPrinter, in its own size and direction; returns how many. Refuses with ``print.failed``."""
    painter = QPainter()
    n = document.pageCount()
    for number in range(n):
        points = document.pagePointSize(number)
        is_wide = points.width() > points.height()
        direction = QPageLayout.Orientation.Landscape if is_wide else QPageLayout.Orientation.Portrait
        upright = QSize(round(points.width()), round(points.height()))
        printer.setPageSize(
            QPageSize(upright.transposed() if is_wide else upright, "", QPageSize.SizeMatchPolicy.FuzzyMatch)
        )
        printer.setPageOrientation(direction)
        is_ready = painter.begin(printer) if number == 0 else printer.newPage()
        if not is_ready:
            raise Refusal(
                "print.failed",
                N_("The printer did not take the pages."),
                N_("Look whether it is on and has paper, or save the PDF and print it elsewhere."),
            )
        room = printer.pageLayout().fullRectPixels(printer.resolution())
        scale = min(_PRINT_DPI, printer.resolution()) / 72.0
        image = document.render(number, QSize(round(points.width() * scale), round(points.height() * scale)))
        offset = printer.pageLayout().paintRectPixels(printer.resolution()).topLeft()
        painter.drawImage(QRectF(-offset.x(), -offset.y(), room.width(), room.height()), image)
    if n:
        painter.end()
    return n


def labelled(name: str, widget: QWidget) -> QWidget:
    """A label above its field, as one widget that can be hidden."""
    holder = QWidget()
    holder.setLayout(column_of(label(name, "caption"), widget, spacing=4))
    return holder
