"""The left rail: one button per page, icon and word."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton, QWidget

from gridman.kernel.words import _
from gridman.ui.icons import icon
from gridman.ui.navigation import Place
from gridman.ui.theme import Theme
from gridman.ui.widgets import column_of

__all__ = ["Rail"]


class Rail(QFrame):
    """See the module."""

    picked = Signal(str)

    def __init__(self, theme: Theme, places: Sequence[Place], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "rail")
        self.setAccessibleName(_("Pages"))
        self.setFixedWidth(theme.sizes["rail"])
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        box = column_of(spacing=4, margins=(6, 8, 6, 8))
        for place in places:
            one = self._make_button(theme, place)
            self._group.addButton(one)
            self._buttons[place.name] = one
            if place.name == "settings":
                box.addStretch(1)
            box.addWidget(one)
        self.setLayout(box)

    def _make_button(self, theme: Theme, place: Place) -> QToolButton:
        size = theme.sizes["icon"] + 4
        one = QToolButton()
        one.setText(_(place.word))
        one.setIcon(icon(place.icon, theme.colours["soft"], size, checked_colour=theme.colours["accent"]))
        one.setIconSize(QSize(size, size))
        one.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        one.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        one.setFixedHeight(size + theme.sizes["small"] + 24)
        one.setCheckable(True)
        one.setAutoExclusive(True)
        one.setProperty("kind", "rail")
        one.setProperty("place", place.name)
        one.setToolTip(f"{_(place.word)} · {place.keys}")
        one.setAccessibleName(_(place.word))
        one.clicked.connect(self._clicked)
        return one

    def _clicked(self) -> None:
        pressed = self._group.checkedButton()
        if pressed is not None:
            self.picked.emit(pressed.property("place"))

    def show_current(self, name: str) -> None:
        """Press in the button of the page that is shown."""
        if name in self._buttons:
            self._buttons[name].setChecked(True)
