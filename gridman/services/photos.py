"""Photos: made small, stripped of location data, filed by content; the record keeps a thumbnail that travels with the rows."""

import hashlib
import io
from dataclasses import dataclass
from typing import Protocol

from gridman.domain.attachment import Attachment
from gridman.kernel.clock import from_day
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.store.unit import Unit

__all__ = ["Blobs", "PhotoDraft", "SmallPhoto", "attach", "prepare_photo"]

LONGEST_EDGE_PX = 1_600
THUMBNAIL_PX = 240
LARGEST_PIXELS = 80_000_000
_QUALITY = 78


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
    """Turn, shrink to 1600 px, drop all metadata (place and device) and re-encode as JPEG; the time of taking is kept apart.

    Refuses with ``photo.unreadable`` what is no picture, or is too large to open safely.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(draft.data)) as opened:
            if opened.width * opened.height > LARGEST_PIXELS:
                raise ValueError("too many pixels")
            taken_at = _taken_at(opened.getexif())
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refusal(
            "photo.unreadable",
            N_("“{name}” is not a picture this program can read."),
            N_("Use JPEG, PNG or WebP, at most 80 million pixels."),
            name=draft.name or "?",
        ) from error
    upright.thumbnail((LONGEST_EDGE_PX, LONGEST_EDGE_PX))
    small = upright.copy()
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    picture, preview = io.BytesIO(), io.BytesIO()
    upright.save(picture, "JPEG", quality=_QUALITY, optimize=True)
    small.save(preview, "WEBP", quality=60)
    return SmallPhoto(picture.getvalue(), preview.getvalue(), upright.width, upright.height, taken_at)


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
