"""Spreadsheets as offices send them (.xlsx, .xls, .ods, .csv), read cell by cell with their types.

Types matter: an ID number kept as a number has lost digits, and only a typed cell tells (storage study, section 5). Rows are
given one at a time and counted from 1, as the spreadsheet program shows them.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["Cell", "Row", "Sheet", "cell_text", "open_sheets"]

Cell = str | int | float | bool | date | datetime | None
Row = tuple[int, list[Cell]]
"""The row's number, from 1, and its cells from column A on."""

_SAMPLE_BYTES = 65_536
_CSV_ENDINGS = frozenset({".csv", ".txt", ".tsv"})


@dataclass(frozen=True)
class Sheet:
    """One sheet. `rows` reads it anew each time; `merged`: ranges (first row, first column, last row, last column) from 1."""

    name: str
    height: int
    rows: Callable[[], Iterator[Row]]
    merged: tuple[tuple[int, int, int, int], ...] = ()


def open_sheets(path: Path, content: bytes | None = None) -> list[Sheet]:
    """The sheets of a file. With `content` that is read instead, a workbook that never lies on the disk; `path` is then only its name.

    Refuses with ``sheet.missing``, ``sheet.protected`` or ``sheet.unreadable``.
    """
    if content is not None:
        return _workbook_sheets(path, content)
    if not path.is_file():
        raise Refusal("sheet.missing", N_("There is no file {path}."), N_("Check the name and the folder."), path=path)
    if path.suffix.lower() in _CSV_ENDINGS:
        return [_csv_sheet(path)]
    return _workbook_sheets(path)


def cell_text(value: Cell) -> str:
    """A cell as text: numbers without ".0", days as "YYYY-MM-DD", outer blanks off."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return str(value)


def _workbook_sheets(path: Path, content: bytes | None = None) -> list[Sheet]:
    from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

    try:
        source = str(path) if content is None else io.BytesIO(content)
        workbook = CalamineWorkbook.from_object(source)
        found = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
    except PasswordError as error:
        raise Refusal(
            "sheet.protected", N_("{path} is protected by a password."),
            N_("Open it in the spreadsheet program, remove the password and save a copy."), path=path,
        ) from error  # fmt: skip
    except (CalamineError, OSError) as error:
        raise _unreadable(path, error) from error

    def reading(sheet: CalamineSheet) -> Callable[[], Iterator[Row]]:
        return lambda: _workbook_rows(sheet)

    return [Sheet(s.name, s.total_height, reading(s), _merged(s.merged_cell_ranges)) for s in found]


def _unreadable(path: Path, error: Exception) -> Refusal:
    return Refusal(
        "sheet.unreadable", N_("{path} is not a spreadsheet this program can read, or it is damaged."),
        N_("Open it in the spreadsheet program and save it as .xlsx."), path=path,
    )  # fmt: skip


def _merged(ranges: list[tuple[tuple[int, int], tuple[int, int]]] | None) -> tuple[tuple[int, int, int, int], ...]:
    return tuple((a + 1, b + 1, c + 1, d + 1) for (a, b), (c, d) in ranges or [])


def _workbook_rows(sheet: "CalamineSheet") -> Iterator[Row]:  # type: ignore[name-defined]  # noqa: F821
    if sheet.start is None:
        return
    # The library gives empty rows above the first record, but not the empty columns left of it.
    margin: list[Cell] = [None] * sheet.start[1]
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        yield number, margin + [_plain(cell) for cell in cells]


def _plain(value: object) -> Cell:
    if value == "":
        return None
    if isinstance(value, time | timedelta):
        return str(value)
    return value  # type: ignore[return-value]


def _csv_sheet(path: Path) -> Sheet:
    encoding = _encoding_of(path)
    with path.open(encoding=encoding, newline="") as file:
        sample = file.read(_SAMPLE_BYTES)
    delimiter = max(",\t;|", key=lambda mark: sample.partition("\n")[0].count(mark))

    def rows() -> Iterator[Row]:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            try:
                for number, cells in enumerate(reader, start=1):
                    yield number, [cell or None for cell in cells]
            except csv.Error as error:
                raise _unreadable(path, error) from error

    return Sheet(path.stem, sample.count("\n") * max(1, path.stat().st_size // _SAMPLE_BYTES), rows)


def _encoding_of(path: Path) -> str:
    """UTF-8 (with or without mark), UTF-16 with mark, else GB 18030, which holds every file of a Chinese spreadsheet program."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _decodes(path, encoding):
            return encoding
    raise Refusal(
        "sheet.encoding", N_("The characters of {path} are in no encoding this program knows (UTF-8, GB 18030)."),
        N_("Open it in the spreadsheet program and save it as .xlsx or as CSV UTF-8."), path=path,
    )  # fmt: skip


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with path.open("rb") as file:
        try:
            while block := file.read(io.DEFAULT_BUFFER_SIZE * 16):
                if b"\x00" in block:
                    return False
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
