"""Masking: the rules of the code table, and that nothing slips through when a value has another shape."""

import csv
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridman.domain import masking
from gridman.domain.id_number import check_character
from gridman.kernel.paths import resource

_RULES = list(csv.DictReader(resource("codes", "masking_rules.csv").read_text(encoding="utf-8-sig").splitlines()))


@pytest.mark.parametrize("rule", [r for r in _RULES if r["example_in"]], ids=lambda r: r["rule"])
def test_each_rule_gives_the_example_of_the_code_table(rule: dict[str, str]) -> None:
    assert masking.MASKS[rule["rule"]](rule["example_in"]) == rule["example_out"]


def test_every_rule_named_by_a_form_exists() -> None:
    forms = csv.DictReader(resource("codes", "forms_ledgers.csv").read_text(encoding="utf-8-sig").splitlines())
    assert {row["mask_rule_when_printed"] for row in forms} <= set(masking.MASKS)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13812345678", "138****5678"),
        ("+86 13812345678", "+86 138****5678"),
        ("010-12345678", "010-******78"),
        ("0571-8765432-801", "0571-*****32-801"),
        ("13812345678;13987654321", "138****5678;139****4321"),
        ("12345", "***45"),
        ("", ""),
    ],
)
def test_phones_of_every_shape(number: str, masked: str) -> None:
    assert masking.mask_phone(number) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("990101198001011234", "990101********1234"),
        ("990101800101123", "990101******123"),
        ("E12345678", "E1*****78"),
        ("123", "***"),
    ],
)
def test_documents_of_every_shape(number: str, masked: str) -> None:
    assert masking.mask_id(number) == masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张伟", "张*"),
        ("欧阳修", "欧阳*"),
        ("欧阳", "欧*"),
        ("单于", "单*"),
        ("阿依古丽·买买提", "阿***·***"),
        ("吴𠀀珍", "吴**"),
    ],
)
def test_names_keep_their_surname_only(name: str, masked: str) -> None:
    assert masking.mask_name(name) == masked


def test_an_address_without_a_building_keeps_its_village_and_hides_the_door() -> None:
    assert masking.mask_address("望江镇柳荫村12组8号") == "望江镇柳荫村***"
    assert masking.mask_address("滨河路12号") == "滨河路***"


def test_numbers_inside_free_text_are_masked_and_nothing_else() -> None:
    text = "女儿电话13912345678，证件99010119800101123x，档案号20261123000012345678"
    assert masking.mask_within(text) == "女儿电话139****5678，证件990101********123x，档案号20261123000012345678"


@given(st.text(alphabet="0123456789X-; 张", max_size=25))
def test_no_rule_lengthens_or_fails_on_any_text(text: str) -> None:
    for rule in ("mask_id", "mask_id_strict", "mask_phone", "mask_plate", "mask_name"):
        assert len(masking.MASKS[rule](text)) <= len(text)


@given(st.from_regex(r"[1-9]\d{16}[\dX]", fullmatch=True))
def test_a_masked_citizen_number_never_shows_its_birth_date(number: str) -> None:
    assert masking.mask_id(number)[6:14] == "********"


@pytest.mark.parametrize(
    ("day", "shown"),
    [("1988-09-03", "1988"), ("19880903", "1988"), ("1988.9.3", "1988"), ("1988-09", "1988"), ("1988", "1988"),
     ("", ""), ("03/09/1988", "**********")],
)  # fmt: skip
def test_of_a_birth_date_the_year_is_left(day: str, shown: str) -> None:
    assert masking.mask_birth(day) == shown


@given(st.dates(date(1920, 1, 1), date(2026, 1, 1)), st.integers(0, 999))
def test_what_a_masked_line_shows_fits_many_numbers(born: date, order: int) -> None:
    """The birth date beside a masked number must not complete it: of the days it leaves open, many fit the check character."""
    shown = masking.mask_birth(born.isoformat())
    first = f"990101{born:%Y%m%d}{order:03d}"
    tail = f"{order:03d}{check_character(first)}"
    days = [born.replace(month=1, day=1) + timedelta(days=n) for n in range(366)]
    fitting = [
        d for d in days
        if masking.mask_birth(d.isoformat()) == shown and check_character(f"990101{d:%Y%m%d}{order:03d}") == tail[3]
    ]  # fmt: skip
    assert born in fitting and len(fitting) >= 20


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("女儿 138-1234-5678，", "女儿 138******5678，"),
        ("女儿138 1234 5678", "女儿138******5678"),
        ("证号990101 19490307 0019", "证号990101********0019"),
        ("证号990101-19490307-001x。", "证号990101********001x。"),
        ("家里0571-88886666", "家里0571-******66"),
        ("3-1-502，2026-11-23 14:30，1380 户", "3-1-502，2026-11-23 14:30，1380 户"),
    ],
)
def test_numbers_in_parts_inside_free_text_are_masked_too(text: str, masked: str) -> None:
    assert masking.mask_within(text) == masked
