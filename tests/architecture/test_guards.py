"""What every test runs under does its work: each guard of tests/conftest.py fails the test that offends."""

import re

import pytest

from tests.architecture.source import ROOT

OFFENDERS = {
    "reaching another machine, even when the refusal is swallowed": """
        import contextlib, socket
        def test_offender():
            with contextlib.suppress(Exception):
                socket.create_connection(("192.0.2.1", 80), timeout=1)
        """,
    "looking up a name": """
        import contextlib, socket
        def test_offender():
            with contextlib.suppress(Exception):
                socket.getaddrinfo("example.test", 443)
        """,
    "an exception in a slot": """
        from PySide6.QtCore import QTimer
        def test_offender(qtbot):
            def boom():
                raise RuntimeError("nobody waits for this")
            QTimer.singleShot(0, boom)
            qtbot.wait(50)
        """,
    "a warning of Qt": """
        from PySide6.QtCore import qWarning
        def test_offender(qtbot):
            qWarning("a widget was used wrongly")
        """,
    "deleting a file that is open": """
        from gridman.kernel.files import take_away
        def test_offender(tmp_path):
            with (tmp_path / "log").open("w"):
                take_away(tmp_path / "log")
        """,
    "a Python warning": """
        import warnings
        def test_offender():
            warnings.warn("left behind", UserWarning)
        """,
    "an exception in a thread": """
        import threading
        def test_offender():
            def boom():
                raise RuntimeError("nobody waits for this")
            thread = threading.Thread(target=boom)
            thread.start()
            thread.join()
        """,
    "a mark nobody declared": """
        import pytest
        @pytest.mark.slwo
        def test_offender():
            pass
        """,
}
INNOCENT = """
    import os, socket
    from PySide6.QtCore import qWarning
    def test_innocent(qtbot, tmp_path, noon):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            socket.create_connection(listener.getsockname(), timeout=5).close()
        qWarning("This plugin does not support propagateSizeHints()")
        assert "default-data" in os.environ["GRIDMAN_DATA"]
        assert os.environ["QT_QPA_PLATFORM"] == "offscreen"
        assert noon() == noon()
    """


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, **files: str) -> pytest.RunResult:
    """Run test files under our own configuration and conftest, in a process of their own."""
    pytester.makepyfile(**files)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(pytester.path), "-p", "tests.conftest"]
    options += ["-p", "no:cacheprovider", "--continue-on-collection-errors", "-rfEp", str(pytester.path)]
    return pytester.runpytest_subprocess(*options)


def test_every_offender_fails(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"test_{number}": offence for number, offence in enumerate(OFFENDERS)}
    result = run(pytester, monkeypatch, **{name: OFFENDERS[offence] for name, offence in names.items()})
    said = result.stdout.str()
    unnoticed = [
        offence for name, offence in names.items() if not re.search(rf"^(FAILED|ERROR) {name}\.py", said, re.MULTILINE)
    ]
    assert not unnoticed, said


def test_the_innocent_passes(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(pytester, monkeypatch, test_innocent=INNOCENT)
    assert result.ret == 0, result.stdout.str()
    result.assert_outcomes(passed=1)
