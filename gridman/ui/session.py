"""One signed-in person at one desk: the background, the window, and the window made anew when language or look change."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from gridman.kernel import words
from gridman.kernel.errors import Refusal
from gridman.services import settings
from gridman.ui.autosync import AutoSync
from gridman.ui.background import Background, install_excepthook
from gridman.ui.lock import IdleWatch, LockScreen
from gridman.ui.qt_words import speak
from gridman.ui.shell import Shell
from gridman.ui.theme import Theme, apply_theme, theme_of
from gridman.ui.window import Window

__all__ = ["DeskSession"]

_LOOK_MS = 3_000
_KEPT = ("language", "theme", "is_large")


class DeskSession(QObject):
    """See the module. `unlock(passphrase)` checks the passphrase after a lock (None: this session cannot be locked).

    ``language``, ``theme``: asked for when the program was started, they win over what the desk keeps; empty leaves it to the desk.
    ``is_remembered`` False keeps out what the desk keeps (screenshots).
    """

    signed_out = Signal()
    language_chosen = Signal(str)
    look_chosen = Signal(str, bool)  # its name, and whether the text is large

    def __init__(
        self, app: QApplication, desk: Any, language: str = "", theme: str = "", *,
        unlock: Callable[[str], Any] | None = None, is_remembered: bool = True, is_large: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self._app, self.desk, self._unlock = app, desk, unlock
        self.background = Background(desk, self)
        desk.tell_changes(self.background.announce)
        self.ending: Refusal | None = None
        self.sets_up_again = False
        self.background.ended.connect(self._ended)
        self._remove_hook = install_excepthook(self.background)
        self._settings: dict[str, Any] = _read_settings(desk.store)
        kept = self._settings if is_remembered else {}
        self._language = language or kept.get("language") or words.language()
        self._theme = theme_of(theme or kept.get("theme") or "light", is_large=kept.get("is_large", is_large))
        self._lock: LockScreen | None = None
        self._watch: IdleWatch | None = None
        if unlock is not None:
            self._watch = IdleWatch(self)
            self._watch.idle.connect(self.lock)
        self._syncs = is_remembered
        self._auto: AutoSync | None = None
        self.window = self._make_window({})
        self._others = QTimer(self, interval=_LOOK_MS)
        self._others.timeout.connect(self._look_for_others)
        self._look_for_others()
        self._others.start()

    def _look_for_others(self) -> None:
        """Whether another program worked on this desk: `gridman sync` at the command line, or a bundle read in there."""
        self.background.keep(lambda store: store.written_elsewhere(), then=self._others_wrote, refused=_say_nothing)

    def _others_wrote(self, changes: Any) -> None:
        if changes:
            self.desk.refresh_actor()
            self.background.announce(changes)

    def _make_window(self, state: dict[str, Any]) -> Window:
        words.use(self._language)
        speak(self._app, self._language)
        apply_theme(self._app, self._theme)
        self.shell = Shell(self.desk, self.background, self._theme, self._settings)
        window = Window(self.shell)
        self.shell.setParent(window)
        self.shell.restyled.connect(self.restyle)
        window.locking.connect(self.lock)
        window.signing_out.connect(self.sign_out)
        window.setting_up.connect(self._set_up_again)
        window.restore_state(state)
        if self._syncs:
            if self._auto is not None:
                self._auto.stop()
            self._auto = AutoSync(self.shell, window)
        if self._watch is not None:
            window.shown.connect(self._watch.watch)
        return window

    @property
    def theme(self) -> Theme:
        """The look in use."""
        return self._theme

    def show(self) -> None:
        """Show the window; maximised on small screens."""
        screen = self.window.screen().availableGeometry()
        self.window.resize(min(1366, screen.width()), min(768, screen.height()))
        if screen.width() <= 1400:
            self.window.showMaximized()
        else:
            self.window.show()

    def restyle(self, name: str, value: Any) -> None:
        """Change "language", "theme" or "is_large", keep the choice, and make the window anew where it was."""
        if name not in _KEPT:
            raise ValueError(f"no such setting of the window: {name!r}")
        here = self.window.current_page
        if here is not None and not here.may_leave():
            return
        if name == "language":
            self._language = value
            self.language_chosen.emit(value)
        else:
            chosen = str(value) if name == "theme" else self._theme.name
            self._theme = theme_of(chosen, is_large=bool(value) if name == "is_large" else self._theme.is_large)
            self.look_chosen.emit(self._theme.name, self._theme.is_large)
        self.shell.remember(name, value)
        self._replace_window()

    def _replace_window(self) -> None:
        old, state = self.window, self.window.state()
        self.window = self._make_window(state)
        self.window.setGeometry(old.geometry())
        if old.isVisible():
            self.window.setWindowState(old.windowState())
            self.window.show()
        _take_away(old)

    def lock(self) -> None:
        """Cover the window until the passphrase is typed."""
        if self._unlock is None or self._lock is not None:
            return
        self.window.set_shut(True)
        self._lock = LockScreen(self.shell, self._unlock, self.window)
        self._lock.opened.connect(self._unlocked)
        self._lock.left.connect(self._hand_over)

    def _unlocked(self) -> None:
        if self._lock is not None:
            self._lock.hide()
            self._lock.deleteLater()
            self._lock = None
        self.window.set_shut(False)

    def _hand_over(self) -> None:
        """Somebody else wants to work here: this desk is closed; drafts keep what was being typed."""
        for page in self.window.pages():
            page.may_leave()
        QTimer.singleShot(0, self.sign_out)

    @property
    def is_locked(self) -> bool:
        return self._lock is not None

    def _ended(self, refusal: Refusal) -> None:
        """The street removed this computer: nothing may stay on the screen; why is told where one signs in."""
        self.ending = refusal
        self.window.hide()
        QTimer.singleShot(0, self.sign_out)

    def _set_up_again(self) -> None:
        """This desk's data is a copy: it is left for the form that sets the computer up anew."""
        self.sets_up_again = True
        self.sign_out()

    def sign_out(self) -> None:
        """Close this person's desk."""
        self.close()
        self.signed_out.emit()

    def close(self) -> None:
        """Let writes finish and take the window away; the desk itself is closed by who opened it."""
        self._others.stop()
        if self._auto is not None:
            self._auto.stop()
        self.background.close()
        self._remove_hook()
        _take_away(self.window)


def _say_nothing(_refusal: Refusal) -> None:
    """The file is in trouble: what the person asks for next tells it."""


def _take_away(window: Window) -> None:
    """Remove a window. What must be taken down in an order of its own (a map's page before its profile, or Chromium breaks the
    process) says so by a method `shut`, and is taken down first.
    """
    window.hide()
    for widget in window.findChildren(QWidget):
        shut = getattr(widget, "shut", None)
        if callable(shut):
            shut()
    window.deleteLater()


def _read_settings(store: Any) -> dict[str, Any]:
    """What this computer remembers about the window: a few small values, read once before the first window."""
    names = [*_KEPT, *(f"columns.{name}" for name in ("households", "visits", "incidents", "receipts"))]
    found = {name: settings.get(store, name, None) for name in names}
    return {name: value for name, value in found.items() if value is not None}
