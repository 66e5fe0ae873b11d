"""Files that came through a browser and wait, sealed, for the person to decide: an hour at most. Nothing of them lies open on the disk."""

import hashlib
from contextlib import suppress
from pathlib import Path

from gridman.kernel.errors import Refusal
from gridman.kernel.files import take_away
from gridman.kernel.words import N_
from gridman.services.street import Street
from gridman.store.blobs import BlobStore

__all__ = ["FOLDER", "drop_upload", "keep_upload", "take_upload", "waits"]

FOLDER = "uploads"
_KEPT_MS = 3_600_000


def _folder(street: Street) -> BlobStore:
    return BlobStore(street.data_dir / FOLDER, street.key)


def keep_upload(street: Street, content: bytes) -> str:
    """Keep a file; returns its name, the SHA-256 of its content. Those that waited longer than an hour are removed."""
    blobs = _folder(street)
    _sweep(blobs.folder, street.clock())
    name = hashlib.sha256(content).hexdigest()
    blobs.put(name, content)
    return name


def take_upload(street: Street, name: str) -> bytes:
    """The content of a file that waits. Refuses with ``upload.gone``."""
    is_name = len(name) == 64 and all(c in "0123456789abcdef" for c in name)
    content = _folder(street).get(name) if is_name else None
    if content is None:
        raise Refusal(
            "upload.gone",
            N_("The file is not here any more: it waits for an hour."),
            N_("Choose it again."),
        )
    return content


def waits(street: Street, name: str) -> bool:
    """Whether a file of this name is still here."""
    is_name = len(name) == 64 and all(c in "0123456789abcdef" for c in name)
    return is_name and _folder(street).path_of(name).exists()


def drop_upload(street: Street, name: str) -> None:
    """It was decided: let go of the file."""
    take_away(_folder(street).path_of(name))


def _sweep(folder: Path, now: int) -> None:
    for path in folder.glob("??/*"):
        with suppress(OSError):
            if now - path.stat().st_mtime * 1000 > _KEPT_MS:
                path.unlink()
