"""Telephone numbers as people and spreadsheets write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridman.domain.person import Person
from gridman.domain.phones import read_phones
from gridman.domain.rules import check


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("13812345678", "13812345678"),
        ("13800000000.0", "13800000000"),
        ("138 1234 5678", "13812345678"),
        ("138-1234-5678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("+86 13812345678", "13812345678"),
        ("13812345678;010-65431234", "13812345678;010-65431234"),
        ("13812345678、13912345678", "13812345678;13912345678"),
        ("13812345678 13912345678", "13812345678;13912345678"),
        ("13812345678；13812345678", "13812345678"),
        ("010 6543 1234", "010-65431234"),
        ("(0571)87654321", "0571-87654321"),
        ("0571-87654321-801", "0571-87654321-801"),
        ("0571-87654321转801", "0571-87654321-801"),
        ("87654321", "87654321"),
        ("4001234567", "4001234567"),
        ("", ""),
        (" ; ", ""),
    ],
)
def test_numbers_are_read_into_one_form(typed: str, numbers: str) -> None:
    found = read_phones(typed)
    assert (found.text, found.wrong) == (numbers, ())


@pytest.mark.parametrize("typed", ["1381234567", "138123456789", "12", "23812345678", "没有", "abc", "1.38E+10"])
def test_what_is_no_number_is_named(typed: str) -> None:
    assert read_phones(typed).wrong == (typed,)


def test_one_wrong_number_does_not_hide_the_right_one() -> None:
    found = read_phones("13812345678;999999")
    assert (found.numbers, found.wrong) == (("13812345678",), ("999999",))


@given(
    st.lists(
        st.from_regex(r"\A(1[3-9][0-9]{9}|0(10|2[0-9]|[3-9][0-9]{2})-[2-8][0-9]{7}|[2-8][0-9]{7})\Z"),
        min_size=1,
        max_size=3,
        unique=True,
    )
)
def test_what_is_read_is_what_a_record_may_keep(numbers: list[str]) -> None:
    kept = read_phones("；".join(numbers)).text
    assert kept == ";".join(numbers)
    assert "phones" not in check(Person, {"phones": kept}, is_new=False)
