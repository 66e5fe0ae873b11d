"""One control per kind of field: how a value is typed and shown. `Form` puts label and problem around it."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from gridman.domain import codes
from gridman.domain.fields import Field, Kind
from gridman.domain.id_number import IdNumber, read_id_number, tidy_id_number
from gridman.kernel.words import _
from gridman.ui.code_box import CodeBox
from gridman.ui.flow import FlowLayout
from gridman.ui.theme import Theme
from gridman.ui.typed import read_day
from gridman.ui.widgets import button, label

__all__ = ["ChoiceChips", "Control", "control_for"]


class Control(QWidget):
    """A value of one field. `edited` at every change by the person, `left` when the person goes on."""

    edited = Signal()
    left = Signal()

    def __init__(self, field: Field, theme: Theme, today: Callable[[], str]) -> None:
        super().__init__()
        self.field, self.theme, self.today = field, theme, today
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(2)

    @property
    def entry(self) -> QWidget:
        """The widget that takes the keyboard."""
        raise NotImplementedError

    def value(self) -> Any:
        """The value as it is kept; None when empty."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show a value."""
        raise NotImplementedError


class LineControl(Control):
    """One line of text."""

    def __init__(self, field: Field, theme: Theme, today: Callable[[], str]) -> None:
        super().__init__(field, theme, today)
        self.line = QLineEdit()
        self.line.textEdited.connect(self.edited)
        self.line.editingFinished.connect(self.left)
        self._box.addWidget(self.line)

    @property
    def entry(self) -> QWidget:
        return self.line

    def value(self) -> Any:
        return self.line.text().strip() or None

    def set_value(self, value: Any) -> None:
        self.line.setText("" if value is None else str(value))
        self.line.setCursorPosition(0)


class NumberControl(LineControl):
    """A whole number or a measure; text that is none stays, for the form to complain about."""

    def value(self) -> Any:
        text = self.line.text().strip()
        if not text:
            return None
        try:
            return float(text) if self.field.kind is Kind.MEASURE else int(text)
        except ValueError:
            return text


class DayControl(LineControl):
    """A day in any of the short forms; shown as 2026-11-23 when left."""

    def __init__(self, field: Field, theme: Theme, today: Callable[[], str]) -> None:
        super().__init__(field, theme, today)
        self.line.setPlaceholderText(_("2026-11-23, 11-23, yesterday"))
        self.line.editingFinished.connect(self._show_whole)

    def value(self) -> Any:
        text = self.line.text().strip()
        return (read_day(text, self.today()) or text) if text else None

    def _show_whole(self) -> None:
        self.set_value(self.value())


class IdNumberControl(LineControl):
    """An ID number, checked while it is typed: how many characters are missing, or what the number tells."""

    def __init__(self, field: Field, theme: Theme, today: Callable[[], str]) -> None:
        super().__init__(field, theme, today)
        self.told = label("", "small")
        self.told.hide()
        self._box.addWidget(self.told)
        self.line.textChanged.connect(self._tell)

    def value(self) -> Any:
        return tidy_id_number(self.line.text()) or None

    def _tell(self, text: str) -> None:
        number = tidy_id_number(text)
        read = read_id_number(number)
        if isinstance(read, IdNumber):
            words = _("✓ Checked: {sex}, born {day}").format(sex=codes.word("sex", read.sex), day=read.birth_on)
        elif read == "length" and number:
            words = _("{n} of 18 characters").format(n=len(number))
        else:
            words = _("! The check character does not fit") if read == "check" else ""
        self.told.setText(words)
        self.told.setVisible(bool(words))


class NoteControl(Control):
    """Several lines; Tab goes on."""

    def __init__(self, field: Field, theme: Theme, today: Callable[[], str]) -> None:
        super().__init__(field, theme, today)
        self.text = _Note()
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(theme.sizes["control"] * 2 + 12)
        self.text.textChanged.connect(self._changed)
        self.text.left.connect(self.left)
        self._is_setting = False
        self._box.addWidget(self.text)

    @property
    def entry(self) -> QWidget:
        return self.text

    def value(self) -> Any:
        return self.text.toPlainText().strip() or None

    def set_value(self, value: Any) -> None:
        self._is_setting = True
        self.text.setPlainText(value or "")
        self._is_setting = False

    def _changed(self) -> None:
        if not self._is_setting:
            self.edited.emit()


class _Note(QPlainTextEdit):
    left = Signal()

    def focusOutEvent(self, event: Any) -> None:
        super().focusOutEvent(event)
        self.left.emit()


class CodeControl(Control):
    """One code of a table."""

    def __init__(self, field: Field, theme: Theme, today: Callable[[], str]) -> None:
        super().__init__(field, theme, today)
        self.box = CodeBox(codes.table(field.code_table))
        self.box.textEdited.connect(self.edited)
        self.box.code_changed.connect(self._changed)
        self._box.addWidget(self.box)

    @property
    def entry(self) -> QWidget:
        return self.box

    def value(self) -> Any:
        return self.box.code()

    def set_value(self, value: Any) -> None:
        self.box.set_code(value)

    def _changed(self) -> None:
        self.edited.emit()
        self.left.emit()


class FlagControl(Control):
    """Yes or no."""

    def __init__(self, field: Field, theme: Theme, today: Callable[[], str]) -> None:
        super().__init__(field, theme, today)
        self.check = QCheckBox(_("Yes"))
        self.check.clicked.connect(self.edited)
        self._box.addWidget(self.check)

    @property
    def entry(self) -> QWidget:
        return self.check

    def value(self) -> Any:
        return self.check.isChecked()

    def set_value(self, value: Any) -> None:
        self.check.setChecked(bool(value))


class ChoiceChips(QWidget):
    """Several codes of a table, each a chip that is in or out."""

    edited = Signal()

    def __init__(self, table: codes.CodeTable, skipped: frozenset[str] = frozenset()) -> None:
        super().__init__()
        flow = FlowLayout(self, spacing=6)
        self._chips: dict[str, QPushButton] = {}
        for row in table:
            if row.code in skipped:
                continue
            chip = button(row.word, "chip", tip=row.code)
            chip.setCheckable(True)
            chip.clicked.connect(self.edited)
            self._chips[row.code] = chip
            flow.addWidget(chip)

    def codes(self) -> list[str]:
        """The codes that are in, in the table's order."""
        return [code for code, chip in self._chips.items() if chip.isChecked()]

    def set_codes(self, chosen: list[str]) -> None:
        """Show these as in."""
        for code, chip in self._chips.items():
            chip.setChecked(code in chosen)

    def first(self) -> QWidget:
        """The first chip."""
        return next(iter(self._chips.values()))


class CodesControl(Control):
    """Several codes joined by ";"."""

    def __init__(self, field: Field, theme: Theme, today: Callable[[], str]) -> None:
        super().__init__(field, theme, today)
        self.chips = ChoiceChips(codes.table(field.code_table))
        self.chips.edited.connect(self.edited)
        self._box.addWidget(self.chips)

    @property
    def entry(self) -> QWidget:
        return self.chips.first()

    def value(self) -> Any:
        return ";".join(self.chips.codes()) or None

    def set_value(self, value: Any) -> None:
        self.chips.set_codes((value or "").split(";"))


_CONTROLS: dict[Kind, type[Control]] = {
    Kind.NOTE: NoteControl,
    Kind.CODE: CodeControl,
    Kind.CODES: CodesControl,
    Kind.DAY: DayControl,
    Kind.NUMBER: NumberControl,
    Kind.MEASURE: NumberControl,
    Kind.FLAG: FlagControl,
    Kind.ID_NUMBER: IdNumberControl,
}


def control_for(field: Field, theme: Theme, today: Callable[[], str]) -> Control:
    """The control for a field, by its kind; plain text for what has none of its own. `today()` gives the present day."""
    made = _CONTROLS.get(field.kind, LineControl)(field, theme, today)
    made.entry.setAccessibleName(_(field.label))
    if field.hint:
        made.entry.setToolTip(_(field.hint))
        if isinstance(made, LineControl) and not made.line.placeholderText():
            made.line.setPlaceholderText(_(field.hint))
    return made
