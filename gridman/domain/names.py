"""People's names as they are kept: every character as written (no Unicode normalisation, which would rewrite compatibility
ideographs), with the one separator of the standard, U+00B7.

Source: notice of the State Ethnic Affairs Commission and eleven ministries on names with separators (2016); domain reference 2.8.
"""

import re
import unicodedata

__all__ = ["MAX_NAME", "SEPARATOR", "name_problem", "tidy_name"]

SEPARATOR = "\u00b7"
MAX_NAME = 100
"""Unicode characters; the notice asks for 50 at least."""

_SHORT_NAME = 4
_SEPARATORS = "\u2022\u30fb\u2027\uff0e\u22c5\u2219\uff65\u25cf\u2024"
_HAN = r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\ue000-\uf8ff]"
_ANY_SEPARATOR = re.compile(rf"\s*[{_SEPARATORS}{SEPARATOR}]+\s*")
_POINT_BETWEEN_HAN = re.compile(rf"(?<={_HAN})\s*\.\s*(?={_HAN})")
_BLANK_BETWEEN_HAN = re.compile(rf"(?<={_HAN})\s+(?={_HAN})")
_BLANKS = re.compile(r"\s+")
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u2060\ufeff\u00ad]")
_LOST = re.compile("[?？□■�〓*＊]")


def tidy_name(text: str) -> str:
    """The name without what typing adds: blanks at the ends and inside short names ("张 三"), separators of any form as U+00B7
    ("阿依古丽•买买提", "阿依古丽.买买提", "阿依古丽 买买提"), invisible characters. Latin names keep one blank between words.
    """
    name = _BLANKS.sub(" ", _INVISIBLE.sub("", text)).strip()
    name = _ANY_SEPARATOR.sub(SEPARATOR, name).strip(SEPARATOR)
    name = _POINT_BETWEEN_HAN.sub(SEPARATOR, name)
    if " " in name:
        is_short = len(name.replace(" ", "")) <= _SHORT_NAME
        name = _BLANK_BETWEEN_HAN.sub("" if is_short else SEPARATOR, name)
    return name


def name_problem(name: str) -> str | None:
    """A stable code for what is wrong with a tidy name, or None: "empty", "long", "lost" (a character became ? or a box on its
    way here), "digits", "characters".
    """
    if not name:
        return "empty"
    if len(name) > MAX_NAME:
        return "long"
    if _LOST.search(name):
        return "lost"
    if any(c.isdigit() for c in name):
        return "digits"
    if not any(_is_letter(c) for c in name) or any(unicodedata.category(c) == "Cc" for c in name):
        return "characters"
    return None


def _is_letter(character: str) -> bool:
    # Private-use characters stand for rare ones in police systems; unassigned ones may be newer than this Python.
    return character.isalpha() or unicodedata.category(character) in ("Co", "Cn")
