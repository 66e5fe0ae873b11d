"""The street server lives without Qt: all below `ui` imports where PySide6 is refused, and there its tests are run."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

REFUSE = "import tests.support.without_qt; "
IMPORT_ALL = (
    REFUSE
    + """
import importlib, pkgutil
import gridman

seen = 0
def visit(package):
    global seen
    for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        # The desk and its demonstration have Qt; the migrations' environment runs inside Alembic only.
        if found.name in {"gridman.ui", "gridman.demo", "gridman.__main__"} or ".migrations" in found.name:
            continue
        module = importlib.import_module(found.name)
        seen += 1
        if found.ispkg:
            visit(module)
visit(gridman)
print(seen)
"""
)


def alone(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a Python that has no Qt."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_everything_below_the_desk_imports_without_qt() -> None:
    made = alone(IMPORT_ALL)
    assert made.returncode == 0, made.stderr[-3000:]
    assert int(made.stdout) > 10


def test_the_command_line_answers_without_qt() -> None:
    for command in ([], ["street"]):
        made = alone(REFUSE + "import runpy; runpy.run_module('gridman', run_name='__main__')", *command, "--help")
        assert made.returncode == 0, made.stderr[-3000:]


def test_the_test_command_runs_the_servers_tests_without_qt_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "build_scripts"))
    refused = alone(REFUSE + "import PySide6")
    assert refused.returncode == 1 and "PySide6 is refused" in refused.stderr
    checks = runpy.run_path(str(ROOT / "build_scripts" / "test.py"))["checks"]([])
    where = str(Path("tests") / "server")
    (command,) = [arguments for _name, arguments in checks if where in arguments]
    assert command[command.index("tests.support.without_qt") - 1] == "-p"
    assert [arguments for _name, arguments in checks if f"--ignore={where}" in arguments]
