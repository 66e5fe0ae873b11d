"""Synchronising by itself, in the rhythm of `gridman.sync.rhythm`, while the window is open."""

import random
from typing import Any

from PySide6.QtCore import QObject, QTimer

from gridman.kernel.errors import Refusal
from gridman.sync.listening import Heard
from gridman.sync.retry import AWAY
from gridman.sync.rhythm import AFTER_WRITE_S, Rhythm
from gridman.ui.background import Job
from gridman.ui.shell import Shell

__all__ = ["AutoSync"]


class AutoSync(QObject):
    """Runs `desk.synchronise` in the background without a word: the pill tells how things stand. A refusal that is no mere absence
    (a revoked device, another version) is told once.
    """

    def __init__(self, shell: Shell, parent: QObject, chance: random.Random | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._rhythm = Rhythm(chance or random.Random())
        self._job: Job | None = None
        self._told = ""
        self._is_over = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.begin)
        shell.background.changed.connect(self._written)
        shell.background.work_changed.connect(self._over)
        self._wait(1.0)
        shell.background.listen(shell.desk.listen, self._heard)

    def stop(self) -> None:
        """The window goes: begin nothing more."""
        self._timer.stop()
        self._is_over = True

    def begin(self) -> None:
        """One round now, unless one is under way."""
        if self._shell.background.running():
            self._wait(AFTER_WRITE_S)
            return
        self._rhythm.begin()
        self._job = self._shell.background.run(self._shell.desk.synchronise, refused=self._refused)

    def _wait(self, seconds: float) -> None:
        if self._is_over:
            return
        self._timer.start(int(seconds * 1000))

    def _wait_at_most(self, seconds: float | None) -> None:
        if seconds is None:
            return
        if not self._timer.isActive() or self._timer.remainingTime() > seconds * 1000:
            self._wait(seconds)

    def _written(self, changes: Any) -> None:
        self._wait_at_most(self._rhythm.written())

    def _heard(self, word: Heard) -> None:
        self._wait_at_most(self._rhythm.heard(word))
        if self._rhythm.has_news:
            self._shell.desk.hurry()  # photos on their way let it pass

    def _over(self, job: Job) -> None:
        """However a round ended - done, refused, stopped, broken - there is a next one."""
        if job is not self._job or not job.is_over:
            return
        self._job = None
        if job.error is None:
            self._told = ""
            self._wait(self._rhythm.succeed())
        else:
            self._wait(self._rhythm.fail(job.error if isinstance(job.error, Refusal) else None))

    def _refused(self, refusal: Refusal) -> None:
        if refusal.code not in AWAY and refusal.code != self._told:
            self._told = refusal.code
            self._shell.refuse(refusal)
