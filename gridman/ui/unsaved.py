"""The one bar that asks before something typed is lost: keep editing, or throw it away. Esc keeps editing."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from gridman.kernel.words import _
from gridman.ui.widgets import Notice, button

__all__ = ["Unsaved"]


class Unsaved(Notice):
    """See the module; hidden until `ask`."""

    kept = Signal()
    thrown = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        self.keep = button(_("Keep editing"), clicked=self._keep)
        self.throw = button(_("Discard what was typed"), "danger", clicked=self._throw)
        for one in (self.keep, self.throw):
            one.setAutoDefault(True)  # Enter answers
        super().__init__(_("This is not saved."), "attention", self.keep, self.throw, is_tall=True)
        self.hide()

    def ask(self) -> None:
        """Show it, with the keyboard on the answer that loses nothing."""
        self.show()
        self.keep.setFocus(Qt.FocusReason.OtherFocusReason)

    def _keep(self) -> None:
        self.hide()
        self.kept.emit()

    def _throw(self) -> None:
        self.hide()
        self.thrown.emit()
