"""One program at a time in a data folder, or at one file: locks of the operating system, which end with the process however it ends."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["hold_file", "hold_folder"]

_PAUSE_S = 0.005
_FAR = 1 << 20  # Windows makes the locked byte unreadable to others: lock one beyond the text


@contextmanager
def hold_folder(folder: Path, name: str) -> Iterator[None]:
    """Keep `folder`/`name` locked for the length of the block. Refuses with ``folder.in_use``, naming the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _lock(descriptor):
            raise Refusal(
                "folder.in_use",
                N_("The data folder {folder} is in use by another gridman (process {process})."),
                N_("Stop that one first, or choose another data folder."),
                folder=folder,
                process=os.read(descriptor, 20).decode("ascii", "replace").strip() or "?",
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)  # lets go of the lock as well


@contextmanager
def hold_file(path: Path) -> Iterator[None]:
    """Keep other threads and programs from what the lock file `path` stands for, waiting until they let go of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _lock(descriptor):
            time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
