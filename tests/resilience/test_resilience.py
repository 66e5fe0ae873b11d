"""A short run of `python -m tests.resilience`, and that its judge would see what it looks for."""

from pathlib import Path

import pytest

from gridman.domain.visit import Visit
from gridman.services.street import open_street
from gridman.store.store import Store
from tests.resilience.__main__ import told
from tests.resilience.judge import digest_of_street, judge
from tests.resilience.run import run
from tests.support.link import Weather

pytestmark = pytest.mark.slow

_KILLS = 8
_WEATHER = Weather(
    rtt_s=0.03, bytes_per_s=400_000, loss=0.02, cut_every_s=3, lost_answers=0.05, silences=0.01, dead_s=0.3
)


def spoil(store: Store, statement: str) -> None:
    """What no part of the program would do: past the journal."""
    with store.database.writer.begin() as connection:
        connection.exec_driver_sql(statement)


def test_nothing_is_lost_or_doubled_by_kills_and_a_bad_line(tmp_path: Path) -> None:
    report = run(tmp_path, _WEATHER, kills=_KILLS, seed=20_261_128, seconds=8)
    assert report.is_sound, told(report)
    assert report.desk_kills.total() + report.street_kills + report.postman_kills == _KILLS
    assert report.saved.count > 40 and report.saved.saves["photo"] and report.bundles, told(report)
    assert report.line.turns > 15, told(report)
    street = open_street(tmp_path / "street", must_exist=True)
    try:
        assert judge(report.saved, street).lost == []
        report.saved.saves["visit"]["never made"] = 1
        assert judge(report.saved, street).lost == ["visit 1 never made"]
        with street.store.read() as reader:
            one, other = reader.page(Visit, limit=2)
            user_id = reader.page(Visit, limit=1)[0].user_id
        before = digest_of_street(street, user_id or 0)
        spoil(
            street.store, f"UPDATE visit SET note = (SELECT note FROM visit WHERE id = {one.id}) WHERE id = {other.id}"
        )
        sums = judge(report.saved, street)
        assert sums.doubled == [f"visit {one.note}"] and f"visit {other.id} {other.note}" in sums.lost
        assert digest_of_street(street, user_id or 0) != before
    finally:
        street.close()
