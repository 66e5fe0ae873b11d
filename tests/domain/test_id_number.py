"""Citizen ID numbers: GB 11643 check, birth date, sex."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridman.domain.id_number import IdNumber, check_character, read_id_number


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("11010519491231002X", "11010519491231002X"),  # published example of the standard
        ("440524188001010014", "440524188001010014"),  # published example, born 1880
        ("11010519491231002x", "11010519491231002X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        (" 110105 19491231 002X ", "11010519491231002X"),
        ("830000199201300022", "830000199201300022"),  # residence permit, prefix 83
        ("990101199003070015", "990101199003070015"),  # a county that does not exist is no error
        ("110105491231002", "11010519491231002X"),  # fifteen digits, before 1999
    ],
)
def test_valid_numbers(typed: str, kept: str) -> None:
    read = read_id_number(typed)
    assert isinstance(read, IdNumber) and read.text == kept


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("110105194912310021", "check"),
        ("110105194913310020", "date"),
        ("11010519491231002", "length"),
        ("", "length"),
        ("1101051949123100X2", "characters"),
        ("A1010519491231002X", "characters"),
    ],
)
def test_what_is_wrong_is_named(typed: str, problem: str) -> None:
    assert read_id_number(typed) == problem


def test_birth_date_sex_and_county_are_told() -> None:
    read = read_id_number("11010519491231002X")
    assert isinstance(read, IdNumber)
    assert (read.birth_on, read.sex, read.county) == ("1949-12-31", "2", "110105")


@given(st.dates().filter(lambda d: d.year >= 1000), st.integers(0, 999), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(born: object, sequence: int, at: int, shift: int) -> None:
    first = f"990101{str(born).replace('-', '')}{sequence:03d}"
    number = first + check_character(first)
    assert isinstance(read_id_number(number), IdNumber)
    wrong = f"{number[:at]}{(int(number[at]) + shift) % 10}{number[at + 1 :]}"
    assert isinstance(read_id_number(wrong), str)
