"""Writing files so that a power cut leaves the old one or the new one, never half of either."""

import errno
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from gridman.kernel.errors import Trouble
from gridman.kernel.private import close_to_others
from gridman.kernel.words import N_

__all__ = [
    "cannot_write",
    "full_disk",
    "is_full_disk",
    "os_trouble",
    "put_in_place",
    "replacing",
    "require_free_space",
    "take_away",
    "take_away_folder",
    "write_whole",
]

_PATIENCE_S = 2.0 if sys.platform == "win32" else 0.0
_PAUSE_S = 0.02

_OF_FILES = frozenset({
    errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EROFS, errno.EIO, errno.ENAMETOOLONG,
    errno.ENXIO, errno.ENODEV, errno.EINVAL,
})  # fmt: skip
"""The last: names that Windows does not allow, and whatever of its own errors has no other number, as of a stick that was pulled out."""

_FULL_ON_WINDOWS = frozenset({39, 112, 1295})


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by `content` in one step. Refuses as `replacing` does."""
    with replacing(path, mode=mode) as file:
        file.write(content)


@contextmanager
def replacing(path: Path, *, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """A file to write that takes `path`'s place in one step when the block ends well (temporary file, fsync, rename).

    Its folder is made where there is none. Refuses with ``disk.full`` or ``file.cannot_write``, whatever the disk says; then, and when
    the block raises, the old file stands as it was and nothing is left beside it.
    """
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            if not mode & 0o077:
                close_to_others(partial)
            yield file
            file.flush()
            os.fsync(file.fileno())
        put_in_place(partial, path)
    except OSError as error:
        if is_full_disk(error):
            raise full_disk(path.parent) from error
        raise cannot_write(path, error.strerror or error) from error
    finally:
        with suppress(OSError):  # a folder that cannot be used cannot be tidied either
            take_away(partial)


def put_in_place(fresh: Path, path: Path) -> None:
    """Give the file or folder `fresh` the name `path`, instead of the file that has it. Waits a while for who has either open."""
    _insist(lambda: os.replace(fresh, path))


def take_away(path: Path) -> None:
    """Delete the file `path` if it is there. Waits a while for who has it open."""
    _insist(lambda: path.unlink(missing_ok=True))


def take_away_folder(folder: Path) -> bool:
    """Delete `folder` with what is in it, and whatever of it can be deleted. Waits a while for who has a file open; whether it is gone."""

    def act() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise PermissionError

    with suppress(PermissionError):
        _insist(act)
        return True
    return False


def _insist(act: Callable[[], None]) -> None:
    """On Windows a file that anybody has open can be neither replaced nor deleted, and scanners for viruses and search words open what
    was just written, for moments.
    """
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            act()
            return
        except PermissionError:
            if time.monotonic() >= until:
                raise
        time.sleep(_PAUSE_S)


def cannot_write(path: Path, why: object) -> Trouble:
    """The refusal ``file.cannot_write`` of `path`."""
    return Trouble(
        "file.cannot_write",
        N_("{path} could not be written: {why}."),
        N_("Free some space or choose another folder, then try again. Nothing was changed."),
        path=path,
        why=why,
    )


def is_full_disk(error: BaseException) -> bool:
    """Whether the operating system says that the disk, or this user's share of it, is full."""
    if not isinstance(error, OSError):
        return False
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or getattr(error, "winerror", None) in _FULL_ON_WINDOWS


def os_trouble(error: BaseException) -> Trouble | None:
    """What to say when the operating system refuses a file or folder; None for errors that name none, which are bugs."""
    if is_full_disk(error):
        return full_disk(getattr(error, "filename", None) or "-")
    if not isinstance(error, OSError) or error.filename is None or error.errno not in _OF_FILES:
        return None
    return Trouble(
        "file.trouble",
        N_("{path} cannot be used: {why}."),
        N_(
            "Check that the path is right, that you may read and write there, and that the disk is connected and sound."
        ),
        path=error.filename,
        why=error.strerror,
    )


def full_disk(folder: object) -> Trouble:
    """The refusal ``disk.full`` for writing in `folder`."""
    return Trouble(
        "disk.full",
        N_("The disk of {folder} is full."),
        N_("Free some space and try again. What was saved before stays saved; nothing else was changed."),
        folder=folder,
    )


def require_free_space(folder: Path, needed_bytes: int) -> None:
    """Refuse early, before anything is written, when `folder`'s disk cannot take `needed_bytes`."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed_bytes:
        raise Trouble(
            "disk.full",
            N_("The disk of {folder} has {free_mb} MB free; {needed_mb} MB are needed."),
            N_("Free some space and try again. Nothing was changed."),
            folder=folder,
            free_mb=free // 1_000_000,
            needed_mb=-(-needed_bytes // 1_000_000),
        )
