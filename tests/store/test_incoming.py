"""Photos that arrive in pieces."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gridman.kernel.errors import Refusal
from gridman.store.incoming import IncomingBlobs

PHOTO = os.urandom(10_000)
NAME = hashlib.sha256(PHOTO).hexdigest()


class Shelf(dict[str, bytes]):
    """Whole contents in memory: the file store has tests of its own."""

    def put(self, sha256: str, data: bytes) -> None:
        self[sha256] = data


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def incoming(tmp_path: Path, shelf: Shelf) -> Callable[[], IncomingBlobs]:
    return lambda: IncomingBlobs(shelf, tmp_path, bytes(32))


def send(blobs: IncomingBlobs, start: int, stop: int) -> int:
    return blobs.append(NAME, start, len(PHOTO), PHOTO[start:stop])


def refused(call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value


def test_pieces_make_the_whole_also_across_a_restart(
    incoming: Callable[[], IncomingBlobs], shelf: Shelf, tmp_path: Path
) -> None:
    assert incoming().received(NAME) is None
    assert send(incoming(), 0, 4_000) == 4_000
    assert incoming().received(NAME) == (4_000, 0)
    assert send(incoming(), 4_000, 4_001) == 4_001
    assert send(incoming(), 4_001, 10_000) == 10_000
    assert shelf[NAME] == PHOTO and incoming().received(NAME) == (10_000, 10_000)
    assert list(tmp_path.iterdir()) == []


def test_parts_on_the_disk_are_encrypted(incoming: Callable[[], IncomingBlobs], tmp_path: Path) -> None:
    send(incoming(), 0, 4_000)
    assert PHOTO[:32] not in (tmp_path / f"{NAME}.part").read_bytes()


@pytest.mark.parametrize("start", [0, 1_999, 2_001, 5_000])
def test_a_piece_from_elsewhere_is_refused_with_the_place_to_go_on(
    incoming: Callable[[], IncomingBlobs], start: int
) -> None:
    send(incoming(), 0, 2_000)
    refusal = refused(lambda: send(incoming(), start, start + 100))
    assert (refusal.code, refusal.params["expected"]) == ("blob.offset", 2_000)
    assert incoming().received(NAME) == (2_000, 0)


@pytest.mark.parametrize("cut", [1, 15, 2_000, 3_000])
def test_a_piece_half_written_when_the_power_failed_is_sent_again(
    incoming: Callable[[], IncomingBlobs], shelf: Shelf, tmp_path: Path, cut: int
) -> None:
    send(incoming(), 0, 2_000)
    send(incoming(), 2_000, 5_000)
    part = tmp_path / f"{NAME}.part"
    os.truncate(part, part.stat().st_size - cut)
    assert incoming().received(NAME) == (2_000, 0)
    send(incoming(), 2_000, 10_000)
    assert shelf[NAME] == PHOTO


def test_a_spoilt_part_is_noticed(incoming: Callable[[], IncomingBlobs], tmp_path: Path) -> None:
    send(incoming(), 0, 2_000)
    part = tmp_path / f"{NAME}.part"
    raw = bytearray(part.read_bytes())
    raw[500] ^= 1
    part.write_bytes(raw)
    assert incoming().received(NAME) is None


def test_a_content_that_is_not_its_name_is_dropped(incoming: Callable[[], IncomingBlobs], shelf: Shelf) -> None:
    incoming().append(NAME, 0, 10, b"x" * 5)
    assert refused(lambda: incoming().append(NAME, 5, 10, b"x" * 5)).code == "blob.damaged"
    assert incoming().received(NAME) is None and NAME not in shelf


def test_what_is_already_here_is_not_sent_again(incoming: Callable[[], IncomingBlobs]) -> None:
    send(incoming(), 0, 10_000)
    assert send(incoming(), 0, 5_000) == 10_000


def test_reading_in_pieces(incoming: Callable[[], IncomingBlobs]) -> None:
    assert refused(lambda: incoming().read(NAME, 0, 10)).code == "blob.missing"
    send(incoming(), 0, 10_000)
    assert incoming().read(NAME, 9_990, 100) == (PHOTO[9_990:], 10_000)
    assert incoming().read(NAME, 20_000, 100) == (b"", 10_000)
