"""Care groups that follow from age and household, and the restricted ones that are never kept."""

import csv

import pytest

from gridman.domain import codes
from gridman.domain.care import Member, automatic_groups, is_restricted
from gridman.kernel.paths import resource

TODAY = "2026-11-23"


def groups(*births: str | None) -> list[set[str]]:
    return automatic_groups([Member(birth) for birth in births], TODAY)


def test_an_elder_alone() -> None:
    assert groups("1966-11-23") == [{"V01"}]
    assert groups("1966-11-24") == [set()]


def test_an_empty_nest_is_several_people_all_of_whom_are_old() -> None:
    assert groups("1950-01-01", "1956-01-01") == [{"V02"}, {"V02"}]
    assert groups("1950-01-01", "1990-01-01") == [set(), set()]


def test_eighty_years_count_for_themselves() -> None:
    assert groups("1946-11-23", "1990-01-01") == [{"V03"}, set()]
    assert groups("1940-01-01") == [{"V01", "V03"}]


def test_someone_of_unknown_age_is_not_taken_for_old() -> None:
    assert groups("1950-01-01", None) == [set(), set()]
    assert groups(None) == [set()]


def test_party_members_by_political_status() -> None:
    assert automatic_groups([Member("1990-01-01", "01"), Member("1990-01-01", "13")], TODAY) == [{"V23"}, set()]


def test_every_restricted_group_is_recognised_by_code_and_name_and_no_other() -> None:
    with resource("codes", "vulnerable_groups.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        expected = row["code"].startswith("K")
        assert is_restricted(row["code"]) == is_restricted(row["name_zh"]) == expected


@pytest.mark.parametrize("word", ["社区矫正人员", "刑释人员", "精神障碍患者", "艾滋病", "吸毒"])
def test_other_words_for_restricted_groups_are_recognised(word: str) -> None:
    assert is_restricted(word)
    assert codes.table("care_group").read(word) is None
