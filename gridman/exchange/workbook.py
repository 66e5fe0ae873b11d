"""Workbooks for people who work in a spreadsheet program: text columns, a title, a frozen heading, a row of hints, choices to
pick from, a sheet of notes. Rows are streamed to the file, which appears whole or not at all.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridman.kernel.files import cannot_write, put_in_place, take_away

__all__ = ["Column", "Table", "opened", "write_workbook"]

_LISTS = "选项"
_SPARE_ROWS = 5_000
_MAX_SHEET_NAME = 31


@dataclass(frozen=True)
class Column:
    """One column. `choices` become a list to pick from; other values stay allowed where the cell may hold several."""

    heading: str
    hint: str = ""
    width: float = 12
    choices: tuple[str, ...] = ()
    is_required: bool = False


@dataclass(frozen=True)
class Table:
    """One sheet: title (a row of its own, if any), headings, hints (if any column has one), rows of text."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[str | None]] = ()
    title: str = ""
    notes: Sequence[str] = field(default=())

    @property
    def heading_row(self) -> int:
        """The row of the headings, from 0."""
        return 1 if self.title else 0

    @property
    def first_row(self) -> int:
        """The row of the first record, from 0."""
        return self.heading_row + (2 if any(c.hint for c in self.columns) else 1)


@contextmanager
def opened(path: Path, **options: Any) -> Iterator[Any]:
    """An xlsxwriter workbook that replaces `path` when the block ends well and leaves nothing behind when it does not."""
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxFileError

    partial = path.with_name(path.name + ".part")
    workbook = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Rows wait in files of their own until the end: beside the workbook, not in a folder that others may read.
        fixed = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
        workbook = xlsxwriter.Workbook(str(partial), {**fixed, "strings_to_urls": False, **options})
        yield workbook
        workbook.close()
        put_in_place(partial, path)
    except (OSError, XlsxFileError) as error:
        raise cannot_write(path, getattr(error, "strerror", None) or error) from error
    finally:
        _drop(workbook, partial)


def _drop(workbook: Any, partial: Path) -> None:
    """Let go of a workbook that was not finished: its row files and its half-written file."""
    for sheet in workbook.worksheets() if workbook is not None and not workbook.fileclosed else ():
        handle = getattr(sheet, "row_data_fh", None)
        if handle is not None and not handle.closed:
            handle.close()
            take_away(Path(sheet.row_data_filename))
    if workbook is not None:
        workbook.fileclosed = True  # else it complains when it is collected
    with suppress(OSError):
        take_away(partial)


def write_workbook(path: Path, tables: Sequence[Table], *, notes_name: str = "", notes: Sequence[str] = ()) -> None:
    """Write `tables` as sheets of an .xlsx, then a sheet of notes. Refuses with ``file.cannot_write``."""
    with opened(path) as workbook:
        styles = _Styles(workbook)
        lists = _Lists(tables)
        for table in tables:
            _write_table(workbook, styles, lists, table)
        if notes:
            _write_notes(workbook, styles, notes_name, notes)
        lists.write(workbook)


class _Styles:
    def __init__(self, workbook: Any) -> None:
        edge = {"border": 1, "border_color": "#B7BDC6"}
        heading = {
            "bold": True,
            "bg_color": "#E6ECF5",
            "text_wrap": True,
            "align": "center",
            "valign": "vcenter",
            **edge,
        }
        self.title = workbook.add_format({"bold": True, "font_size": 14, "align": "center", "valign": "vcenter"})
        self.heading = workbook.add_format(heading)
        self.required = workbook.add_format({**heading, "font_color": "#B3261E"})
        self.hint = workbook.add_format(
            {"italic": True, "font_color": "#6B7280", "text_wrap": True, "font_size": 9, **edge}
        )
        self.text = workbook.add_format({"num_format": "@"})
        self.note = workbook.add_format({"text_wrap": True, "valign": "top"})


class _Lists:
    """The choices of all columns, each list a column of a hidden sheet: a list within the rule itself holds 255 characters."""

    def __init__(self, tables: Sequence[Table]) -> None:
        every = (column.choices for table in tables for column in table.columns if column.choices)
        self._lists = list(dict.fromkeys(every))

    def source(self, choices: tuple[str, ...]) -> str:
        from xlsxwriter.utility import xl_col_to_name

        letter = xl_col_to_name(self._lists.index(choices))
        return f"='{_LISTS}'!${letter}$1:${letter}${len(choices)}"

    def write(self, workbook: Any) -> None:
        if not self._lists:
            return
        sheet = workbook.add_worksheet(_LISTS)
        for number, row in enumerate(itertools.zip_longest(*self._lists, fillvalue="")):
            for column, text in enumerate(row):
                sheet.write_string(number, column, text)
        sheet.hide()


def _write_table(workbook: Any, styles: _Styles, lists: _Lists, table: Table) -> None:
    sheet = workbook.add_worksheet(table.name[:_MAX_SHEET_NAME])
    for number, column in enumerate(table.columns):
        sheet.set_column(number, number, column.width, styles.text)
    if table.title:
        sheet.set_row(0, 28)
        sheet.merge_range(0, 0, 0, len(table.columns) - 1, table.title, styles.title)
    for number, column in enumerate(table.columns):
        style = styles.required if column.is_required else styles.heading
        sheet.write_string(table.heading_row, number, column.heading + ("*" if column.is_required else ""), style)
    if table.first_row > table.heading_row + 1:
        for number, column in enumerate(table.columns):
            sheet.write_string(table.heading_row + 1, number, column.hint, styles.hint)
    sheet.freeze_panes(table.first_row, 1)
    last = table.first_row - 1
    for last, row in enumerate(table.rows, start=table.first_row):
        for number, text in enumerate(row):
            if text:
                sheet.write_string(last, number, text, styles.text)
    for number, column in enumerate(table.columns):
        if column.choices:
            rule = {"validate": "list", "source": lists.source(column.choices), "error_type": "warning"}
            sheet.data_validation(table.first_row, number, last + _SPARE_ROWS, number, rule)
    sheet.repeat_rows(table.heading_row)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _write_notes(workbook: Any, styles: _Styles, name: str, notes: Sequence[str]) -> None:
    sheet = workbook.add_worksheet(name[:_MAX_SHEET_NAME])
    sheet.set_column(0, 0, 100, styles.note)
    for number, note in enumerate(notes):
        sheet.write_string(number, 0, note, styles.note)
