"""Signing in, and setting a computer up once; with the product's own key files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from gridman.joining import DeskDoor, LeftSent
from gridman.kernel import words
from gridman.kernel.errors import Refusal
from gridman.services.enrolment import Enrolled
from gridman.services.signin import (
    DeskParts,
    check_set_up,
    destroy_desk,
    set_up_desk,
    sign_in,
)  # fmt: skip
from gridman.store.keys import Cost
from gridman.sync.exchange import SyncKind, SyncStatus
from gridman.sync.fork import fork_after_rescue
from gridman.ui.app import run_program
from gridman.ui.pages.sync.page import SyncPage
from gridman.ui.session import DeskSession
from gridman.ui.signin import SignInWindow
from gridman.ui.theme import apply_theme, theme_of
from tests.support.desk import Desk
from tests.ui.conftest import unnamed

PASSPHRASE = "seven grey herons"
LONG = Refusal(
    "enrol.long",
    "This computer was reported lost. Its unsent work could not be handed over yet, because the line fell; it is shut meanwhile.",
    "Nothing is lost. Try another network, or carry the work: Sync page, Carry by USB stick.",
)


class LocalDoor(DeskDoor):
    """The product's sign-in without a street server: an enrolment with one known code."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.opened: list[DeskParts] = []

    def open(self, login: str, passphrase: str) -> Any:
        self.opened.append(sign_in(self.data_dir, login, passphrase))
        return self.opened[-1]

    def set_up(
        self, server_url: str, login: str, secret: str, is_code: bool, passphrase: str, device_name: str, progress: Any, ticket: Any,
        fingerprint: str = "", leaves: bool = False,
    ) -> Any:  # fmt: skip
        check_set_up(self.data_dir, login, passphrase, again=leaves)
        progress(1, 2, "Enrolling")
        if not is_code or secret != "ABCD-2345":
            raise Refusal("enrol.wrong_code", "That code is not known.", "Ask for a new one.")
        number = 7 + len(self.opened)
        enrolled = Enrolled(
            number, f"gm1.{number}.x", 70, login, "周小兰", "grid_worker", 3, "street", "epoch", (), False
        )
        self.opened.append(
            set_up_desk(self.data_dir, enrolled, server_url, passphrase, again=leaves, cost=Cost(1_024, 1, 1))
        )
        return self.opened[-1]

    def unlock(self, desk: Any, passphrase: str) -> None:
        raise NotImplementedError


@pytest.fixture
def door(tmp_path: Path) -> Iterator[LocalDoor]:
    made = LocalDoor(tmp_path)
    yield made
    for parts in made.opened:
        parts.database.close()


def shown(qtbot: QtBot, door: LocalDoor) -> SignInWindow:
    window = SignInWindow(door, theme_of())
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def fill(window: SignInWindow, **texts: str) -> None:
    for name, text in texts.items():
        line = getattr(window, f"_{name}")
        line.setText("")
        QTest.keyClicks(line, text)


def set_up(qtbot: QtBot, door: LocalDoor) -> None:
    window = shown(qtbot, door)
    fill(window, server="http://127.0.0.1:1", login="worker", secret="ABCD-2345", new=PASSPHRASE, again=PASSPHRASE)
    with qtbot.waitSignal(window.opened, timeout=20_000):
        QTest.keyClick(window._again, Qt.Key.Key_Return)


def test_a_new_computer_is_set_up_and_the_next_time_signed_in(qtbot: QtBot, door: LocalDoor) -> None:
    set_up(qtbot, door)
    assert [u.login for u in door.users()] == ["worker"]
    window = shown(qtbot, door)
    assert window._forms.currentWidget() is window._enter and window._who.currentText() == "周小兰 (worker)"
    fill(window, passphrase=PASSPHRASE)
    with qtbot.waitSignal(window.opened, timeout=20_000):
        QTest.keyClick(window._passphrase, Qt.Key.Key_Return)
    assert door.opened[-1].user.login == "worker"


def test_a_wrong_passphrase_is_told_in_words(qtbot: QtBot, door: LocalDoor) -> None:
    set_up(qtbot, door)
    window = shown(qtbot, door)
    fill(window, passphrase="something else")
    QTest.keyClick(window._passphrase, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(window._problem.text()), timeout=20_000)
    assert "passphrase" in window._problem.text() and window._forms.isEnabled()
    assert len(door.opened) == 1
    box = window._enter.layout()
    assert box.indexOf(window._problem) == box.indexOf(window._passphrase) + 1, "told under its field"  # type: ignore[union-attr]


def test_two_different_passphrases_are_noticed_before_anything_is_sent(qtbot: QtBot, door: LocalDoor) -> None:
    window = shown(qtbot, door)
    fill(
        window, server="http://127.0.0.1:1", login="worker", secret="ABCD-2345", new=PASSPHRASE, again="seven grey hens"
    )
    QTest.keyClick(window._again, Qt.Key.Key_Return)
    assert "differ" in window._problem.text() and window._background.is_idle() and not door.users()


def test_the_code_can_be_read_while_it_is_typed_and_a_password_cannot(qtbot: QtBot, door: LocalDoor) -> None:
    window = shown(qtbot, door)
    assert window._secret.echoMode() is QLineEdit.EchoMode.Normal
    window._way.setCurrentIndex(window._way.findData(False))
    assert window._secret.echoMode() is QLineEdit.EchoMode.Password


def test_enter_goes_through_the_form_and_the_first_empty_field_is_asked_for(qtbot: QtBot, door: LocalDoor) -> None:
    window = shown(qtbot, door)
    QTest.mouseClick(window._make, Qt.MouseButton.LeftButton)
    assert window._problem.text() == "Address of the street server is missing." and window._server.hasFocus()
    fill(window, server="127.0.0.1:8750")
    QTest.keyClick(window._server, Qt.Key.Key_Return)
    assert window._login.hasFocus()
    QTest.keyClicks(window._login, "worker")
    QTest.keyClick(window._login, Qt.Key.Key_Return)
    assert window._secret.hasFocus()
    QTest.mouseClick(window._make, Qt.MouseButton.LeftButton)
    assert window._problem.text().startswith("Code or password") and window._secret.hasFocus()
    fill(window, secret="ABCD-9999", new=PASSPHRASE, again=PASSPHRASE)
    QTest.keyClick(window._again, Qt.Key.Key_Return)
    assert window._server.text() == "https://127.0.0.1:8750"
    qtbot.waitUntil(lambda: "That code is not known" in window._problem.text(), timeout=20_000)
    QTest.keyClicks(window._secret, "X")
    assert window._secret.text() == "ABCD-9999X", "the next key wipes nothing"


def test_a_wrong_code_leaves_everything_typed(qtbot: QtBot, door: LocalDoor) -> None:
    window = shown(qtbot, door)
    fill(window, server="http://127.0.0.1:1", login="worker", secret="ABCD-9999", new=PASSPHRASE, again=PASSPHRASE)
    QTest.keyClick(window._again, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(window._problem.text()), timeout=20_000)
    assert window._problem.text() == "That code is not known. Ask for a new one."
    assert window._login.text() == "worker" and window._new.text() == PASSPHRASE and window._secret.hasFocus()


def test_the_language_changes_at_once_and_keeps_what_was_typed(qtbot: QtBot, door: LocalDoor) -> None:
    window = shown(qtbot, door)
    fill(window, login="worker")
    assert not unnamed(window)
    window._switch_language()
    texts = {w.text() for w in window.findChildren(QLabel)}
    assert words.language() == "zh_CN" and "登录名" in texts and window._login.text() == "worker"
    assert not unnamed(window)


class AskingDoor(LocalDoor):
    """Shows a fingerprint first, as a street over TLS does for a password."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.confirmed: list[str] = []

    def set_up(self, *args: Any, fingerprint: str = "", leaves: bool = False) -> Any:
        self.confirmed.append(fingerprint)
        if not fingerprint:
            raise Refusal(
                "enrol.confirm_street", "It shows {fingerprint}.", "Compare it.", fingerprint="ABCD-EFGH-JKMN"
            )
        return super().set_up(*args)


def test_an_unproved_street_is_compared_by_the_person_before_anything_is_sent(qtbot: QtBot, tmp_path: Path) -> None:
    door = AskingDoor(tmp_path)
    window = shown(qtbot, door)
    fill(window, server="https://127.0.0.1:1", login="worker", secret="ABCD-2345", new=PASSPHRASE, again=PASSPHRASE)
    assert not window._same.isVisible()
    QTest.keyClick(window._again, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "ABCD-EFGH-JKMN" in window._problem.text(), timeout=20_000)
    assert window._same.isVisible() and door.users() == ()
    with qtbot.waitSignal(window.opened, timeout=20_000):
        QTest.mouseClick(window._same, Qt.MouseButton.LeftButton)
    assert door.confirmed == ["", "ABCD-EFGH-JKMN"]


def test_who_sets_up_anew_is_told_first_what_stays_behind(qtbot: QtBot, door: LocalDoor) -> None:
    """A desk with an unsent visit was left for a new one without a word, and nothing told of it afterwards."""
    set_up(qtbot, door)
    window = shown(qtbot, door)
    QTest.mouseClick(window._others, Qt.MouseButton.LeftButton)
    fill(window, server="http://127.0.0.1:1", login="Worker", secret="ABCD-2345", new=PASSPHRASE, again=PASSPHRASE)
    QTest.keyClick(window._again, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "desk 7" in window._problem.text(), timeout=20_000)
    assert "sync --left 7" in window._problem.text() and window._leave.isVisible() and window._leave.hasFocus()
    assert [d.user.replica for d in door.opened] == [7], "the code was not used"
    QTest.keyClicks(window._login, "2")
    assert not window._leave.isVisible(), "said of one name, it does not hold for another"
    fill(window, login="worker")
    QTest.keyClick(window._again, Qt.Key.Key_Return)
    qtbot.waitUntil(window._leave.isVisible, timeout=20_000)
    with qtbot.waitSignal(window.opened, timeout=20_000):
        QTest.mouseClick(window._leave, Qt.MouseButton.LeftButton)
    assert door.opened[-1].replica == 8 and [d.user.replica for d in door.left()] == [7]


def test_a_desk_that_was_left_behind_is_sent_from_the_sign_in(
    qtbot: QtBot, door: LocalDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(qtbot, door)
    enrolled = Enrolled(8, "gm1.8.x", 70, "worker", "周小兰", "grid_worker", 3, "street", "epoch", (), False)
    door.opened.append(
        set_up_desk(
            door.data_dir, enrolled, "http://127.0.0.1:1", "another sentence", again=True, cost=Cost(1_024, 1, 1)
        )
    )
    asked: list[tuple[int, str]] = []

    def send(number: int, passphrase: str, _progress: Any, _ticket: Any) -> LeftSent:
        asked.append((number, passphrase))
        return LeftSent(number, door.data_dir, 2 - len(asked))

    monkeypatch.setattr(door, "send_left", send)
    window = shown(qtbot, door)
    assert [window._who.itemData(n) for n in range(2)] == ["worker", 7] and window._go.text() == "Sign in"
    window._who.setCurrentIndex(1)
    assert window._go.text() == "Send what waits" and "7" in window._who.currentText()
    fill(window, passphrase=PASSPHRASE)
    QTest.mouseClick(window._go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window._problem.text().startswith("Still waiting in desk 7: 1."), timeout=20_000)
    fill(window, passphrase=PASSPHRASE)
    QTest.mouseClick(window._go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window._step.text() == "Nothing waits any more in desk 7.", timeout=20_000)
    assert asked == [(7, PASSPHRASE)] * 2 and window._who.count() == 1 and window._go.text() == "Sign in"


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("height", [620, 420])
def test_a_long_message_and_the_buttons_are_whole_in_large_text(
    qtbot: QtBot, qapp: QApplication, door: LocalDoor, language: str, height: int
) -> None:
    """The window used to squeeze its card: the third line of a message was cut, and the lower edge of the button."""
    set_up(qtbot, door)
    theme = theme_of(is_large=True)
    apply_theme(qapp, theme)
    words.use(language)
    try:
        window = SignInWindow(door, theme)
        qtbot.addWidget(window)
        window.resize(760, height)
        window.show()
        for form, show_form in ((window._enter, window._show_enter), (window._setup, window._show_setup)):
            show_form()
            window.tell(LONG)
            qtbot.wait(50)
            problem = window._problem
            assert problem.isVisible() and problem.height() >= problem.heightForWidth(problem.width())
            assert problem.heightForWidth(problem.width()) > 2 * problem.fontMetrics().lineSpacing()
            for one in form.findChildren(QPushButton) + form.findChildren(QLineEdit):
                if one.isVisible():
                    assert one.height() >= one.sizeHint().height(), one.accessibleName()
                    assert form.rect().contains(QRect(one.mapTo(form, QPoint(0, 0)), one.size())), one.accessibleName()
            seen = problem.visibleRegion().boundingRect()
            assert seen.height() == problem.height(), "it is scrolled to"
    finally:
        words.use("en")
        apply_theme(qapp, theme_of())


def test_the_language_chosen_last_is_spoken_at_the_next_start(
    qtbot: QtBot, door: LocalDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chinese was chosen and saved, and three starts without LANG began in English: the choice lay in the encrypted desk only."""
    starts: list[str] = []
    monkeypatch.setattr(QApplication, "exec", lambda _self=None: starts.append(words.language()) or 0)

    def start(language: str = "") -> str:
        words.use("en")
        run_program([], door, language)
        return starts[-1]

    assert start() == "en"
    shown(qtbot, door)._switch_language()
    assert start() == "zh_CN" and start("en") == "en" and start() == "zh_CN"
    door.keep_language("en")
    assert start() == "en"
    (door.data_dir / "language").write_bytes(b"\xff\x00")
    assert door.language == "" and start() == "en"


def test_a_language_chosen_at_work_holds_at_the_sign_in(
    qtbot: QtBot, desk: Desk, open_session: Callable[..., DeskSession]
) -> None:
    session = open_session(desk)
    with qtbot.waitSignal(session.language_chosen) as told:
        session.restyle("language", "zh_CN")
    assert told.args == ["zh_CN"]


def test_who_chose_large_text_and_the_dark_look_signs_in_with_them(
    qtbot: QtBot, qapp: QApplication, door: LocalDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both lay in the encrypted desk only: each morning began with small letters on white."""
    starts: list[tuple[str, int]] = []

    def note(_self: Any = None) -> int:
        window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, SignInWindow) and w.isVisible())
        starts.append((window._theme.name, QApplication.font().pixelSize()))
        window.hide()
        return 0

    monkeypatch.setattr(QApplication, "exec", note)
    try:
        run_program([], door)
        door.keep_look("dark", True)
        run_program([], door)
        run_program([], door, theme="light")
        (door.data_dir / "look").write_bytes(b"\xff")
        run_program([], door)
        assert starts == [("light", 14), ("dark", 17), ("light", 17), ("light", 14)] and door.look == ("", False)
    finally:
        apply_theme(qapp, theme_of())


def test_a_look_chosen_at_work_holds_at_the_sign_in(
    qtbot: QtBot, desk: Desk, open_session: Callable[..., DeskSession]
) -> None:
    session = open_session(desk)
    with qtbot.waitSignal(session.look_chosen) as told:
        session.restyle("is_large", True)
    assert told.args == ["light", True]


def test_the_address_stays_known_after_the_desk_was_destroyed(qtbot: QtBot, door: LocalDoor) -> None:
    set_up(qtbot, door)
    parts = door.opened.pop()
    destroy_desk(parts.folder, parts.user, parts.database.close)
    window = shown(qtbot, door)
    assert not window._users and window._server.text() == "http://127.0.0.1:1"


@pytest.mark.parametrize("waiting", [0, 3])
def test_a_copied_desk_is_set_up_again_by_a_button(
    qtbot: QtBot, qapp: QApplication, door: LocalDoor, desk: Desk, waiting: int
) -> None:
    """It was told to be set up again, and nothing was there to do it with; while work waits it must be handed over first."""
    session = DeskSession(qapp, desk, "en", "light", is_remembered=False)
    session.window.show()
    session.window.open_page("sync")
    page = session.window.current_page
    assert isinstance(page, SyncPage)
    page.status.show_status(SyncStatus(SyncKind.REFUSED, waiting=waiting, reason=fork_after_rescue(2)), 0, [])
    assert page.status.again.isHidden() == bool(waiting)
    if waiting:
        session.close()
        return
    with qtbot.waitSignal(session.signed_out):
        page.status.again.click()
    assert session.sets_up_again
    window = shown(qtbot, door)
    window.offer_set_up("https://street:8750", "wang")
    assert (window._server.text(), window._login.text()) == (
        "https://street:8750",
        "wang",
    ) and window._secret.hasFocus()
