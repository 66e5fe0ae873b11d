"""The street server as offices start it: the command in a process of its own, which a test may kill."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gridman.services.street import open_street
from gridman.services.trust import kept_authority
from tests.support.browser import Browser
from tests.support.streets import ADMIN, PASSWORD

__all__ = ["Process", "serving"]

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """`gridman street --data FOLDER`."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self._running = subprocess.Popen(
            [sys.executable, "-m", "gridman", "--json", "--language", "en", "street", "--data", str(folder), "--port", str(port)],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.url = self.announced()

    def announced(self) -> str:
        """The address the next start tells."""
        assert self._running.stdout is not None
        told = ""
        for line in self._running.stdout:
            told += line
            try:
                return str(json.loads(told)["address"])
            except ValueError:
                continue
        raise AssertionError(f"the server did not start: {told}{self._running.stderr.read()}")  # type: ignore[union-attr]

    def kill(self) -> None:
        """As a power cut does."""
        self._running.kill()
        self._running.wait()

    def stop(self) -> int:
        """As the system does; returns the exit code."""
        if self._running.poll() is None:
            self._running.send_signal(signal.SIGTERM)
        self._running.communicate(timeout=60)
        return self._running.returncode

    @property
    def authority(self) -> bytes:
        street = open_street(self.folder, must_exist=True)
        try:
            with street.store.read() as reader:
                found = kept_authority(reader)
                assert found is not None
                return found.certificate
        finally:
            street.close()

    @contextmanager
    def signed_in(self, login: str = ADMIN, password: str = PASSWORD) -> Iterator[Browser]:
        with closing(Browser(self.url, self.authority)) as browser:
            assert browser.sign_in(login, password).path != "/admin/sign-in"
            yield browser


@contextmanager
def serving(folder: Path, port: int = 0) -> Iterator[Process]:
    made = Process(folder, port)
    try:
        yield made
    finally:
        made.stop()
