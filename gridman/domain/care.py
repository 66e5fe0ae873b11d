"""Care groups that follow from a household's own data, and the restricted groups that are never stored.

Source: domain reference 5.3. Age and household decide V01 (lives alone, 60+), V02 (empty nest: several people, all 60+) and V03
(80+); the political status decides V23. The others are given by hand, with evidence.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from gridman.domain.cadence import age_on
from gridman.kernel.paths import resource

__all__ = ["AUTOMATIC", "BY_RULE", "Member", "automatic_groups", "is_restricted"]

AUTOMATIC = frozenset({"V01", "V02", "V03", "V23"})
BY_RULE = "按规则自动判定"
"""Evidence of a tag that a rule gave: when the rule no longer holds, the tag ends."""

_ALONE, _EMPTY_NEST, _VERY_OLD, _PARTY = "V01", "V02", "V03", "V23"
_PARTY_CODES = frozenset({"01", "02"})
_OLD, _VERY_OLD_AGE = 60, 80


@dataclass(frozen=True)
class Member:
    """What the rules look at in a resident who lives in the household today."""

    birth_on: str | None
    political: str | None = None


def automatic_groups(members: Sequence[Member], today: str) -> list[set[str]]:
    """The automatic groups of each member, in the members' order. Someone of unknown age counts as young: no guess is made."""
    ages = [age_on(member.birth_on, today) for member in members]
    are_all_old = bool(ages) and all(age is not None and age >= _OLD for age in ages)
    found: list[set[str]] = []
    for member, age in zip(members, ages, strict=True):
        groups = set()
        if are_all_old:
            groups.add(_ALONE if len(members) == 1 else _EMPTY_NEST)
        if age is not None and age >= _VERY_OLD_AGE:
            groups.add(_VERY_OLD)
        if member.political in _PARTY_CODES:
            groups.add(_PARTY)
        found.append(groups)
    return found


@cache
def _restricted_words() -> tuple[frozenset[str], tuple[str, ...]]:
    with resource("codes", "vulnerable_groups.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["kind"] in ("restricted", "DO NOT STORE")]
    exact = {text.casefold() for r in rows for text in (r["code"], r["name_zh"], r["name_en"])}
    return frozenset(exact), (
        "刑满释放",
        "刑释",
        "社区矫正",
        "精神障碍",
        "精神病",
        "吸毒",
        "戒毒",
        "艾滋",
        "hiv",
        "aids",
    )


def is_restricted(word: str) -> bool:
    """Whether a care category names a group with a confidentiality law of its own, which this program does not keep."""
    exact, parts = _restricted_words()
    plain = word.strip().casefold()
    return plain in exact or any(part in plain for part in parts)
