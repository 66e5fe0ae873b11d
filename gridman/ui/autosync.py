"""Synchronising by itself: soon after something was written, every few minutes otherwise, ever more seldom while the street is away."""

import random
from typing import Any

from PySide6.QtCore import QObject, QTimer

from gridman.kernel.errors import Refusal
from gridman.ui.background import Job
from gridman.ui.shell import Shell

__all__ = ["AutoSync", "Rhythm"]

AFTER_WRITE_S = 8.0
EVERY_S = 120.0
FIRST_RETRY_S = 15.0
LAST_RETRY_S = 300.0
_AWAY = ("sync.unreachable", "sync.cut_off")


class Rhythm:
    """When to try next, in seconds. Waits are spread by a fifth either way, so that the desks of a street that come back after an
    outage do not all call in the same second.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._failures = 0

    @property
    def is_failing(self) -> bool:
        return self._failures > 0

    def after_success(self) -> float:
        """Seconds until the next round when all is well."""
        self._failures = 0
        return self._spread(EVERY_S)

    def after_failure(self) -> float:
        """Seconds until the next try: 15 s, doubling to five minutes."""
        wait = min(LAST_RETRY_S, FIRST_RETRY_S * 2**self._failures)
        self._failures += 1
        return self._spread(wait)

    def after_write(self) -> float:
        """Seconds until what was just written is sent: a moment, so that a few entries go together."""
        return AFTER_WRITE_S

    def _spread(self, seconds: float) -> float:
        return seconds * self._chance.uniform(0.8, 1.2)


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
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.begin)
        shell.background.changed.connect(self._written)
        shell.background.work_changed.connect(self._over)
        self._wait(1.0)

    def begin(self) -> None:
        """One round now, unless one is under way."""
        if self._shell.background.running():
            self._wait(AFTER_WRITE_S)
            return
        self._job = self._shell.background.run(self._shell.desk.synchronise, refused=self._refused)

    def _wait(self, seconds: float) -> None:
        self._timer.start(int(seconds * 1000))

    def _written(self, changes: Any) -> None:
        """Send soon; but while the street is away its own rhythm holds."""
        if self._job is not None or self._rhythm.is_failing:
            return
        if not self._timer.isActive() or self._timer.remainingTime() > AFTER_WRITE_S * 1000:
            self._wait(self._rhythm.after_write())

    def _over(self, job: Job) -> None:
        """However a round ended - done, refused, stopped, broken - there is a next one."""
        if job is not self._job or not job.is_over:
            return
        self._job = None
        if job.error is None:
            self._told = ""
            self._wait(self._rhythm.after_success())
        else:
            self._wait(self._rhythm.after_failure())

    def _refused(self, refusal: Refusal) -> None:
        if refusal.code not in _AWAY and refusal.code != self._told:
            self._told = refusal.code
            self._shell.refuse(refusal)
