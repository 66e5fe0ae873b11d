"""A copy of a desk hands its work over to a real server while both are killed at any moment: all of it is in the review list, once."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.services.street import open_street
from gridman.services.visits import VisitDraft, log_visit
from gridman.store.outbox import waiting_count
from tests.journeys.mortal import Mortal, enrol, found, killed_handing_over, open_again

pytestmark = pytest.mark.slow


def work(data: Path, word: str, count: int) -> set[str]:
    """Visits of a day, each with words of its own."""
    desk = open_again(data)
    with desk.store.read() as reader:
        homes = [home.id for home in reader.page(Household)]
    words = {f"{word} {number}" for number in range(count)}
    for home, note in zip(homes, sorted(words), strict=False):
        with desk.store.unit(desk.actor) as unit:
            log_visit(unit, VisitDraft(home, "1", note=note), desk.blobs)
    desk.close()
    return words


def test_a_copy_killed_again_and_again_hands_everything_over_once(tmp_path: Path) -> None:
    found(tmp_path / "street")
    server = Mortal(tmp_path / "street")
    server.start()
    data, copy = tmp_path / "desk", tmp_path / "copy"
    enrol(data, server.url)
    desk = open_again(data)
    desk.synchronise()
    desk.close()
    shutil.copytree(data, copy)
    ours, theirs = work(data, "by the original", 12), work(copy, "by the copy", 12)
    desk = open_again(data)
    desk.synchronise()
    desk.close()
    kills = 0
    for moment in ("before", "after", "within"):
        for turn in (1, 2):
            kills += killed_handing_over(copy, moment, turn)
            server.kill()
            server.start()
    assert kills == 6
    desk = open_again(copy)
    with pytest.raises(Refusal) as told:
        desk.synchronise()
    assert told.value.code == "sync.fork" and told.value.params["count"] == len(theirs)
    with desk.store.read() as reader:
        assert waiting_count(reader) == 0
    desk.close()
    server.kill()
    street = open_street(tmp_path / "street", must_exist=True)
    try:
        with street.store.read() as reader:
            assert Counter(visit.note for visit in reader.page(Visit)) == Counter(ours)
            kept = reader.page(Conflict, reason="copied_desk")
            assert Counter(json.loads(c.lost or "")["note"] for c in kept) == Counter(theirs)
            assert len({c.record_id for c in kept}) == len(theirs)
    finally:
        street.close()
