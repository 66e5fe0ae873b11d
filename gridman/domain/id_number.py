"""The citizen ID number: 18 characters, GB 11643-1999, check character by ISO 7064 MOD 11-2."""

import unicodedata
from dataclasses import dataclass
from datetime import date

__all__ = ["IdNumber", "check_character", "read_id_number", "tidy_id_number"]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


@dataclass(frozen=True)
class IdNumber:
    """What a valid number tells. `sex`: GB/T 2261.1 code. The county is the one at the time of issue and is never checked."""

    text: str
    birth_on: str
    sex: str
    county: str


def tidy_id_number(text: str) -> str:
    """Full-width digits and a small x as people type them, made plain; spaces out."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def check_character(first_17: str) -> str:
    """The 18th character for 17 digits."""
    return _CHECKS[sum(w * int(d) for w, d in zip(_WEIGHTS, first_17, strict=True)) % 11]


def read_id_number(text: str) -> IdNumber | str:
    """The number's parts, or a stable code for what is wrong: "length", "characters", "date", "check".

    A 15-digit number (before 1999) is brought to 18 digits first.
    """
    number = tidy_id_number(text)
    if len(number) == 15 and number.isascii() and number.isdigit():
        longer = number[:6] + "19" + number[6:]
        number = longer + check_character(longer)
    if len(number) != 18:
        return "length"
    if not (number.isascii() and number[:17].isdigit() and (number[17].isdigit() or number[17] == "X")):
        return "characters"
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "date"
    if check_character(number[:17]) != number[17]:
        return "check"
    return IdNumber(number, born.isoformat(), "1" if int(number[16]) % 2 else "2", number[:6])
