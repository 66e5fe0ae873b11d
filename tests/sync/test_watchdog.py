"""Work that waits though the way is open is told with a reason and what helps; over a real line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gridman.kernel.errors import Refusal
from tests.support.line import NO_REST, Line, line_to
from tests.support.link import Weather

BREAKING = Weather(most_up=1_500, dead_s=0.0)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with line_to(tmp_path) as made:
        yield made


def try_in_vain(line: Line, times: int, minutes: float) -> None:
    for _try in range(times):
        with pytest.raises(Refusal):
            line.desk.synchronise()
        line.town.clock.pass_minutes(minutes)


def test_work_that_nobody_tries_to_send_is_told(line: Line) -> None:
    line.works(2)
    line.town.clock.pass_minutes(29)
    assert line.desk.status().kind == "waiting"
    line.town.clock.pass_minutes(2)
    status = line.desk.status()
    assert (status.kind, status.waiting, status.reason.code) == ("blocked", 2, "sync.not_tried")
    assert "Synchronise now" in status.reason.words()
    line.desk.synchronise()
    assert line.desk.status().kind == "up_to_date"


def test_a_connection_that_breaks_each_time_is_told_with_the_stick_as_a_way_out(line: Line) -> None:
    line.link.weather = BREAKING
    assert line.desk.synchronise().complete, "small messages pass"
    line.works(40)
    try_in_vain(line, 3, 9)
    assert line.desk.status().kind == "offline", "27 minutes are not yet half an hour"
    try_in_vain(line, 1, 9)
    status = line.desk.status()
    assert (status.kind, status.waiting, status.reason.code) == ("blocked", 40, "sync.keeps_breaking")
    assert "USB stick" in status.reason.words()
    line.link.weather = NO_REST
    line.desk.synchronise()
    assert line.desk.status().kind == "up_to_date"


def test_a_desk_without_a_network_is_offline_and_not_blocked(line: Line) -> None:
    line.works(1)
    line.desk.synchroniser.close()
    line.link.weather = Weather(dead_s=1_000_000.0)
    line.link.cut()
    try_in_vain(line, 8, 9)
    status = line.desk.status()
    assert (status.kind, status.waiting, status.reason.code) == ("offline", 1, "sync.unreachable")


def test_a_desk_opened_after_a_holiday_is_not_blocked_before_it_could_try(line: Line, tmp_path: Path) -> None:
    from gridman.joining import sign_in_desk
    from tests.support.streets import WORKER

    line.works(1)
    line.desk.close()
    line.town.clock.pass_minutes(7 * 24 * 60)
    again = sign_in_desk(tmp_path / "desk", WORKER, "a quiet morning", line.town.clock)
    try:
        assert again.status().kind == "waiting"
        line.town.clock.pass_minutes(31)
        assert again.status().reason.code == "sync.not_tried"
    finally:
        again.close()
