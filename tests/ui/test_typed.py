"""Days and codes as people type them."""

import pytest

from gridman.domain import codes
from gridman.ui.typed import matching_codes, read_day

TODAY = "2026-11-23"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20261123", "2026-11-23"), ("2026-11-3", "2026-11-03"), ("2026.1.5", "2026-01-05"), ("2026年11月23日", "2026-11-23"),
        ("11-23", "2026-11-23"), ("12-31", "2025-12-31"), ("1123", "2026-11-23"), ("261101", "2026-11-01"), ("3", "2026-11-03"),
        ("昨天", "2026-11-22"), ("Yesterday", "2026-11-22"), ("今天", TODAY), ("-3", "2026-11-20"), ("+7", "2026-11-30"),
        ("２０２６１１２３", "2026-11-23"),
    ],
)  # fmt: skip
def test_a_day_is_understood(text: str, day: str) -> None:
    assert read_day(text, TODAY) == day


@pytest.mark.parametrize("text", ["", "20261323", "2026-02-30", "soon", "123", "1-2-3-4", "32", "99999"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert read_day(text, TODAY) is None


def test_a_day_to_come_may_lie_ahead() -> None:
    assert read_day("12-31", TODAY, is_past=False) == "2026-12-31"


@pytest.mark.parametrize(
    ("table", "text", "code"),
    [
        ("family_relation", "02", "02"), ("family_relation", "hz", "02"), ("family_relation", "户主", "02"),
        ("family_relation", "head", "02"), ("care_group", "dj", "V01"), ("care_group", "独居", "V01"), ("care_group", "v13", "V13"),
        ("visit_outcome", "1", "1"), ("ethnic", "hz", "01"), ("sex", "nan", "1"), ("care_group", "dulao", None),
    ],
)  # fmt: skip
def test_a_code_is_found_by_code_initials_or_name(table: str, text: str, code: str | None) -> None:
    found = matching_codes(codes.table(table), text)
    assert (found[0].code if found else None) == code


def test_nothing_typed_offers_everything_in_the_tables_order() -> None:
    assert [row.code for row in matching_codes(codes.table("sex"), " ")] == list(codes.table("sex").rows)
