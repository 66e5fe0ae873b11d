"""Another passphrase for this computer: the old one, the new one twice."""

from itertools import pairwise
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.ui.shell import Shell
from gridman.ui.widgets import Card, button, column_of, label, row_of

__all__ = ["PassphrasePanel"]

_DIFFERENT = Refusal(
    "signin.two_passphrases",
    N_("The two passphrases differ."),
    N_("Type the same one twice; nobody can look it up later."),
)


class PassphrasePanel(Card):
    """See the module."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(_("Passphrase of this computer"))
        self._shell = shell
        self._lines = [QLineEdit() for _i in range(3)]
        captions = (_("Present passphrase"), _("New passphrase"), _("New passphrase again"))
        columns = []
        for line, caption in zip(self._lines, captions, strict=True):
            line.setEchoMode(QLineEdit.EchoMode.Password)
            line.setAccessibleName(caption)
            columns.append(column_of(label(caption, "caption"), line, spacing=2))
        for line, following in pairwise(self._lines):
            line.returnPressed.connect(following.setFocus)
        self._lines[-1].returnPressed.connect(self._change)
        self._go = button(_("Change passphrase"), clicked=self._change)
        self._problem = label("", "problem", wraps=True)
        self._problem.hide()
        self.add(row_of(*columns, spacing=12))
        self.add(self._problem)
        self.add(row_of(self._go, None))
        self.setFocusProxy(self._lines[0])

    def forget(self) -> None:
        """Take out what was typed (when the desk is locked)."""
        for line in self._lines:
            line.clear()
        self._problem.hide()

    def _change(self) -> None:
        old, new, again = (line.text() for line in self._lines)
        for line in self._lines:
            if not line.text():
                self._refused(Refusal("signin.empty", N_("{label} is missing."), label=line.accessibleName()), line)
                return
        if new != again:
            self._refused(_DIFFERENT, self._lines[2])
            return
        self._go.setEnabled(False)
        self._shell.background.run(
            _changing, self._shell.desk, old, new, title=_("Changing the passphrase"), then=self._done,
            refused=self._refused_there,
        )  # fmt: skip

    def _done(self, result: object) -> None:
        self._go.setEnabled(True)
        self.forget()
        self._shell.say(_("The passphrase was changed."))

    def _refused_there(self, refusal: Refusal) -> None:
        self._refused(refusal, self._lines[1 if refusal.code == "passphrase.weak" else 0])

    def _refused(self, refusal: Refusal, line: QLineEdit) -> None:
        """Say what is wrong, and go to the line that is; what was typed stays."""
        self._go.setEnabled(True)
        self._problem.setText(refusal.words())
        self._problem.show()
        line.setFocus(Qt.FocusReason.OtherFocusReason)
        line.end(False)


def _changing(desk: Any, old: str, new: str, progress: Any, ticket: Any) -> None:
    desk.change_passphrase(old, new)
