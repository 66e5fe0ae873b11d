"""Choosing by one key: a digit or letter per choice, the mouse as well."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gridman.ui.flow import FlowLayout

__all__ = ["Choice", "KeyChoices"]

_ROOM_PX = 22


@dataclass(frozen=True)
class Choice:
    """One choice: the key that takes it, the code it stands for, its word."""

    key: str
    code: str
    word: str


def _bold_width(chip: QPushButton) -> int:
    """How wide the chip must be so that its words still fit when it is taken, and therefore bold."""
    face = QFont(chip.font())
    face.setBold(True)
    return QFontMetrics(face).horizontalAdvance(chip.text()) + _ROOM_PX


class KeyChoices(QWidget):
    """A strip of choices. One may be taken (then `finished` is sent at once), or several when `is_many` (Enter finishes)."""

    changed = Signal()
    finished = Signal()

    def __init__(
        self, name: str, choices: Sequence[Choice], *, is_many: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._choices = tuple(choices)
        self._is_many = is_many
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(4, 4, 4, 4)
        inner = QWidget()
        outer.addWidget(inner)
        layout = FlowLayout(inner, 6)
        self._chips: dict[str, QPushButton] = {}
        for choice in self._choices:
            chip = QPushButton(f"{choice.key}  {choice.word}".replace("&", "&&"))
            chip.setProperty("kind", "chip")
            chip.setCheckable(True)
            chip.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            chip.setAccessibleName(f"{name}: {choice.word}")
            chip.setObjectName(choice.code)
            chip.setMinimumWidth(_bold_width(chip))
            chip.clicked.connect(self._take_click)
            layout.addWidget(chip)
            self._chips[choice.code] = chip

    def codes(self) -> list[str]:
        """The codes taken, in the order of the choices."""
        return [choice.code for choice in self._choices if self._chips[choice.code].isChecked()]

    def code(self) -> str:
        """The code taken, or "" (for strips where one may be taken)."""
        return next(iter(self.codes()), "")

    def set_codes(self, codes: Iterable[str]) -> None:
        """Take exactly these, silently."""
        wanted = set(codes)
        for code, chip in self._chips.items():
            chip.setChecked(code in wanted)

    def _take_click(self) -> None:
        chip = self.sender()
        if isinstance(chip, QPushButton):
            self._take(chip.objectName(), is_toggled=True)

    def _take(self, code: str, *, is_toggled: bool) -> None:
        chip = self._chips[code]
        if self._is_many:
            if not is_toggled:
                chip.setChecked(not chip.isChecked())
        else:
            self.set_codes([code])
        self.changed.emit()
        if not self._is_many:
            self.finished.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A choice's key takes it; Enter goes on; the arrow keys move a single choice."""
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            super().keyPressEvent(event)
            return
        typed = event.text().casefold()
        taken = next((choice for choice in self._choices if typed and choice.key.casefold() == typed), None)
        if taken is not None:
            self._take(taken.code, is_toggled=False)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finished.emit()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and not self._is_many:
            self._step(1 if event.key() == Qt.Key.Key_Right else -1)
        else:
            super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        known = [choice.code for choice in self._choices]
        at = known.index(self.code()) + by if self.code() else (0 if by > 0 else -1)
        self.set_codes([known[at % len(known)]])
        self.changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.update()

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        self.update()

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame that shows where the keyboard is, or (red) that something is wrong here."""
        is_wrong = self.property("tone") == "danger"
        if not self.hasFocus() and not is_wrong:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.palette().color(QPalette.ColorRole.BrightText if is_wrong else QPalette.ColorRole.Highlight)
        painter.setPen(QPen(colour, 2 if self.hasFocus() else 1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()
