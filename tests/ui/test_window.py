"""The window: pages, search, messages, lock, language."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from gridman.kernel import words
from gridman.kernel.errors import Refusal
from gridman.services import households, settings
from gridman.ui.lock import IdleWatch
from gridman.ui.navigation import PAGES
from gridman.ui.palette_search import matching_verbs
from gridman.ui.session import DeskSession
from gridman.ui.sync_pill import pill_words
from tests.support.desk import Desk, Status
from tests.support.waiting import settled
from tests.ui.conftest import unnamed

MINE = ("today", "households", "settings")


@pytest.mark.parametrize(
    ("role", "absent"),
    [("grid_worker", set()), ("community_staff", set()), ("street_supervisor", {"households", "visits"})],
)
def test_the_rail_has_only_the_pages_a_role_uses(
    desk: Desk, open_session: Callable[..., DeskSession], role: str, absent: set[str]
) -> None:
    session = open_session(desk.as_user(role))
    assert set(session.window.place_names) == {place.name for place in PAGES} - absent


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("name", MINE)
def test_every_control_of_a_page_can_be_named_by_a_screen_reader(
    qtbot: QtBot, desk: Desk, open_session: Callable[..., DeskSession], name: str, language: str
) -> None:
    session = open_session(desk, language)
    session.window.open_page(name)
    settled(qtbot, session)
    assert not unnamed(session.window)


class Tops(QObject):
    """Notes windows that flash up."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.seen.append(repr(watched))
        return False


def test_opening_pages_shows_no_window_of_its_own(qtbot: QtBot, qapp: QApplication, session: DeskSession) -> None:
    tops = Tops()
    qapp.installEventFilter(tops)
    for name in MINE:
        session.window.open_page(name)
        settled(qtbot, session)
    qapp.removeEventFilter(tops)
    assert tops.seen == [] and session.window.isActiveWindow()


def test_a_page_key_opens_its_page(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    QTest.keyClick(session.window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert type(session.window.current_page).__name__ == "HouseholdsPage"


def test_a_hidden_page_asks_again_only_when_it_is_seen(qtbot: QtBot, session: DeskSession, desk: Desk) -> None:
    settled(qtbot, session)
    today = session.window.current_page
    asked: list[Any] = []
    today.refresh = asked.append  # type: ignore[union-attr, method-assign]
    session.window.open_page("settings")
    session.background.do(households.amend_household, desk.ids["households"][0], {"remark": "x"})
    settled(qtbot, session)
    assert asked == []
    session.window.open_page("today")
    assert asked == [None]


def search(session: DeskSession) -> Any:
    QTest.keyClick(session.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    return session.window.search


def test_the_search_box_finds_a_person_by_pinyin_and_opens_the_household(
    qtbot: QtBot, session: DeskSession, desk: Desk
) -> None:
    settled(qtbot, session)
    box = search(session)
    assert box.hasFocus()
    QTest.keyClicks(box, "ouyang")
    settled(qtbot, session)
    assert next((o.kind, o.title) for o in box.offers()) == ("person", "欧阳䶮")
    QTest.keyClick(box, Qt.Key.Key_Return)
    settled(qtbot, session)
    page: Any = session.window.current_page
    assert page.record.opened.file.people[0].person.name == "欧阳䶮"
    assert box.offers() == []


def test_the_search_box_does_commands_too(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    box = search(session)
    QTest.keyClicks(box, "register")
    settled(qtbot, session)
    offers = box.offers()
    number = next(i for i, o in enumerate(offers) if o.verb and o.verb.name == "new_household")
    for _i in range(number):
        QTest.keyClick(box, Qt.Key.Key_Down)
    QTest.keyClick(box, Qt.Key.Key_Return)
    settled(qtbot, session)
    page: Any = session.window.current_page
    assert page.household_form.isVisible()


def test_what_is_not_there_is_said_with_a_hint(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    box = search(session)
    QTest.keyClicks(box, "zzzzqq")
    settled(qtbot, session)
    assert box.offers() == [] and box._nothing.isVisible()


def test_a_refusal_nobody_took_is_told(qtbot: QtBot, session: DeskSession) -> None:
    def refuses(reader: Any) -> None:
        raise Refusal("t.no", "The record is gone.", "Search again.")

    session.background.ask(refuses)
    settled(qtbot, session)
    assert session.window.toasts == ["The record is gone. Search again."]


def test_without_a_browser_the_manual_is_at_least_named(
    qtbot: QtBot, session: DeskSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gridman.ui import window

    monkeypatch.setattr(window.QDesktopServices, "openUrl", lambda url: False)
    session.shell.ask_window("show_manual")
    assert "index.en.html" in session.window.toasts[0]


def test_a_message_takes_no_keyboard_and_goes_with_its_page(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    session.window.open_page("households")
    session.shell.refuse(Refusal("t.no", "The file is damaged."))
    session.shell.say("Saved.", undo=lambda: None)
    area = session.window._toasts
    buttons = area.findChildren(QAbstractButton)
    assert len(buttons) == 3 and all(b.focusPolicy() is Qt.FocusPolicy.NoFocus for b in buttons)
    session.window.open_page("settings")
    assert session.window.toasts == ["Saved."]


def test_messages_lie_where_no_form_has_its_buttons(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    page: Any = session.window.open_page("households")
    page.do_register()
    settled(qtbot, session)
    session.shell.refuse(Refusal("t.no", "The file is damaged. " * 8))
    area, window = session.window._toasts, session.window
    said = QRect(area.mapTo(window, QPoint(0, 0)), area.size())
    for one in (page.household_form.save, page.household_form.cancel):
        assert not said.intersects(QRect(one.mapTo(window, QPoint(0, 0)), one.size()))


def test_the_keyboard_is_where_it_was_after_the_help(qtbot: QtBot, session: DeskSession) -> None:
    session.window.open_page("households")
    settled(qtbot, session)
    page: Any = session.window.current_page
    page._text.setFocus()
    session.shell.refuse(Refusal("t.no", "The file is damaged."))
    session.shell.ask_window("show_keys")
    QTest.keyClick(session.window._keys, Qt.Key.Key_Escape)
    assert page._text.hasFocus()


@pytest.mark.parametrize(("language", "word"), [("en", "print"), ("en", "report"), ("zh_CN", "花名册")])
def test_pages_are_found_by_what_is_done_there(
    qtbot: QtBot, desk: Desk, open_session: Callable[..., DeskSession], language: str, word: str
) -> None:
    session = open_session(desk, language)
    settled(qtbot, session)
    names = [verb.name for verb in matching_verbs(session.window.verbs(), word)]
    assert "go_reports" in names
    session.window.perform(next(v for v in session.window.verbs() if v.name == "go_reports"))
    assert session.window._current == "reports"


def test_the_tail_of_a_households_phone_finds_it_and_says_so(qtbot: QtBot, session: DeskSession, desk: Desk) -> None:
    home = desk.ids["households"][0]
    with desk.store.unit(desk.users["community_staff"]) as unit:
        households.amend_household(unit, home, {"phones": "13900990202"})
    settled(qtbot, session)
    box = search(session)
    QTest.keyClicks(box, "0202")
    settled(qtbot, session)
    assert ("household", home, "phone") in [(o.kind, o.record_id, o.by) for o in box.offers()]


def test_more_hits_than_fit_can_be_shown(qtbot: QtBot, session: DeskSession) -> None:
    settled(qtbot, session)
    box = search(session)
    QTest.keyClicks(box, "huai")
    settled(qtbot, session)
    assert box.offers()[12].kind == "more"
    for _i in range(12):
        QTest.keyClick(box, Qt.Key.Key_Down)
    QTest.keyClick(box, Qt.Key.Key_Return)
    settled(qtbot, session)
    assert len([o for o in box.offers() if o.record_id]) > 13


def test_a_bug_is_told_in_words_without_its_data(qtbot: QtBot, desk: Desk, qapp: QApplication) -> None:
    session = DeskSession(qapp, desk, "en", "light", is_remembered=False)
    session.window.show()
    session.background.ask(lambda reader: {}["990101193801023110"])
    settled(qtbot, session)
    told = session.window.toasts[0]
    session.close()
    assert "KeyError" in told and "log" in told and "990101" not in told


def test_undo_is_offered_with_a_key(qtbot: QtBot, session: DeskSession) -> None:
    undone: list[bool] = []
    session.shell.say("Closed.", undo=lambda: undone.append(True))
    session.window._toasts.undo()
    assert undone == [True] and session.window.toasts == []


def test_another_language_changes_every_word_at_once_and_stays_where_one_was(
    qtbot: QtBot, session: DeskSession, desk: Desk
) -> None:
    session.window.open_page("households")
    settled(qtbot, session)
    session.window.current_page.open_record("household", desk.ids["households"][4])  # type: ignore[union-attr]
    settled(qtbot, session)
    session.restyle("language", "zh_CN")
    settled(qtbot, session)
    page: Any = session.window.current_page
    assert type(page).__name__ == "HouseholdsPage" and page.record.household_id == desk.ids["households"][4]
    shown = " ".join(w.text() for w in session.window.findChildren(QLabel) if w.isVisible())
    assert words.language() == "zh_CN" and "住所" in shown and "Home" not in shown
    settled(qtbot, session)
    assert settings.get(desk.store, "language") == "zh_CN"


def test_what_the_command_line_asks_for_wins_over_what_the_desk_keeps(qapp: QApplication, desk: Desk) -> None:
    settings.put(desk.store, "language", "zh_CN")
    settings.put(desk.store, "theme", "dark")
    for asked, got in ((("en", "light"), ("en", "light")), (("", ""), ("zh_CN", "dark"))):
        session = DeskSession(qapp, desk, *asked)
        assert (words.language(), session.theme.name) == got
        session.close()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("name", MINE)
def test_nothing_is_wider_than_a_small_screen(
    qtbot: QtBot, qapp: QApplication, desk: Desk, language: str, is_large: bool, name: str
) -> None:
    """1366 x 768 at 125 % are 1093 logical pixels: neither the window nor a label asks for more than it has."""
    session = DeskSession(qapp, desk, language, "light", is_remembered=False, is_large=is_large)
    session.window.resize(1093, 614)
    session.window.show()
    session.window.open_page(name)
    settled(qtbot, session)
    width = session.window.minimumSizeHint().width()
    cut = [
        w.text() for w in session.window.findChildren(QLabel)
        if w.isVisible() and w.text() and not w.wordWrap() and w.width() + 1 < w.sizeHint().width()
    ]  # fmt: skip
    wide = [
        area.accessibleName()
        for area in session.window.findChildren(QScrollArea)
        if area.isVisible() and area.widget().minimumSizeHint().width() > area.viewport().width()
    ]
    session.close()
    assert width <= 1093 and not cut and not wide


def test_the_desk_locks_and_only_the_passphrase_opens_it(
    qtbot: QtBot, desk: Desk, open_session: Callable[..., DeskSession]
) -> None:
    def unlock(passphrase: str) -> None:
        if passphrase != "right one":
            raise Refusal("signin.wrong_passphrase", "That is not the passphrase.")

    session = open_session(desk, unlock=unlock)
    session.window.open_page("households")
    settled(qtbot, session)
    session.lock()
    assert session.is_locked and not session.window.centralWidget().isEnabled()  # type: ignore[union-attr]
    QTest.keyClick(session.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert type(session.window.current_page).__name__ == "HouseholdsPage", "its keys are dead too"
    line = session._lock.findChild(QLineEdit)  # type: ignore[union-attr]
    QTest.keyClicks(line, "wrong")
    QTest.keyClick(line, Qt.Key.Key_Return)
    settled(qtbot, session)
    assert session.is_locked and line.text() == ""
    QTest.keyClicks(line, "right one")
    QTest.keyClick(line, Qt.Key.Key_Return)
    settled(qtbot, session)
    assert not session.is_locked and session.window.centralWidget().isEnabled()  # type: ignore[union-attr]


def test_it_locks_by_itself_when_nobody_types(qtbot: QtBot, session: DeskSession) -> None:
    watch = IdleWatch(session, idle_ms=150)
    watch.watch(session.window)
    idle: list[bool] = []
    watch.idle.connect(lambda: idle.append(True))
    for _i in range(4):
        qtbot.wait(60)
        QTest.keyClick(session.window.windowHandle(), Qt.Key.Key_Shift)
        assert idle == []
    qtbot.waitUntil(lambda: bool(idle), timeout=2_000)


@pytest.mark.parametrize(
    ("status", "text", "tone"),
    [
        (Status("offline", 3), "Offline · 3 waiting", "attention"),
        (Status("sending", 5, 2, 5), "Sending 2 of 5", "information"),
        (Status("up_to_date", 0, at=1_795_406_400_000 + 2 * 3_600_000 + 32 * 60_000), "Up to date 14:32", "good"),
        (Status("waiting", 2, at=1), "2 waiting to be sent", "attention"),
        (Status("waiting", 0), "Not synchronised yet", "attention"),
        (Status("refused", 1), "Not accepted by the street, open", "danger"),
        (Status("blocked", 4), "4 not sent, open", "danger"),
        (Status("receiving", 0), "Receiving…", "information"),
        (Status("offline", 0), "Offline · nothing waits", "neutral"),
    ],
)
def test_the_pill_tells_the_truth(status: Status, text: str, tone: str) -> None:
    assert pill_words(status, 1_795_406_400_000) == (text, tone)


def test_what_was_refused_comes_before_what_waits() -> None:
    assert pill_words(Status("offline", 3), 1_795_406_400_000, refused=2) == ("2 refused, open", "danger")


def test_the_pictures_of_the_pages_are_saved(qtbot: QtBot, qapp: QApplication, desk: Desk, tmp_path: Path) -> None:
    from gridman.ui.shots import save_pages

    made = save_pages(desk, tmp_path / "shots", languages=("en", "zh_CN"), pages=("today",), size=(1093, 614))
    assert [p.name for p in made] == ["today-en-light.png", "today-zh_CN-light.png"]
    assert made[0].read_bytes() != made[1].read_bytes() and all(p.stat().st_size > 20_000 for p in made)
    assert QGuiApplication.instance() is qapp and words.language() == "en"
