"""Photos on the disk: encrypted, whole or in pieces that survive power cuts."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gridman.kernel.errors import Refusal
from gridman.store.blobs import BlobStore

PHOTO = os.urandom(10_000)
NAME = hashlib.sha256(PHOTO).hexdigest()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path, bytes(32))


def send(blobs: BlobStore, start: int, stop: int) -> int:
    return blobs.append(NAME, start, len(PHOTO), PHOTO[start:stop])


def part_of(blobs: BlobStore) -> Path:
    return next(path for path in blobs.folder.rglob("*.pieces"))


def test_pieces_make_the_whole_also_across_a_restart(blobs: BlobStore) -> None:
    assert blobs.received(NAME) is None
    assert send(blobs, 0, 4_000) == 4_000
    again = BlobStore(blobs.folder, bytes(32))
    assert again.received(NAME) == (4_000, 10_000)
    assert send(again, 4_000, 10_000) == 10_000
    assert again.get(NAME) == PHOTO
    assert [p.suffix for p in blobs.folder.rglob("*") if p.is_file() and p.name != "pieces.lock"] == [""]


def test_neither_names_nor_contents_can_be_read_on_the_disk(blobs: BlobStore) -> None:
    send(blobs, 0, 4_000)
    BlobStore(blobs.folder / "other", bytes(32)).put(NAME, PHOTO)
    for path in blobs.folder.rglob("*"):
        assert NAME not in str(path)
        if path.is_file():
            assert PHOTO[100:132] not in path.read_bytes()


@pytest.mark.parametrize("start", [0, 1_999, 2_001, 5_000])
def test_a_piece_from_elsewhere_is_refused_with_the_place_to_go_on(blobs: BlobStore, start: int) -> None:
    send(blobs, 0, 2_000)
    with pytest.raises(Refusal) as caught:
        send(blobs, start, start + 100)
    assert (caught.value.code, caught.value.params["expected"]) == ("blob.offset", 2_000)


@pytest.mark.parametrize("cut", [1, 15, 2_000, 3_000, 3_038])
def test_a_piece_half_written_when_the_power_failed_is_sent_again(blobs: BlobStore, cut: int) -> None:
    send(blobs, 0, 2_000)
    send(blobs, 2_000, 5_000)
    os.truncate(part_of(blobs), part_of(blobs).stat().st_size - cut)
    assert blobs.received(NAME) == (2_000, 10_000)
    send(blobs, 2_000, 10_000)
    assert blobs.get(NAME) == PHOTO


def test_a_piece_spoilt_on_the_disk_is_sent_again(blobs: BlobStore) -> None:
    send(blobs, 0, 2_000)
    raw = bytearray(part_of(blobs).read_bytes())
    raw[500] ^= 1
    part_of(blobs).write_bytes(raw)
    assert blobs.received(NAME) is None
    assert send(blobs, 0, 10_000) == 10_000 and blobs.get(NAME) == PHOTO


def test_a_content_that_is_not_its_name_is_dropped(blobs: BlobStore) -> None:
    blobs.append(NAME, 0, 10, b"x" * 5)
    with pytest.raises(Refusal) as caught:
        blobs.append(NAME, 5, 10, b"x" * 5)
    assert caught.value.code == "blob.damaged"
    assert blobs.received(NAME) is None and not blobs.has(NAME)


def test_a_changed_file_is_noticed(blobs: BlobStore) -> None:
    blobs.put(NAME, PHOTO)
    raw = bytearray(blobs.path_of(NAME).read_bytes())
    raw[-1] ^= 1
    blobs.path_of(NAME).write_bytes(raw)
    with pytest.raises(Refusal) as caught:
        blobs.get(NAME)
    assert caught.value.code == "blob.damaged"


def test_a_photo_all_of_which_came_before_a_kill_is_put_together_at_the_next_question(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(sha256: str, data: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(blobs, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            send(blobs, 0, 10_000)
    again = BlobStore(blobs.folder, bytes(32))
    assert again.get(NAME) is None
    assert again.received(NAME) == (10_000, 10_000)  # the desk is told so and sends nothing more
    assert again.get(NAME) == PHOTO


def test_two_programs_take_pieces_of_one_photo_without_mixing_them(tmp_path: Path) -> None:
    def send_all(store: BlobStore) -> None:
        sent = 0
        while sent < len(PHOTO):
            try:
                sent = store.append(NAME, sent, len(PHOTO), PHOTO[sent : sent + 500])
            except Refusal as refusal:
                assert refusal.code == "blob.offset"
                sent = int(str(refusal.params["expected"]))

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(send_all, BlobStore(tmp_path, bytes(32))) for _ in range(4)]
    assert [d.result() for d in done] == [None] * 4
    assert BlobStore(tmp_path, bytes(32)).get(NAME) == PHOTO
