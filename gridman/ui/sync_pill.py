"""The pill that always tells the truth about what this desk has sent, in words."""

from datetime import datetime
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton, QWidget

from gridman.kernel.clock import CHINA, day_of
from gridman.kernel.words import _
from gridman.services.outbox import counts
from gridman.ui.shell import Shell
from gridman.ui.widgets import MARKS, retone

__all__ = ["SyncPill", "pill_words"]

_EVERY_MS = 15_000


def pill_words(status: Any, now: int, refused: int = 0) -> tuple[str, str]:
    """The words and the tone of a SyncStatus: what is under way, then what was refused (`refused` operations, or this desk as a whole),
    then what waits, then when it was.
    """
    kind = str(status.kind)
    if kind == "sending":
        return _("Sending {sent} of {of}").format(sent=status.sent, of=status.of), "information"
    if kind == "receiving":
        return _("Receiving…"), "information"
    if refused:
        return _("{n} refused, open").format(n=refused), "danger"
    if kind in ("refused", "error"):
        return _("Not accepted by the street, open"), "danger"
    if kind == "blocked":
        return _("{n} not sent, open").format(n=status.waiting), "danger"
    if kind == "offline":
        if status.waiting:
            return _("Offline · {n} waiting").format(n=status.waiting), "attention"
        return _("Offline · nothing waits"), "neutral"
    if status.waiting:
        return _("{n} waiting to be sent").format(n=status.waiting), "attention"
    if status.at is None:
        return _("Not synchronised yet"), "attention"
    moment = datetime.fromtimestamp(status.at / 1000, CHINA)
    shown = f"{moment:%H:%M}" if day_of(status.at) == day_of(now) else f"{moment:%m-%d %H:%M}"
    return _("Up to date {time}").format(time=shown), "good"


class SyncPill(QPushButton):
    """See the module. Pressing it opens the Sync page."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self.setProperty("kind", "pill")
        self.setAutoDefault(False)
        self.setAccessibleName(_("Synchronisation"))
        self.setToolTip(_("Open what is sent, what waits and what was refused"))
        self.clicked.connect(self._open)
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.ask)
        self._timer.start()
        shell.background.changed.connect(self._changed)
        shell.background.work_changed.connect(self._changed)
        self.hide()
        self.ask()

    def shut(self) -> None:
        """The window goes: ask nothing more, the store may be closed before this widget is deleted."""
        self._timer.stop()

    def ask(self) -> None:
        """Read the status again."""
        self._shell.background.ask(_status, self._shell.desk, then=self._take, key="status")

    def _changed(self, what: Any) -> None:
        self.ask()

    def _open(self) -> None:
        self._shell.go("sync")

    def _take(self, answer: tuple[Any, int, int]) -> None:
        text, tone = pill_words(*answer)
        self.setText(MARKS[tone] + text)
        self.setAccessibleName(_("Synchronisation: {state}").format(state=text))
        retone(self, tone=tone)
        self.show()


def _status(reader: Any, desk: Any) -> tuple[Any, int, int]:
    return desk.status(), reader.now, counts(reader).get("refused", 0)
