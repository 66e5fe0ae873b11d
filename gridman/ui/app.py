"""The program with windows: made once, then one session per signed-in person."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gridman.kernel import words
from gridman.kernel.errors import Refusal
from gridman.ui.collector import Collector
from gridman.ui.mapview.scheme import register_scheme
from gridman.ui.qt_words import speak
from gridman.ui.session import DeskSession
from gridman.ui.signin import Door, SignInWindow
from gridman.ui.theme import apply_theme, register_fonts, theme_of

__all__ = ["has_screen", "make_application", "run_desk", "run_program", "run_until_stopped"]


def has_screen() -> bool:
    """Whether a window can be shown to a person here."""
    if sys.platform in ("win32", "darwin"):
        return True
    else:
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def make_application(argv: Sequence[str]) -> QApplication:
    """The Qt application, dressed: the map's address space (before anything else), fonts, style. Made once per process."""
    known = QApplication.instance()
    if isinstance(known, QApplication):
        Collector.install(known)
        return known
    register_scheme()
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication([*argv] or ["gridman"])
    app.setApplicationName("gridman")
    app.setQuitOnLastWindowClosed(False)
    Collector.install(app)
    register_fonts()
    speak(app, words.language())
    apply_theme(app, theme_of())
    return app


class _Program:
    """Sign-in, session, sign-in again, until the window is closed."""

    def __init__(self, app: QApplication, door: Door, language: str, theme: str) -> None:
        self._app, self._door, self._language, self._theme = app, door, language, theme
        self._session: DeskSession | None = None
        self._signin: SignInWindow | None = None
        self._desk: Any = None

    def begin(self) -> None:
        """Show the sign-in window."""
        name, is_large = self._door.look
        theme = theme_of(self._theme or name, is_large=is_large)
        apply_theme(self._app, theme)
        self._signin = SignInWindow(self._door, theme)
        self._signin.opened.connect(self._opened)
        self._signin.closing.connect(self._app.quit)
        self._signin.show()

    def _opened(self, desk: Any) -> None:
        try:
            session = DeskSession(self._app, desk, self._language, self._theme, unlock=self._unlock)
        except Refusal as refusal:  # a data file that opens and is damaged further in
            desk.close()
            if self._signin is None:
                raise
            self._signin.tell(refusal)
            return
        self._desk = desk
        if self._signin is not None:
            self._signin.closing.disconnect(self._app.quit)
            self._signin.close()
            self._signin.deleteLater()
            self._signin = None
        session.signed_out.connect(self._signed_out)
        session.language_chosen.connect(self._door.keep_language)
        if not self._language and not self._door.language:  # chosen on a desk before it was kept here too
            self._door.keep_language(words.language())
        session.look_chosen.connect(self._door.keep_look)
        if not self._theme:
            self._door.keep_look(session.theme.name, session.theme.is_large)
        self._app.lastWindowClosed.connect(self._window_closed)
        self._session = session
        session.show()

    def _unlock(self, passphrase: str) -> None:
        self._door.unlock(self._desk, passphrase)

    def _window_closed(self) -> None:
        if self._session is not None and not self._session.window.isVisible():
            self.end()
            self._app.quit()

    def _signed_out(self) -> None:
        self._app.lastWindowClosed.disconnect(self._window_closed)
        ending = self._session.ending if self._session is not None else None
        former = self._desk.profile if self._session is not None and self._session.sets_up_again else None
        self._session = None
        self._close_desk()
        self.begin()
        if ending is not None and self._signin is not None:
            self._signin.tell(ending)
        if former is not None and self._signin is not None:
            self._signin.offer_set_up(former.server_url, former.login)

    def end(self) -> None:
        """Close what is open."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._close_desk()

    def _close_desk(self) -> None:
        if self._desk is not None:
            self._desk.close()
            self._desk = None


_PULSE_MS = 250


def run_until_stopped(app: QApplication) -> int:
    """Qt's event loop, until the program ends or somebody types Ctrl+C where it was started: then the window closes as by its button, and a second
    Ctrl+C ends the program at once. Returns the exit code.
    """

    def stop(*_signal: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        app.exit(0)

    pulse = QTimer(interval=_PULSE_MS)  # while Qt waits, Python does not hear of the signal
    pulse.timeout.connect(lambda: None)
    pulse.start()
    before = signal.signal(signal.SIGINT, stop)
    try:
        return app.exec()
    finally:
        signal.signal(signal.SIGINT, before)
        pulse.stop()


def run_program(argv: Sequence[str], door: Door, language: str = "", theme: str = "") -> int:
    """Sign in (or set this computer up) and work, until the window is closed. Returns the exit code."""
    words.use(language or door.language or words.language())
    app = make_application(argv)
    program = _Program(app, door, language, theme)
    program.begin()
    try:
        return run_until_stopped(app)
    finally:
        program.end()


def run_desk(desk: Any, language: str = "", theme: str = "", unlock: Callable[[str], Any] | None = None) -> int:
    """Work on a desk that is already open, until the window is closed or the person signs out. Returns the exit code."""
    app = make_application([])
    session = DeskSession(app, desk, language, theme, unlock=unlock)
    session.signed_out.connect(app.quit)
    app.lastWindowClosed.connect(app.quit)
    session.show()
    try:
        return run_until_stopped(app)
    finally:
        session.close()
