"""The street server's address, and another one when the server moved."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.ui.shell import Shell
from gridman.ui.widgets import button, column_of, label, row_of

__all__ = ["ServerLine"]


class ServerLine(QWidget):
    """The address may be typed over; it is kept only when the same street answers there."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._line = QLineEdit()
        self._line.setAccessibleName(_("Street server"))
        self._line.textChanged.connect(self._typed)
        self._line.returnPressed.connect(self._move)
        self._go = button(_("Change address"), clicked=self._move)
        self._go.setToolTip(
            _("For a street server that moved: the new address is kept only if the same street answers there.")
        )
        self._problem = label("", "problem", wraps=True)
        # Below each other: an address in large text needs the whole width.
        self.setLayout(column_of(self._line, row_of(self._go, None), self._problem, spacing=4))
        self.forget()

    def forget(self) -> None:
        """Show the address in use, not what was typed."""
        self._line.setText(self._in_use)
        self._line.setToolTip(self._in_use)
        self._line.setCursorPosition(0)
        self._typed()
        self._problem.hide()

    @property
    def _in_use(self) -> str:
        profile = self._shell.desk.profile
        return getattr(profile, "server_url", "") or getattr(profile, "street_url", "")

    @property
    def _is_other(self) -> bool:
        return self._line.text().strip().rstrip("/") not in ("", self._in_use)

    def _typed(self) -> None:
        self._go.setEnabled(self._is_other)

    def _move(self) -> None:
        if not self._is_other:
            self.forget()
            return
        self._go.setEnabled(False)
        self._shell.background.run(
            _moving, self._shell.desk, self._line.text(), title=_("Asking the street server"), then=self._done, refused=self._refused
        )  # fmt: skip

    def _done(self, result: object) -> None:
        self.forget()
        self._shell.say(_("The same street answers there: this computer goes to the new address from now on."))
        self._shell.ask_window("sync_now")

    def _refused(self, refusal: Refusal) -> None:
        """What was typed stays, to be put right; the desk keeps the address it had."""
        self._typed()
        self._problem.setText(refusal.words())
        self._problem.show()
        self._line.setFocus(Qt.FocusReason.OtherFocusReason)
        self._line.end(False)


def _moving(desk: Any, url: str, progress: Any, ticket: Any) -> None:
    desk.change_server(url)
