"""The head of the Sync page: how things stand in words, the button, progress, the last synchronisations, this computer's clock."""

from typing import Any

from PySide6.QtWidgets import QFrame, QProgressBar, QWidget

from gridman.kernel.errors import Refusal
from gridman.kernel.words import _
from gridman.services.outbox import Round
from gridman.services.receipt_words import rounds_words
from gridman.sync.fork import FORK
from gridman.sync.retry import AWAY
from gridman.ui.background import Job
from gridman.ui.pages.sync.stick import Stick
from gridman.ui.shell import Shell
from gridman.ui.sync_pill import pill_words
from gridman.ui.widgets import MARKS, button, column_of, label, retone, row_of

__all__ = ["StatusCard", "clock_words"]

_SKEW_TOLD_MS = 60_000


def clock_words(skew_ms: int) -> str:
    """What is wrong with this computer's clock; empty when nothing is worth telling."""
    if abs(skew_ms) < _SKEW_TOLD_MS:
        return ""
    minutes = round(abs(skew_ms) / 60_000)
    text = (
        _("This computer's clock is {minutes} min ahead of the street server's. Please set it: printed times follow it.")
        if skew_ms > 0
        else _("This computer's clock is {minutes} min behind the street server's. Please set it: printed times follow it.")
    )  # fmt: skip
    return text.format(minutes=minutes)


_LOW_PX = 600
"""A window less high has its room for the receipts, and tells of the last synchronisation only."""


class StatusCard(QFrame):
    """See the module. The work itself runs in the background; this card starts, follows and stops it."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "bar")
        self._shell = shell
        self._job: Job | None = None
        self._state = label("", "heading", wraps=True)
        self._reason = label("", "soft", wraps=True)
        self._rounds = label("", "caption", wraps=True)
        self._clock = label("", "problem", wraps=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress of the synchronisation"))
        self._bar.setVisible(False)
        self.now = button(
            _("Synchronise now"), "primary", theme=shell.theme, picture="refresh-cw", clicked=self.start, tip="F9"
        )
        self.again = button(_("Set this computer up again"), clicked=lambda: shell.ask_window("set_up_again"))
        self.again.setVisible(False)
        self.stop = button(_("Stop"), clicked=self._cancel)
        self.stop.setVisible(False)
        for one in (self._reason, self._clock):
            one.setVisible(False)
        self.stick = Stick(shell)
        left = column_of(self._state, self._bar, self._reason, self._clock, self._rounds, self.stick, spacing=4)
        box = row_of(left, self.again, self.stop, self.now, spacing=12, margins=(16, 12, 16, 12))
        box.setStretch(0, 1)
        self.setLayout(box)
        shell.background.work_changed.connect(self._follow)

    def start(self) -> None:
        """Synchronise now."""
        if self._job is None:
            self._shell.background.run(
                self._shell.desk.synchronise, title=_("Synchronising"), then=self._done, refused=self._refused
            )

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _follow(self, job: Job) -> None:
        if job.work != getattr(self._shell.desk, "synchronise", None):  # the regular rounds too, which have no title
            return
        self._job = None if job.is_over else job
        self.now.setEnabled(job.is_over)
        self.stop.setVisible(not job.is_over)
        self._bar.setVisible(not job.is_over)
        self._bar.setRange(0, job.total or 100)
        self._bar.setValue(job.done)

    def _done(self, result: Any) -> None:
        said = _("Synchronised: {sent} sent, {received} received.")
        self._shell.say(said.format(sent=getattr(result, "sent", 0), received=getattr(result, "received", 0)))

    def _refused(self, refusal: Refusal) -> None:
        """Without a network the words above say so already."""
        if refusal.code not in AWAY:
            self._shell.refuse(refusal)

    def show_status(self, status: Any, now: int, rounds: list[Round]) -> None:
        """Show how things stand."""
        text, tone = pill_words(status, now)
        self._state.setText(MARKS[tone] + text)
        retone(self._state, tone=tone)
        reason = status.reason
        said = reason.words() if isinstance(reason, Refusal) else str(reason or "")
        self._reason.setText(said)
        self._reason.setVisible(bool(said))
        # What waits goes to the street's review list first: from a desk that was left behind nobody would send it.
        self.again.setVisible(isinstance(reason, Refusal) and reason.code == FORK and not status.waiting)
        last = next((r for r in rounds if not r.problem), None)
        clock = clock_words(last.skew_ms) if last is not None else ""
        self._clock.setText(clock)
        self._clock.setVisible(bool(clock))
        shown = rounds_words(rounds, said)
        self._rounds.setText("\n".join(shown[:1] if self.window().height() < _LOW_PX else shown))
