"""What a reader finds in a PDF, page by page: to look at a printed sheet as a person would."""

from pathlib import Path

from PySide6.QtPdf import QPdfDocument

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["pages_of"]


def pages_of(path: Path) -> list[str]:
    """The text of each page. Refuses with ``pdf.unreadable``."""
    document = QPdfDocument()
    if document.load(str(path)) != QPdfDocument.Error.None_:
        raise Refusal("pdf.unreadable", N_("{path} is not a PDF that can be opened."), N_("Print it again."), path=path)
    return [document.getAllText(number).text() for number in range(document.pageCount())]
