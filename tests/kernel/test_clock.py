"""Instants and days."""

import pytest

from gridman.kernel import clock


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        (1_795_406_400_000, "2026-11-23 12:00"),
        (0, "1970-01-01 08:00"),
        (-1, "1970-01-01 07:59"),
        (-1_577_952_000_000, "1920-01-01 00:00"),
        (253_402_243_199_999, "9999-12-31 15:59"),
    ],
)
def test_any_instant_is_shown_and_dated(monkeypatch: pytest.MonkeyPatch, instant: int, shown: str) -> None:
    """Windows converts no instant before 1970 nor after 3000, so its conversion is not asked."""

    class Asked(clock.datetime):
        @classmethod
        def fromtimestamp(cls, *args: object, **kwargs: object) -> "Asked":
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(clock, "datetime", Asked)
    assert clock.show_instant(instant) == shown
    assert clock.day_of(instant) == shown[:10]
    assert clock.from_day(shown[:10], int(shown[11:13]), int(shown[14:])) // 60_000 == instant // 60_000


def test_lists_leave_the_year_out_within_it_and_the_hour_out_of_others() -> None:
    now = clock.from_day("2026-01-01", 0, 30)
    assert clock.show_lately(clock.from_day("2026-01-01", 0, 5), now) == "01-01 00:05"
    assert clock.show_lately(clock.from_day("2025-12-31", 23, 59), now) == "2025-12-31"
    assert clock.show_lately(clock.from_day("2027-03-02", 8), now) == "2027-03-02"
