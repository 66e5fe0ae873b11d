"""Reading printed sheets back: text and pixels, as a reader's PDF program sees them."""

import io
from dataclasses import replace
from typing import Any

import pypdfium2  # type: ignore[import-untyped,unused-ignore]

from gridman.reports.document import Document
from gridman.reports.typeset import Printed, typeset


def printed(document: Document, *, watermark: bool = False) -> tuple[Printed, "Paper"]:
    """`document` typeset and opened; the watermark is left out unless asked for, as it mixes into the text."""
    out = io.BytesIO()
    receipt = typeset(document if watermark else replace(document, watermark=""), out)
    return receipt, Paper(out.getvalue())


class Paper:
    """An open PDF."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._pdf = pypdfium2.PdfDocument(content)

    def __len__(self) -> int:
        return len(self._pdf)

    def text(self, page: int) -> str:
        text: str = self._pdf[page].get_textpage().get_text_bounded()
        return text.replace("\r\n", "\n")

    def texts(self) -> list[str]:
        return [self.text(n) for n in range(len(self))]

    def joined(self, page: int | None = None) -> str:
        """Text without any white space: line breaks inside cells do not matter then."""
        return "".join(("".join(self.texts()) if page is None else self.text(page)).split())

    def metadata(self) -> dict[str, str]:
        return dict(self._pdf.get_metadata_dict())

    def size(self, page: int = 0) -> tuple[float, float]:
        width, height = self._pdf[page].get_size()
        return width, height

    def pixels(self, page: int = 0, scale: float = 1.0) -> Any:
        """The page as a grey picture (Pillow)."""
        return self._pdf[page].render(scale=scale).to_pil().convert("L")

    def colours(self, page: int = 0, scale: float = 1.0) -> Any:
        return self._pdf[page].render(scale=scale).to_pil().convert("RGB")

    def boxes(self, page: int = 0) -> list[tuple[str, tuple[float, float, float, float]]]:
        """Every drawn character with its box (left, bottom, right, top) in points."""
        text = self._pdf[page].get_textpage()
        whole = text.get_text_range()
        return [(whole[n], text.get_charbox(n)) for n in range(min(len(whole), text.count_chars())) if whole[n].strip()]
