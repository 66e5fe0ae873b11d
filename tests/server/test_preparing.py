"""A server that nobody asks for anything makes snapshots ahead, and lets go of that at once when somebody does."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.kernel.progress import Cancelled
from gridman.server import preparing
from gridman.server.app import street_app
from gridman.server.preparing import Preparing
from gridman.server.run import ServerThread
from gridman.sync.snapshots import Snapshots
from tests.server.conftest import GENEROUS
from tests.support.streets import TownStreet, town_street

LONG_S = 20.0


@dataclass
class Quiet:
    """A server at which so many calls are under way."""

    calls_under_way: int = 0
    quiet_since: float = 0.0


@pytest.fixture
def town(tmp_path: object) -> Iterator[TownStreet]:
    with town_street(tmp_path / "street") as made:  # type: ignore[operator]
        with made.street.store.unit(SYSTEM) as unit:
            for n in range(40):
                unit.create(Household(number=f"H{n}", grid_id=made.grids[0], address=f"Weir Lane {n}"))
        yield made


def small_ones(town: TownStreet) -> Snapshots:
    street = town.street
    return Snapshots(street.data_dir / "snapshots", street.key, street.clock, least_rows=2, segment_rows=3)


def wait_for(snapshots: Snapshots, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not snapshots.bytes_on_disk():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_a_quiet_server_prepares_and_stops_well(town: TownStreet) -> None:
    snapshots = small_ones(town)
    app = street_app(town.street, GENEROUS, snapshots=snapshots)
    app.state.parts.preparing.quiet_s = 0.2
    with ServerThread(app):
        assert wait_for(snapshots, LONG_S)


def test_a_busy_server_does_not(town: TownStreet) -> None:
    snapshots = small_ones(town)
    app = street_app(town.street, GENEROUS, snapshots=snapshots)
    app.state.parts.preparing.quiet_s = 0.2
    app.state.parts.traffic.running = 1
    with ServerThread(app):
        assert not wait_for(snapshots, 1.5)
        app.state.parts.traffic.running = 0
        assert wait_for(snapshots, LONG_S)


def test_it_waits_for_calls_gives_up_when_they_last_and_hurries_for_who_waits_for_it(
    town: TownStreet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "_PATIENCE_S", 0.3)
    calls, snapshots = Quiet(1), small_ones(town)
    work = Preparing(town.street, snapshots, calls)
    with pytest.raises(Cancelled):
        work._give_way("g:1")
    threading.Timer(0.1, lambda: setattr(calls, "calls_under_way", 0)).start()
    work._give_way("g:1")
    calls.calls_under_way = 1
    snapshots._awaited["g:1"] = 1
    work._give_way("g:1")
    snapshots._awaited["g:1"] = calls.calls_under_way = 0
    work.give_up()
    with pytest.raises(Cancelled):
        work._give_way("g:1")


def test_nothing_is_looked_at_again_while_nothing_changes(town: TownStreet, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    inner = preparing.prepare

    def counted(*args: object, **more: object) -> object:
        passes.append(1)
        return inner(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(preparing, "prepare", counted)
    work = Preparing(town.street, small_ones(town), Quiet())
    work._pass(), work._pass()
    assert len(passes) == 1
    with town.street.store.unit(SYSTEM) as unit:
        unit.create(Household(number="H99", grid_id=town.grids[0], address="Weir Lane 99"))
    work._pass()
    assert len(passes) == 2
