"""The street server lives without Qt: all below `ui` imports, and the server's tests pass, where PySide6 is refused."""

import os
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT

REFUSE = """
import sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"PySide6", "shiboken6"}:
            raise ModuleNotFoundError(f"{name} is refused in this process", name=name)
        return None

sys.meta_path.insert(0, Refused())
"""
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


@pytest.mark.slow
def test_the_server_passes_its_tests_without_qt() -> None:
    code = REFUSE + "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    options = [
        "-p",
        "no:pytest-qt",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestConfigWarning",
        "-q",
        "-x",
        "-m",
        "not slow",
    ]
    made = alone(code, *options, "tests/server")
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
