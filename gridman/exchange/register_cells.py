"""Reading one cell of a register: from what an office typed to the value a record keeps, or a fault that says what helps."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from functools import lru_cache

from gridman.domain import codes
from gridman.domain.address import tidy_compound, tidy_door, tidy_room
from gridman.domain.care import is_restricted
from gridman.domain.days import read_day
from gridman.domain.id_number import tidy_id_number
from gridman.domain.masking import mask_id
from gridman.domain.names import MAX_NAME, name_problem, tidy_name
from gridman.domain.phones import read_phones
from gridman.exchange.register_columns import table_of
from gridman.exchange.spreadsheet import Cell, cell_text
from gridman.kernel.words import N_

__all__ = ["READERS", "Fault", "is_blank", "shown_value"]

Value = str | tuple[str, ...] | None

_NO_RESULT = frozenset({"#n/a", "#ref!", "#value!", "#div/0!", "#name?"})
"""A formula's: a workbook gives those as empty cells, a CSV file as text."""
_BLANK = frozenset({"", "无", "/", "\\", "-", "--", "—", "——", "null", "none", "n/a", "不详", "暂无"}) | _NO_RESULT
_EXPONENT = re.compile(r"^\d(?:\.\d+)?e\+?\d+$", re.IGNORECASE)
_EXACT_DIGITS = 15
_MAX_TEXT, _MAX_REMARK, _MAX_OTHER_ID = 200, 1000, 30
_BETWEEN_GROUPS = re.compile(r"[,，;；、|\s]+(?![^(（]*[)）])")  # not within brackets: 新就业群体(骑手、快递)
_YES = re.compile(r"^(?:是|已|已迁出|已死亡|yes|y)[，,;；:：\s(（]*", re.IGNORECASE)
_NO = frozenset({"否", "未", "没有", "未迁出", "no", "n", "false", "0"})


class Fault(Exception):
    """A cell cannot be used as it stands. `text` and `remedy` are message ids; `shown` replaces the value where it must be hidden."""

    def __init__(self, code: str, text: str, remedy: str, shown: str | None = None, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.remedy = remedy
        self.shown = shown
        self.params = params


def is_blank(cell: Cell) -> bool:
    """Whether a cell says nothing."""
    return cell is None or (isinstance(cell, str) and cell.strip().casefold() in _BLANK)


def shown_value(field: str, cell: Cell) -> str:
    """A cell's value for a list of problems; an ID number is masked."""
    if field != "id_number":
        return cell_text(cell)[:80]
    if isinstance(cell, float) and abs(cell) >= 1e15:
        return mask_id(f"{cell:.0f}")
    return mask_id(cell_text(cell))


def _read_name(cell: Cell) -> Value:
    name = tidy_name(cell_text(cell))
    problem = name_problem(name)
    if problem is None:
        return name
    text, remedy = _NAME_FAULTS[problem]
    raise Fault(f"name.{problem}", text, remedy, most=MAX_NAME)


_NAME_FAULTS = {
    "empty": (N_("The name is missing."), N_("Write the name as on the ID card.")),
    "long": (N_("The name is longer than {most} characters."), N_("Write the name only, without remarks.")),
    "lost": (
        N_("A character of the name was lost (it became ? or a box) when the file was made."),
        N_("Type the name again as on the ID card; every rare character of GB 18030 can be stored."),
    ),
    "digits": (N_("The name holds digits."), N_("Write the name only; numbers belong to the remark.")),
    "characters": (N_("This is not a name."), N_("Write the name as on the ID card.")),
}


def _read_id_number(cell: Cell) -> Value:
    """The number's characters, tidy; its check digit is the row's business, because it depends on the ID type."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if abs(cell) >= 10**_EXACT_DIGITS:
            raise _number_fault()
        return cell_text(float(cell))
    text = tidy_id_number(cell_text(cell).lstrip("'‘’`"))
    if _EXPONENT.match(text):
        raise _number_fault()
    if len(text) > _MAX_OTHER_ID:
        raise Fault("id_number.length", N_("The ID number is too long."), N_("Compare with the card."))
    return text


def _number_fault() -> Fault:
    return Fault(
        "id_number.number",
        N_(
            "The ID number was stored as a number, so its last digits are lost; what is seen now is not the true number."
        ),
        N_("Set the column to text format and type the number again from the card."),
    )


def _read_phones(cell: Cell) -> Value:
    found = read_phones(cell_text(cell))
    if found.wrong:
        raise Fault(
            "phones.wrong", N_("“{wrong}” is not a telephone number."),
            N_("Eleven digits for a mobile, area code and number for a landline; several separated by ;"),
            wrong=" ".join(found.wrong),
        )  # fmt: skip
    return found.text or None


def _read_birth(cell: Cell) -> Value:
    return _day(cell)


def _day(cell: Cell) -> str:
    day = read_day(cell)
    if day is None:
        raise Fault(
            "day.wrong", N_("This is not a day of the calendar."),
            N_("Write year, month and day, like 1980-01-03 or 19800103."),
        )  # fmt: skip
    return day


def _read_end(cell: Cell) -> Value:
    """ "Moved out" and "deceased": a day, or no."""
    if isinstance(cell, bool) or cell_text(cell).casefold() in _NO:
        if cell is True:
            raise _no_day()
        return None
    if not isinstance(cell, str):
        return _day(cell)
    rest = _YES.sub("", cell.strip()).rstrip(")）")
    if not rest:
        raise _no_day()
    return _day(rest)


def _no_day() -> Fault:
    return Fault("day.missing", N_("It says yes, but not since which day."), N_("Write the day, like 2026-01-31."))


@lru_cache(maxsize=20_000)
def _code(table: str, text: str) -> str | None:
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return codes.table(table).read(text) or codes.table(table).read(plain)


def _code_reader(field: str) -> Callable[[Cell], Value]:
    table = table_of(field)

    def read(cell: Cell) -> Value:
        text = cell_text(cell)
        code = _code(table, text)
        if code is None:
            if is_blank(cell):
                return None
            raise Fault(
                f"{field}.unknown", N_("This is none of the values allowed in this column."),
                N_("Choose from the list of the template, for example: {examples}."),
                examples="、".join(one.zh for one in list(codes.table(table))[:4]),
            )  # fmt: skip
        return code

    return read


def _read_care(cell: Cell) -> Value:
    if is_blank(cell):
        return None
    found: list[str] = []
    for word in _care_words(cell_text(cell)):
        code = _code("care_group", word)
        if code is not None:
            found.append(code)
        elif is_restricted(word):
            raise Fault(
                "care.restricted",
                N_("A category of this cell is protected by a law of its own and is not kept in this program."),
                N_("Remove it from the file; the office in charge keeps that list."),
                shown="***",
            )
        else:
            raise Fault(
                "care.unknown", N_("“{word}” is no care category."),
                N_("Use the names of the notes sheet, several separated by commas."), word=word,
            )  # fmt: skip
    return tuple(dict.fromkeys(found))


def _care_words(text: str) -> list[str]:
    words: list[str] = []
    for word in _BETWEEN_GROUPS.split(text.strip()):
        is_one = "/" not in word or _code("care_group", word) is not None
        words += [word] if is_one else word.split("/")
    return [word for word in words if word]


def _text_reader(most: int) -> Callable[[Cell], Value]:
    def read(cell: Cell) -> Value:
        text = "".join(c for c in cell_text(cell) if c in "\n\t" or unicodedata.category(c) != "Cc")
        if len(text) > most:
            raise Fault("text.long", N_("The text is longer than {most} characters."), N_("Shorten it."), most=most)
        return text or None

    return read


def _door_reader(tidy: Callable[[str], str]) -> Callable[[Cell], Value]:
    def read(cell: Cell) -> Value:
        if isinstance(cell, date):  # "3-5" typed into a cell that guesses
            raise Fault(
                "door.date", N_("The spreadsheet program turned this number into a date."),
                N_("Set the column to text format and type the number again."),
            )  # fmt: skip
        return tidy(cell_text(cell)) or None

    return read


READERS: dict[str, Callable[[Cell], Value]] = {
    "name": _read_name,
    "id_number": _read_id_number,
    "birth_on": _read_birth,
    "phones": _read_phones,
    "compound": _door_reader(tidy_compound),
    "building": _door_reader(tidy_door),
    "unit": _door_reader(tidy_door),
    "room": _door_reader(tidy_room),
    "grid": _text_reader(_MAX_TEXT),
    "household_no": _text_reader(_MAX_TEXT),
    "registered_address": _text_reader(_MAX_TEXT),
    "workplace": _text_reader(_MAX_TEXT),
    "care": _read_care,
    "moved_out_on": _read_end,
    "died_on": _read_end,
    "remark": _text_reader(_MAX_REMARK),
    **{
        field: _code_reader(field)
        for field in (
            "id_kind",
            "sex",
            "population_type",
            "relation",
            "household_match",
            "ethnic",
            "political",
            "marital",
            "education",
        )
    },
}
"""Column -> reader of its cells: gives the kept value or None, raises Fault. Blank cells do not reach them, but "无" may."""
