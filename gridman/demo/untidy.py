"""Cells as people type them: valid, but not in the kept form. Shows that the importer copes."""

import re
from collections.abc import Callable
from random import Random

__all__ = ["untidy"]

_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
_SHARE = 0.04


def _id_number(text: str, random: Random) -> str:
    return random.choice(
        (text.translate(_FULL_WIDTH), text.lower(), f" {text}", f"{text[:6]} {text[6:14]} {text[14:]}")
    )


def _day(text: str, random: Random) -> str:
    year, month, day = text.split("-")
    forms = (
        f"{year}{month}{day}",
        f"{year}.{int(month)}.{int(day)}",
        f"{year}年{int(month)}月{int(day)}日",
        f"{year}/{month}/{day}",
    )
    return random.choice(forms)


def _phones(text: str, random: Random) -> str:
    first, *rest = text.split(";")
    spaced = f"{first[:3]} {first[3:7]} {first[7:]}" if len(first) == 11 else first
    form = random.choice(
        (spaced, f"{first}.0" if not rest and len(first) == 11 else first, first.translate(_FULL_WIDTH))
    )
    return "、".join([form, *rest])


def _name(text: str, random: Random) -> str:
    if "·" in text:
        return text.replace("·", random.choice("•・．"))
    return f"{text[0]}{random.choice(' 　')}{text[1]}" if len(text) == 2 else text


def _word(replaced: dict[str, str]) -> Callable[[str, Random], str]:
    return lambda text, random: replaced.get(text, text)


_WAYS: dict[str, Callable[[str, Random], str]] = {
    "name": _name,
    "id_number": _id_number,
    "birth_on": _day,
    "phones": _phones,
    "building": lambda text, random: re.sub("号楼$", random.choice("栋幢"), text),
    "room": lambda text, random: f"{text}室",
    "unit": lambda text, random: text.removesuffix("单元"),
    "ethnic": lambda text, random: text.removesuffix("族"),
    "political": _word({"中共党员": "党员", "共青团员": "团员"}),
    "marital": _word({"离异": "离婚"}),
    "relation": _word({"子": "儿子", "女": "女儿", "配偶": "爱人"}),
    "population_type": _word({"户籍人口": "户籍", "流动人口": "流动"}),
}


def untidy(person: dict[str, str], random: Random) -> int:
    """Retype some of a person's cells; returns how many."""
    count = 0
    for name, retype in _WAYS.items():
        text = person.get(name)
        if text and random.random() < _SHARE and (name != "id_number" or person["id_kind"] == "居民身份证"):
            person[name] = retype(text, random)
            count += person[name] != text
    return count
