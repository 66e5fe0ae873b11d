"""Photos: made small, stripped of location data, filed by content; the record keeps a thumbnail that travels with the rows."""

import hashlib
import io
from dataclasses import dataclass
from typing import Any, Protocol

from gridman.domain.attachment import Attachment
from gridman.kernel.clock import from_day
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.store.unit import Unit

__all__ = ["Blobs", "PhotoDraft", "SmallPhoto", "attach", "prepare_photo"]

LONGEST_EDGE_PX = 1_600
THUMBNAIL_PX = 240
LARGEST_PIXELS = 80_000_000
LARGEST_BYTES = 60_000_000
MOST_BYTES = 200_000
_QUALITIES = (78, 66, 54, 42)
_HEIC = frozenset(b"ftyp" + brand for brand in (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"))
_PIXELS = N_("“{name}” has {size} million pixels; at most {most} million can be taken.")


@dataclass(frozen=True)
class PhotoDraft:
    """A picture as it was dropped or pasted: its bytes and what it was called."""

    data: bytes
    name: str = ""
    caption: str = ""


@dataclass(frozen=True)
class SmallPhoto:
    """A picture ready to be filed."""

    data: bytes
    thumbnail: bytes
    width_px: int
    height_px: int
    taken_at: int | None
    media_type: str = "image/jpeg"

    @property
    def sha256(self) -> str:
        """The name of the content."""
        return hashlib.sha256(self.data).hexdigest()


class Blobs(Protocol):
    """Where the pictures' bytes are filed."""

    def put(self, sha256: str, data: bytes) -> None: ...

    def get(self, sha256: str) -> bytes | None: ...


def prepare_photo(draft: PhotoDraft) -> SmallPhoto:
    """Turn, shrink to 1600 px and about 200 kB, drop all metadata (place and device) and re-encode as JPEG; the time of taking is kept apart.

    Refuses with ``photo.too_large``, with ``photo.heic`` (nothing here decodes that format), and with ``photo.unreadable`` what is
    no picture.
    """
    from PIL import Image, ImageOps

    name = draft.name or "?"
    if len(draft.data) > LARGEST_BYTES:
        raise _too_large(
            name, N_("“{name}” is {size} MB large; at most {most} MB can be taken."), len(draft.data), LARGEST_BYTES
        )
    if draft.data[4:12] in _HEIC:
        raise Refusal(
            "photo.heic",
            N_("“{name}” is in the HEIC format, which this program cannot read."),
            N_("Set the phone's camera to “most compatible” (JPEG), or send the photo on as JPEG, and add it again."),
            name=name,
        )
    try:
        with Image.open(io.BytesIO(draft.data)) as opened:
            pixels = opened.width * opened.height
            if pixels > LARGEST_PIXELS:
                raise _too_large(name, _PIXELS, pixels, LARGEST_PIXELS)
            taken_at = _taken_at(opened.getexif())
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except Image.DecompressionBombError as error:
        raise _too_large(name, _PIXELS, 2 * LARGEST_PIXELS, LARGEST_PIXELS) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise Refusal(
            "photo.unreadable",
            N_("“{name}” is not a picture this program can read."),
            N_("Use JPEG, PNG or WebP, at most 80 million pixels."),
            name=name,
        ) from error
    upright.info.clear()  # comments and colour profiles, which the encoders would write again
    upright.thumbnail((LONGEST_EDGE_PX, LONGEST_EDGE_PX))
    small = upright.copy()
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    preview = io.BytesIO()
    small.save(preview, "WEBP", quality=60)
    return SmallPhoto(_as_jpeg(upright), preview.getvalue(), upright.width, upright.height, taken_at)


def _too_large(name: str, text: str, size: int, most: int) -> Refusal:
    return Refusal(
        "photo.too_large",
        text,
        N_("Take it again with a smaller picture size, or make it smaller first."),
        name=name,
        size=round(size / 1_000_000),
        most=most // 1_000_000,
    )


def _as_jpeg(image: Any) -> bytes:
    """As good as `MOST_BYTES` allow: on a bad line a photo of 200 kB takes a quarter of a minute."""
    for quality in _QUALITIES:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= MOST_BYTES:
            break
    return out.getvalue()


def _taken_at(exif: object) -> int | None:
    """EXIF DateTimeOriginal as an instant; the camera's clock is taken for China time."""
    get = getattr(exif, "get", None)
    text = get(36867) or get(306) if get else None
    try:
        day, clock = str(text).split(" ")
        hour, minute, second = (int(part) for part in clock.split(":"))
        return from_day(day.replace(":", "-"), hour, minute) + second * 1000
    except (ValueError, TypeError):
        return None


def attach(
    unit: Unit, blobs: Blobs, owner_kind: str, owner_id: int, grid_id: int | None, drafts: list[PhotoDraft]
) -> list[Attachment]:
    """File photos with a visit, an incident or a household. The bytes are on disk before the row is written, so a row never
    names a picture that was lost.
    """
    made = []
    for draft in drafts:
        photo = prepare_photo(draft)
        blobs.put(photo.sha256, photo.data)
        made.append(
            unit.create(
                Attachment(
                    owner_kind=owner_kind, owner_id=owner_id, grid_id=grid_id, sha256=photo.sha256, media_type=photo.media_type,
                    size_bytes=len(photo.data), width_px=photo.width_px, height_px=photo.height_px, taken_at=photo.taken_at,
                    thumbnail=photo.thumbnail, caption=draft.caption or None,
                )
            )
        )  # fmt: skip
    return made
