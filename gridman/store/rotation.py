"""Another data key for a folder, in steps of which a kill leaves either the old state or the new one.

Everything is first written anew beside the old, under names that end in `.next`; the key file's `.next` is written last and decides:
where it lies, the change is finished at the next opening (`settle`), where it does not, the rest is thrown away. Photos are re-encrypted
into a second folder, because their names depend on the key too. For this time the disk holds everything twice.
"""

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from gridman.domain.attachment import Attachment
from gridman.domain.conflict import Conflict
from gridman.kernel.errors import Refusal
from gridman.kernel.files import put_in_place, require_free_space, take_away
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.store.blobs import BlobStore
from gridman.store.folder_lock import hold_folder
from gridman.store.photo_queue import DROPPED
from gridman.store.tables import blob_state
from gridman.store.unit import Reader

__all__ = [
    "DESK",
    "LOCK",
    "NEXT",
    "STREET",
    "Layout",
    "every_photo",
    "next_to",
    "require_room",
    "reseal_photos",
    "roll_forward",
    "settle",
    "sweep",
]

NEXT, LOCK = ".next", "rotation.lock"
_BLOBS, _OLD = "blobs", "blobs.old"
_SPARE_BYTES = 50_000_000


@dataclass(frozen=True)
class Layout:
    """The files of a folder that depend on its key: the one with the key, and the others; SQLite's data files first."""

    key: str
    files: tuple[str, ...]


STREET = Layout("street.key", ("street.db", "tls/server.pem"))
DESK = Layout("keys.json", ("desk.db",))


def next_to(folder: Path, name: str) -> Path:
    """Where the new one of a file or folder is made ready."""
    return folder / (name + NEXT)


def settle(folder: Path, layout: Layout) -> None:
    """Before anything in `folder` is opened: finish or forget a change of keys that was cut off. Costs a few looks at names when there was
    none. Refuses with ``folder.in_use`` while one is under way.
    """
    names = (layout.key, *layout.files, _BLOBS)
    if not any(next_to(folder, name).exists() for name in names) and not (folder / _OLD).exists():
        return
    with hold_folder(folder, LOCK):
        roll_forward(folder, layout)


def roll_forward(folder: Path, layout: Layout) -> None:
    """Put the new state in the place of the old one if it was decided, else throw it away. Whoever calls holds the lock."""
    if not next_to(folder, layout.key).exists():
        sweep(folder, layout)
        return
    for name in layout.files:
        if next_to(folder, name).exists():
            for beside in ("-wal", "-shm", "-journal"):  # they belong to the old file
                take_away(folder / (name + beside))
            put_in_place(next_to(folder, name), folder / name)
    if next_to(folder, _BLOBS).exists():
        if (folder / _BLOBS).exists():
            shutil.rmtree(folder / _OLD, ignore_errors=True)
            put_in_place(folder / _BLOBS, folder / _OLD)
        put_in_place(next_to(folder, _BLOBS), folder / _BLOBS)
    _flush(folder)
    put_in_place(next_to(folder, layout.key), folder / layout.key)
    _flush(folder)
    shutil.rmtree(folder / _OLD, ignore_errors=True)


def sweep(folder: Path, layout: Layout) -> None:
    """Throw away what was made ready and never decided, and the photos of the key before."""
    for name in layout.files:
        for beside in ("", "-wal", "-shm", "-journal"):
            take_away(Path(str(next_to(folder, name)) + beside))
    shutil.rmtree(next_to(folder, _BLOBS), ignore_errors=True)
    shutil.rmtree(folder / _OLD, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Let the names themselves survive a power cut; Windows cannot be asked and does it by itself."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def require_room(folder: Path, layout: Layout) -> None:
    """Refuse with ``disk.full`` where everything does not fit twice."""
    files = [folder / name for name in layout.files] + list((folder / _BLOBS).glob("??/*"))
    require_free_space(folder, sum(p.stat().st_size for p in files if p.is_file()) + _SPARE_BYTES)


def every_photo(reader: Reader) -> list[str]:
    """The SHA-256 of every photo that is not to be deleted: of records, retired ones too, which can be brought back; of those that wait in the
    review list to be taken over; and what a desk has still to send of records that left it.
    """
    a, b, c = Attachment.__table__.c, blob_state.c, Conflict.__table__.c
    found = set(reader.connection.scalars(select(a.sha256).distinct()))
    found.update(reader.connection.scalars(select(b.sha256).where(b.state != DROPPED)))
    for lost in reader.connection.scalars(select(c.lost).where(c.record_kind == "attachment", c.lost.is_not(None))):
        values = json.loads(lost)
        found.add(values.get("sha256") if isinstance(values, dict) else values)
    return sorted(sha for sha in found if isinstance(sha, str) and sha)


def reseal_photos(
    folder: Path, old: bytes, new: bytes, known: Iterable[str], progress: Progress = quiet
) -> tuple[int, int]:
    """Re-encrypt the photos of `known` into the folder that waits; returns how many, and how many could not be read any more. Pieces of
    photos that are still coming are left behind: they are sent again.
    """
    shutil.rmtree(next_to(folder, _BLOBS), ignore_errors=True)
    source, target = BlobStore(folder / _BLOBS, old), BlobStore(next_to(folder, _BLOBS), new)
    target.folder.mkdir(parents=True, mode=0o700)
    names, done, lost = list(known), 0, 0
    for number, sha256 in enumerate(names, start=1):
        try:
            data = source.get(sha256)
        except Refusal:
            lost += 1
            continue
        if data is not None:
            target.put(sha256, data)
            done += 1
        progress(number, len(names), N_("Encrypting photos anew"))
    _flush(target.folder)
    return done, lost
