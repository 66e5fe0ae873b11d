"""The chips above the list: every state with its symbol and count, what is overdue, and the list's own search."""

from collections.abc import Mapping

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from gridman.domain.incident import OPEN_STATES
from gridman.geo.symbols import incident_symbols
from gridman.kernel.words import _
from gridman.ui.flow import FlowLayout
from gridman.ui.mapview.symbols import state_icon, state_word
from gridman.ui.shell import Shell

__all__ = ["Chips"]

_PAUSE_MS = 200
_ROOM_PX = 22
OPEN, ALL, OVERDUE = "open", "all", "overdue"


class Chips(QWidget):
    """`changed`: other states, overdue or text are wanted. Exactly one chip is pressed in."""

    changed = Signal()

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self.text = QLineEdit()
        self.text.setProperty("kind", "search")
        self.text.setPlaceholderText(_("Number, words or place"))
        self.text.setAccessibleName(_("Find in this list"))
        self.text.setClearButtonEnabled(True)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self.changed)
        self.text.textChanged.connect(self._pause.start)
        row = QWidget()
        self._flow = FlowLayout(row, 6)
        self._chips: dict[str, QPushButton] = {}
        for key in (OPEN, OVERDUE, *(code for code in incident_symbols() if code and code != "draft"), ALL):
            self._add(key)
        self._chips[OPEN].setChecked(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 0)
        layout.setSpacing(6)
        layout.addWidget(row)

    def _add(self, key: str) -> None:
        chip = QPushButton(self._word(key))
        chip.setProperty("kind", "chip")
        chip.setCheckable(True)
        chip.setAutoExclusive(True)
        chip.setObjectName(key)
        if key not in (OPEN, ALL, OVERDUE):
            chip.setIcon(state_icon(key, is_dark=self._shell.theme.is_dark))
            chip.setVisible(False)
        chip.setAccessibleName(_("Show: {what}").format(what=self._word(key)))
        chip.clicked.connect(self.changed)
        self._flow.addWidget(chip)
        self._chips[key] = chip

    def _word(self, key: str) -> str:
        own = {OPEN: _("Unfinished"), ALL: _("All"), OVERDUE: _("Overdue")}
        return own.get(key) or state_word(key)

    @property
    def chosen(self) -> str:
        """The pressed chip: "open", "overdue", "all" or a state's code."""
        return next((key for key, chip in self._chips.items() if chip.isChecked()), OPEN)

    def choose(self, key: str) -> None:
        """Press this chip, silently."""
        if key in self._chips:
            self._chips[key].setChecked(True)

    @property
    def states(self) -> tuple[str, ...]:
        """The states wanted; empty: all."""
        if self.chosen in (ALL, OVERDUE):
            return ()
        return OPEN_STATES if self.chosen == OPEN else (self.chosen,)

    def _bold_width(self, chip: QPushButton) -> int:
        """How wide the chip must be when it is pressed in, and therefore bold."""
        text = QFontMetrics(self._shell.theme.font(is_bold=True)).horizontalAdvance(chip.text())
        picture = 0 if chip.icon().isNull() else chip.iconSize().width() + 6
        return text + picture + _ROOM_PX

    def show_counts(self, counts: Mapping[str, int], overdue: int) -> None:
        """Put the counts on the chips; states nobody is in are left out."""
        totals = {OPEN: sum(counts.get(s, 0) for s in OPEN_STATES), ALL: sum(counts.values()), OVERDUE: overdue}
        for key, chip in self._chips.items():
            n = totals[key] if key in totals else counts.get(key, 0)
            chip.setText(f"{self._word(key)} {n}")
            chip.setMinimumWidth(self._bold_width(chip))
            chip.setAccessibleName(_("Show: {what}, {n}").format(what=self._word(key), n=n))
            chip.setVisible(bool(n) or key in (OPEN, ALL) or chip.isChecked())
