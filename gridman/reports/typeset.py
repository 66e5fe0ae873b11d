"""Ink on pages: the only module that knows the PDF library (ReportLab).

Direct drawing, no flowing layout engine: measured ten times faster on long rosters. What repeats (header rows, footer,
watermark) is drawn once as a form XObject. The fonts lie in `resources/fonts`; the library neither falls back from one
font to the next nor tells of a missing glyph, so texts are split by the fonts' own character maps here, and a character
no font has is printed as its code point and reported.
"""

import io
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from reportlab.pdfbase import ttfonts
from reportlab.pdfgen.canvas import Canvas

from gridman.kernel.files import write_whole
from gridman.kernel.paths import resource
from gridman.kernel.progress import Progress, quiet
from gridman.reports.document import Document, Picture
from gridman.reports.flow import Ink, Stroke, Word
from gridman.reports.layout import Layout, lay_out
from gridman.reports.lines import Ruler

__all__ = ["Printed", "typeset"]

_WATERMARK_GREY = 0.89
_PICTURE_PX = 900
_INVISIBLE = frozenset([0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
_SIN, _COS = 0.5, 0.8660254
_PRESS = Lock()
"""One document at a time: ReportLab's fonts keep their reading position in themselves."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What came out: how many pages, how many bytes, and the texts with a character no font can draw."""

    pages: int
    n_bytes: int
    undrawable: tuple[str, ...]


class _Font(ttfonts.TTFont):  # type: ignore[misc]  # the library is untyped
    """A TrueType font whose text can be copied back out of the PDF, characters above U+FFFF included.

    ReportLab 5.1 writes those as five hexadecimal digits in the ToUnicode map, where PDF 32000-1 9.10.3 wants UTF-16BE,
    and puts more than 100 entries in one block.
    """

    def addObjects(self, doc: Any) -> None:
        subsets = [list(subset) for subset in self.state[doc].subsets]
        super().addObjects(doc)
        fonts = doc.idToObject["BasicFonts"].dict
        for number, subset in enumerate(subsets):
            internal = f"/{doc.fontMapping[self.fontName][1:]}+{number}"[1:]
            stream = doc.idToObject[fonts[internal].ToUnicode.name]
            stream.content = _to_unicode(self.fontName, subset)


def _to_unicode(name: str, subset: list[int]) -> str:
    """The map from the codes of a subset back to characters."""
    entries = [f"<{code:02X}> <{chr(point).encode('utf-16-be').hex().upper()}>" for code, point in enumerate(subset)]
    blocks = [entries[start : start + 100] for start in range(0, len(entries), 100)]
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        f"/CMapName /{name}-ToUnicode def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<00> <FF>\nendcodespacerange\n{body}\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    )


@cache
def _font(file_name: str) -> _Font:
    return _Font(file_name.split(".")[0], str(resource("fonts", file_name)), asciiReadable=True, shapable=False)


class _Advances(dict[str, float]):
    """Widths of characters in type sizes, looked up in the fonts when first met."""

    def __init__(self, fonts: "_Fonts", bold: bool) -> None:
        super().__init__()
        self._fonts, self._bold = fonts, bold

    def __missing__(self, char: str) -> float:
        font = self._fonts.font_for(char, self._bold)
        width = font.face.getCharWidth(ord(char)) / 1000 if font is not None else 0.0
        self[char] = width
        return width


class _Fonts:
    """The fonts of one document: which one draws a character, and the texts none can draw whole."""

    def __init__(self) -> None:
        self._main = (_font("NotoSansSC-Regular.ttf"), _font("NotoSansSC-Bold.ttf"))
        self._known: set[str] = set("\n")
        self._advances = (_Advances(self, False), _Advances(self, True))
        self.undrawable: dict[str, None] = {}

    def advances(self, bold: bool) -> _Advances:
        return self._advances[bold]

    def font_for(self, char: str, bold: bool) -> _Font | None:
        point = ord(char)
        if point in self._main[bold].face.charToGlyph:
            return self._main[bold]
        rare = _font("HanaMinB.ttf")
        return rare if point in rare.face.charToGlyph else None

    def clean(self, text: str) -> str:
        """`text` as it can be drawn: other line ends and controls evened out, unknown characters as code points."""
        if self._known.issuperset(text):
            return text
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        out: list[str] = []
        is_whole = True
        for char in text:
            if char in self._known or self._knows(char):
                out.append(char)
            elif ord(char) < 32 or ord(char) in (0x85, 0x2028, 0x2029):
                out.append(" ")
            elif ord(char) not in _INVISIBLE:
                out.append(f"〔U+{ord(char):04X}〕")
                is_whole = False
        if not is_whole:
            self.undrawable[text] = None
        return "".join(out)

    def _knows(self, char: str) -> bool:
        if ord(char) >= 32 and ord(char) not in _INVISIBLE and self.font_for(char, False) is not None:
            self._known.add(char)
            return True
        return False


class _Press:
    """Turns ink into the operators of PDF pages."""

    def __init__(self, canvas: Canvas, fonts: _Fonts, height: float) -> None:
        self._canvas, self._fonts, self._height = canvas, fonts, height
        self._codes: tuple[dict[str, list[tuple[str, str]]], ...] = ({}, {})
        self._images: dict[int, Any] = {}

    def draw(self, ink: Ink, bad_picture: str = "") -> None:
        put = self._canvas.addLiteral
        if ink.slanted:
            put(self._slanted(ink))
        if ink.boxes:
            put(
                "\n".join(
                    f"{g:g} g {x:.2f} {self._height - y - h:.2f} {w:.2f} {h:.2f} re f" for x, y, w, h, g in ink.boxes
                )
            )
            put("0 g")
        if ink.strokes:
            put(self._strokes(ink.strokes))
        for x, y, w, h, picture in ink.pictures:
            self._picture(x, y, w, h, picture, bad_picture)
        for x, y, side, text in ink.codes:
            self.qr(text, x, y, side)
        if ink.words:
            put(self._words(ink.words))

    def _strokes(self, strokes: list[Stroke]) -> str:
        height = self._height
        out: list[str] = ["0 G"]
        for thickness in sorted({stroke[4] for stroke in strokes}):
            out.append(f"{thickness:g} w")
            out.extend(
                f"{x0:.2f} {height - y0:.2f} m {x1:.2f} {height - y1:.2f} l"
                for x0, y0, x1, y1, own in strokes
                if own == thickness
            )
            out.append("S")
        return "\n".join(out)

    def _words(self, words: list[Word]) -> str:
        height = self._height
        out = ["BT"]
        current: tuple[str, float] | None = None
        for x, y, size, bold, text in words:
            codes = self._codes[bold].get(text)
            if codes is None:
                codes = self._encode(text, bold)
            place = f"1 0 0 1 {x:.2f} {height - y:.2f} Tm"
            for name, code in codes:
                if current != (name, size):
                    current = (name, size)
                    out.append(f"{name} {size:g} Tf")
                out.append(f"{place}<{code}>Tj")
                place = ""
        out.append("ET")
        return "\n".join(out)

    def _slanted(self, ink: Ink) -> str:
        out = [f"q {_WATERMARK_GREY} g BT"]
        for x, y, size, text in ink.slanted:
            place = f"{_COS} {_SIN} {-_SIN} {_COS} {x:.2f} {self._height - y:.2f} Tm"
            for name, code in self._codes[False].get(text) or self._encode(text, False):
                out.append(f"{name} {size:g} Tf {place}<{code}>Tj")
                place = ""
        out.append("ET Q")
        return "\n".join(out)

    def _encode(self, text: str, bold: bool) -> list[tuple[str, str]]:
        """(font name, hexadecimal codes) for each run of `text` in one subset of one font."""
        codes: list[tuple[str, str]] = []
        run = ""
        font: _Font | None = None
        for char in text:
            own = self._fonts.font_for(char, bold)
            if own is not font:
                codes += self._run(run, font)
                run, font = "", own
            run += char
        codes += self._run(run, font)
        self._codes[bold][text] = codes
        return codes

    def _run(self, run: str, font: _Font | None) -> list[tuple[str, str]]:
        if not run or font is None:
            return []
        doc = self._canvas._doc
        return [(font.getSubsetInternalName(n, doc), code.hex()) for n, code in font.splitString(run, doc)]

    def _picture(self, x: float, y: float, w: float, h: float, picture: Picture, bad_picture: str) -> None:
        canvas = self._canvas
        image = self._images.get(id(picture)) or self._images.setdefault(id(picture), _image(picture.image))
        if image is None:
            ink = Ink()
            ink.frame(x, y, w, h)
            fit = Ruler(self._fonts).fit(bad_picture, w - 4, 8.0, align="center")
            ink.fit(x + 2, y + (h - fit.height) / 2, fit)
            self.draw(ink)
            return
        pixel_w, pixel_h = image.getSize()
        scale = min(w / pixel_w, h / pixel_h)
        wide, high = pixel_w * scale, pixel_h * scale
        left, top = x + (w - wide) / 2, self._height - y - (h - high) / 2
        canvas.drawImage(image, left, top - high, wide, high)

    def qr(self, text: str, x: float, y: float, side: float) -> None:
        """A QR code (ISO/IEC 18004), error correction M, its quiet zone within `side`; one path of its dark runs."""
        import segno

        rows = [bytes(row) for row in segno.make_qr(text, error="m", mask=3).matrix_iter(border=4)]
        unit = side / len(rows)
        out = [f"1 g {x:.3f} {self._height - y - side:.3f} {side:.3f} {side:.3f} re f 0 g"]
        for n, row in enumerate(rows):
            start = 0
            while (start := row.find(1, start)) >= 0:
                end = row.find(0, start)
                end = len(row) if end < 0 else end
                bottom = self._height - y - (n + 1) * unit
                out.append(f"{x + start * unit:.3f} {bottom:.3f} {(end - start) * unit:.3f} {unit:.3f} re")
                start = end
        self._canvas.addLiteral("\n".join([*out, "f"]))


def _image(data: bytes) -> Any:
    """A photo made small and upright, its camera data (place, time) left out; None when it is damaged."""
    from PIL import Image, ImageOps, UnidentifiedImageError
    from reportlab.lib.utils import ImageReader

    try:
        with Image.open(io.BytesIO(data)) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    upright.thumbnail((_PICTURE_PX, _PICTURE_PX))
    small = io.BytesIO()
    upright.save(small, "JPEG", quality=80)
    small.seek(0)
    return ImageReader(small)


def typeset(document: Document, target: Path | BinaryIO, progress: Progress = quiet) -> Printed:
    """Write `document` as PDF 1.4 to a path (whole or not at all) or an open binary file.

    Same document, same bytes. Progress counts pages and may raise Cancelled: nothing is written then.
    Raises Refusal when the file cannot be written.
    """
    with _PRESS:
        fonts = _Fonts()
        layout = lay_out(document, Ruler(fonts))
        if fonts.undrawable:
            names = "、".join(fonts.clean(text) for text in list(fonts.undrawable)[:20])
            note = document.words.undrawable.format(names=names)
            layout = lay_out(replace(document, notes=(*document.notes, note)), Ruler(fonts))
        content = _draw(document, layout, fonts, progress)
    if isinstance(target, Path):
        write_whole(target, content)
    else:
        target.write(content)
    return Printed(len(layout.pages), len(content), tuple(fonts.undrawable))


def _draw(document: Document, layout: Layout, fonts: _Fonts, progress: Progress) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(layout.width, layout.height), pageCompression=1, invariant=1)
    _describe(canvas, document)
    press = _Press(canvas, fonts, layout.height)
    for name, ink in layout.shared.items():
        canvas.beginForm(name, 0, 0, layout.width, layout.height)
        press.draw(ink)
        canvas.endForm()
    for number, page in enumerate(layout.pages):
        if number % 16 == 0:
            progress(number, len(layout.pages), document.words.step)
        for name, down in page.shared:
            canvas.addLiteral(f"q 1 0 0 1 0 {-down:.2f} cm")
            canvas.doForm(name)
            canvas.addLiteral("Q")
        press.draw(page.ink, document.words.bad_picture)
        canvas.showPage()
    canvas.save()
    progress(len(layout.pages), len(layout.pages), document.words.step)
    return out.getvalue()


def _describe(canvas: Canvas, document: Document) -> None:
    """Title, author, time of printing; printers are told to use both sides."""
    canvas.setTitle(document.title)
    canvas.setAuthor(document.author)
    canvas.setSubject(document.subject)
    canvas.setKeywords(document.batch)
    canvas.setCreator("gridman")
    canvas.setCatalogEntry("Lang", document.language.replace("_", "-"))
    canvas.setViewerPreference("DisplayDocTitle", "true")
    landscape = document.paper.width_mm > document.paper.height_mm
    canvas.setViewerPreference("Duplex", "DuplexFlipShortEdge" if landscape else "DuplexFlipLongEdge")
    stamp = canvas._doc._timeStamp
    stamp.t = document.printed_at // 1000
    stamp.lt = time.gmtime(stamp.t)
    stamp.YMDhms = tuple(stamp.lt)[:6]
