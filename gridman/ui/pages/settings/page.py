"""The Settings page: language, look, text size, this computer, passphrase, about."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QLineEdit, QPushButton, QWidget

import gridman
from gridman.domain import codes
from gridman.kernel.words import LANGUAGES, N_, _, language
from gridman.ui.actions import Verb
from gridman.ui.page import Page
from gridman.ui.pages.settings.passphrase import PassphrasePanel
from gridman.ui.pages.settings.server import ServerLine
from gridman.ui.shell import Shell
from gridman.ui.widgets import Card, button, column_of, label, row_of, scrolled

__all__ = ["SettingsPage", "make_page"]


class _Choice(QWidget):
    """One of a few, as chips side by side."""

    picked = Signal(object)

    def __init__(self, name: str, options: Sequence[tuple[Any, str]], chosen: Any) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._values: dict[QPushButton, Any] = {}
        row = row_of(spacing=6)
        for value, text in options:
            chip = button(text, "chip", clicked=self._clicked)
            chip.setAccessibleName(f"{name}: {text}")
            chip.setCheckable(True)
            chip.setChecked(value == chosen)
            self._group.addButton(chip)
            if value == chosen:
                self.setFocusProxy(chip)  # a ring around another would look like the choice
            self._values[chip] = value
            row.addWidget(chip)
        row.addStretch(1)
        self.setLayout(row)

    def _clicked(self) -> None:
        chip = self._group.checkedButton()
        if isinstance(chip, QPushButton):
            self.picked.emit(self._values[chip])


class SettingsPage(Page):
    """See the module. A choice takes effect at once."""

    verbs: ClassVar[tuple[Verb, ...]] = (Verb("change_passphrase", N_("Change the passphrase"), icon="key-round"),)

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._passphrase = PassphrasePanel(shell)
        self._server = ServerLine(shell)
        inside = QWidget()
        left = column_of(self._look_card(), self._passphrase, self._about_card(), None, spacing=12)
        right = column_of(self._device_card(), None, spacing=12)
        columns = row_of(left, right, spacing=16)
        columns.setStretch(0, 1)
        columns.setStretch(1, 1)
        inside.setLayout(column_of(label(_("Settings"), "title"), columns, None, spacing=12, margins=(16, 12, 16, 16)))
        self.setLayout(row_of(scrolled(inside, _("Settings"))))

    def first_focus(self) -> QWidget | None:
        return self._language

    def _look_card(self) -> Card:
        card = Card(_("Language and look"))
        theme = self.shell.theme
        self._language = _Choice(_("Language"), list(LANGUAGES.items()), language())
        self._theme = _Choice(_("Look"), [("light", _("Light")), ("dark", _("Dark"))], theme.name)
        self._size = _Choice(_("Text size"), [(False, _("Normal")), (True, _("Large"))], theme.is_large)
        self._language.picked.connect(self._pick_language)
        self._theme.picked.connect(self._pick_theme)
        self._size.picked.connect(self._pick_size)
        card.add(_pairs(((_("Language"), self._language), (_("Look"), self._theme), (_("Text size"), self._size))))
        return card

    def _device_card(self) -> Card:
        card = Card(_("This computer"))
        profile, actor = self.shell.desk.profile, self.shell.actor
        path = QLineEdit(str(self.shell.desk.data_dir.absolute()))  # a path has nowhere to wrap; a line scrolls
        path.setReadOnly(True)
        path.setToolTip(path.text())
        path.setCursorPosition(0)
        path.setAccessibleName(_("Data folder"))
        folder = row_of(
            path,
            button(_("Open folder"), "link", theme=self.shell.theme, picture="folder-open", clicked=self._open_folder),
        )
        folder.setStretch(0, 1)
        where = QWidget()
        where.setLayout(folder)
        card.add(
            _pairs(
                (
                    (_("User"), label(f"{actor.name} · {codes.word('role', actor.role)}", selectable=True)),
                    (_("Sign-in name"), label(profile.login, selectable=True)),
                    (_("Street server"), self._server),
                    (_("Device number"), label(str(profile.replica), selectable=True)),
                    (_("Data folder"), where),
                )
            )
        )
        card.add(
            label(
                _("The data is encrypted with your passphrase. Without it nobody can read it, not even we."),
                "small",
                wraps=True,
            )
        )
        card.add(
            row_of(
                self._verb(_("Lock this desk"), "lock", self._lock),
                self._verb(_("Sign out"), "log-out", self._sign_out),
                None,
            )
        )
        return card

    def _verb(self, text: str, picture: str, act: Callable[[], None]) -> QPushButton:
        return button(text, theme=self.shell.theme, picture=picture, clicked=act)

    def _about_card(self) -> Card:
        card = Card(_("About"))
        text = _("gridman {version}: neighbourhood grid service that works without a network.").format(
            version=gridman.__version__
        )
        card.add(label(text, wraps=True, selectable=True))
        card.add(
            label(
                _("Apache License 2.0. Fonts: Noto Sans SC, HanaMin (SIL OFL). Icons: Lucide (ISC)."),
                "small",
                wraps=True,
            )
        )
        card.add(
            row_of(
                self._verb(_("User's manual"), "book-open", self._manual),
                self._verb(_("Keyboard"), "keyboard", self._keys),
                None,
            )
        )
        return card

    # -- acts ---------------------------------------------------------------------------------------------------------

    def _pick_language(self, value: str) -> None:
        self.shell.restyled.emit("language", value)

    def _pick_theme(self, value: str) -> None:
        self.shell.restyled.emit("theme", value)

    def _pick_size(self, value: bool) -> None:
        self.shell.restyled.emit("is_large", value)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.shell.desk.data_dir.absolute())))

    def _lock(self) -> None:
        self.shell.ask_window("lock")

    def _sign_out(self) -> None:
        self.shell.ask_window("sign_out")

    def _manual(self) -> None:
        self.shell.ask_window("show_manual")

    def _keys(self) -> None:
        self.shell.ask_window("show_keys")

    def do_change_passphrase(self) -> None:
        """Take the keyboard to the passphrase."""
        self._passphrase.setFocus()

    def may_leave(self) -> bool:
        return True

    def cover(self) -> None:
        """The desk is being locked: no passphrase stays typed."""
        self._passphrase.forget()
        self._server.forget()


def _pairs(lines: Sequence[tuple[str, QWidget]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    grid.setColumnMinimumWidth(0, 110)
    for number, (text, widget) in enumerate(lines):
        grid.addWidget(label(text, "soft"), number, 0)
        grid.addWidget(widget, number, 1)
    return grid


def make_page(shell: Shell) -> Page:
    """The page, for `navigation.py`."""
    return SettingsPage(shell)
