"""A register in the office's own layout, read from whatever file an office sends: the headings are found where they stand,
merged cells count for each of their rows, and every cell that cannot be used is named with what helps.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridman.domain.address import Address
from gridman.domain.id_number import IdNumber, read_id_number
from gridman.domain.register_row import CellProblem, RegisterRow
from gridman.exchange.register_cells import READERS, Fault, is_blank, shown_value
from gridman.exchange.register_columns import (
    HOUSEHOLD_FIELDS,
    REQUIRED,
    Headings,
    headings_of,
    plain_heading,
    register_columns,
    table_of,
)  # fmt: skip
from gridman.exchange.spreadsheet import Cell, Sheet, cell_text, open_sheets
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_, _

__all__ = ["RegisterSheet", "read_register"]

_EVERY = 1_000
_ADDRESS = ("compound", "building", "unit", "room")
_CITIZEN = frozenset({"111", "112"})
_NO_PERSON = frozenset({"合计", "总计", "小计", "total"})
_AS_ABOVE = frozenset({"同上", "〃", '"', "″"})


@dataclass
class RegisterSheet:
    """What a file held. `unknown`: headings of columns that were not read; `sheets`: names of the sheets with residents;
    `skipped`: why sheets that look like a register were left out.
    """

    rows: list[RegisterRow] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    skipped: list[Refusal] = field(default_factory=list)

    @property
    def problems(self) -> list[CellProblem]:
        """Everything wrong, in the file's order."""
        return [problem for row in self.rows for problem in row.problems]


def read_register(path: Path, progress: Progress = quiet, *, content: bytes | None = None) -> RegisterSheet:
    """All residents of a file, sound or not; `content`: see `open_sheets`. Refuses with ``sheet.*`` (see `open_sheets`), ``register.no_headings`` or
    ``register.empty``.
    """
    found = RegisterSheet()
    has_headings = False
    sheets = open_sheets(path, content)
    total = sum(sheet.height for sheet in sheets)
    for sheet in sheets:
        headings = headings_of(sheet)
        if headings is None:
            continue
        has_headings = True
        incomplete = _no_column(sheet, headings)
        if incomplete is not None:
            found.skipped.append(incomplete)
            continue
        before = len(found.rows)
        for row in _rows_of(sheet, headings):
            found.rows.append(row)
            if len(found.rows) % _EVERY == 0:
                progress(len(found.rows), max(total, len(found.rows)), N_("Reading rows"))
        if len(found.rows) > before:
            found.sheets.append(sheet.name)
            found.unknown += [word for word in headings.unknown if word not in found.unknown]
    _require_rows(path, found, has_headings)
    progress(len(found.rows), len(found.rows), N_("Reading rows"))
    return found


def _require_rows(path: Path, found: RegisterSheet, has_headings: bool) -> None:
    if not has_headings:
        raise Refusal(
            "register.no_headings",
            N_("No row of {path} holds the headings of a register (姓名, 公民身份号码, 现住小区/建筑, 房号 …)."),
            N_("Use the template, or name the columns as it does; a title above them does no harm."),
            path=path,
        )
    if not found.rows and found.skipped:
        raise found.skipped[0]
    if not found.rows:
        raise Refusal(
            "register.empty", N_("{path} has the headings of a register but no residents."),
            N_("Check that the right file was chosen."), path=path,
        )  # fmt: skip


def _no_column(sheet: Sheet, headings: Headings) -> Refusal | None:
    absent = [c.zh for c in register_columns() if c.field in REQUIRED and c.field not in headings.positions]
    if not absent:
        return None
    return Refusal(
        "register.no_column",
        N_("Sheet {sheet} has no column for {columns}."),
        N_("Add the column with this heading, or use the template."),
        sheet=sheet.name,
        columns="、".join(absent),
    )


def _rows_of(sheet: Sheet, headings: Headings) -> Iterator[RegisterRow]:
    hints = {plain_heading(c.hint) for c in register_columns() if c.field == "name" and c.hint}
    for number, cells in _filled(sheet, headings):
        plain = plain_heading(cell_text(cells.get("name")))
        if plain in hints or plain == plain_heading(headings.words["name"]):
            continue
        yield _read_row(sheet.name, number, cells, headings.words)


def _filled(sheet: Sheet, headings: Headings) -> Iterator[tuple[int, dict[str, Cell]]]:
    """The rows that say something, by field, with household cells merged over several rows (or "同上") filled in."""
    shared = {f: headings.positions[f] for f in HOUSEHOLD_FIELDS if f in headings.positions}
    merged = {
        (row, column - 1): first
        for first, left, last, right in sheet.merged
        for row in range(first, last + 1)
        for column in range(left, right + 1)
        if last > first and (row, column) != (first, left) and column == left
    }
    kept: dict[tuple[int, int], Cell] = {}
    above: dict[str, Cell] = {}
    for number, line in sheet.rows():
        cells = {f: line[at] if at < len(line) else None for f, at in headings.positions.items()}
        for name, at in shared.items():
            kept[number, at] = cells[name]
        if number <= headings.row or _is_no_record(line, cells):
            continue
        for name, at in shared.items():
            first = merged.get((number, at))
            if cells[name] is None and first is not None:
                cells[name] = kept.get((first, at))
            elif isinstance(cells[name], str) and str(cells[name]).strip() in _AS_ABOVE:
                cells[name] = above.get(name)
        above = {name: cells[name] for name in shared}
        yield number, cells


def _is_no_record(line: Sequence[Cell], cells: Mapping[str, Cell]) -> bool:
    """An empty row, or a row of totals."""
    if all(cell is None or cell == "" for cell in cells.values()):
        return True
    first = next((cell for cell in line if isinstance(cell, str) and cell.strip()), "")
    return plain_heading(first) in _NO_PERSON


def _read_row(sheet: str, number: int, cells: Mapping[str, Cell], words: Mapping[str, str]) -> RegisterRow:
    row = RegisterRow(sheet=sheet, row=number)
    problems: list[CellProblem] = []
    values: dict[str, Any] = {}
    faulty: set[str] = set()
    for name, cell in cells.items():
        if cell is None or (is_blank(cell) and not table_of(name)):
            continue
        try:
            value = READERS[name](cell)
        except Fault as fault:
            faulty.add(name)
            shown = shown_value(name, cell) if fault.shown is None else fault.shown
            problems.append(row.problem(words[name], shown, fault.code, fault.text, fault.remedy, fault.params))
            continue
        if value is not None:
            values[name] = value
    problems += _missing(row, {*values, *faulty, *_said_to_be_none(cells)}, words)
    problems += _check_identity(row, values, faulty, cells, words)
    _place_values(row, values)
    row.problems = tuple(problems)
    return row


def _said_to_be_none(cells: Mapping[str, Cell]) -> set[str]:
    """A house without rooms has its room column say so (无), which is an answer."""
    return {"room"} if cell_text(cells.get("room")) == "无" else set()


def _missing(row: RegisterRow, answered: set[str], words: Mapping[str, str]) -> list[CellProblem]:
    return [
        row.problem(words[name], "", f"{name}.missing", N_("This cell must not be empty."), N_("Fill it in."))
        for name in REQUIRED
        if name not in answered
    ]


_ID_FAULTS = {
    "length": N_("The ID number must have 18 characters."),
    "characters": N_("The ID number may hold digits and a final X only."),
    "date": N_("The birth date within the ID number does not exist."),
    "check": N_("The last character of the ID number does not fit the others: one of them is mistyped."),
}


def _check_identity(
    row: RegisterRow, values: dict[str, Any], faulty: set[str], cells: Mapping[str, Cell], words: Mapping[str, str]
) -> list[CellProblem]:
    """The ID number's own check, sex and birth date derived from it, and conflicts with those given."""
    if "id_number" in faulty:
        return []
    number = values.get("id_number")
    if number is None:
        return _without_id(row, values, faulty, words)
    values.setdefault("id_kind", "111")
    if values["id_kind"] not in _CITIZEN:
        return []
    read = read_id_number(number)
    if not isinstance(read, IdNumber):
        remedy = N_("Compare with the card and correct the number.")
        shown = shown_value("id_number", cells["id_number"])
        return [row.problem(words["id_number"], shown, f"id_number.{read}", _ID_FAULTS[read], remedy)]
    values["id_number"] = read.text
    problems = []
    for name, expected in (("sex", read.sex), ("birth_on", read.birth_on)):
        given = values.get(name)
        if given not in (None, expected) and not (name == "sex" and given not in ("1", "2")):
            text = _CONFLICTS[name]
            problems.append(
                row.problem(
                    words[name], cell_text(cells[name]), f"{name}.conflict", text, N_("Correct the one that is wrong.")
                )
            )
        elif name not in faulty:
            values[name] = expected
    return problems


_CONFLICTS = {
    "sex": N_("The sex does not fit the ID number."),
    "birth_on": N_("The birth date does not fit the ID number."),
}


def _without_id(
    row: RegisterRow, values: dict[str, Any], faulty: set[str], words: Mapping[str, str]
) -> list[CellProblem]:
    """Newborns and unregistered residents have no number: they are known by name, birth date and address."""
    values.pop("id_kind", None)
    if values.get("birth_on") or "birth_on" in faulty:
        values["id_unverified_reason"] = values.get("remark") or _("Not given in the register")
        return []
    return [
        row.problem(
            words.get("id_number", ""), "", "id_number.missing", N_("There is neither an ID number nor a birth date."),
            N_("Write one of them, so that this person is not taken for another."),
        )
    ]  # fmt: skip


def _place_values(row: RegisterRow, values: dict[str, Any]) -> None:
    row.address = Address(*(values.pop(part, None) or "" for part in _ADDRESS))
    row.grid = values.pop("grid", None) or ""
    row.household_no = values.pop("household_no", None) or ""
    row.care = values.pop("care", None) or ()
    row.person = values
