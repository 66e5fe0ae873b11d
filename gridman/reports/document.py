"""Plain values of a printed document: what is on it, not how the ink gets there. Language is already applied.

Lengths are millimetres, type sizes points. A Document is a title, facts below it, blocks in order, and what stands on
every page (footer, watermark). Blocks are tables, forms (label and value cells) and signature lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

__all__ = [
    "Align",
    "Block",
    "Cell",
    "Column",
    "Document",
    "Fact",
    "Form",
    "Group",
    "PageWords",
    "Paper",
    "Picture",
    "Signatures",
    "Table",
]

Align = Literal["left", "center", "right"]


class Paper(Enum):
    """Sheet width and height in millimetres (ISO 216)."""

    A4_PORTRAIT = (210.0, 297.0)
    A4_LANDSCAPE = (297.0, 210.0)
    A5_PORTRAIT = (148.0, 210.0)

    @property
    def width_mm(self) -> float:
        return self.value[0]

    @property
    def height_mm(self) -> float:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. Widths are shares: the table is stretched or shrunk to the width of the paper."""

    title: str
    width_mm: float
    align: Align = "left"
    is_merged: bool = False
    """Shown once per group, in one tall cell, instead of in every row."""
    is_code: bool = False
    """Texts of this merged column are drawn as QR codes."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that stay together on a page. Each row has one text per column; merged columns show the first row's."""

    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A ruled table whose header row stands again on each page."""

    columns: tuple[Column, ...]
    groups: Sequence[Group]
    title: str = ""
    size_pt: float = 9.0
    row_mm: float = 6.5
    """Least height of a row."""
    empty_text: str = ""
    """Stands across the table when there is no group."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo as JPEG or PNG bytes, with a caption."""

    image: bytes
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A label and its value in a form; `weight` is its share of the row's width."""

    label: str
    value: str = ""
    weight: float = 1.0
    signature: str = ""
    """A line at the foot of the cell for signing by hand."""
    pictures: tuple[Picture, ...] = ()
    align: Align = "left"
    height_mm: float = 8.0
    """Least height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A ruled form: rows of cells. Every label is `label_mm` wide."""

    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    label_mm: float = 24.0
    size_pt: float = 10.5
    picture_mm: float = 38.0
    """Height of a photo."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """Words followed by room to sign, side by side on one line."""

    labels: tuple[str, ...]


Block = Table | Form | Signatures


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and a value of the line below the title."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class PageWords:
    """Words that the page itself needs, in the document's language."""

    page_of: str
    """With {page} and {pages}."""
    continued: str
    undrawable: str
    """With {names}: said at the end when no font has a character."""
    colon: str
    bad_picture: str
    step: str
    """What a progress bar says while the pages are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole printed document. `printed_at` is the instant (ms) in its metadata: same values, same bytes."""

    title: str
    paper: Paper
    words: PageWords
    subtitle: str = ""
    facts: tuple[Fact, ...] = ()
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()
    watermark: str = ""
    batch: str = ""
    author: str = ""
    subject: str = ""
    language: str = "en"
    printed_at: int = 0
    qr: str = ""
    """Text of the QR code at the top right of the first page; opaque, never personal data."""
