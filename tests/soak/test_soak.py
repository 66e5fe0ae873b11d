"""The soak in small, as a command: it ends with 0 only when every desk has what the street gives it."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_twenty_desks_at_work_end_equal_to_the_street() -> None:
    command = [sys.executable, "-m", "tests.soak", "--desks", "20", "--minutes", "0.3", "--every", "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert "desks equal to the street's scope query: 20 of 20" in done.stdout
    assert "errors: 0\n" in done.stdout
