"""An instant as people type it: nothing for now, "14:30", "昨天 9:05", "11-23 14:30", "20261123"."""

import re

from gridman.domain.days import read_day
from gridman.kernel.clock import day_of, from_day, show_instant

__all__ = ["read_when"]

_CLOCK = re.compile(r"(?:^|\s)(\d{1,2})[:：](\d{2})$")
_SHORT = re.compile(r"^(\d{1,2})[-./月](\d{1,2})日?$")
_DAY_MS = 86_400_000
_BACK = {"": 0, "今天": 0, "today": 0, "昨天": 1, "yesterday": 1, "前天": 2}


def read_when(text: str, now_ms: int) -> int | None:
    """The instant meant, or None when it is not one. Without a day it is today, without a time it is now's time of day; a month and
    day without a year is the latest one that is not in the future.
    """
    text = text.strip().casefold()
    found = _CLOCK.search(text)
    rest = text[: found.start()].strip() if found else text
    day = _day(rest, now_ms)
    if day is None:
        return None
    if found is None:
        hour, minute = (int(part) for part in show_instant(now_ms)[-5:].split(":"))
        return now_ms if not rest else from_day(day, hour, minute)
    hour, minute = int(found[1]), int(found[2])
    return from_day(day, hour, minute) if hour < 24 and minute < 60 else None


def _day(text: str, now_ms: int) -> str | None:
    if text in _BACK:
        return day_of(now_ms - _BACK[text] * _DAY_MS)
    short = _SHORT.match(text)
    if short is None:
        return read_day(text)
    today = day_of(now_ms)
    year = int(today[:4])
    this_year = read_day(f"{year}-{short[1]}-{short[2]}")
    return this_year if this_year is not None and this_year <= today else read_day(f"{year - 1}-{short[1]}-{short[2]}")
