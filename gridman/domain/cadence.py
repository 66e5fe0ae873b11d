"""When a household is due for a visit: the shortest interval of its people's care groups after the last effective visit.

Source: domain reference 5.2 (engine rule and recommended defaults); the intervals are data in `resources/codes/visit_intervals.csv`.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache

from gridman.kernel.clock import day_of, days_between
from gridman.kernel.paths import resource

__all__ = ["Interval", "age_on", "derive_due", "shortest_interval"]

FIRST_VISIT_AT_ONCE_DAYS = 30
"""A household that has never been visited is due at once when its interval is at most this; otherwise within its interval."""


@dataclass(frozen=True)
class Interval:
    """Visit at least every `days`; `reason` is the care group that asks for it, "rented", or "" for any household."""

    days: int
    reason: str


@cache
def _rules() -> tuple[tuple[str, int, int], ...]:
    with resource("codes", "visit_intervals.csv").open(encoding="utf-8", newline="") as file:
        return tuple((r["care_group"], int(r["min_age"]), int(r["days"])) for r in csv.DictReader(file))


def age_on(birth_on: str | None, day: str) -> int | None:
    """Full years of age on `day`; None when the birth date is unknown or malformed."""
    if not birth_on:
        return None
    try:
        born, on = date.fromisoformat(birth_on), date.fromisoformat(day)
    except ValueError:
        return None
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def shortest_interval(tags: Iterable[tuple[str, int | None]], is_rented: bool = False) -> Interval:
    """The interval of a household whose people carry these (care group, age) tags."""
    return _shortest(tuple(tags), is_rented)


@lru_cache(maxsize=4_096)
def _shortest(carried: tuple[tuple[str, int | None], ...], is_rented: bool) -> Interval:
    best = Interval(10_000, "")
    for group, min_age, days in _rules():
        if days >= best.days:
            continue
        applies = (
            group == ""
            or (group == "rented" and is_rented)
            or any(g == group and (min_age == 0 or (age is not None and age >= min_age)) for g, age in carried)
        )
        if applies:
            best = Interval(days, group)
    return best


def derive_due(interval: Interval, last_effective_at: int | None, registered_on: str) -> str:
    """The day the next visit is due, "YYYY-MM-DD"."""
    if last_effective_at is not None:
        return _plus(day_of(last_effective_at), interval.days)
    if interval.days <= FIRST_VISIT_AT_ONCE_DAYS:
        return registered_on
    return _plus(registered_on, interval.days)


def _plus(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def overdue_days(due_on: str | None, today: str) -> int:
    """Days past the due day; 0 when not overdue."""
    return max(0, days_between(due_on, today)) if due_on else 0
