"""A desk's folder restored from an older copy, or copied to a second computer: told in words, nothing lost, nothing taken twice."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.domain.visit import Visit
from gridman.joining import join_desk, sign_in_desk
from gridman.kernel.errors import Refusal
from gridman.server.app import street_app
from gridman.server.run import ServerThread
from gridman.services.signin import set_up_desk
from gridman.services.visits import VisitDraft, log_visit
from gridman.store.keys import Cost
from gridman.store.outbox import waiting_count
from gridman.sync.http import enrol_over_http
from tests.support.streets import PASSWORD, WORKER, Hands, TownStreet, town_street

PASSPHRASE = "a passphrase of tests"


@dataclass
class Computers:
    """A served street, and the folder of a desk that has sent one visit."""

    town: TownStreet
    folder: Path

    def copy(self, name: str) -> Path:
        return Path(shutil.copytree(self.folder, self.folder.with_name(name)))

    def at_the_street(self) -> set[str | None]:
        with self.town.street.store.read() as reader:
            return {v.note for v in reader.page(Visit)}


def opened(folder: Path) -> Any:
    return sign_in_desk(folder, WORKER, PASSPHRASE)


def log(desk: Any, word: str) -> int:
    with desk.store.read() as reader:
        home = reader.page(Household, limit=1)[0].id
    with desk.store.unit(desk.actor) as unit:
        return log_visit(unit, VisitDraft(home, "1", note=word), desk.blobs).id


def work(folder: Path, *words: str) -> None:
    desk = opened(folder)
    for word in words:
        log(desk, word)
    desk.synchronise()
    desk.close()


@pytest.fixture
def computers(tmp_path: Path) -> Iterator[Computers]:
    clock = Hands(int(time.time() * 1_000))
    with town_street(tmp_path / "street", clock=clock) as town:
        with town.street.store.unit(SYSTEM) as unit:
            unit.create(Household(number="H1", grid_id=town.grids[0], address="Lane 1"))
        with ServerThread(street_app(town.street)) as url:
            enrolled = enrol_over_http(url, WORKER, "Counter", password=PASSWORD)
            parts = set_up_desk(tmp_path / "desk", enrolled, url, PASSPHRASE, cost=Cost(64, 1, 1))
            desk = join_desk(parts)
            desk.synchronise()
            log(desk, "first")
            desk.synchronise()
            desk.close()
            yield Computers(town, tmp_path / "desk")


def assert_told(desk: Any) -> None:
    with pytest.raises(Refusal) as refused:
        desk.synchronise()
    assert refused.value.code == "sync.fork"
    assert "set this computer up again" in refused.value.words().lower()


def test_an_older_copy_without_work_of_its_own_is_told_and_still_works(computers: Computers) -> None:
    old = computers.copy("old")
    work(computers.folder, "second", "third")
    desk = opened(old)
    assert_told(desk)
    assert log(desk, "written on the old copy"), "numbers in use were given out again"
    assert_told(desk)
    with desk.store.read() as reader:
        assert waiting_count(reader) == 1
    desk.close()
    assert computers.at_the_street() == {"first", "second", "third"}


def test_an_older_copy_with_other_work_is_told_and_keeps_it(computers: Computers) -> None:
    old = computers.copy("old")
    work(computers.folder, "second")
    desk = opened(old)
    mine = log(desk, "other work under the same number")
    assert_told(desk)
    with desk.store.read() as reader:
        assert waiting_count(reader) == 1
        assert reader.get(Visit, mine).note == "other work under the same number"
    desk.close()
    assert computers.at_the_street() == {"first", "second"}


def test_two_computers_on_one_desk_find_out_at_the_next_sync(computers: Computers) -> None:
    clone = computers.copy("clone")
    work(clone, "by the clone")
    desk = opened(computers.folder)
    assert_told(desk)
    log(desk, "by the original")
    assert_told(desk)
    desk.close()
    assert computers.at_the_street() == {"first", "by the clone"}


def test_an_older_copy_goes_on_when_nothing_was_sent_since(computers: Computers) -> None:
    old = computers.copy("old")
    work(old, "after the restore")
    assert computers.at_the_street() == {"first", "after the restore"}


def test_work_that_waited_in_the_copy_and_was_sent_since_is_not_taken_twice(computers: Computers) -> None:
    desk = opened(computers.folder)
    log(desk, "waiting when copied")
    desk.close()
    old = computers.copy("old")
    work(computers.folder)
    work(old)
    assert computers.at_the_street() == {"first", "waiting when copied"}
