"""Synchronising by itself: at once when the street says that it has something, soon after something was written, every few minutes otherwise,
ever more seldom while the street is away.
"""

import random
from typing import Any

from PySide6.QtCore import QObject, QTimer

from gridman.kernel.errors import Refusal
from gridman.sync.listening import Heard
from gridman.sync.retry import AWAY, Retry
from gridman.ui.background import Job
from gridman.ui.shell import Shell

__all__ = ["AutoSync"]

AFTER_WRITE_S = 8.0
AFTER_NEWS_S = 0.3
BACK_S = 5.0
EVERY_S = 120.0


class AutoSync(QObject):
    """Runs `desk.synchronise` in the background without a word: the pill tells how things stand. A refusal that is no mere absence
    (a revoked device, another version) is told once.
    """

    def __init__(self, shell: Shell, parent: QObject, chance: random.Random | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._chance = chance or random.Random()
        self._retry = Retry(self._chance)
        self._job: Job | None = None
        self._told = ""
        self._has_news = False
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
        self._has_news = False
        self._job = self._shell.background.run(self._shell.desk.synchronise, refused=self._refused)

    def _wait(self, seconds: float) -> None:
        if self._is_over:
            return
        self._timer.start(int(seconds * 1000))

    def _wait_at_most(self, seconds: float) -> None:
        if not self._timer.isActive() or self._timer.remainingTime() > seconds * 1000:
            self._wait(seconds)

    def _written(self, changes: Any) -> None:
        """Send soon, a few entries together; but while the street is away the retries' own rhythm holds."""
        if self._job is None and not self._retry.is_failing:
            self._wait_at_most(AFTER_WRITE_S)

    def _heard(self, word: Heard) -> None:
        """The street has something: fetch it, after the round under way if there is one. It is back after an absence: go on soon, but not all
        desks in the same moment.
        """
        if word is Heard.NEWS and self._job is not None:
            self._has_news = True
            self._shell.desk.hurry()  # photos on their way let it pass
        elif word is Heard.NEWS:
            self._wait_at_most(AFTER_NEWS_S)
        elif word is Heard.THERE and self._job is None and self._retry.is_failing:
            self._wait_at_most(self._chance.uniform(AFTER_NEWS_S, BACK_S))

    def _over(self, job: Job) -> None:
        """However a round ended - done, refused, stopped, broken - there is a next one."""
        if job is not self._job or not job.is_over:
            return
        self._job = None
        if job.error is None:
            self._told = ""
            self._retry.succeed()
            # Waits are spread by a fifth either way: desks started together in the morning do not call together all day.
            self._wait(AFTER_NEWS_S if self._has_news else EVERY_S * self._chance.uniform(0.8, 1.2))
        else:
            self._wait(self._retry.after_failure(job.error if isinstance(job.error, Refusal) else None))

    def _refused(self, refusal: Refusal) -> None:
        if refusal.code not in AWAY and refusal.code != self._told:
            self._told = refusal.code
            self._shell.refuse(refusal)
