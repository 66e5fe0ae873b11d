"""Days in the many forms people and spreadsheets give them."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridman.domain.days import read_day


@pytest.mark.parametrize(
    "typed",
    ["19800103", "1980-01-03", "1980-1-3", "1980.1.3", "1980/01/03", "1980年1月3日", "１９８０．１．３", " 1980-01-03 ", "1980-01-03 00:00:00",
     "19800103.0", "29223", 19800103, 19800103.0, 29223, 29223.0, date(1980, 1, 3), datetime(1980, 1, 3, 8, 30)],  # noqa: DTZ001
)  # fmt: skip
def test_one_day_in_many_forms(typed: str | float | date) -> None:
    assert read_day(typed) == "1980-01-03"


@pytest.mark.parametrize(
    "typed", ["1980-02-30", "1980年1月", "80.1.3", "3/1/1980", "19801303", "1849-12-31", "", "无", 0.5, 7.0, 1e12, None]
)
def test_what_is_no_whole_day_is_no_day(typed: str | float | None) -> None:
    assert read_day(typed) is None


@given(st.dates(date(1901, 1, 1), date(2199, 12, 31)))
def test_every_day_comes_back_from_its_serial_number(day: date) -> None:
    serial = (day - date(1899, 12, 30)) // timedelta(days=1)
    assert read_day(float(serial)) == day.isoformat() or serial > 109_999
