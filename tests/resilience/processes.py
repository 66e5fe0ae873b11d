"""The street server, the desks and the postman as processes of their own, to be killed with SIGKILL at any moment."""

import multiprocessing
import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from gridman.__main__ import main
from gridman.server.run import serve as _loaded_before_the_fork
from gridman.sync.bundle import StreetBundles as _loaded_too
from tests.resilience.work import Job, work

__all__ = ["DeskProcess", "Postman", "StreetProcess", "free_port", "until"]

assert _loaded_before_the_fork and _loaded_too

# Children start from a process that has the product loaded: a kill every second would else hit nothing but imports.
_processes: Any = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
if hasattr(_processes, "set_forkserver_preload"):
    _processes.set_forkserver_preload([__name__])

_PHASES = {"a": "starting", "e": "editing", "s": "synchronising", "p": "packing"}


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(is_so: Callable[[], bool], patience_s: float = 60.0, *, what: str = "") -> None:
    """Wait until `is_so()`; fails when it takes too long."""
    limit = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > limit:
            raise RuntimeError(f"waited {patience_s:.0f} s in vain: {what}")
        time.sleep(0.02)


def _command(arguments: Sequence[str], log: Path) -> None:
    """A command of the program, as `python -m gridman` runs it; what it prints goes to a file."""
    with log.open("a", encoding="utf-8") as out:
        sys.stdout = sys.stderr = out
        sys.exit(main(list(arguments)))


@dataclass
class StreetProcess:
    """`gridman street --data FOLDER --port PORT`: HTTPS with the street's own certificate, always at the same port."""

    folder: Path
    authority: bytes
    log: Path
    port: int = field(default_factory=free_port)
    process: BaseProcess | None = None
    kills: int = 0

    def start(self) -> None:
        """Start, and wait until it answers."""
        arguments = ("street", "--data", str(self.folder), "--port", str(self.port))
        self.process = _processes.Process(target=_command, args=(arguments, self.log), daemon=True)
        self.process.start()
        until(self._answers, what="the street server does not answer")

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None and self.process.is_alive(), "the server had ended by itself"
        self.process.kill()
        self.process.join()
        self.kills += 1

    def stop(self) -> None:
        """SIGTERM: it finishes what is under way."""
        assert self.process is not None
        self.process.terminate()
        self.process.join(30)

    def _answers(self) -> bool:
        assert self.process is not None
        if not self.process.is_alive():
            raise RuntimeError(f"the street server ended: {self.log.read_text(encoding='utf-8')[-2_000:]}")
        context = ssl.create_default_context(cadata=self.authority.decode())
        try:
            url = f"https://127.0.0.1:{self.port}/health"
            return httpx.get(url, timeout=2, trust_env=False, verify=context).is_success
        except httpx.HTTPError:
            return False


@dataclass
class DeskProcess:
    """A desk at work (`tests.resilience.work`)."""

    job: Job
    process: BaseProcess | None = None
    kills: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        """Start; it goes on from what is on its disk."""
        self.process = _processes.Process(target=work, args=(self.job,), daemon=True)
        self.process.start()

    def is_at(self, letters: str) -> bool:
        """Whether it lives and does one of these (`tests.resilience.work`)."""
        return self.process is not None and self.process.is_alive() and self._letter() in letters

    def kill(self) -> None:
        """SIGKILL; what it was doing is counted."""
        assert self.process is not None
        self.process.kill()
        self.process.join()
        self.kills[_PHASES.get(self._letter(), "starting")] += 1

    def _letter(self) -> str:
        return (self.job.phase.read_text() if self.job.phase.exists() else "") or "a"


@dataclass
class Postman:
    """Carries bundles between the stick and the street with `gridman bundle take`, while the server serves; every third is plugged in twice."""

    stick: Path
    street: Path
    log: Path
    taken: int = 0
    again: int = 0
    kills: int = 0
    failures: int = 0
    process: BaseProcess | None = None
    _going: Path | None = None

    def step(self) -> None:
        """Look at the stick; take the next bundle when none is under way."""
        if self.process is not None:
            if not self.process.is_alive():
                self._done(self.process.exitcode)
            return
        waiting = sorted(self.stick.glob("out-*.gridman"))
        if waiting:
            self._going = waiting[0].rename(self.stick / waiting[0].name.replace("out-", "going-", 1))
            back = self.stick / self._going.name.replace("going-", "back-", 1)
            arguments = ("bundle", "take", str(self._going), "--data", str(self.street), "--out", str(back))
            self.process = _processes.Process(target=_command, args=(arguments, self.log), daemon=True)
            self.process.start()

    def kill(self) -> bool:
        """SIGKILL while it takes a bundle in; False when it is not at work."""
        if self.process is None or not self.process.is_alive():
            return False
        self.process.kill()
        self.process.join()
        self.kills += 1
        self._done(None)
        return True

    def _done(self, code: int | None) -> None:
        going, self.process, self._going = self._going, None, None
        assert going is not None
        was_again = going.name.startswith("going-again-")
        if code == 0:
            self.taken += 1
            self.again += was_again
            if self.taken % 3 == 0 and not was_again:
                going.rename(self.stick / going.name.replace("going-", "out-again-", 1))
            else:
                going.unlink()
            return
        self.failures += code is not None
        if self.failures > 20:
            raise RuntimeError(f"bundles are not taken: {self.log.read_text(encoding='utf-8')[-2_000:]}")
        going.rename(self.stick / going.name.replace("going-", "out-", 1))

    def finish(self) -> None:
        """Until nothing lies on the stick for the street."""

        def is_done() -> bool:
            self.step()
            return self.process is None and not list(self.stick.glob("out-*.gridman"))

        until(is_done, what="the postman does not finish")
