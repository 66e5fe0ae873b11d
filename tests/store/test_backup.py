"""Backup and restore of a street and of a desk: real files, real keys, desks that go on working in between."""

import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.attachment import Attachment
from gridman.domain.household import Household
from gridman.kernel.errors import Refusal
from gridman.services.audit import page_audit
from gridman.services.backup import back_up_street, restore_street, verify_street_backup
from gridman.services.enrolment import Enrolled, actor_of_token, enrol
from gridman.services.street import Street, open_street
from gridman.store import outbox, tables
from gridman.store.accounts import street_identity
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal
from gridman.store.keys import Cost
from gridman.store.photo_queue import mark_photo_sent, unsent_photos
from gridman.store.store import Store
from gridman.sync.replica import Replica
from tests.support.streets import CHEAP_HASHER, PASSWORD, STAFF, WORKER, TownStreet, town_street
from tests.sync.world import Desk, InProcess, Watch, open_copy

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PASSPHRASE = "the safe in the office"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[TownStreet]:
    with town_street(tmp_path / "street") as town:
        yield town


def back_up(street: Street, to: Path) -> Path:
    back_up_street(street, to, PASSPHRASE, cost=CHEAP)
    return to


def joined(town: TownStreet, folder: Path, login: str) -> tuple[Desk, Enrolled]:
    """A desk of that user, in this process."""
    enrolled = enrol(town.street.store, login, "pc", password=PASSWORD, hasher=CHEAP_HASHER)
    clock = Watch(town.clock.now)
    store = Store(open_copy(folder / f"{login}.db"), enrolled.replica, [DeskJournal(), Indexer()], clock)
    return Desk(store, enrolled.user_id, way(town.street, enrolled), clock), enrolled


def way(street: Street, enrolled: Enrolled) -> InProcess:
    def actor() -> Actor:
        with street.store.read() as reader:
            return actor_of_token(reader, enrolled.token)

    return InProcess(Replica(street.store), actor)


def found(desk: Desk, grid: int, address: str) -> int:
    with desk.store.unit(desk.actor) as unit:
        return unit.create(Household(grid_id=grid, address=address)).id


def addresses(store: Store) -> list[tuple[str, str | None]]:
    with store.read() as reader:
        return sorted((h.address or "", h.remark) for h in reader.page(Household))


def test_what_was_acknowledged_after_the_backup_is_there_again_exactly_once(made: TownStreet, tmp_path: Path) -> None:
    one, one_says = joined(made, tmp_path, WORKER)
    two, two_says = joined(made, tmp_path, STAFF)
    one.sync(), two.sync()
    first = found(one, made.grids[0], "Weir Lane 1")
    one.sync(), two.sync()
    backup = back_up(made.street, tmp_path / "street.backup")

    one.amend(first, remark="a dog")
    found(one, made.grids[0], "Weir Lane 2")
    two.amend(first, phones="13800000000")
    with one.store.unit(one.actor) as unit:
        photo = Attachment(
            owner_kind="household", owner_id=first, sha256="ab" * 32, size_bytes=10, grid_id=made.grids[0]
        )
        unit.create(photo)
    mark_photo_sent(one.store, "ab" * 32, 10)
    one.sync(), two.sync(), one.sync()
    with one.store.read() as reader:
        assert unsent_photos(reader, one.store.replica) == []
    with one.store.read() as reader:
        assert outbox.waiting_count(reader) == 0
    found(one, made.grids[0], "Weir Lane 3")  # not sent before the street is lost
    wanted = [("Weir Lane 1", "a dog"), ("Weir Lane 2", None), ("Weir Lane 3", None)]
    made.street.close()

    restored = restore_street(backup, tmp_path / "new", PASSPHRASE, made.clock)
    street = open_street(tmp_path / "new", None, made.clock)
    try:
        assert addresses(street.store) == [("Weir Lane 1", None)]
        one.street, two.street = way(street, one_says), way(street, two_says)
        for _ in range(2):
            one.sync(), two.sync()
        assert addresses(street.store) == addresses(one.store) == addresses(two.store) == wanted
        with street.store.read() as reader:
            assert reader.get(Household, first).phones == "13800000000"
            creations = (
                select(func.count())
                .select_from(tables.journal)
                .where(tables.journal.c.kind == "create", tables.journal.c.entity == "household")
            )
            assert reader.connection.execute(creations).scalar() == 3
        with one.store.read() as reader:
            assert set(outbox.counts(reader)) == {"settled"}
            assert unsent_photos(reader, one.store.replica) == [("ab" * 32, 10)], "every photo is offered again"
        assert restored.epoch not in ("", restored.manifest.epoch)
    finally:
        street.close()
        one.store.close(), two.store.close()


def test_a_desk_notices_the_new_life_even_when_its_numbers_have_passed_the_old_ones(
    made: TownStreet, tmp_path: Path
) -> None:
    desk, says = joined(made, tmp_path, STAFF)
    desk.sync()
    backup = back_up(made.street, tmp_path / "street.backup")
    with made.street.store.unit(SYSTEM) as unit:
        unit.create(Household(grid_id=made.grids[0], address="made on the lost street only"))
    desk.sync()
    made.street.close()
    restored = restore_street(backup, tmp_path / "new", PASSPHRASE, made.clock)
    street = open_street(tmp_path / "new", None, made.clock)
    try:
        for number in range(5):
            with street.store.unit(SYSTEM) as unit:
                unit.create(Household(grid_id=made.grids[0], address=f"Weir Lane {number}"))
        desk.street = way(street, says)
        desk.sync()
        assert addresses(desk.store) == addresses(street.store) == [(f"Weir Lane {n}", None) for n in range(5)]
        with street.store.read() as reader:
            assert street_identity(reader)[1] == restored.epoch
    finally:
        street.close()
        desk.store.close()


def test_a_restored_street_never_gives_a_number_twice(made: TownStreet, tmp_path: Path) -> None:
    backup = back_up(made.street, tmp_path / "street.backup")
    lost = enrol(made.street.store, WORKER, "pc", password=PASSWORD, hasher=CHEAP_HASHER).replica
    with made.street.store.unit(SYSTEM) as unit:
        gone = unit.create(Household(grid_id=made.grids[0], address="after the backup")).id
    restore_street(backup, tmp_path / "new", PASSPHRASE, made.clock)
    street = open_street(tmp_path / "new", None, made.clock, hasher=CHEAP_HASHER)
    try:
        assert enrol(street.store, WORKER, "pc", password=PASSWORD, hasher=CHEAP_HASHER).replica > lost
        with street.store.unit(SYSTEM) as unit:
            assert unit.create(Household(grid_id=made.grids[0], address="another")).id > gone
        with street.store.read() as reader:
            assert "restore" in [row.act for row in page_audit(reader, SYSTEM)]
    finally:
        street.close()


def test_photos_come_back_and_a_backup_holds_nothing_in_the_open(made: TownStreet, tmp_path: Path) -> None:
    import hashlib

    photo = b"picture of a broken lamp" * 100
    name = hashlib.sha256(photo).hexdigest()
    made.street.photos.put(name, photo)
    with made.street.store.unit(SYSTEM) as unit:
        unit.create(Household(grid_id=made.grids[0], address="Weir Lane seventeen"))
    backup = back_up(made.street, tmp_path / "street.backup")
    raw = backup.read_bytes()
    for open_text in (b"Weir Lane seventeen", b"broken lamp", made.street.key, made.street.key.hex().encode()):
        assert open_text not in raw
    assert verify_street_backup(backup, PASSPHRASE).photo_count == 1
    restore_street(backup, tmp_path / "new", PASSPHRASE, made.clock)
    street = open_street(tmp_path / "new", None, made.clock)
    try:
        assert street.photos.get(name) == photo
    finally:
        street.close()


def test_a_backup_taken_while_others_write_is_one_moment(made: TownStreet, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with made.street.store.unit(SYSTEM) as unit:  # two records in one unit: never one without the other
                for side in "ab":
                    unit.create(Household(grid_id=made.grids[0], address=f"{number}{side}"))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(3):
            backup = back_up(made.street, tmp_path / f"{turn}.backup")
            verify_street_backup(backup, PASSPHRASE)
    finally:
        stop.set()
        writer.join()
    restore_street(backup, tmp_path / "new", PASSPHRASE, made.clock)
    street = open_street(tmp_path / "new", None, made.clock)
    try:
        with street.store.read() as reader:
            count = reader.count(Household)
        assert count > 0 and count % 2 == 0
    finally:
        street.close()


@pytest.mark.parametrize("place", [0.0, 0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_changed_or_cut_backup_is_refused_and_leaves_nothing(made: TownStreet, tmp_path: Path, place: float) -> None:
    good = back_up(made.street, tmp_path / "street.backup").read_bytes()
    end = good.rindex(b'"mac"')
    at = int(end * place)
    flipped = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
    for content in (flipped, good[:at]):
        bad = tmp_path / "bad.backup"
        bad.write_bytes(content)
        with pytest.raises(Refusal):
            restore_street(bad, tmp_path / "new", PASSPHRASE, made.clock)
        assert not (tmp_path / "new").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".gridman")] == []


def test_a_member_put_in_by_another_hand_is_refused(made: TownStreet, tmp_path: Path) -> None:
    """With a manifest that fits, but not the key to sign it."""
    from gridman.store.archive import manifest_of, unpack, write_archive

    backup = back_up(made.street, tmp_path / "street.backup")
    manifest = manifest_of(backup)
    unpack(backup, manifest, tmp_path / "open")
    sources = [(m.name, tmp_path / "open" / m.name) for m in manifest.members]
    write_archive(tmp_path / "forged", manifest, bytes(32), [*sources, ("blobs/aa/bb", b"not ours")])
    with pytest.raises(Refusal) as caught:
        verify_street_backup(tmp_path / "forged", PASSPHRASE)
    assert caught.value.code == "backup.damaged"


def test_a_path_that_leaves_the_folder_is_refused(made: TownStreet, tmp_path: Path) -> None:
    from gridman.store.archive import manifest_of, unpack, write_archive

    manifest = manifest_of(back_up(made.street, tmp_path / "street.backup"))
    write_archive(tmp_path / "forged", manifest, bytes(32), [("../outside", b"x")])
    with pytest.raises(Refusal):
        unpack(tmp_path / "forged", manifest_of(tmp_path / "forged"), tmp_path / "in")
    assert not (tmp_path / "outside").exists()


def test_a_wrong_passphrase_opens_nothing(made: TownStreet, tmp_path: Path) -> None:
    backup = back_up(made.street, tmp_path / "street.backup")
    with pytest.raises(Refusal) as caught:
        verify_street_backup(backup, PASSPHRASE + "!")
    assert caught.value.code == "backup.wrong_passphrase"


def test_nothing_is_overwritten(made: TownStreet, tmp_path: Path) -> None:
    backup = back_up(made.street, tmp_path / "street.backup")
    with pytest.raises(Refusal) as caught:
        back_up(made.street, backup)
    assert caught.value.code == "backup.exists"
    with pytest.raises(Refusal) as caught:
        restore_street(backup, made.street.data_dir, PASSPHRASE, made.clock)
    assert caught.value.code == "backup.folder_in_use"


def test_a_backup_is_a_plain_tar(made: TownStreet, tmp_path: Path) -> None:
    with tarfile.open(back_up(made.street, tmp_path / "street.backup")) as tar:
        assert tar.getnames() == ["keys.json", "street.key.sealed", "street.db", "manifest.json"]
