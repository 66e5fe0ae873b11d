"""Whether values may be written into a record: one check for forms, imports, pushed operations and scripts."""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from gridman.domain import codes
from gridman.domain.fields import Field, Kind, Synced, fields_of, kind_of
from gridman.domain.id_number import IdNumber, read_id_number
from gridman.domain.phones import read_phones
from gridman.kernel.clock import INSTANTS
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _

__all__ = ["Invalid", "check", "is_typed", "require_valid", "tidy"]

_PHONE = re.compile(r"^(1[3-9]\d{9}|[48]00\d{7}|(0\d{2,3}-?)?\d{7,8}(-\d{1,6})?|1[0-2]\d{1,3}|9\d{4})$")
_WRITTEN_IDS = frozenset({"", "111", "112"})


class Invalid(Refusal):
    """Values that break a rule; `problems` says what is wrong with each field."""

    def __init__(self, kind: str, problems: Mapping[str, Refusal]) -> None:
        words = " ".join(problem.words() for problem in problems.values())
        super().__init__("record.invalid", N_("{details}"), details=words, kind=kind)
        self.problems = dict(problems)


def tidy(cls: type[Synced], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they are kept: empty text becomes None, ID numbers and phones lose full-width digits and blanks. Names are only trimmed:
    Unicode normalisation would rewrite compatibility ideographs in people's names.
    """
    declared = fields_of(cls)
    return {name: _tidy_one(declared[name], value) if name in declared else value for name, value in values.items()}


def _tidy_one(field: Field, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if field.kind is Kind.ID_NUMBER:
        text = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    elif field.kind is Kind.PHONES:
        text = _tidy_phones(text)
    return text or None


def _tidy_phones(text: str) -> str:
    """Joined by ";"; what is a number only as people write it ("138 1234 5678", "+86 …", "… 转 801") is read as a register's cell is."""
    parts = [p for p in re.split(r"[;,/、\s]+", unicodedata.normalize("NFKC", text)) if p]
    if not all(_PHONE.match(part) for part in parts):
        found = read_phones(text)
        parts = parts if found.wrong else list(found.numbers)
    return ";".join(dict.fromkeys(parts))


def check(cls: type[Synced], values: Mapping[str, Any], *, is_new: bool, today: str = "") -> dict[str, Refusal]:
    """The problem of each field that has one. When `is_new`, required fields that are absent count too.

    ``values``: field name -> value, already tidy; ``today`` ("2026-11-23"): what cannot lie ahead is held against it, where it is given.
    """
    problems: dict[str, Refusal] = {}
    declared = fields_of(cls)
    for name, field in declared.items():
        if name not in values and not (is_new and field.is_required):
            continue
        problem = _problem(field, values.get(name))
        if problem is not None:
            problems[name] = problem
    for name in values:
        if name not in declared and name != "id":
            problems[name] = Refusal("field.unknown", N_("{kind} has no field {field}."), kind=kind_of(cls), field=name)
    sound = {name: value for name, value in values.items() if name not in problems}
    more = _check_own_phones(cls, sound) | _together(cls, sound) | (_check_past(cls, sound, today) if today else {})
    problems.update({k: v for k, v in more.items() if k not in problems})
    return problems


_TEXTS = frozenset({Kind.TEXT, Kind.NOTE, Kind.NAME, Kind.CODE, Kind.CODES, Kind.DAY, Kind.PHONES, Kind.ID_NUMBER})


def is_typed(field: Field, value: Any) -> bool:
    """Whether a value is at least of the field's type, so that it can be shown and looked up, however wrong it is. What is kept of an operation
    that was refused can be anything.
    """
    if field.kind in _TEXTS:
        return isinstance(value, str)
    return _CHECKS[field.kind](field, value) is None


def require_valid(cls: type[Synced], values: Mapping[str, Any], *, is_new: bool, today: str = "") -> None:
    """Raise Invalid unless `check` finds nothing."""
    problems = check(cls, values, is_new=is_new, today=today)
    if problems:
        raise Invalid(kind_of(cls), problems)


def _problem(field: Field, value: Any) -> Refusal | None:
    if value is None or (value == "" and field.kind in _TEXTS):
        return _refuse("required", N_("{label} is missing."), N_("Fill it in."), field) if field.is_required else None
    if isinstance(value, str) and len(value) > field.max_length:
        return Refusal(
            "field.too_long", N_("{label} is too long: {length} characters, at most {most}."), N_("Shorten it."),
            label=_(field.label), length=len(value), most=field.max_length,
        )  # fmt: skip
    checker = _CHECKS.get(field.kind)
    return checker(field, value) if checker else None


def _refuse(code: str, text: str, remedy: str, field: Field, **params: Any) -> Refusal:
    return Refusal(f"field.{code}", text, remedy, label=_(field.label), **params)


def _check_text(field: Field, value: Any) -> Refusal | None:
    if not isinstance(value, str):
        return _refuse("type", N_("{label} must be text."), N_("Type it again."), field)
    if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in value):
        return _refuse(
            "characters", N_("{label} holds control characters."), N_("Type it again instead of pasting."), field
        )
    return None


def _check_code(field: Field, value: Any) -> Refusal | None:
    if isinstance(value, str) and value in codes.table(field.code_table):
        return None
    return _refuse(
        "code", N_("{label}: “{value}” is not in the list."), N_("Choose one of the list."), field, value=value
    )


def _check_codes(field: Field, value: Any) -> Refusal | None:
    if not isinstance(value, str):
        return _check_text(field, value)
    for one in value.split(";"):
        problem = _check_code(field, one)
        if problem:
            return problem
    return None


def _check_day(field: Field, value: Any) -> Refusal | None:
    try:
        if (
            date.fromisoformat(value).isoformat() == value
        ):  # a week's day ("2026-W48-1") is not how days are written here
            return None
    except (TypeError, ValueError):
        pass
    return _refuse(
        "day",
        N_("{label}: “{value}” is not a day of the calendar."),
        N_("Write it like 2026-11-23."),
        field,
        value=value,
    )


def _check_phones(field: Field, value: Any) -> Refusal | None:
    if not isinstance(value, str):
        return _check_text(field, value)
    for one in value.split(";"):
        if not _PHONE.match(one):
            return _no_phone(field, one)
    return None


def _no_phone(field: Field, value: str) -> Refusal:
    return _refuse(
        "phone", N_("{label}: “{value}” is not a telephone number."),
        N_("Eleven digits for a mobile, area code and number for a landline."), field, value=value,
    )  # fmt: skip


def _check_whole(field: Field, value: Any) -> Refusal | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return None
    return _refuse("number", N_("{label} must be a whole number."), N_("Use digits only."), field)


def _check_instant(field: Field, value: Any) -> Refusal | None:
    problem = _check_whole(field, value)
    if problem is not None or value in INSTANTS:
        return problem
    return _refuse("instant", N_("{label} is no time of the calendar."), N_("Enter it again."), field)


def _check_measure(field: Field, value: Any) -> Refusal | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return None if is_number else _refuse("measure", N_("{label} must be a number."), N_("Use digits."), field)


def _check_flag(field: Field, value: Any) -> Refusal | None:
    return (
        None if isinstance(value, bool) else _refuse("flag", N_("{label} must be yes or no."), N_("Choose one."), field)
    )


def _check_bytes(field: Field, value: Any) -> Refusal | None:
    return (
        None if isinstance(value, bytes) else _refuse("bytes", N_("{label} is damaged."), N_("Enter it again."), field)
    )


def _check_shape(field: Field, value: Any) -> Refusal | None:
    """WKB of something that lies somewhere: every desk of the street would have to draw it."""
    import shapely

    problem = _check_bytes(field, value)
    if problem is not None:
        return problem
    shape = shapely.from_wkb(value, on_invalid="ignore")
    is_somewhere = shape is not None and all(map(math.isfinite, shape.bounds))
    return None if is_somewhere else _refuse("bytes", N_("{label} is damaged."), N_("Enter it again."), field)


_CHECKS = {
    Kind.TEXT: _check_text,
    Kind.NOTE: _check_text,
    Kind.NAME: _check_text,
    Kind.CODE: _check_code,
    Kind.CODES: _check_codes,
    Kind.DAY: _check_day,
    Kind.PHONES: _check_phones,
    Kind.NUMBER: _check_whole,
    Kind.INSTANT: _check_instant,
    Kind.REFERENCE: _check_whole,
    Kind.MEASURE: _check_measure,
    Kind.FLAG: _check_flag,
    Kind.SHAPE: _check_shape,
    Kind.BYTES: _check_bytes,
    Kind.ID_NUMBER: _check_text,
}

_ID_PROBLEMS = {
    "length": N_("The ID number must have 18 characters."),
    "characters": N_("The ID number may hold digits and a final X only."),
    "date": N_("The birth date within the ID number does not exist."),
    "check": N_("The last character of the ID number does not fit the others: one of them is mistyped."),
}


_SHORT_PHONE = re.compile(r"^(1\d{2,4}|9\d{4})$")
"""Emergency calls and service lines (110, 12345, 95588): whoever reports may be one, nobody lives at one."""


def _check_own_phones(cls: type[Synced], values: Mapping[str, Any]) -> dict[str, Refusal]:
    short = next((one for one in str(values.get("phones") or "").split(";") if _SHORT_PHONE.match(one)), None)
    if short is None or kind_of(cls) not in ("person", "household"):
        return {}
    return {"phones": _no_phone(fields_of(cls)["phones"], short)}


_PAST = {"person": ("birth_on", "died_on")}
"""Days that cannot lie ahead."""


def _check_past(cls: type[Synced], values: Mapping[str, Any], today: str) -> dict[str, Refusal]:
    found: dict[str, Refusal] = {}
    for name in _PAST.get(kind_of(cls), ()):
        day = values.get(name)
        if isinstance(day, str) and day > today:
            label = fields_of(cls)[name]
            found[name] = _refuse(
                "future", N_("{label}: {value} lies ahead."), N_("Correct the year."), label, value=day
            )
    number = read_id_number(str(values.get("id_number") or ""))
    is_card = (values.get("id_kind") or "") in _WRITTEN_IDS and not values.get("id_unverified_reason")
    if is_card and isinstance(number, IdNumber) and number.birth_on > today:
        remedy = N_("Compare with the card.")
        found["id_number"] = Refusal(
            "id_number.future", N_("The birth date within the ID number ({value}) lies ahead."), remedy, value=number.birth_on
        )  # fmt: skip
    return found


def _together(cls: type[Synced], values: Mapping[str, Any]) -> dict[str, Refusal]:
    """Rules between fields: the ID number's check character, and its birth date and sex against those given."""
    number = values.get("id_number")
    if not number or values.get("id_unverified_reason") or (values.get("id_kind") or "") not in _WRITTEN_IDS:
        return {}
    read = read_id_number(number)
    if not isinstance(read, IdNumber):
        remedy = N_("Compare with the card; if it cannot be settled now, write the reason under “unverified”.")
        return {"id_number": Refusal(f"id_number.{read}", _ID_PROBLEMS[read], remedy)}
    problems: dict[str, Refusal] = {}
    if values.get("birth_on") and values["birth_on"] != read.birth_on:
        problems["birth_on"] = Refusal(
            "id_number.birth", N_("The birth date does not fit the ID number ({expected})."),
            N_("Correct the one that is wrong."), expected=read.birth_on,
        )  # fmt: skip
    if values.get("sex") in ("1", "2") and values["sex"] != read.sex:
        problems["sex"] = Refusal(
            "id_number.sex", N_("The sex does not fit the ID number ({expected})."), N_("Correct the one that is wrong."),
            expected=codes.word("sex", read.sex),
        )  # fmt: skip
    return problems
