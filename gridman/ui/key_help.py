"""All keys that work now, over the window; any key closes it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QFrame, QGridLayout, QWidget
from shiboken6 import isValid

from gridman.kernel.words import N_, _
from gridman.ui.actions import Verb, key_words
from gridman.ui.navigation import Place
from gridman.ui.theme import Theme
from gridman.ui.widgets import clear, column_of, label

__all__ = ["FORM_KEYS", "PAGE_KEYS", "KeyHelp"]

FORM_KEYS = (
    ("Return", N_("Next field")),
    ("Ctrl+Return", N_("Save")),
    ("Esc", N_("Leave the form; asks first")),
    ("Ctrl+C", N_("Copy the selected rows")),
    ("Ctrl+Alt+Z", N_("Undo what the message offers")),
    ("Tab", N_("To the next part; with Shift back")),
    ("↓", N_("Open the list of a field; move in a list")),
)

PAGE_KEYS = {
    "visits": (("1 – 6", N_("Outcome")), ("a – l", N_("Choose or drop a need"))),
    "incidents": (("Alt+A …", N_("Do the action with this letter")),),
    "map": (("Ctrl+O", N_("Open the incident")),),
    "sync": (
        ("1", N_("Keep the value that stands; leave an entry out")),
        ("2", N_("Put the other value back; take an entry over")),
    ),
}
"""Keys of the pages that belong to a form or a list, not to a verb."""


class KeyHelp(QFrame):
    """See the module."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self._before: QWidget | None = None
        self.setProperty("kind", "popup")
        self.setAccessibleName(_("Keyboard"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(4)
        self.setLayout(
            column_of(
                label(_("Keyboard"), "title"),
                self._grid,
                label(_("Any key closes this"), "small"),
                margins=(24, 16, 24, 16),
            )
        )
        self.hide()

    def show_verbs(self, places: Sequence[Place], verbs: Sequence[Verb], page: str) -> None:
        """Show the keys of these pages and verbs, and those of the page that is open."""
        self._before = QApplication.focusWidget()
        clear(self._grid)
        left = [(p.keys, _(p.word)) for p in places] + [(k, _(w)) for k, w in FORM_KEYS]
        right = [(v.keys, _(v.text)) for v in verbs if v.keys and v.group != "pages"]
        right += [("Ctrl+K", _("Search everything")), *((k, _(w)) for k, w in PAGE_KEYS.get(page, ()))]
        for side, rows in ((0, left), (2, right)):
            for number, (keys, text) in enumerate(rows):
                self._grid.addWidget(label(key_words(keys), "soft"), number, side)
                self._grid.addWidget(label(text), number, side + 1)
        self.adjustSize()
        window = self.window()
        self.move((window.width() - self.width()) // 2, max(24, (window.height() - self.height()) // 2))
        self.show()
        self.raise_()
        self.setFocus()

    def _close(self) -> None:
        """The keyboard goes back where it was."""
        self.hide()
        if self._before is not None and isValid(self._before):
            self._before.setFocus()
        self._before = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta):
            self._close()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._close()
