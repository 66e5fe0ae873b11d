"""The Settings page on a desk's real folder, as it lies on a person's disk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from gridman.joining import DeskDoor, join_desk
from gridman.kernel.errors import Refusal
from gridman.kernel.words import LANGUAGES
from gridman.services.enrolment import Enrolled
from gridman.services.signin import set_up_desk, sign_in
from gridman.store.keys import Cost
from gridman.ui.session import DeskSession

OLD, NEW = "seven grey herons", "nine white egrets"


@pytest.fixture
def real_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Zhou's desk, newly enrolled, in a data folder that is told relatively, as the demonstration's."""
    monkeypatch.chdir(tmp_path)
    enrolled = Enrolled(7, "gm1.7.x", 70, "zhou", "周桂英", "grid_worker", 3, "street", "epoch", (), False)
    parts = set_up_desk(Path("wangge"), enrolled, "https://127.0.0.1:9", OLD, cost=Cost(1_024, 1, 1))
    made = join_desk(parts)
    yield made
    made.close()


def _fields(session: DeskSession) -> list[QLineEdit]:
    page = session.window.open_page("settings")
    assert page is not None
    names = ("Present passphrase", "New passphrase", "New passphrase again")
    found = {line.accessibleName(): line for line in page.findChildren(QLineEdit)}
    return [found[name] for name in names]


def _problem(session: DeskSession) -> str:
    page = session.window.current_page
    assert page is not None
    return " ".join(t.text() for t in page.findChildren(QLabel) if t.property("kind") == "problem" and t.isVisible())


def _change(lines: list[QLineEdit], *texts: str) -> None:
    for line, text in zip(lines, texts, strict=True):
        line.setFocus()
        line.selectAll()
        QTest.keyClicks(line, text)
        QTest.keyClick(line, Qt.Key.Key_Return)


def test_the_passphrase_is_changed_in_the_window(
    open_session: Callable[..., DeskSession], real_desk: Any, qtbot: QtBot
) -> None:
    session = open_session(real_desk)
    lines = _fields(session)
    _change(lines, "seven grey heroes", NEW, NEW)
    qtbot.waitUntil(lambda: "present passphrase is wrong" in _problem(session), timeout=10_000)
    assert QApplication.focusWidget() is lines[0] and not lines[0].selectedText(), "the next key wipes nothing"
    assert [line.text() for line in lines[1:]] == [NEW, NEW]
    qtbot.wait(1_100)  # the pause after a wrong passphrase
    _change(lines, OLD, NEW, NEW)
    qtbot.waitUntil(lambda: "The passphrase was changed." in session.window.toasts, timeout=10_000)
    assert not _problem(session) and not any(line.text() for line in lines)
    real_desk.close()
    with pytest.raises(Refusal, match="passphrase"):
        sign_in(Path("wangge"), "zhou", OLD)


def test_the_line_that_is_wrong_gets_the_keyboard(
    open_session: Callable[..., DeskSession], real_desk: Any, qtbot: QtBot
) -> None:
    session = open_session(real_desk)
    lines = _fields(session)
    _change(lines, OLD, NEW, NEW + "s")
    assert "differ" in _problem(session) and QApplication.focusWidget() is lines[2]
    _change(lines, OLD, "short", "short")
    qtbot.waitUntil(lambda: "fewer than" in _problem(session), timeout=10_000)
    assert QApplication.focusWidget() is lines[1]


def test_nothing_stays_typed_behind_a_lock(
    open_session: Callable[..., DeskSession], real_desk: Any, qtbot: QtBot
) -> None:
    door = DeskDoor(Path("wangge"))
    session = open_session(real_desk, unlock=lambda passphrase: door.unlock(real_desk, passphrase))
    lines = _fields(session)
    lines[0].setText(OLD)
    session.lock()
    assert not lines[0].text()


def test_the_data_folder_is_told_whole(open_session: Callable[..., DeskSession], real_desk: Any) -> None:
    page = open_session(real_desk).window.open_page("settings")
    assert page is not None
    (folder,) = (line for line in page.findChildren(QLineEdit) if line.accessibleName() == "Data folder")
    assert Path(folder.text()).is_absolute()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_keyboard_begins_on_the_language_that_is_chosen(
    open_session: Callable[..., DeskSession], real_desk: Any, language: str
) -> None:
    """A ring around the other one looked as if that were chosen."""
    session = open_session(real_desk, language)
    session.window.open_page("settings")
    chip = QApplication.focusWidget()
    assert isinstance(chip, QPushButton) and chip.isChecked() and chip.text() == LANGUAGES[language]


def test_the_address_of_a_street_that_moved_is_told_in_the_window(
    open_session: Callable[..., DeskSession], real_desk: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real servers answer in `tests/cli/test_moving.py`."""
    there = {"https://street.example:8751": "street", "https://other.example:8750": "another"}

    def street_at(url: str, authority: bytes) -> str:
        if url not in there:
            raise Refusal("sync.unreachable", "The street server at {url} cannot be reached.", url=url)
        return there[url]

    monkeypatch.setattr("gridman.sync.moving.street_at", street_at)
    session = open_session(real_desk)
    page = session.window.open_page("settings")
    assert page is not None
    (line,) = (found for found in page.findChildren(QLineEdit) if found.accessibleName() == "Street server")
    (go,) = (found for found in page.findChildren(QPushButton) if found.accessibleName() == "Change address")
    assert line.text() == "https://127.0.0.1:9" and not go.isEnabled()
    for wrong, words in (
        ("https://street.example:8752", "No street server answers"),
        ("https://other.example:8750", "Another street answers"),
    ):
        line.setText(wrong)
        QTest.keyClick(line, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda words=words: words in _problem(session), timeout=10_000)  # type: ignore[misc]
        assert "keeps https://127.0.0.1:9" in _problem(session) and line.text() == wrong
        assert real_desk.profile.server_url == "https://127.0.0.1:9"
    line.setText("https://street.example:8751/")
    qtbot.mouseClick(go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: real_desk.profile.server_url == "https://street.example:8751", timeout=10_000)
    qtbot.waitUntil(lambda: not go.isEnabled() and not _problem(session), timeout=10_000)
    assert line.text() == "https://street.example:8751" == DeskDoor(Path("wangge")).server_url
    assert any("goes to the new address" in said for said in session.window.toasts)
