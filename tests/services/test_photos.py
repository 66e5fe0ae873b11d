"""Photos are made small and lose what they tell about place and device; what cannot be taken is said in words."""

import io
import random

import pytest
from PIL import Image

from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.services import photos
from gridman.services.photos import PhotoDraft, prepare_photo

_GPS, _MODEL, _TAKEN, _ORIENTATION = 0x8825, 0x0110, 36867, 0x0112


def taken(size: tuple[int, int], *, turned: bool = False) -> bytes:
    """A picture as a phone takes it: with place, model, time and orientation."""
    picture = Image.frombytes("L", (200, 150), random.Random(7).randbytes(30_000)).resize(size).convert("RGB")
    exif = Image.Exif()
    exif[_MODEL] = "SecretPhone 9"
    exif[_TAKEN] = "2026:11:23 09:30:15"
    exif[_ORIENTATION] = 6 if turned else 1
    exif.get_ifd(_GPS).update({1: "N", 2: (36.0, 39.0, 7.0), 3: "E", 4: (117.0, 7.0, 12.0)})
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95, exif=exif, comment=b"SecretPhone comment")
    return out.getvalue()


def test_place_and_device_are_dropped_the_time_is_kept_apart() -> None:
    raw = taken((3_000, 2_000), turned=True)
    assert b"SecretPhone" in raw and Image.open(io.BytesIO(raw)).getexif().get_ifd(_GPS)
    photo = prepare_photo(PhotoDraft(raw, "door.jpg"))
    assert (photo.width_px, photo.height_px) == (1_067, 1_600), "upright, 1600 px at most"
    assert photo.taken_at is not None and show_instant(photo.taken_at) == "2026-11-23 09:30"
    for data in (photo.data, photo.thumbnail):
        again = Image.open(io.BytesIO(data))
        assert not again.getexif() and not again.info.keys() & {"exif", "comment", "xmp", "icc_profile"}
        assert b"SecretPhone" not in data
    assert max(Image.open(io.BytesIO(photo.thumbnail)).size) == 240 and len(photo.thumbnail) < 20_000


def test_a_busy_picture_is_made_light_enough_for_a_bad_line() -> None:
    photo = prepare_photo(PhotoDraft(taken((4_000, 3_000))))
    assert len(photo.data) <= photos.MOST_BYTES * 1.2
    noise = io.BytesIO()
    Image.frombytes("RGB", (1_000, 1_000), random.Random(8).randbytes(3_000_000)).save(noise, "PNG")
    assert len(prepare_photo(PhotoDraft(noise.getvalue())).data) < 600_000, "even noise, at the lowest quality"


def _png_of(width: int, height: int) -> bytes:
    """A PNG that claims to be this large."""
    import struct
    import zlib

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(head))
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + b"\0\0\0\0IDAT"
        + b"\0" * 64
    )


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "photo.heic", "most compatible"),
        (b"\0\0\0\x18ftypmif1" + b"\0" * 40, "photo.heic", "HEIC"),
        (b"%PDF-1.7 no picture", "photo.unreadable", "not a picture"),
        (b"", "photo.unreadable", "not a picture"),
        (taken((300, 200))[:-400], "photo.unreadable", "not a picture"),
        (_png_of(12_000, 9_000), "photo.too_large", "108 million pixels"),
        (_png_of(60_000, 60_000), "photo.too_large", "million pixels"),
        (b"\xff" * (photos.LARGEST_BYTES + 1), "photo.too_large", "60 MB"),
    ],
    ids=["heic", "mif1", "pdf", "empty", "cut", "large", "bomb", "heavy"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_cannot_be_taken_is_said_with_what_helps(data: bytes, code: str, said: str) -> None:
    with pytest.raises(Refusal) as told:
        prepare_photo(PhotoDraft(data, "IMG_1.HEIC"))
    assert told.value.code == code and said in told.value.words() and "IMG_1.HEIC" in told.value.words()
