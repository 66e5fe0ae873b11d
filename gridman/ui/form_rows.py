"""One row of a form: label above, control, problem below; a masked value with the act that shows it."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from gridman.domain.covering import mask_for, masked
from gridman.domain.fields import Field, Kind
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.ui.form_controls import Control, control_for
from gridman.ui.theme import Theme
from gridman.ui.widgets import column_of, icon_button, label, retone, row_of

__all__ = ["FieldRow"]


class FieldRow(QWidget):
    """See the module. `reveal_asked` when the person presses Show on a masked value."""

    edited = Signal(object)  # self
    left = Signal(object)
    reveal_asked = Signal(object)

    def __init__(self, field: Field, theme: Theme, today: Callable[[], str]) -> None:
        super().__init__()
        self.field = field
        self.control: Control = control_for(field, theme, today)
        mark = " *" if field.is_required else ""
        self.caption = label(_(field.label) + mark, "caption", wraps=True)
        if field.is_required:
            self.control.entry.setAccessibleDescription(_("required"))
        self.caption.setBuddy(self.control.entry)
        self.problem = label("", "problem", wraps=True)
        self.problem.hide()
        self._veil = QLineEdit()
        self._veil.setReadOnly(True)
        self._veil.setAccessibleName(_("{label}, hidden").format(label=_(field.label)))
        self._show = icon_button(theme, "eye", _("Show and edit; this look is logged"), self._ask)
        self._show.setAccessibleName(_("Show {label}; this look is logged").format(label=_(field.label)))
        self._cover = QWidget()
        cover = row_of(self._veil, self._show, spacing=4)
        cover.setStretch(0, 1)
        self._cover.setLayout(cover)
        self._cover.hide()
        self.setLayout(column_of(self.caption, self._cover, self.control, self.problem, spacing=2))
        self.control.edited.connect(self._edited)
        self.control.left.connect(self._left)
        self.setFocusProxy(self.control.entry)
        self._original: Any = None

    @property
    def is_wide(self) -> bool:
        """Whether the row takes the whole width of its group."""
        return self.field.kind in (Kind.NOTE, Kind.CODES) or self.field.max_length > 200 or self.field.name == "address"

    @property
    def is_covered(self) -> bool:
        return not self._cover.isHidden()

    @property
    def focus_target(self) -> QWidget:
        """The widget that takes the keyboard now."""
        return self._show if self.is_covered else self.control.entry

    def load(self, value: Any, *, is_masked: bool) -> None:
        """Show a value of a record; covered when it is masked and not empty."""
        self._original = value
        hides = is_masked and mask_for(self.field) is not None and value not in (None, "")
        self._cover.setVisible(hides)
        self.control.setVisible(not hides)
        if hides:
            self._veil.setText(masked(self.field, value))
            self._veil.setCursorPosition(0)
        self.control.set_value(value if not hides else None)
        self.setFocusProxy(self.focus_target)
        self.tell(None)

    def uncover(self, value: str) -> None:
        """The value was revealed: from now on it can be edited."""
        self._original = value or None
        self._cover.hide()
        self.control.show()
        self.control.set_value(value)
        self.setFocusProxy(self.control.entry)
        self.control.entry.setFocus()

    def type_in(self, value: Any) -> None:
        """Put a value in as if it had been typed (drafts)."""
        self._cover.hide()
        self.control.show()
        self.control.set_value(value)

    def settle(self) -> None:
        """What stands here now was put in by the program: it is no typing that could be lost."""
        self._original = self.control.value()

    def value(self) -> Any:
        """The value now; what was loaded while it is covered."""
        return self._original if self.is_covered else self.control.value()

    @property
    def is_changed(self) -> bool:
        """Whether saving would write something else than what was loaded."""
        return not self.is_covered and (self.control.value() or None) != (self._original or None)

    def tell(self, refusal: Refusal | None) -> None:
        """Show a problem below the field, or take it away."""
        self.problem.setText(refusal.words() if refusal is not None else "")
        self.problem.setVisible(refusal is not None)
        retone(self.control.entry, tone="danger" if refusal is not None else "")

    def _ask(self) -> None:
        self.reveal_asked.emit(self)

    def _edited(self) -> None:
        self.edited.emit(self)

    def _left(self) -> None:
        self.left.emit(self)
