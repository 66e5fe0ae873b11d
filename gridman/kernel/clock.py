"""The only place that reads the time of day. Instants are int milliseconds since the epoch, UTC; days are "YYYY-MM-DD"."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

__all__ = [
    "CHINA",
    "INSTANTS",
    "Clock",
    "day_of",
    "days_between",
    "from_day",
    "show_day",
    "show_instant",
    "show_lately",
    "system_clock",
]

Clock = Callable[[], int]
"""Gives the present instant in milliseconds; injected wherever time matters, so tests and the simulator can lie."""

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China keeps one civil time and no summer time since 1991, so a fixed offset is exact for every record we hold."""

INSTANTS = range(-(1 << 45), 1 << 45)
"""What can be shown as a day of the calendar, and then some: the years 855 to 3084."""

_EPOCH = datetime(1970, 1, 1, 8, tzinfo=CHINA)


def system_clock() -> int:
    """Now, by this computer's clock."""
    return time.time_ns() // 1_000_000


def day_of(instant_ms: int) -> str:
    """The civil day in China on which `instant_ms` falls, as "YYYY-MM-DD"."""
    return _at(instant_ms).date().isoformat()


def show_instant(instant_ms: int) -> str:
    """`instant_ms` for people: "2026-11-23 14:32", China time."""
    return _at(instant_ms).strftime("%Y-%m-%d %H:%M")


def show_lately(instant_ms: int, now_ms: int | None = None) -> str:
    """`instant_ms` for narrow lists: "11-23 14:32" within this year, "2025-11-23" in another."""
    then, now = _at(instant_ms), _at(system_clock() if now_ms is None else now_ms)
    return then.strftime("%m-%d %H:%M" if then.year == now.year else "%Y-%m-%d")


def _at(instant_ms: int) -> datetime:
    """By arithmetic: Windows' own conversion refuses instants before 1970."""
    return _EPOCH + timedelta(milliseconds=instant_ms)


def from_day(day: str, hour: int = 0, minute: int = 0) -> int:
    """The instant of `hour`:`minute` China time on `day` ("YYYY-MM-DD")."""
    d = date.fromisoformat(day)
    return int(datetime(d.year, d.month, d.day, hour, minute, tzinfo=CHINA).timestamp() * 1000)


def days_between(earlier: str, later: str) -> int:
    """Whole days from `earlier` to `later`, both "YYYY-MM-DD"; negative when reversed."""
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days


def show_day(day: str, language: str) -> str:
    """A day for headers: "11月23日 周一" or "Mon 23 Nov"."""
    d = date.fromisoformat(day)
    if language == "zh_CN":
        return f"{d.month}月{d.day}日 周{'一二三四五六日'[d.weekday()]}"
    return f"{d:%a} {d.day} {d:%b}"
