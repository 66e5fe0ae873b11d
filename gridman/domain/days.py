"""Days of the calendar as people and spreadsheets write them."""

import re
import unicodedata
from datetime import date, datetime, timedelta

__all__ = ["day_of_serial", "read_day"]

_SERIAL_ZERO = date(1899, 12, 30)
_EARLIEST = date(1850, 1, 1)
_LATEST = date(2200, 1, 1)
_PARTS = re.compile(
    r"^(\d{4})[-./年\s](\d{1,2})[-./月\s](\d{1,2})(?:日|号)?\.?(?:\s+\d{1,2}:\d{2}(?::\d{2})?(?:\.0+)?)?$"
)
_SOLID = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:\.0)?$")
_SERIAL = re.compile(r"^\d{4,5}(?:\.\d+)?$")


def read_day(value: str | float | date | None) -> str | None:
    """The day meant by a cell, as "YYYY-MM-DD", or None: 19800103, 1980-01-03, 1980.1.3, 1980/1/3, 1980年1月3日, full-width
    digits, a date value, a day number of Excel. The day may not lie before 1850 or after 2200.
    """
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return _of_number(float(value))
    text = unicodedata.normalize("NFKC", value or "").strip()
    if _SERIAL.match(text) and len(text.split(".")[0]) == 5:
        return day_of_serial(float(text))
    found = _SOLID.match(text) or _PARTS.match(text)
    return _day(*(int(part) for part in found.groups())) if found else None


def _of_number(value: float) -> str | None:
    if value != value or abs(value) > 1e9:
        return None
    solid = _SOLID.match(str(int(value)))
    return _day(*(int(part) for part in solid.groups())) if solid else day_of_serial(value)


def day_of_serial(serial: float) -> str | None:
    """The day of Excel's day number (1900 system: 1 is 1900-01-01; exact from 61, 1900-03-01, on)."""
    if not 61 <= serial < 110_000:
        return None
    return (_SERIAL_ZERO + timedelta(days=int(serial))).isoformat()


def _day(year: int, month: int, day: int) -> str | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found.isoformat() if _EARLIEST <= found < _LATEST else None
