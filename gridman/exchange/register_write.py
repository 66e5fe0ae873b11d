"""A register in the office's own layout, written (empty it is the template), and a copy of a file with its errors."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from gridman.domain import codes
from gridman.domain.register_row import CellProblem
from gridman.exchange.register_columns import (
    RegisterColumn,
    choices_of,
    field_of_heading,
    headings_of,
    register_columns,
)
from gridman.exchange.spreadsheet import Cell, Sheet, open_sheets
from gridman.exchange.workbook import Column, Table, opened, write_workbook
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["ERRORS_HEADING", "SHEET_NAME", "TITLE", "write_errors_copy", "write_register"]

SHEET_NAME = "居民登记表"
NOTES_NAME = "说明"
TITLE = "居民信息登记表"
ERRORS_HEADING = "错误原因"

# The template is the office's paper, in its language whatever the program speaks; so are its notes.
_NOTES = (
    "居民信息登记表填写说明",
    "1. 一行一人，同一户的人填相同的小区、楼号、单元、房号；有户号的填相同户号。户主排在第一行。",
    "2. 红色带 * 的列必填。公民身份号码一列已设为文本格式；如果粘贴后变成 3.6E+17 之类，说明末尾几位已丢失，须重新录入。",
    "3. 没有公民身份号码的人（新生儿、未落户等）必须填出生日期，并在备注里写明原因。",
    "4. 姓名按身份证填写，生僻字照原样录入，间隔号用 ·（如 阿依古丽·买买提）。",
    "5. 日期写成 1980-01-03 或 19800103。电话有多个时用 ; 分隔。",
    "6. 房屋没有楼号、单元、房号的，填“无”。",
    "7. 空单元格表示“不填”，导入时不会清除系统里已有的内容。",
    "8. 关爱类别可填多个，用逗号分隔；独居、空巢、高龄、党员由系统按年龄、同住人和政治面貌自动得出。可用的类别：",
)


def write_register(path: Path, rows: Iterable[Sequence[str | None]], *, title: str = TITLE) -> None:
    """A register with `rows` of 25 texts in the layout's order (`register_columns.FIELDS`), streamed.

    Refuses with ``file.cannot_write``.
    """
    columns = [_column(column) for column in register_columns()]
    table = Table(SHEET_NAME, columns, rows, title=title)
    groups = "、".join(code.zh for code in codes.table("care_group"))
    write_workbook(path, [table], notes_name=NOTES_NAME, notes=[*_NOTES, groups])


def _column(column: RegisterColumn) -> Column:
    return Column(column.zh, column.hint, column.width, choices_of(column.field), column.is_required)


def write_errors_copy(source: Path, target: Path, problems: Iterable[CellProblem]) -> None:
    """A copy of `source` as .xlsx in which each row with a problem says why in a last column 错误原因, the cells concerned are
    marked, and everything else stands where it stood. A copy of a copy keeps one such column. Refuses as `open_sheets` does
    and with ``register.copy_over_source`` or ``file.cannot_write``.
    """
    if target.resolve() == source.resolve():
        raise Refusal(
            "register.copy_over_source", N_("The copy with the errors would replace the office's own file {path}."),
            N_("Choose another name for the copy."), path=source,
        )  # fmt: skip
    by_sheet: dict[str, list[CellProblem]] = defaultdict(list)
    for problem in problems:
        by_sheet[problem.sheet].append(problem)
    sheets = open_sheets(source)
    with opened(target) as workbook:
        formats = {
            "day": workbook.add_format({"num_format": "yyyy-mm-dd"}),
            "text": workbook.add_format({"num_format": "@"}),
            "bad": workbook.add_format({"num_format": "@", "bg_color": "#FCE4E4", "font_color": "#B3261E"}),
            "why": workbook.add_format({"text_wrap": True, "font_color": "#B3261E", "valign": "top"}),
        }
        for sheet in sheets:
            _copy_sheet(workbook.add_worksheet(sheet.name[:31]), sheet, by_sheet.get(sheet.name, []), formats)


def _copy_sheet(out: Any, sheet: Sheet, problems: Sequence[CellProblem], formats: Mapping[str, Any]) -> None:
    by_row: dict[int, list[CellProblem]] = defaultdict(list)
    for problem in problems:
        by_row[problem.row].append(problem)
    at, heading_row, positions = _layout(sheet) if problems else (-1, 0, {})
    for number, cells in sheet.rows():
        bad = {positions.get(field_of_heading(problem.column)) for problem in by_row.get(number, ())}
        for column, cell in enumerate(cells):
            if column != at:
                _write_cell(out, number - 1, column, cell, formats, is_bad=column in bad)
        if number in by_row:
            why = "\n".join(f"{p.column or '-'}：{p.what}" for p in by_row[number])
            out.write_string(number - 1, at, why, formats["why"])
        elif number == heading_row:
            out.write_string(number - 1, at, ERRORS_HEADING, formats["bad"])
    if at >= 0:
        out.set_column(at, at, 60)
    # Not merge_range: it writes cells, and the rows have left memory already.
    out.merge += [[a - 1, b - 1, c - 1, d - 1] for a, b, c, d in sheet.merged]


def _layout(sheet: Sheet) -> tuple[int, int, Mapping[str | None, int]]:
    """Where the reasons go (the first free column, or the one of an earlier copy), the row of the headings, and where each
    field of the layout stands.
    """
    width = max((len(cells) for _, cells in sheet.rows()), default=0)
    headings = headings_of(sheet)
    if headings is None:
        return width, 0, {}
    row = next(cells for number, cells in sheet.rows() if number == headings.row)
    at = next((at for at, cell in enumerate(row) if cell == ERRORS_HEADING), width)
    return at, headings.row, dict(headings.positions.items())


def _write_cell(out: Any, row: int, column: int, cell: Cell, formats: Mapping[str, Any], *, is_bad: bool) -> None:
    style = formats["bad"] if is_bad else None
    if cell is None:
        if is_bad:
            out.write_blank(row, column, None, style)
    elif isinstance(cell, bool):
        out.write_boolean(row, column, cell, style)
    elif isinstance(cell, int | float):
        out.write_number(row, column, cell, style)
    elif isinstance(cell, date):
        moment = cell if isinstance(cell, datetime) else datetime.combine(cell, time())
        out.write_datetime(row, column, moment, style or formats["day"])
    else:
        out.write_string(row, column, cell, style or formats["text"])
