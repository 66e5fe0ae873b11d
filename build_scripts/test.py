"""Set up and check everything: lint, format, types, import contracts, tests.

`python3 build_scripts/test.py [--fast] [pytest arguments]`: `--fast` leaves out the tests marked slow; everything else
goes to pytest. Without arguments of pytest's the server's tests run in a Python that refuses Qt, and the simulator's histories are
played beside the other tests, with what processor time these leave.
"""

import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if sys.version_info < (3, 11):  # noqa: UP036  an older Python starts this file too and must be told
    sys.exit("gridman needs Python 3.11 or newer and this is %s: try python3.11" % sys.version.split()[0])  # noqa: UP031

from prepare import prepare, running_environ
from steps import EXIT_SETUP, ROOT, SetupProblem

_BESIDE = Path("tests") / "simulation"
_WITHOUT_QT = Path("tests") / "server"
SOURCES = ["gridman", "build_scripts", "tests"]


def checks(arguments: list[str]) -> list[tuple[str, list[str]]]:
    """Name and `python` arguments of each check, in order."""
    is_fast = "--fast" in arguments
    passed = [argument for argument in arguments if argument != "--fast"]
    pytest = ["-m", "pytest", *(["-m", "not slow"] if is_fast else [])]
    server = ["-p", "tests.support.without_qt", "-p", "no:pytest-qt", "-W", "ignore::pytest.PytestConfigWarning"]
    found = [
        ("lint", ["-m", "ruff", "check", *SOURCES]),
        ("format", ["-m", "ruff", "format", "--check", *SOURCES]),
        ("types", ["-m", "mypy"]),
        ("types on Windows", ["-m", "mypy", "--platform", "win32", "--cache-dir", ".mypy_cache/windows"]),
        ("import contracts", ["-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-logo"]),
        ("tests", [*pytest, *(passed or [f"--ignore={_BESIDE}", f"--ignore={_WITHOUT_QT}"])]),
    ]
    return found if passed else [*found, ("server without Qt", [*pytest, *server, str(_WITHOUT_QT)])]


def _politely() -> dict[str, Any]:
    """What starts a process that leaves the processor to others."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    else:
        return {"preexec_fn": lambda: os.nice(10)}


class Beside:
    """A check that runs beside the others, politely; its output is shown when it is over."""

    def __init__(self, name: str, command: list[str], env: dict[str, str]) -> None:
        self.name = name
        self._began = time.monotonic()
        self._folder = tempfile.TemporaryDirectory(prefix="gridman-test-")
        self._said = Path(self._folder.name) / "said.txt"
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=said, stderr=subprocess.STDOUT, **_politely()
            )

    def finish(self) -> tuple[str, int, float]:
        """Wait for it, show what it said; name, exit code, seconds."""
        print(f"\n=== {self.name} ===", flush=True)
        code = self._process.wait()
        print(self._said.read_text(encoding="utf-8", errors="replace"), flush=True)
        self._folder.cleanup()
        return self.name, code, time.monotonic() - self._began

    def stop(self) -> None:
        """End it, because the whole is ended."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


def main(arguments: list[str]) -> int:
    """Run every check even after one failed, and say at the end which did; 1 when any failed."""
    for stream in (sys.stdout, sys.stderr):  # what the checks say is UTF-8, whatever this computer writes otherwise
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        python = prepare("dev")
    except SetupProblem as problem:
        problem.tell()
        return EXIT_SETUP
    env = running_environ() | {"QT_QPA_PLATFORM": "offscreen"}
    results: list[tuple[str, int, float]] = []
    beside = None
    if not [argument for argument in arguments if argument != "--fast"]:
        chosen = ["-m", "not slow"] if "--fast" in arguments else []
        command = [
            str(python),
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-o",
            "faulthandler_timeout=1800",
            *chosen,
            str(_BESIDE),
        ]
        beside = Beside("simulation", command, env)
    try:
        for name, command in checks(arguments):
            print(f"\n=== {name} ===", flush=True)
            began = time.monotonic()
            code = subprocess.run([str(python), *command], cwd=ROOT, env=env, check=False).returncode
            results.append((name, code, time.monotonic() - began))
        if beside is not None:
            results.append(beside.finish())
    except BaseException:
        if beside is not None:
            beside.stop()
        raise
    print("\n=== result ===")
    for name, code, seconds in results:
        print(f"ok     {name} ({seconds:.1f} s)" if code == 0 else f"FAILED {name} ({seconds:.1f} s), exit code {code}")
    failed = [name for name, code, _seconds in results if code]
    print(f"FAILED: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
