"""Measuring text and breaking it into lines, for Chinese and Latin mixed; knows no PDF library.

Line breaking follows the simple part of UAX #14: between ideographs anywhere, inside Latin words never unless the word
is wider than the line, no closing mark at a line's start and no opening mark at its end.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from gridman.reports.document import Align

__all__ = ["LEADING", "Fit", "Glyphs", "Ruler"]

LEADING = 1.2
"""Line distance in type sizes."""

_PIECES = re.compile(r"[!-,.-~À-ɏ]+-?|-| +|.", re.DOTALL)
_NO_START = frozenset("。，、；：！？）》」』】〕”’…·%,.;:!?)]}")
_NO_END = frozenset("（《「『【〔“‘([{")
_MANY = 100_000
_SMALLER = (0.93, 0.87, 0.8)
_SMALLEST = (0.72, 0.64)
"""Below 64 % of a table's 7.5 points nobody reads a word any more: then it is cut."""


class Glyphs(Protocol):
    """What the fonts know: how wide a character is (in type sizes) and whether it can be drawn at all."""

    def advances(self, bold: bool) -> Mapping[str, float]: ...

    def clean(self, text: str) -> str:
        """`text` with what cannot be drawn replaced by something visible."""
        ...


@dataclass(frozen=True, slots=True)
class Fit:
    """Text broken to a width: type size, line distance and (indent, text) of each line, in points."""

    size: float
    leading: float
    lines: tuple[tuple[float, str], ...]

    @property
    def height(self) -> float:
        return self.leading * len(self.lines)

    def first(self, n_lines: int) -> "Fit":
        return replace(self, lines=self.lines[:n_lines])

    def after(self, n_lines: int) -> "Fit":
        return replace(self, lines=self.lines[n_lines:])


class Ruler:
    """Measures and breaks text with one set of fonts."""

    def __init__(self, glyphs: Glyphs) -> None:
        self._glyphs = glyphs
        self._advances = (glyphs.advances(False), glyphs.advances(True))

    def width(self, text: str, size: float, bold: bool = False) -> float:
        """Width of `text` (already clean) in points."""
        return sum(map(self._advances[bold].__getitem__, text)) * size

    def clean(self, text: str) -> str:
        return self._glyphs.clean(text)

    def widest_word(self, text: str, size: float, bold: bool = False) -> float:
        """Width in points of the widest piece of `text` that must not be broken."""
        advances = self._advances[bold]
        text = self._glyphs.clean(text)
        return max((sum(map(advances.__getitem__, piece)) for piece in _pieces(text)), default=0.0) * size

    def fit(
        self,
        text: str,
        width: float,
        size: float,
        *,
        bold: bool = False,
        align: Align = "left",
        lines: int = _MANY,
        is_even: bool = False,
    ) -> Fit:
        """`text` broken to `width` points; smaller type (down to 80 %) is tried while it takes over `lines` or cuts a word,
        and down to 64 % when only that saves a word from being cut.

        `is_even` is for headings: lines of about the same length.
        """
        text = self._glyphs.clean(text)
        used = size
        broken, is_cut = self._break(text, width / size, bold)
        for share in () if lines == _MANY else _SMALLER:
            if len(broken) <= lines and not is_cut:
                break
            used = size * share
            broken, is_cut = self._break(text, width / used, bold)
        for share in _SMALLEST if is_cut and lines != _MANY else ():
            tried, is_still_cut = self._break(text, width / (size * share), bold)
            if not is_still_cut:
                used, broken, is_cut = size * share, tried, False
                break
        if is_even and len(broken) > 1 and not is_cut:
            broken = self._even(text, broken, width / used, bold)
        return Fit(used, used * LEADING, tuple((self._indent(line, width, used, bold, align), line) for line in broken))

    def _even(self, text: str, broken: list[str], ems: float, bold: bool) -> list[str]:
        """As few lines as `broken`, the longest of them as short as can be."""
        narrow = self.width(text.replace("\n", ""), 1.0, bold) / len(broken)
        while narrow < ems:
            tried, is_cut = self._break(text, narrow, bold)
            if len(tried) == len(broken) and not is_cut:
                return tried
            narrow += 0.25
        return broken

    def _indent(self, line: str, width: float, size: float, bold: bool, align: Align) -> float:
        if align == "left" or not line:
            return 0.0
        spare = max(0.0, width - self.width(line, size, bold))
        return spare if align == "right" else spare / 2

    def _break(self, text: str, ems: float, bold: bool) -> tuple[list[str], bool]:
        """Lines, and whether a word had to be cut."""
        if not text:
            return [], False
        advances = self._advances[bold]
        if "\n" not in text and sum(map(advances.__getitem__, text)) <= ems:
            return [text], False
        out: list[str] = []
        is_cut = False
        for paragraph in text.split("\n"):
            whole = _pieces(paragraph)
            pieces = [part for piece in whole for part in _chop(piece, ems, advances)]
            is_cut = is_cut or len(pieces) > len(whole)
            out.extend(_fill(pieces, ems, advances))
        return out, is_cut


def _fill(pieces: list[str], ems: float, advances: Mapping[str, float]) -> list[str]:
    lines: list[str] = []
    line, used = "", 0.0
    for piece in pieces:
        width = sum(map(advances.__getitem__, piece))
        if line and used + width > ems + 1e-6:
            lines.append(line.rstrip(" "))
            line, used = "", 0.0
            if piece.isspace():
                continue
        line += piece
        used += width
    lines.append(line.rstrip(" "))
    return lines


def _pieces(text: str) -> list[str]:
    """Unbreakable pieces: closing marks stick to what is before, opening marks to what follows."""
    pieces: list[str] = []
    for piece in _PIECES.findall(text):
        sticks = bool(pieces) and ((piece[0] in _NO_START and not pieces[-1].isspace()) or pieces[-1][-1] in _NO_END)
        if sticks and len(pieces[-1]) < 12:
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def _chop(word: str, ems: float, advances: Mapping[str, float]) -> list[str]:
    """A word, cut where it must be when it is wider than the line."""
    if len(word) == 1 or sum(map(advances.__getitem__, word)) <= ems:
        return [word]
    parts: list[str] = []
    part, used = "", 0.0
    for char in word:
        if part and used + advances[char] > ems:
            parts.append(part)
            part, used = "", 0.0
        part += char
        used += advances[char]
    return [*parts, part]
