"""Another passphrase for this computer: the old one, the new one twice."""

from typing import Any

from PySide6.QtWidgets import QLineEdit

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.services.signin import change_passphrase
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
            line.returnPressed.connect(self._change)
            columns.append(column_of(label(caption, "caption"), line, spacing=2))
        self._go = button(_("Change passphrase"), clicked=self._change)
        self._problem = label("", "problem", wraps=True)
        self._problem.hide()
        self.add(row_of(*columns, spacing=12))
        self.add(self._problem)
        self.add(row_of(self._go, None))
        self.setFocusProxy(self._lines[0])

    def _change(self) -> None:
        old, new, again = (line.text() for line in self._lines)
        if new != again:
            self._refused(_DIFFERENT)
            return
        self._go.setEnabled(False)
        desk = self._shell.desk
        self._shell.background.run(
            _changing, desk.data_dir, desk.profile.login, old, new, title=_("Changing the passphrase"), then=self._done,
            refused=self._refused,
        )  # fmt: skip

    def _done(self, result: object) -> None:
        self._go.setEnabled(True)
        self._problem.hide()
        for line in self._lines:
            line.clear()
        self._shell.say(_("The passphrase was changed."))

    def _refused(self, refusal: Refusal) -> None:
        self._go.setEnabled(True)
        self._problem.setText(refusal.words())
        self._problem.show()
        self._lines[0].setFocus()


def _changing(data_dir: Any, login: str, old: str, new: str, progress: Any, ticket: Any) -> None:
    change_passphrase(data_dir, login, old, new)
