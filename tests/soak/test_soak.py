"""The soak in small, as a command: it ends with 0 only when every desk has what the street gives it."""

import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("desks", "minutes", "more"),
    [(20, "0.3", []), pytest.param(6, "0.15", ["--postgres", "--workers", "2"], marks=pytest.mark.postgres)],
    ids=["sqlite", "two-workers"],
)
def test_desks_at_work_end_equal_to_the_street(desks: int, minutes: str, more: list[str]) -> None:
    command = [sys.executable, "-m", "tests.soak", "--desks", str(desks), "--minutes", minutes, "--every", "5", *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert f"desks equal to the street's scope query: {desks} of {desks}" in done.stdout
    assert "errors: 0\n" in done.stdout
