"""Windows' rule for files, kept on Linux for the product: what this process has open is neither replaced, moved nor deleted."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

__all__ = ["keep_windows_rule", "open_below"]

_PRODUCT = str(Path(__file__).resolve().parents[2] / "gridman") + os.sep
_LIBRARY = os.path.dirname(os.__file__) + os.sep
_OPEN = Path("/proc/self/fd")


def open_below(path: str) -> Iterator[str]:
    """The files that this process has open, of those at or below `path`."""
    for number in os.listdir(_OPEN):
        try:
            found = os.readlink(_OPEN / number)
        except OSError:  # closed by another thread since, or the listing's own
            continue
        if found == path or found.startswith(path + os.sep):
            yield found


def keep_windows_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `os.replace` and its like refuse what Windows would refuse, when it is the product that asks."""
    if os.name == "nt" or not _OPEN.is_dir():  # Windows keeps its rule itself
        return

    def kept(name: str, is_of_two: bool) -> Callable[..., Any]:
        real = getattr(os, name)

        def asked(*args: Any, **kwargs: Any) -> Any:
            if _is_the_product(sys._getframe(1)):
                folder = kwargs.get("dir_fd")
                for path in args[: 2 if is_of_two else 1]:
                    whole = os.fspath(path) if folder is None else os.path.join(os.readlink(_OPEN / str(folder)), path)
                    held = [] if name == "rmdir" else list(open_below(os.path.realpath(whole)))
                    if held:
                        raise PermissionError(
                            errno.EACCES, "The process cannot access the file because it is being used", held[0]
                        )
            return real(*args, **kwargs)

        return asked

    for name, is_of_two in (("replace", True), ("rename", True), ("unlink", False), ("remove", False)):
        monkeypatch.setattr(os, name, kept(name, is_of_two))


def _is_the_product(frame: Any) -> bool:
    """Whether the first who asks, outside Python's own library, is a module of gridman."""
    while frame is not None and (
        frame.f_code.co_filename.startswith((_LIBRARY, "<")) and "site-packages" not in frame.f_code.co_filename
    ):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(_PRODUCT)
