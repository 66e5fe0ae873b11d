"""What every test runs under: Qt off-screen, no network beyond this machine, nobody's own data, fresh translations."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support.windows_files import keep_windows_rule

ROOT = Path(__file__).resolve().parents[1]

# Before anything imports Qt.
os.environ["QT_QPA_PLATFORM"] = os.environ.get("GRIDMAN_TEST_PLATFORM", "offscreen")
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")

pytest_plugins = ["pytester", "tests.support.postgres"]

# A busy machine is no failure of the code; a failure found by chance must be told so that it can be repeated.
hypothesis.settings.register_profile("gridman", deadline=None, print_blob=True)
hypothesis.settings.load_profile("gridman")

NOON = 1_795_406_400_000
"""2026-11-23 12:00 China time: the present of tests that need one."""


class NetworkTouched(RuntimeError):
    """A test reached for another machine: the product must work without one, and so must its tests."""


@pytest.fixture(scope="session", autouse=True)
def _compiled_translations() -> None:
    """Chinese is read from the compiled catalogue: make it of the sources as they are now."""
    sys.path.insert(0, str(ROOT / "build_scripts"))
    try:
        import translate
    finally:
        sys.path.pop(0)
    if translate.is_stale():
        for language in translate.LANGUAGES:
            translate.compile_language(language)


@pytest.fixture(autouse=True)
def _nobodys_data(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default data folder is a temporary one, so that no test can touch the person's own."""
    monkeypatch.setenv("GRIDMAN_DATA", str(tmp_path_factory.getbasetemp() / "default-data"))


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Each test starts in English; one that speaks Chinese does not leave it behind."""
    from gridman.kernel import words

    words.use("en")
    yield
    words.use("en")


@pytest.fixture
def noon() -> Callable[[], int]:
    """A clock that stands still at NOON."""
    return lambda: NOON


@pytest.fixture(autouse=True)
def _windows_rule(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product never replaces or deletes a file that it has open: on Windows it could not."""
    if request.node.get_closest_marker("posix_files") is None:
        keep_windows_rule(monkeypatch)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse connections and name look-ups beyond this machine, and fail the test even if the refusal was swallowed."""
    touched: list[str] = []
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(host: object) -> None:
        if not _is_here(host):
            touched.append(str(host))
            raise NetworkTouched(f"this test reached for {host}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            check(address[0])
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            check(address[0])
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        check(host)
        return getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield
    assert not touched, f"this test reached for {', '.join(touched)}"


def _is_here(host: object) -> bool:
    """Whether an address names this machine (or nothing: the wildcard)."""
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    return name in {"", "localhost", "::1", "::", "0.0.0.0", "None"} or name.startswith("127.")
