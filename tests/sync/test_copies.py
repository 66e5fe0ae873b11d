"""A desk's folder restored from an older copy, or copied to a second computer: told in words, nothing lost, nothing taken twice."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gridman.cli.folder_checks import check_street, open_street_inside
from gridman.domain.access import SYSTEM, Actor
from gridman.domain.conflict import HANDED_OVER, Conflict
from gridman.domain.household import Household
from gridman.domain.visit import Visit
from gridman.joining import join_desk, sign_in_desk
from gridman.kernel.errors import Refusal
from gridman.server.app import street_app
from gridman.server.run import ServerThread
from gridman.services.audit_anchor import broken_logs
from gridman.services.audit_log import verify_log
from gridman.services.enrolment import RETIRED, enrol, revoke_device
from gridman.services.handover import note_copied
from gridman.services.photos import PhotoDraft
from gridman.services.signin import set_up_desk
from gridman.services.visits import VisitDraft, log_visit
from gridman.store.accounts import amend_device
from gridman.store.changes import Changes
from gridman.store.keys import Cost
from gridman.store.outbox import receipts, waiting_count
from gridman.store.photo_queue import unsent_photos
from gridman.sync.http import HttpStreet, enrol_over_http
from gridman.sync.protocol import Answer, LastWords
from tests.resilience.work import picture
from tests.support.streets import CHEAP_HASHER, PASSWORD, WORKER, Hands, TownStreet, town_street

PASSPHRASE = "a passphrase of tests"
AUDITING = Actor(0, "", "auditor", 0)


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

    def to_review(self) -> list[str]:
        """The notes of the visits that wait for a decision."""
        with self.town.street.store.read() as reader:
            kept = reader.page(Conflict, record_kind="visit", reason=HANDED_OVER)
        return sorted(json.loads(c.lost or "")["note"] for c in kept)


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


def assert_told(desk: Any, handed_over: int | None = 0) -> None:
    """What a copy hears: how many cards of the review list are its work (None: it could not hand them over)."""
    with pytest.raises(Refusal) as refused:
        desk.synchronise()
    words = refused.value.words()
    assert refused.value.code == "sync.fork" and "{" not in words
    assert "set this computer up again" in words.lower()
    if handed_over is None:
        assert "at its next contact" in words
    elif handed_over:
        assert f"review list (entries: {handed_over})" in words
    else:
        assert "nothing is lost" in words
    with desk.store.read() as reader:
        assert waiting_count(reader) == 0 or handed_over is None


def test_an_older_copy_without_work_of_its_own_is_told_and_hands_over_what_is_written_on_it(
    computers: Computers,
) -> None:
    old = computers.copy("old")
    work(computers.folder, "second", "third")
    desk = opened(old)
    assert_told(desk)
    assert log(desk, "written on the old copy"), "numbers in use were given out again"
    assert_told(desk, 1)
    assert_told(desk, 1)
    desk.close()
    assert computers.at_the_street() == {"first", "second", "third"}
    assert computers.to_review() == ["written on the old copy"]


def test_an_older_copy_with_other_work_is_told_and_keeps_showing_it(computers: Computers) -> None:
    old = computers.copy("old")
    work(computers.folder, "second")
    desk = opened(old)
    mine = log(desk, "other work under the same number")
    shown: list[Changes] = []
    desk.tell_changes(shown.append)
    assert_told(desk, 1)
    assert any(c.concerns(["visit"]) for c in shown), "the lists must show that it waits no longer"
    with desk.store.read() as reader:
        assert reader.get(Visit, mine).note == "other work under the same number"
        assert [r.verdict for r in receipts(reader, 1)] == ["set_aside"]
    desk.close()
    assert computers.at_the_street() == {"first", "second"}
    assert computers.to_review() == ["other work under the same number"]


def test_the_line_falls_before_and_after_the_street_has_taken_it(computers: Computers) -> None:
    """Cut on the way there, cut on the way back, and the program ended before it noted the answer: in the review list once."""
    old = computers.copy("old")
    work(computers.folder, "second")
    desk = opened(old)
    log(desk, "on the copy")
    whole = HttpStreet.farewell
    for is_taken in (False, True):

        def cut(self: HttpStreet, words: LastWords, is_taken: bool = is_taken) -> Answer:
            if is_taken:
                whole(self, words)
            raise Refusal("sync.cut_off", "The line was cut.")

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(HttpStreet, "farewell", cut)
            assert_told(desk, None)
        assert len(computers.to_review()) == is_taken
        desk.close()
        desk = opened(old)
    assert_told(desk, 1)
    desk.close()
    assert computers.to_review() == ["on the copy"]


def test_the_photos_of_a_copy_are_handed_over_too(computers: Computers) -> None:
    old = computers.copy("old")
    work(computers.folder, "second")
    desk = opened(old)
    with desk.store.read() as reader:
        home = reader.page(Household, limit=1)[0].id
    with desk.store.unit(desk.actor) as unit:
        log_visit(
            unit,
            VisitDraft(home, "1", note="with a photo", photos=[PhotoDraft(picture(Random(1), 200), "door.png")]),
            desk.blobs,
        )
    with desk.store.read() as reader:
        ((name, _size),) = unsent_photos(reader, desk.profile.replica)
    assert_told(desk, 2)  # the visit and its photo
    desk.close()
    assert computers.town.street.photos.get(name) is not None
    with computers.town.street.store.read() as reader:
        (photo,) = reader.page(Conflict, record_kind="attachment")
        (visit,) = reader.page(Conflict, record_kind="visit", reason=HANDED_OVER)
    assert json.loads(photo.lost or "")["owner_id"] == visit.record_id


def test_a_copy_that_is_reported_lost_hands_over_as_lost_and_destroys_itself(computers: Computers) -> None:
    old = computers.copy("old")
    work(computers.folder, "second")
    desk = opened(old)
    assert_told(desk)
    log(desk, "on the copy")
    with computers.town.street.store.unit(SYSTEM) as unit:
        revoke_device(unit, desk.profile.replica)
    with pytest.raises(Refusal) as refused:
        desk.synchronise()
    assert refused.value.code == "desk.destroyed"
    desk.close()
    with computers.town.street.store.read() as reader:
        assert len(reader.page(Conflict, reason="lost_desk")) == 1
    assert computers.to_review() == ["on the copy"]


def test_a_copy_never_takes_rows_in_again(computers: Computers) -> None:
    """Not even when the street, put back from its own backup, would answer as if nothing were wrong."""
    old = computers.copy("old")
    work(computers.folder, "second")
    desk = opened(old)
    assert_told(desk)
    with (
        computers.town.street.store.database.writing,
        computers.town.street.store.database.writer.begin() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM sync_op WHERE n > 1")
    with desk.store.read() as reader:
        before = reader.count(Visit)
    assert_told(desk)
    with desk.store.read() as reader:
        assert reader.count(Visit) == before
    desk.close()


def test_two_computers_on_one_desk_find_out_at_the_next_sync(computers: Computers) -> None:
    clone = computers.copy("clone")
    work(clone, "by the clone")
    desk = opened(computers.folder)
    assert_told(desk)
    log(desk, "by the original")
    assert_told(desk, 1)
    desk.close()
    assert computers.at_the_street() == {"first", "by the clone"}
    assert computers.to_review() == ["by the original"]


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


def test_the_audit_logs_of_copies_are_told_apart_from_tampering(computers: Computers) -> None:
    """The folder of a desk was copied, and overview, computers page and doctor called it tampering for good."""
    street = computers.town.street

    def told() -> list[tuple[bool, bool]]:
        with street.store.read() as reader:
            return [(b.is_copy, b.is_open) for b in broken_logs(reader)]

    clone = computers.copy("clone")
    for folder in (clone, computers.folder):  # both sign in, which each notes in the same line of its log
        work(folder)
    assert told() == [(False, True)], "who signs in on a copy has not said yet that it is one"
    with street.store.read() as reader:
        line = broken_logs(reader)[0].line
    work(clone, "there")
    desk = opened(computers.folder)
    log(desk, "here")
    assert_told(desk, 1)
    desk.close()
    work(clone, "more")
    with closing(open_street_inside(street.data_dir, None)) as inside:
        found = [p for f in check_street(street.data_dir, inside) if not f.is_warning for p in f.problems]
        noted = [p for f in check_street(street.data_dir, inside) if f.is_warning for p in f.problems]
    assert not found and [p.params["line"] for p in noted if p.code == "doctor.desk_copied"] == [line]
    with street.store.read() as reader:
        (shown,) = verify_log(reader, AUDITING).desks
        assert shown.line == line < shown.device.audit_n, "the log that goes on does not move the line"
    assert told() == [(True, True)]
    with street.store.unit(SYSTEM) as unit:
        revoke_device(unit, 2, RETIRED)
    assert told() == [(True, False)]


def test_a_copied_computer_that_was_set_up_anew_needs_nobody_any_more(computers: Computers) -> None:
    store = computers.town.street.store
    with store.unit(SYSTEM) as unit:
        amend_device(unit, 2, audit_broken_at=unit.at)
        note_copied(unit, 2)
    computers.town.clock.pass_minutes(1)
    with store.read() as reader:
        assert broken_logs(reader)[0].is_open
    enrol(store, WORKER, "Counter", password=PASSWORD, hasher=CHEAP_HASHER)
    with store.read() as reader:
        assert not broken_logs(reader)[0].is_open
