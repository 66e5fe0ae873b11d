"""The office's own layout of a register: 25 columns (`resources/codes/import_template_person.csv`), the forms in which their
headings are met, and which column of a file holds what.
"""

import csv
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from gridman.domain import codes
from gridman.domain.fields import Kind, fields_of
from gridman.domain.person import Person
from gridman.exchange.spreadsheet import Cell, Sheet, cell_text
from gridman.kernel.paths import resource

__all__ = ["FIELDS", "HOUSEHOLD_FIELDS", "REQUIRED", "RegisterColumn", "find_columns", "register_columns", "table_of"]

FIELDS = (
    "name", "id_kind", "id_number", "sex", "birth_on", "phones", "compound", "building", "unit", "room", "grid",
    "population_type", "household_no", "relation", "household_match", "registered_address", "ethnic", "political",
    "marital", "education", "workplace", "care", "moved_out_on", "died_on", "remark",
)  # fmt: skip
"""What the columns hold, in the layout's order."""

HOUSEHOLD_FIELDS = ("compound", "building", "unit", "room", "grid", "household_no", "registered_address")
"""What a household's rows share: a cell merged over them counts for each, and "the same as above" is what stands there."""

REQUIRED = ("name", "compound", "room", "population_type", "relation")
_TO_BE_A_HEADING = 3
_HEADINGS_WITHIN = 40
_WIDTHS = {
    "name": 12,
    "id_number": 22,
    "phones": 16,
    "compound": 18,
    "registered_address": 28,
    "workplace": 18,
    "remark": 24,
}


@dataclass(frozen=True)
class RegisterColumn:
    """One column of the layout."""

    field: str
    zh: str
    en: str
    hint: str
    is_required: bool

    @property
    def width(self) -> float:
        return _WIDTHS.get(self.field, 11)


@cache
def register_columns() -> tuple[RegisterColumn, ...]:
    """The 25 columns in order."""
    with resource("codes", "import_template_person.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    return tuple(
        RegisterColumn(field, line["header_zh"], line["header_en"], line["format_hint_zh"], bool(line["required"]))
        for field, line in zip(FIELDS, lines, strict=True)
    )


@cache
def table_of(field: str) -> str:
    """The code table of a column, or "": from the field's own declaration."""
    if field == "care":
        return "care_group"
    declared = fields_of(Person).get(field)
    return declared.code_table if declared is not None and declared.kind is Kind.CODE else ""


def plain_heading(text: str) -> str:
    """A heading without what offices add to it: blanks, line breaks, "*", "(必填)", colons."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\((?:必填|选填|必填项|required)\)|[\s*:：★#]", "", plain)


@cache
def _headings() -> dict[str, str]:
    found = {}
    for column in register_columns():
        found[plain_heading(column.zh)] = found[plain_heading(column.en)] = column.field
    with resource("codes", "aliases.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if line["table"] == "register_column":
                found[plain_heading(line["alias"])] = line["code"]
    return found


def field_of_heading(text: str) -> str | None:
    """Which column of the layout a heading names, in any of its forms; None when it names none."""
    return _headings().get(plain_heading(text))


@dataclass(frozen=True)
class Headings:
    """Where the headings stand and what each column holds. `positions`: field -> column, from 0; `words`: field -> the heading
    as the file writes it; `unknown`: headings of columns that will not be read.
    """

    row: int
    positions: dict[str, int]
    words: dict[str, str]
    unknown: tuple[str, ...]


def find_columns(row: int, cells: Sequence[Cell]) -> Headings | None:
    """What the cells of row `row` say when they are headings; None when they are not (a title, a record)."""
    known = _headings()
    positions: dict[str, int] = {}
    words: dict[str, str] = {}
    unknown = []
    for at, cell in enumerate(cells):
        text = cell_text(cell) if isinstance(cell, str) else ""
        field = known.get(plain_heading(text)) if text else None
        if field is None or field in positions:
            unknown += [text] if text else []
            continue
        positions[field], words[field] = at, text.rstrip("*＊ ").strip()
    if "name" not in positions or len(positions) < _TO_BE_A_HEADING:
        return None
    return Headings(row, positions, words, tuple(unknown))


def headings_of(sheet: Sheet) -> Headings | None:
    """The row with the most headings among the first ones: a group heading may stand above it."""
    best: Headings | None = None
    for number, cells in sheet.rows():
        if number > _HEADINGS_WITHIN:
            break
        found = find_columns(number, cells)
        if found is not None and (best is None or len(found.positions) > len(best.positions)):
            best = found
    return best


def choices_of(field: str) -> tuple[str, ...]:
    """What the template offers in a column to pick from: the Chinese names of its code table."""
    name = table_of(field)
    return tuple(code.zh for code in codes.table(name)) if name and field != "care" else ()
