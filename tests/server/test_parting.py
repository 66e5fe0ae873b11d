"""Desks that are taken out of service, lost, or too long without their street; over real TLS, to the last file on the disk."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.joining import DeskDoor, enrol_desk, move_desk, sign_in_desk
from gridman.kernel.errors import Refusal
from gridman.kernel.files import full_disk
from gridman.server.certificates import Tls, street_tls
from gridman.server.run import ServerThread
from gridman.services import handover, lease
from gridman.services.accounts import suspend
from gridman.services.audit import page_audit
from gridman.services.conflicts import open_conflicts
from gridman.services.desk import Desk
from gridman.services.enrolment import LOST, RETIRED, revoke_device
from gridman.services.handover import LOST_WINDOW_MS
from gridman.services.photos import PhotoDraft
from gridman.services.signin import desk_token, desk_users
from gridman.services.trust import desk_authority, fingerprint_of
from gridman.services.visits import VisitDraft, log_visit
from gridman.store.photo_queue import unsent_photos
from gridman.store.settings import put_setting
from gridman.sync import exchange, parting
from gridman.sync.http import HttpStreet
from gridman.sync.protocol import LastWords, Op
from tests.support.streets import PASSWORD, WORKER, Hands, TownStreet, town_street

AUDITING = Actor(0, "", "auditor", 0)
COUNTER = "Counter 2"
PASS = "a quiet morning"
DAY_MINUTES = 24 * 60


@dataclass
class Place:
    """A served street and one computer of a worker; both have the same clock, which the test turns."""

    town: TownStreet
    tls: Tls
    server: ServerThread
    url: str
    folder: Path

    @property
    def clock(self) -> Hands:
        return self.town.clock

    def enrol(self, **more: bool) -> Desk:
        desk = enrol_desk(
            self.folder, self.url, WORKER, PASS, password=PASSWORD, fingerprint=fingerprint_of(self.tls.authority), clock=self.clock,
            device_name=COUNTER, again=more.get("again", False),
        )  # fmt: skip
        desk.synchronise()
        return desk

    def sign_in(self) -> Desk:
        return sign_in_desk(self.folder, WORKER, PASS, self.clock)

    def revoke(self, replica: int, revoked_as: str) -> None:
        with self.town.street.store.unit(SYSTEM) as unit:
            revoke_device(unit, replica, revoked_as)

    def conflicts(self) -> list[Conflict]:
        with self.town.street.store.read() as reader:
            return reader.page(Conflict)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with town_street(tmp_path / "street") as town:
        tls = street_tls(town.street)
        server = ServerThread(town.street, tls=tls)
        url = server.start()
        try:
            yield Place(town, tls, server, url, tmp_path / "desk")
        finally:
            server.stop()


def refused(call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.words() and "{" not in caught.value.words()
    return caught.value


def write_something(desk: Desk, grid_id: int) -> None:
    with desk.store.unit(desk.actor) as unit:
        unit.create(Household(number="H1", grid_id=grid_id, address="Lane 1"))


def remains(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and p.name != "desk.json"]


@pytest.mark.parametrize("revoked_as", [RETIRED, LOST])
def test_a_removed_desk_hands_over_and_then_destroys_itself(place: Place, revoked_as: str) -> None:
    desk = place.enrol()
    try:
        write_something(desk, place.town.grids[0])
        place.revoke(desk.profile.replica, revoked_as)
        assert remains(place.folder)
        told = refused(desk.synchronise)
        assert told.code == "desk.destroyed" and "(entries: 1)" in told.words()
    finally:
        desk.close()
    assert remains(place.folder) == [] and desk_users(place.folder) == ()
    (found,) = place.conflicts()
    assert (found.reason, found.computer, found.lost_by_id) == (
        f"{revoked_as}_desk", COUNTER, place.town.users[WORKER]
    )  # fmt: skip
    with place.town.street.store.read() as reader:
        assert reader.count(Household) == 0  # nothing of it was applied
        (line,) = open_conflicts(reader)
    assert ("reported lost" in line.reason_words) == (revoked_as == LOST)
    assert COUNTER in line.source_words and "Worker" in line.source_words


def cut_after(calls: int, name: str = "farewell") -> pytest.MonkeyPatch:
    """The line falls at every call of this kind after so many."""
    cut, whole = pytest.MonkeyPatch(), getattr(HttpStreet, name)
    left = [calls]

    def falls(self: HttpStreet, *what: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise Refusal("sync.cut_off", "The line was cut.")
        return whole(self, *what)

    cut.setattr(HttpStreet, name, falls)
    return cut


def test_a_lost_desk_is_shut_while_it_tries_again_and_gives_up_at_the_third_contact(place: Place) -> None:
    desk = place.enrol()
    write_something(desk, place.town.grids[0])
    place.revoke(desk.profile.replica, LOST)
    cut = cut_after(0)
    try:
        for left in (2, 1):
            told = refused(desk.synchronise if left == 2 else place.sign_in)
            assert told.code == "desk.shut" and told.params["left"] == left
            desk.close()
            assert remains(place.folder) and place.conflicts() == []
        place.server.stop()
        assert refused(place.sign_in).code == "signin.expired", "without the street it opens no more"
        assert remains(place.folder)
        place.server = ServerThread(place.town.street, port=int(place.url.rsplit(":", 1)[1]), tls=place.tls)
        place.server.start()
        told = refused(place.sign_in)
        assert told.code == "desk.destroyed" and "could not be handed over" in told.words()
    finally:
        cut.undo()
    assert remains(place.folder) == [] and place.conflicts() == []


def test_a_lost_desk_whose_line_fell_once_hands_over_at_the_next_contact(place: Place) -> None:
    desk = place.enrol()
    for number in range(3):
        with desk.store.unit(desk.actor) as unit:
            unit.create(Household(number=f"H{number}", grid_id=place.town.grids[0], address="a" * 300))
    place.revoke(desk.profile.replica, LOST)
    cut = cut_after(1)  # the records went up, the last word did not
    try:
        assert refused(desk.synchronise).code == "desk.shut"
    finally:
        cut.undo()
        desk.close()
    assert len(place.conflicts()) == 3
    assert refused(place.sign_in).code == "desk.destroyed"
    assert len(place.conflicts()) == 3 and remains(place.folder) == []


def test_a_lost_desk_switched_off_at_each_try_comes_to_its_end_too(place: Place) -> None:
    desk = place.enrol()
    write_something(desk, place.town.grids[0])
    place.revoke(desk.profile.replica, LOST)

    class SwitchedOff(BaseException):
        """The power goes."""

    def off(self: HttpStreet, words: LastWords) -> object:
        raise SwitchedOff

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HttpStreet, "farewell", off)
        for number in range(3):
            with pytest.raises(SwitchedOff):
                desk.synchronise() if not number else place.sign_in()
            desk.close()
            assert remains(place.folder)
        assert refused(place.sign_in).code == "desk.destroyed"
    assert remains(place.folder) == []


def test_a_full_disk_keeps_no_lost_desk_alive(place: Place) -> None:
    desk = place.enrol()
    write_something(desk, place.town.grids[0])
    place.revoke(desk.profile.replica, LOST)
    cut = cut_after(0)
    try:
        with pytest.MonkeyPatch.context() as patched:

            def full(*_what: object) -> object:
                raise full_disk("-")

            patched.setattr(parting, "put_setting", full)
            assert refused(desk.synchronise).code == "desk.destroyed"
    finally:
        cut.undo()
        desk.close()
    assert remains(place.folder) == []


def test_a_month_after_the_report_a_lost_desk_only_destroys_itself(place: Place) -> None:
    desk = place.enrol()
    try:
        write_something(desk, place.town.grids[0])
        place.revoke(desk.profile.replica, LOST)
        place.clock.now += LOST_WINDOW_MS + 1
        told = refused(desk.synchronise)
        assert told.code == "desk.destroyed" and told.params["left"] == 1
    finally:
        desk.close()
    assert remains(place.folder) == [] and place.conflicts() == []


def test_a_lost_desk_that_has_handed_over_can_hand_nothing_over_again(place: Place) -> None:
    """Whoever took its token and records before it destroyed itself comes too late."""
    desk = place.enrol()
    stolen = HttpStreet(place.url, desk_token(desk.store), desk_authority(desk.store))
    try:
        place.revoke(desk.profile.replica, LOST)
        assert refused(desk.synchronise).code == "desk.destroyed"
        op = Op(
            1,
            "create",
            "household",
            (desk.profile.replica << 43) + 1,
            {"grid_id": place.town.grids[0]},
            {},
            "0" * 21,
            1,
        )
        assert refused(lambda: stolen.farewell(LastWords(1, desk.profile.replica, 0, [op]))).code == "handover.closed"
    finally:
        stolen.close()
        desk.close()
    assert place.conflicts() == []
    with place.town.street.store.read() as reader:
        (line,) = page_audit(reader, AUDITING, act="hand_over")
    assert '"source": "lost_desk"' in line.details or "lost_desk" in str(line.details)


def picture(size_px: int = 400) -> PhotoDraft:
    out = io.BytesIO()
    Image.effect_noise((size_px, size_px), 90).save(out, "PNG")
    return PhotoDraft(out.getvalue(), "door.png")


@pytest.mark.parametrize("is_synced", [True, False])
@pytest.mark.parametrize("revoked_as", [RETIRED, LOST])
def test_a_removed_desk_hands_its_photos_over_before_it_destroys_itself(
    place: Place, is_synced: bool, revoked_as: str
) -> None:
    with place.town.street.store.unit(SYSTEM) as unit:
        home = unit.create(Household(number="H1", grid_id=place.town.grids[0], address="Lane 1"))
    desk = place.enrol()
    try:
        with desk.store.unit(desk.actor) as unit:
            log_visit(unit, VisitDraft(home.id, "1", photos=[picture()]), desk.blobs)
        with desk.store.read() as reader:
            (name, _size), *_none = unsent_photos(reader, desk.profile.replica)
        if is_synced:  # the record went up, the photo did not
            exchange.round(desk.store, desk.synchroniser.street)  # type: ignore[attr-defined]
        place.revoke(desk.profile.replica, revoked_as)
        cut = cut_after(0, "put_blob")
        try:
            assert refused(desk.synchronise).code == ("sync.cut_off" if revoked_as == RETIRED else "desk.shut")
        finally:
            cut.undo()
        assert remains(place.folder), "it stays until its photos have arrived"
        assert refused(desk.synchronise).code == "desk.destroyed"
    finally:
        desk.close()
    assert remains(place.folder) == []
    assert place.town.street.photos.get(name) is not None
    with place.town.street.store.read() as reader:
        kept = reader.page(Conflict, record_kind="attachment")
    assert len(kept) == (0 if is_synced else 1)


def test_a_lost_desk_brings_only_photos_of_its_own_and_only_so_much(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.town.street.store.unit(SYSTEM) as unit:
        home = unit.create(Household(number="H1", grid_id=place.town.grids[0], address="Lane 1"))
    desk = place.enrol()
    street = desk.synchroniser.street  # type: ignore[attr-defined]
    with desk.store.unit(desk.actor) as unit:
        log_visit(unit, VisitDraft(home.id, "1", photos=[picture()]), desk.blobs)
    exchange.round(desk.store, street)
    with desk.store.read() as reader:
        ((name, size),) = unsent_photos(reader, desk.profile.replica)
    for nobodys in (
        street.blob_size,
        lambda name: street.put_blob(name, 0, 1, b"x"),
        lambda name: street.get_blob(name, 0, 1),
    ):
        assert refused(lambda ask=nobodys: ask("0" * 64)).code == "blob.missing"
    place.revoke(desk.profile.replica, LOST)
    for nobodys in (street.blob_size, lambda name: street.put_blob(name, 0, 1, b"x")):
        assert refused(lambda ask=nobodys: ask("0" * 64)).code == "blob.missing"
    data = desk.blobs.get(name)
    assert data is not None and street.put_blob(name, 0, size, data[:1_000]) == 1_000
    assert refused(lambda: street.get_blob(name, 0, 1)).code == "auth.device_revoked", (
        "it reads nothing, not even its own"
    )
    monkeypatch.setattr(handover, "LOST_PHOTO_BYTES", 1_500)
    assert refused(lambda: street.put_blob(name, 1_000, size, data[1_000:2_000])).code == "handover.full"
    desk.close()


def test_a_retired_desk_of_a_suspended_user_delivers_too(place: Place) -> None:
    desk = place.enrol()
    try:
        write_something(desk, place.town.grids[0])
        place.revoke(desk.profile.replica, RETIRED)
        with place.town.street.store.unit(SYSTEM) as unit:
            suspend(unit, place.town.users[WORKER])
        assert refused(desk.synchronise).code == "desk.destroyed"
    finally:
        desk.close()
    assert len(place.conflicts()) == 1


def test_a_retired_desk_is_not_destroyed_before_its_work_has_arrived(place: Place) -> None:
    desk = place.enrol()
    try:
        write_something(desk, place.town.grids[0])
        place.revoke(desk.profile.replica, RETIRED)
        with pytest.MonkeyPatch.context() as cut:

            def away(self: HttpStreet, request: object) -> object:
                raise Refusal("sync.cut_off", "The line was cut.")

            cut.setattr(HttpStreet, "farewell", away)
            assert refused(desk.synchronise).code == "sync.cut_off"
        assert remains(place.folder) and place.conflicts() == []
        assert refused(desk.synchronise).code == "desk.destroyed"
    finally:
        desk.close()
    assert len(place.conflicts()) == 1 and remains(place.folder) == []


def test_an_unknown_token_destroys_nothing(place: Place) -> None:
    desk = place.enrol()
    try:
        with desk.store.unit(SYSTEM) as unit:
            put_setting(unit, "street.token", "gm1.2.nonsense")
        desk.synchroniser.close()
        assert refused(desk.synchronise).code == "auth.unknown_token"
    finally:
        desk.close()
    assert remains(place.folder)
    place.sign_in().close()


def test_a_desk_enrolled_again_is_not_destroyed_with_the_old_one(place: Place) -> None:
    old = place.enrol()
    new = place.enrol(again=True)
    try:
        place.revoke(old.profile.replica, LOST)
        assert refused(old.synchronise).code == "desk.destroyed"
        assert new.synchronise().complete
    finally:
        old.close()
        new.close()
    assert [u.replica for u in desk_users(place.folder)] == [new.profile.replica]
    place.sign_in().close()


def test_two_weeks_without_the_street_shut_the_desk_until_it_is_reached(place: Place) -> None:
    place.enrol().close()
    place.server.stop()
    place.clock.pass_minutes(13.9 * DAY_MINUTES)
    desk = place.sign_in()
    with desk.store.read() as reader:
        soon = lease.ending_soon(reader)
    desk.close()
    assert soon is not None and soon.params["days"] == 0
    place.clock.pass_minutes(0.2 * DAY_MINUTES)
    assert refused(place.sign_in).code == "signin.expired"
    place.clock.pass_minutes(-10 * DAY_MINUTES)  # turning the clock back gains nothing
    assert refused(place.sign_in).code == "signin.expired"
    place.clock.pass_minutes(10 * DAY_MINUTES)
    place.server = ServerThread(place.town.street, port=int(place.url.rsplit(":", 1)[1]), tls=place.tls)
    place.server.start()
    place.sign_in().close()
    place.server.stop()
    place.clock.pass_minutes(13 * DAY_MINUTES)
    place.sign_in().close()
    place.clock.pass_minutes(2 * DAY_MINUTES)
    place.server = ServerThread(place.town.street, tls=place.tls)  # it moved meanwhile
    place.url = place.server.start()
    assert refused(place.sign_in).code == "signin.expired"
    assert move_desk(place.folder, WORKER, PASS, place.url, place.clock).server_url == place.url
    place.sign_in().close()


def test_a_desk_in_contact_is_told_nothing_and_renews_once_a_day(place: Place) -> None:
    desk = place.enrol()
    try:
        ends = []
        for minutes in (0, 10, 2 * DAY_MINUTES, 0):
            place.clock.pass_minutes(minutes)
            desk.synchronise()
            with desk.store.read() as reader:
                ends.append(lease.lease_of(reader).not_after)
                assert lease.ending_soon(reader) is None
    finally:
        desk.close()
    assert ends[0] == ends[1] < ends[2] == ends[3] == place.clock.now + lease.LEASE_MS


def test_unlocking_the_window_after_two_weeks_asks_for_the_street_too(place: Place) -> None:
    desk = place.enrol()
    try:
        place.server.stop()
        door = DeskDoor(place.folder)
        place.clock.pass_minutes(15 * DAY_MINUTES)
        assert refused(lambda: door.unlock(desk, PASS)).code == "signin.expired"
    finally:
        desk.close()


def test_tickets_that_are_forged_changed_or_another_desks_are_not_kept(place: Place) -> None:
    desk = place.enrol()
    street = place.town.street
    try:
        place.clock.pass_minutes(DAY_MINUTES)
        good = lease.issue_ticket(street.store, street.key, desk.profile.replica, 1)
        other = lease.issue_ticket(street.store, street.key, desk.profile.replica + 1, 1)
        said, _, signature = good.partition(".")
        with desk.store.unit(SYSTEM) as unit:
            for bad in (
                "",
                ".",
                "汉.字",
                said,
                f"{said}.{signature[:-4]}AAAA",
                f"{said[:-8]}AAAAAAA=.{signature}",
                other,
            ):
                assert not lease.keep_ticket(unit, bad), bad
            before = lease.lease_of(unit).not_after
            assert lease.keep_ticket(unit, good) and lease.lease_of(unit).not_after > before
            put_setting(unit, "lease.ticket", None)
            assert lease.lease_of(unit).is_over  # taking the ticket away does not help either
    finally:
        desk.close()


def test_the_signing_key_lies_sealed_and_does_not_open_with_another_key(place: Place) -> None:
    store, key = place.town.street.store, place.town.street.key
    assert lease.signer_of(store, key) == lease.signer_of(store, key)
    with pytest.raises(Refusal) as caught:
        lease.sign(store, bytes(32), b"x")
    assert caught.value.code == "street.other_key"
