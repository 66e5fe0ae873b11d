"""Photos: rows go ahead of their pieces, none is lost with a grid or a computer, and none stays where its record is not."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from gridman.domain.attachment import Attachment
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Cancelled, Ticket
from gridman.services.conflicts import open_conflicts, resolve
from gridman.services.scoped import require_blob, require_sendable_blob
from gridman.store.blobs import BlobStore
from gridman.store.photo_queue import mark_photo_sent, unsent_photos
from gridman.sync.photos import CHUNK_BYTES, PhotoLane
from gridman.sync.session import DeskSync
from tests.sync.test_spoilt_photos import session, take_photos, unsent
from tests.sync.world import Desk, World

BIG = os.urandom(CHUNK_BYTES * 4 + 17)


class Shelf:
    """The street in-process with its own photo files and its own rules about who may send and see; `on_piece` runs at each piece."""

    def __init__(self, world: World, desk: Desk, folder: Path) -> None:
        self.exchange, self.greet = desk.street.exchange, desk.street.greet
        self.world, self.desk = world, desk
        self.blobs = BlobStore(folder, bytes(32))
        self.pieces: list[str] = []
        self.on_piece: Any = lambda: None
        self.cut_after: int | None = None

    def _may(self, rule: Any, sha256: str) -> None:
        with self.world.store.read() as reader:
            rule(reader, self.desk.actor, sha256)

    def _go(self, what: str) -> None:
        if self.cut_after is not None and len(self.pieces) >= self.cut_after:
            self.cut_after = None
            raise Refusal("sync.cut_off", "The line was cut.")
        self.pieces.append(what)
        self.on_piece()

    def blob_size(self, sha256: str) -> int | None:
        self._may(require_sendable_blob, sha256)
        return (self.blobs.received(sha256) or (0, 0))[0] or None

    def put_blob(self, sha256: str, offset: int, total: int, chunk: bytes) -> int:
        self._may(require_sendable_blob, sha256)
        self._go("up")
        return self.blobs.append(sha256, offset, total, chunk)

    def get_blob(self, sha256: str, offset: int, limit: int) -> tuple[bytes, int]:
        self._may(require_blob, sha256)
        self._go("down")
        return self.blobs.read(sha256, offset, limit)


def files(blobs: BlobStore) -> list[Path]:
    return [p for p in blobs.folder.rglob("*") if p.is_file() and p.name != "pieces.lock"]


@pytest.fixture
def desk(world: World) -> Desk:
    return world.desk(grids=[0, 1])


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "desk", bytes(32))


def joined(world: World, desk: Desk, blobs: BlobStore, tmp_path: Path) -> tuple[DeskSync, Shelf]:
    shelf = Shelf(world, desk, tmp_path / "street")
    return session(desk, blobs, shelf), shelf  # type: ignore[arg-type]


def test_rows_go_between_the_pieces_of_photos(world: World, desk: Desk, blobs: BlobStore, tmp_path: Path) -> None:
    (home,) = world.add_households(0, 1)
    take_photos(world, desk, blobs, [BIG, BIG + b"2"])
    sync, shelf = joined(world, desk, blobs, tmp_path)
    heard: list[Any] = []
    sync.on_changes = heard.append
    arrived: list[tuple[int, str]] = []

    def on_piece() -> None:
        if len(shelf.pieces) == 2:
            desk.amend(home, remark="written while photos go up")
        if len(shelf.pieces) == 5:
            with world.store.unit(desk.actor) as unit:
                unit.amend(unit.get(Household, home), needs_note="asked for")
            sync.hurry()
        street, here = world.household(home), desk.household(home)
        assert street is not None and here is not None
        for name, record in (("remark", street), ("needs_note", here)):
            if getattr(record, name) and name not in {n for _piece, n in arrived}:
                arrived.append((len(shelf.pieces), name))

    shelf.on_piece = on_piece
    result = sync.run()
    assert len(shelf.pieces) == 10 and not unsent(desk)
    assert arrived == [(3, "remark"), (6, "needs_note")], "before the very next piece"
    assert result.sent >= 1 and "household" in result.changes.touched
    assert any("household" in changes.touched for changes in heard), "and the window is told at once"


def test_a_cut_costs_one_piece(world: World, desk: Desk, blobs: BlobStore, tmp_path: Path) -> None:
    take_photos(world, desk, blobs, [BIG])
    sync, shelf = joined(world, desk, blobs, tmp_path)
    shelf.cut_after = 3
    with pytest.raises(Refusal):
        sync.run()
    sync.run()
    assert len(shelf.pieces) == 5 and not unsent(desk)


def test_a_photo_taken_in_a_grid_that_was_withdrawn_reaches_the_review_and_leaves_the_desk(
    world: World, desk: Desk, blobs: BlobStore, tmp_path: Path
) -> None:
    (name,) = take_photos(world, desk, blobs, [BIG])
    sync, shelf = joined(world, desk, blobs, tmp_path)
    world.withdraw(desk.user_id, 0)
    result = sync.run()
    assert [r.verdict for r in result.refused] == ["set_aside"]
    assert shelf.blobs.get(name) == BIG and files(blobs) == []
    office = world.desk("community_staff")
    office.sync()
    with office.store.read() as reader:
        (line,) = open_conflicts(reader)
    assert line.deed == "take_over" and line.record_words == "Photo · Lane 0 No. 0"
    with office.store.unit(office.actor) as unit:
        resolve(unit, line.conflict.id, "restored")
    assert not office.sync().refused
    theirs = BlobStore(tmp_path / "office", bytes(32))
    seen = session(office, theirs, Shelf(world, office, tmp_path / "street"))  # type: ignore[arg-type]
    assert seen.fetch_photo(name) == BIG


def test_the_photos_of_a_withdrawn_grid_leave_the_disk_and_come_back_with_it(
    world: World, desk: Desk, blobs: BlobStore, tmp_path: Path
) -> None:
    kept, gone = take_photos(world, desk, blobs, [b"kept" * 9_000, BIG])
    with desk.store.unit(desk.actor) as unit:
        (row,) = unit.page(Attachment, sha256=kept)
        (other,) = world.add_households(1, 1)
        unit.create(
            Attachment(owner_kind="household", owner_id=other, grid_id=world.grids[1], sha256=kept, media_type="image/jpeg", size_bytes=36_000)
        )  # fmt: skip
        assert row.owner_id != other
    sync, _shelf = joined(world, desk, blobs, tmp_path)
    sync.run()
    assert len(files(blobs)) == 2
    world.withdraw(desk.user_id, 0)
    sync.run()
    assert blobs.has(kept) and not blobs.has(gone), "a content that another record names stays"
    world.assign(desk.user_id, 0)
    sync.run()
    assert unsent(desk) == [], "it was sent before"
    assert sync.fetch_photo(gone) == BIG


def test_a_photo_of_a_record_that_nobody_has_is_let_go(
    world: World, desk: Desk, blobs: BlobStore, tmp_path: Path
) -> None:
    (name,) = take_photos(world, desk, blobs, [BIG])
    sync, _shelf = joined(world, desk, blobs, tmp_path)
    with desk.store.unit(desk.actor) as unit:
        (row,) = unit.page(Attachment)
        unit.amend(row, retired_reason="x")
    with world.store.read() as reader:
        assert not reader.page(Conflict)
    with desk.store.database.writing, desk.store.database.writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM attachment")  # as a record that was refused and kept nowhere
        connection.exec_driver_sql("DELETE FROM journal")
        connection.exec_driver_sql(
            f"INSERT INTO blob_state(sha256, size_bytes, state) VALUES ('{name}', {len(BIG)}, 'here')"
        )
    sync.run()
    assert files(blobs) == [] and unsent(desk) == []


# -- fetched when somebody wants to see one


def colleague(world: World, tmp_path: Path) -> tuple[DeskSync, Shelf, BlobStore, str]:
    """A desk with the record of a photo that another desk took and sent."""
    taker, viewer = world.desk(), world.desk()
    mine = BlobStore(tmp_path / "taker", bytes(32))
    (name,) = take_photos(world, taker, mine, [BIG])
    session(taker, mine, Shelf(world, taker, tmp_path / "street")).run()  # type: ignore[arg-type]
    viewer.sync()
    blobs = BlobStore(tmp_path / "viewer", bytes(32))
    shelf = Shelf(world, viewer, tmp_path / "street")
    return session(viewer, blobs, shelf), shelf, blobs, name  # type: ignore[arg-type]


def test_a_colleagues_photo_comes_in_pieces_with_progress_and_stays(world: World, tmp_path: Path) -> None:
    sync, shelf, blobs, name = colleague(world, tmp_path)
    told: list[tuple[int, int]] = []
    assert sync.fetch_photo(name, lambda done, total, step="": told.append((done, total))) == BIG
    assert told[-1] == (len(BIG), len(BIG)) and len(told) == len(shelf.pieces) == 5
    assert sync.fetch_photo(name) == BIG and len(shelf.pieces) == 5, "from here the second time"
    assert all(BIG[:64] not in path.read_bytes() for path in files(blobs)), "sealed on the disk"


def test_a_cut_and_a_cancel_go_on_from_there(world: World, tmp_path: Path) -> None:
    sync, shelf, _blobs, name = colleague(world, tmp_path)
    shelf.cut_after = 2
    with pytest.raises(Refusal):
        sync.fetch_photo(name)
    ticket = Ticket()
    with pytest.raises(Cancelled):
        sync.fetch_photo(name, lambda done, total, step="": ticket.cancel(), ticket)
    assert sync.fetch_photo(name) == BIG and len(shelf.pieces) == 5


def test_a_photo_that_was_spoilt_here_is_fetched_anew(world: World, tmp_path: Path) -> None:
    sync, _shelf, blobs, name = colleague(world, tmp_path)
    sync.fetch_photo(name)
    blobs.path_of(name).write_bytes(b"spoilt")
    assert sync.fetch_photo(name) == BIG


def test_what_is_not_ones_own_or_not_there_yet_says_so(world: World, tmp_path: Path) -> None:
    sync, _shelf, _blobs, name = colleague(world, tmp_path)
    stranger = world.desk(grids=[1])
    stranger.sync()
    other = session(stranger, BlobStore(tmp_path / "s", bytes(32)), Shelf(world, stranger, tmp_path / "street"))  # type: ignore[arg-type]
    for who, asked in ((other, name), (sync, hashlib.sha256(b"never sent").hexdigest())):
        with pytest.raises(Refusal) as told:
            who.fetch_photo(asked)
        assert told.value.code == "blob.missing"


def test_the_files_kept_have_a_bound_and_unsent_ones_are_never_let_go(world: World, desk: Desk, tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "desk", bytes(32))
    names = take_photos(world, desk, blobs, [bytes([n]) * 50_000 for n in range(6)])
    for n, name in enumerate(names):
        os.utime(blobs.path_of(name), (1_000 + n, 1_000 + n))
    for name in names[1:]:
        mark_photo_sent(desk.store, name, 50_000)
    blobs.get(names[1])  # looked at now
    shelf = Shelf(world, desk, tmp_path / "street")
    PhotoLane(desk.store, blobs, desk.store.replica, lambda: shelf, cache_bytes=160_000).tidy()  # type: ignore[arg-type,return-value]
    assert [n for n, name in enumerate(names) if blobs.has(name)] == [0, 1, 5]
    with desk.store.read() as reader:
        assert [name for name, _size in unsent_photos(reader, desk.store.replica)] == names[:1]
