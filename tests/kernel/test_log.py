"""The log goes on whatever happens to its files."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridman.kernel.log import get_log, start_log


@pytest.fixture(autouse=True)
def _quiet_afterwards() -> Iterator[None]:
    yield
    start_log(None)


def full(folder: Path) -> None:
    """A log that is about to be put aside."""
    start_log(folder)
    handler = next(h for h in logging.getLogger("gridman").handlers if isinstance(h, logging.FileHandler))
    handler.maxBytes = 200  # type: ignore[attr-defined]


def test_a_full_log_is_put_aside(tmp_path: Path) -> None:
    full(tmp_path)
    for n in range(10):
        get_log("gridman.test").info("line %d %s", n, "x" * 100)
    assert "line 9" in (tmp_path / "gridman.log").read_text(encoding="utf-8")
    assert "line 8" in (tmp_path / "gridman.log.1").read_text(encoding="utf-8")


def test_a_full_log_that_another_program_has_open_is_written_on(tmp_path: Path) -> None:
    full(tmp_path)
    get_log("gridman.test").info("line %d %s", 0, "x" * 100)
    with (tmp_path / "gridman.log").open(encoding="utf-8"):
        for n in range(1, 10):
            get_log("gridman.test").info("line %d %s", n, "x" * 100)
    said = (tmp_path / "gridman.log").read_text(encoding="utf-8")
    assert all(f"line {n}" in said for n in range(10))
    assert [path.name for path in tmp_path.iterdir()] == ["gridman.log"]
    get_log("gridman.test").info("line %d %s", 10, "x" * 100)
    assert "line 9" in (tmp_path / "gridman.log.1").read_text(encoding="utf-8")
