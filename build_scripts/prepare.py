"""Make ready what a command needs: environment, system libraries, Leaflet, translations; each skipped when done."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environment
import fetch_leaflet
import qt_libraries
import translate
from steps import ROOT, SetupProblem, run_logged, say


def prepare(profile: str) -> Path:
    """Make ready for a profile of build_scripts/locks/ (street, desk, dev) and return the Python to use."""
    try:
        return _prepare(profile)
    except OSError as error:
        raise SetupProblem(
            f"the set-up could not work in its folder: {error}",
            f"make sure that {ROOT} is writable and its disk has 2 GB free, and close a gridman that runs from it",
        ) from error


def _prepare(profile: str) -> Path:
    with _alone():
        stamp = environment.ensure(profile)
        if profile != "street" and not stamp.are_libraries_present:
            qt_libraries.ensure(environment.HOME / "setup.log")
            stamp.are_libraries_present = True
            stamp.save()
        if profile != "street":
            fetch_leaflet.ensure(environment.python(), environment.HOME)
        if translate.is_stale():
            _translate()
    return environment.python()


def _translate() -> None:
    command = [str(environment.python()), str(ROOT / "build_scripts" / "translate.py")]
    code, tail = run_logged(command, environment.HOME / "setup.log", env=environment.clean_environ())
    if code:
        raise SetupProblem(f"the translations could not be compiled:\n{tail}", "correct the .po file named above")


def running_environ() -> dict[str, str]:
    """The environment variables for gridman itself, from any folder the person stands in."""
    env = environment.clean_environ() | {"PYTHONPATH": str(ROOT)}
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium refuses to start its sandbox as root and would end the program.
        env.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
    return env


def become(python: Path, arguments: list[str], env: dict[str, str]) -> int:
    """Run `python arguments` in our place: signals and the exit code are its own."""
    command = [str(python), *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        # There is no taking of places. Ctrl+C and Ctrl+Break reach both; ours would end the child before it has finished.
        for number in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(number, signal.SIG_IGN)
        return subprocess.run(command, env=env, check=False).returncode
    else:
        os.execve(command[0], command, env)


@contextmanager
def _alone() -> Iterator[None]:
    """One set-up at a time in this folder; the operating system frees the lock when a set-up dies."""
    with (ROOT / "build_scripts" / ".set-up.lock").open("a+") as handle:
        os.set_inheritable(handle.fileno(), True)
        if not _try_lock(handle.fileno()):
            say("[set-up] another set-up is at work in this folder: waiting for it")
            _wait_lock(handle.fileno())
        yield


if sys.platform == "win32":
    import msvcrt
    import time

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait_lock(descriptor: int) -> None:
        while not _try_lock(descriptor):
            time.sleep(0.5)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _wait_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
