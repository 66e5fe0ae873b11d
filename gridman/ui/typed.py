"""What a person types, understood: days in short forms, and codes by code, name or pinyin initials. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

from gridman.domain.codes import Code
from gridman.domain.search_words import readings_of

__all__ = ["matching_codes", "read_day"]

_NEAR = {
    "今天": 0, "今日": 0, "today": 0, "t": 0, "jt": 0, "昨天": -1, "昨日": -1, "yesterday": -1, "y": -1, "zt": -1, "前天": -2,
    "qt": -2, "明天": 1, "tomorrow": 1, "mt": 1,
}  # fmt: skip
_PARTS = re.compile(r"\d+")


def read_day(text: str, today: str, *, is_past: bool = True) -> str | None:
    """The day meant by `text`, as "YYYY-MM-DD", or None.

    Understands 20261123, 2026-11-23, 2026.11.23, 2026年11月23日, 11-23 and 1123 (this year, or last year when that would lie in the
    future and `is_past`), 23 (this month), 今天, 昨天, yesterday, -3 (days ago), +7.
    """
    typed = unicodedata.normalize("NFKC", text).strip().casefold()
    now = date.fromisoformat(today)
    if typed in _NEAR:
        return (now + timedelta(days=_NEAR[typed])).isoformat()
    if re.fullmatch(r"[+-]\d{1,4}", typed):
        return (now + timedelta(days=int(typed))).isoformat()
    parts = _PARTS.findall(typed)
    if not re.fullmatch(r"[\d\s./年月日号-]+", typed) or not 1 <= len(parts) <= 3:
        return None
    if len(parts) == 1:
        parts = _cut(parts[0])
    try:
        if len(parts) == 3:
            return date(_year(parts[0]), int(parts[1]), int(parts[2])).isoformat()
        if len(parts) == 2:
            found = date(now.year, int(parts[0]), int(parts[1]))
            return (found.replace(year=now.year - 1) if is_past and found > now else found).isoformat()
        return now.replace(day=int(parts[0])).isoformat() if parts else None
    except ValueError:
        return None


def _year(digits: str) -> int:
    if len(digits) not in (2, 4):
        raise ValueError(digits)
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def _cut(digits: str) -> list[str]:
    """Digits without signs between: 20261123, 261123, 1123, 23."""
    if len(digits) == 8:
        return [digits[:4], digits[4:6], digits[6:]]
    if len(digits) == 6:
        return [digits[:2], digits[2:4], digits[4:]]
    if len(digits) == 4:
        return [digits[:2], digits[2:]]
    return [digits] if len(digits) <= 2 else []


def matching_codes(rows: Iterable[Code], text: str) -> list[Code]:
    """The rows meant by `text`, the likeliest first: its code, its pinyin initials or pinyin, its name in either language."""
    wanted = unicodedata.normalize("NFKC", text).strip().casefold()
    if not wanted:
        return list(rows)
    ranked = [(rank, number, row) for number, row in enumerate(rows) if (rank := _rank(row, wanted)) is not None]
    return [row for _rank_, _number, row in sorted(ranked, key=lambda found: found[:2])]


def _rank(row: Code, wanted: str) -> int | None:
    code, zh, en = row.code.casefold(), row.zh.casefold(), row.en.casefold()
    if wanted in (code, zh, en):
        return 0
    if code.startswith(wanted):
        return 1
    if wanted.isascii() and wanted.isalpha():
        initials, whole = _pinyin(row.zh)
        if initials.startswith(wanted):
            return 2
        if whole.startswith(wanted):
            return 3
        if en.startswith(wanted):
            return 2
        if any(word.startswith(wanted) for word in en.split()):
            return 4
        return 6 if wanted in initials else None
    if zh.startswith(wanted):
        return 2
    return 5 if wanted in zh or wanted in en else None


@lru_cache(maxsize=4_096)
def _pinyin(name: str) -> tuple[str, str]:
    said = [readings[0] for readings in readings_of(name) if readings]
    return "".join(one[0] for one in said), "".join(said)
