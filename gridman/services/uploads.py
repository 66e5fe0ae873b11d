"""Files that came through a browser and wait, sealed, for the person to decide: an hour at most. Nothing of them lies open on the disk."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from gridman.kernel.errors import Refusal
from gridman.kernel.files import take_away
from gridman.kernel.words import N_
from gridman.services.street import Street
from gridman.store.blobs import BlobStore

__all__ = ["FOLDER", "drop_upload", "keep_upload", "sweep_uploads", "take_upload", "waits"]

FOLDER = "uploads"
_KEPT_MS = 3_600_000


def _folder(street: Street) -> BlobStore:
    return BlobStore(street.data_dir / FOLDER, street.key)


def keep_upload(street: Street, content: bytes) -> str:
    """Keep a file; returns its name, the SHA-256 of its content."""
    blobs = _folder(street)
    sweep_uploads(street)
    name = hashlib.sha256(content).hexdigest()
    blobs.put(name, content)
    _wait_anew(street, blobs.path_of(name))
    return name


def take_upload(street: Street, name: str) -> bytes:
    """The content of a file that waits, for another hour from now on. Refuses with ``upload.gone``."""
    content = _folder(street).get(name) if waits(street, name) else None
    if content is None:
        raise Refusal(
            "upload.gone",
            N_("The file is not here any more: it waits for an hour."),
            N_("Choose it again."),
        )
    _wait_anew(street, _folder(street).path_of(name))
    return content


def waits(street: Street, name: str) -> bool:
    """Whether a file of this name is still here, and its hour not over."""
    is_name = len(name) == 64 and all(c in "0123456789abcdef" for c in name)
    return is_name and not _is_over(_folder(street).path_of(name), street.clock())


def drop_upload(street: Street, name: str) -> None:
    """It was decided: let go of the file."""
    take_away(_folder(street).path_of(name))


def sweep_uploads(street: Street) -> None:
    """Remove those that waited longer than an hour."""
    for path in _folder(street).folder.glob("??/*"):
        if _is_over(path, street.clock()):
            with suppress(OSError):
                path.unlink()


def _wait_anew(street: Street, path: Path) -> None:
    with suppress(OSError):
        os.utime(path, (street.clock() / 1000,) * 2)


def _is_over(path: Path, now: int) -> bool:
    try:
        return now - path.stat().st_mtime * 1000 > _KEPT_MS
    except OSError:
        return True
