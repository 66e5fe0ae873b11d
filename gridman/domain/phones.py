"""Telephone numbers as people write them: several in one cell, full-width digits, spreadsheets' ".0", country code, dashes."""

import re
import unicodedata
from dataclasses import dataclass

__all__ = ["Phones", "read_phones"]

_BETWEEN = re.compile(r"[;,/、|\n]+|(?<=\d)\s*(?:或|和)\s*(?=\d)")
_NUMBER_TAIL = re.compile(r"\.0+$")
_COUNTRY = re.compile(r"^(?:\+|00)86")
_DASHES = re.compile("[\u2010-\u2015\u2212_ー]")
_MOBILE = re.compile(r"^1[3-9][0-9]{9}$")
_SERVICE = re.compile(r"^[48]00[0-9]{7}$")


@dataclass(frozen=True)
class Phones:
    """What a cell held: numbers in their kept form, and the parts that are no numbers."""

    numbers: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As a record keeps them: joined by ";"."""
        return ";".join(self.numbers)


def read_phones(text: str) -> Phones:
    """The numbers in `text`. Mobiles are 11 digits; landlines "010-65431234", with "-" and an extension if there is one."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    numbers: list[str] = []
    wrong: list[str] = []
    for part in _BETWEEN.split(plain):
        whole = _read_one("".join(part.split()))
        if whole is not None:  # "138 1234 5678" is one number, "13812345678 13912345678" are two
            numbers += [whole] if whole else []
            continue
        for piece in part.split():
            read = _read_one(piece)
            (wrong if read is None else numbers).append(piece if read is None else read)
    return Phones(tuple(dict.fromkeys(numbers)), tuple(dict.fromkeys(wrong)))


def _read_one(text: str) -> str | None:
    """One number in its kept form, "" for nothing, None for no number."""
    text = _COUNTRY.sub("", _NUMBER_TAIL.sub("", text)).strip("-")
    digits = text.replace("-", "")
    if not digits:
        return ""
    if _MOBILE.match(digits):
        return digits
    if _SERVICE.match(digits):
        return digits
    return _landline(text)


def _landline(text: str) -> str | None:
    area = re.match(r"^\(?(010|02[0-9]|0[3-9][0-9]{2})\)?-?", text)
    rest = text[area.end() :] if area else text
    found = re.match(r"^([0-9]{7,8}|[0-9]{3,4}-[0-9]{4})(?:(?:转|ext|x|-)([0-9]{1,6}))?$", rest)
    if not found:
        return None
    return "-".join(p for p in (area.group(1) if area else "", found[1].replace("-", ""), found[2]) if p)
