"""Photos whose file was spoilt before they were sent, and a street that never takes a piece."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from gridman.domain.attachment import Attachment
from gridman.kernel.errors import Refusal
from gridman.services.signin import DeskUser
from gridman.store.blobs import BlobStore
from gridman.store.photo_queue import unsent_photos
from gridman.sync.exchange import SyncKind
from gridman.sync.session import DeskSync
from tests.sync.world import Desk, InProcess, World


class PhotoStreet:
    """The street in-process, with a shelf for photos; `is_deaf`: it asks for the first piece for ever."""

    def __init__(self, street: InProcess, *, is_deaf: bool = False) -> None:
        self.exchange, self.greet = street.exchange, street.greet
        self.is_deaf = is_deaf
        self.shelf: dict[str, bytes] = {}
        self.pieces = 0

    def blob_size(self, sha256: str) -> int | None:
        return len(self.shelf.get(sha256, b"")) or None

    def put_blob(self, sha256: str, offset: int, total: int, chunk: bytes) -> int:
        self.pieces += 1
        if self.is_deaf:
            return 0
        self.shelf[sha256] = self.shelf.get(sha256, b"")[:offset] + chunk
        return offset + len(chunk)


class CutOff(PhotoStreet):
    """The line is down."""

    def __init__(self, street: InProcess) -> None:
        super().__init__(street)
        self.exchange = self._fail  # type: ignore[assignment]

    def _fail(self, request: object) -> None:
        raise Refusal("sync.unreachable", "The street cannot be reached.")


def take_photos(world: World, desk: Desk, blobs: BlobStore, contents: list[bytes]) -> list[str]:
    home = world.add_households(0, 1)[0]
    desk.sync()
    names = []
    for content in contents:
        names.append(hashlib.sha256(content).hexdigest())
        blobs.put(names[-1], content)
        with desk.store.unit(desk.actor) as unit:
            unit.create(
                Attachment(
                    owner_kind="household", owner_id=home, grid_id=world.grids[0], sha256=names[-1], media_type="image/jpeg",
                    size_bytes=len(content), width_px=1, height_px=1, thumbnail=b"x",
                )
            )  # fmt: skip
    return names


def session(desk: Desk, blobs: BlobStore, street: PhotoStreet) -> DeskSync:
    user = DeskUser("worker", "Worker", desk.user_id, "grid_worker", 1, desk.store.replica, "http://street", "s", "e")
    made = DeskSync(desk.store, blobs, user)
    made._street = street  # type: ignore[assignment]
    return made


def unsent(desk: Desk) -> list[str]:
    with desk.store.read() as reader:
        return [sha256 for sha256, _size in unsent_photos(reader, desk.store.replica)]


def test_work_that_waits_does_not_make_a_desk_offline(world: World, tmp_path: Path) -> None:
    desk, blobs = world.desk(), BlobStore(tmp_path / "blobs", bytes(32))
    home = world.add_households(0, 1)[0]
    sync = session(desk, blobs, PhotoStreet(desk.street))
    assert sync.status().kind == SyncKind.WAITING and sync.status().at is None
    sync.run()
    assert sync.status().kind == SyncKind.UP_TO_DATE
    desk.amend(home, remark="dog")
    assert (sync.status().kind, sync.status().waiting) == (SyncKind.WAITING, 1)
    sync._street = CutOff(desk.street)  # type: ignore[assignment]
    with pytest.raises(Refusal):
        sync.run()
    assert (sync.status().kind, sync.status().waiting) == (SyncKind.OFFLINE, 1)


def test_a_spoilt_photo_is_told_and_keeps_no_other_back(world: World, tmp_path: Path) -> None:
    desk, blobs = world.desk(), BlobStore(tmp_path / "blobs", bytes(32))
    first, second = take_photos(world, desk, blobs, [b"first" * 9_000, b"second" * 20_000])
    spoilt = blobs.path_of(first)
    spoilt.write_bytes(spoilt.read_bytes()[:-40])
    street = PhotoStreet(desk.street)
    with pytest.raises(Refusal) as told:
        session(desk, blobs, street).run()
    assert told.value.code == "blob.damaged"
    assert street.shelf == {second: b"second" * 20_000}
    assert unsent(desk) == [first]


def test_a_street_that_never_takes_a_piece_is_given_up(world: World, tmp_path: Path) -> None:
    desk, blobs = world.desk(), BlobStore(tmp_path / "blobs", bytes(32))
    (name,) = take_photos(world, desk, blobs, [b"photo" * 20_000])
    street: Any = PhotoStreet(desk.street, is_deaf=True)
    with pytest.raises(Refusal) as told:
        session(desk, blobs, street).run()
    assert told.value.code == "sync.photo_stuck" and street.pieces < 50
    assert unsent(desk) == [name]
