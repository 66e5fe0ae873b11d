"""Files are written whole or not at all."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gridman.kernel import files
from gridman.kernel.errors import Refusal
from gridman.kernel.files import os_trouble, take_away, write_whole
from gridman.kernel.private import is_open_to_others


class _WindowsError(OSError):
    """Windows' own errors bear a number of theirs; what has none of C's comes as "invalid"."""

    winerror: int | None = None


def _as_windows_tells(number: int, words: str) -> OSError:
    error = _WindowsError(errno.EINVAL, words, "C:\\data")
    error.winerror = number
    return error


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "sheet.pdf"
    write_whole(target, b"old")
    write_whole(target, b"new")
    assert target.read_bytes() == b"new"
    assert [p.name for p in target.parent.iterdir()] == ["sheet.pdf"]
    assert not is_open_to_others(target)


def test_a_file_that_stays_open_elsewhere_keeps_its_content_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_PATIENCE_S", 0.05)
    target = tmp_path / "sheet.pdf"
    write_whole(target, b"old")
    with target.open("rb") as held:
        with pytest.raises(Refusal) as refused:
            write_whole(target, b"new")
        assert refused.value.code == "file.cannot_write"
        with pytest.raises(PermissionError):
            take_away(target)
        assert held.read() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.pdf"]


@pytest.mark.parametrize("act", [lambda path: write_whole(path, b"new"), take_away], ids=["replaced", "deleted"])
def test_who_has_a_file_open_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], None]
) -> None:
    """A scanner for viruses opens what was just written, and Windows neither replaces nor deletes what is open."""
    monkeypatch.setattr(files, "_PATIENCE_S", 30.0)
    target = tmp_path / "sheet.pdf"
    write_whole(target, b"old")
    held = target.open("rb")
    letting_go = threading.Timer(0.2, held.close)
    letting_go.start()
    act(target)
    letting_go.join()
    assert held.closed and (not target.exists() or target.read_bytes() == b"new")


def test_a_folder_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"a file")
    with pytest.raises(Refusal) as refused:
        write_whole(tmp_path / "taken" / "below" / "sheet.pdf", b"new")
    assert refused.value.code == "file.cannot_write"
    assert "sheet.pdf" in str(refused.value)
    assert (tmp_path / "taken").read_bytes() == b"a file"


def test_a_target_that_is_a_folder_is_refused_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "sheet.pdf").mkdir()
    with pytest.raises(Refusal, match=r"sheet\.pdf"):
        write_whole(tmp_path / "sheet.pdf", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.pdf"]


def test_a_name_too_long_for_the_disk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        write_whole(tmp_path / ("n" * 300), b"new")
    assert refused.value.code == "file.cannot_write"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/desk"), "disk.full"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk.full"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/desk"), "file.trouble"),
        (OSError(errno.EROFS, "Read-only file system", "/data/desk"), "file.trouble"),
        (
            OSError(errno.EINVAL, "The filename, directory name, or volume label syntax is incorrect", "C:\\a?"),
            "file.trouble",
        ),
        (
            _as_windows_tells(1295, "The requested file operation failed because the storage quota was exceeded"),
            "disk.full",
        ),
    ],
)
def test_trouble_with_a_file_is_told_with_its_name(error: OSError, code: str) -> None:
    told = os_trouble(error)
    assert told is not None and told.code == code
    assert error.filename is None or error.filename in told.words()


@pytest.mark.parametrize("error", [OSError(errno.EBADF, "Bad file descriptor"), ValueError("x"), OSError("x")])
def test_an_error_that_names_no_file_is_a_bug(error: Exception) -> None:
    assert os_trouble(error) is None
