"""What the desk's tests share: the map's address space is known before the first QApplication, as in the program."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gridman.ui.mapview.scheme import register_scheme
from gridman.ui.session import DeskSession
from gridman.ui.theme import register_fonts
from tests.support.desk import Desk, copy_desk, make_desk
from tests.support.ground import lay_ground

register_scheme()


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """The program's own application, dressed and with its fonts."""
    from gridman.ui.app import make_application

    return make_application(["gridman"])


@pytest.fixture(scope="session")
def desk_template(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The small register, made once and closed."""
    made = make_desk(tmp_path_factory.mktemp("desk-template"))
    made.close()
    return made


@pytest.fixture
def desk(desk_template: Desk, tmp_path: Path) -> Iterator[Desk]:
    """A worker's desk."""
    made = copy_desk(desk_template, tmp_path)
    yield made
    made.close()


@pytest.fixture
def open_session(qapp: QApplication, qtbot: QtBot) -> Iterator[Callable[..., DeskSession]]:
    """`open_session(desk, language="en", theme="light", unlock=None)`: a shown window; its bugs fail the test."""
    opened: list[DeskSession] = []
    bugs: list[Any] = []

    def make(desk: Desk, language: str = "en", theme: str = "light", **named: Any) -> DeskSession:
        session = DeskSession(qapp, desk, language, theme, is_remembered=False, **named)
        session.background.failed.connect(bugs.append)
        session.window.resize(1093, 614)
        session.window.show()
        qtbot.waitUntil(session.window.isActiveWindow)
        opened.append(session)
        return session

    yield make
    for session in opened:
        session.close()
    assert not bugs, f"the background met bugs: {[bug.trace for bug in bugs]}"


@pytest.fixture
def session(open_session: Callable[..., DeskSession], desk: Desk) -> DeskSession:
    """The worker's window, in English."""
    return open_session(desk)


@pytest.fixture
def ground_desk(tmp_path: Path) -> Iterator[Desk]:
    """The small register with ground under it."""
    made = make_desk(tmp_path)
    lay_ground(made)
    yield made
    made.close()


@pytest.fixture
def open_window(qtbot: QtBot, qapp: QApplication, ground_desk: Desk) -> Iterator[Callable[..., DeskSession]]:
    """`open_window(role, page)`: the real window on the register, on screen and at rest."""
    opened: list[DeskSession] = []

    def make(role: str = "grid_worker", page: str = "today", language: str = "en") -> DeskSession:
        register_fonts()
        session = DeskSession(qapp, ground_desk.as_user(role), language, "light", is_remembered=False)
        opened.append(session)
        session.window.resize(1093, 614)
        with qtbot.waitActive(session.window, timeout=5_000):
            session.window.show()
            session.window.activateWindow()
        session.window.open_page(page)
        qtbot.waitUntil(session.background.is_idle, timeout=10_000)
        qtbot.wait(50)
        qtbot.waitUntil(session.background.is_idle, timeout=10_000)
        return session

    yield make
    for session in opened:
        session.close()
        QCoreApplication.sendPostedEvents(
            None, QEvent.Type.DeferredDelete.value
        )  # the window goes before its background
    qapp.processEvents()


def _is_inside_combo(widget: Any) -> bool:
    from PySide6.QtWidgets import QComboBox

    while widget is not None:
        if isinstance(widget, QComboBox) or widget.metaObject().className() == "QComboBoxPrivateContainer":
            return True
        widget = widget.parent()
    return False


def unnamed(root: QWidget) -> list[str]:
    """The controls below `root` that a screen reader could not name."""
    from PySide6.QtWidgets import (
        QAbstractButton,
        QAbstractItemView,
        QComboBox,
        QLineEdit,
        QPlainTextEdit,
        QProgressBar,
        QTabBar,
    )

    kinds = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit, QProgressBar, QTabBar)
    found: list[Any] = [w for kind in kinds for w in root.findChildren(kind)]
    inner = ("qt_spinbox_lineedit", "qt_tableview_cornerbutton")
    return [
        f"{type(w).__name__} {w.objectName()} in {type(w.parent()).__name__}"
        for w in found
        if not w.accessibleName()
        and not (isinstance(w, QAbstractButton) and w.text())
        and w.objectName() not in inner
        and not isinstance(w.parent(), QLineEdit | QComboBox | QTabBar | QAbstractItemView)
        and not _is_inside_combo(w)
    ]
