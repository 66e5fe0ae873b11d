"""When a desk synchronises by itself: at once when the street says that it has something, soon after something was written, every few minutes
otherwise, ever more seldom while the street is away. The window and `gridman sync --watch` keep the same time.
"""

import random

from gridman.kernel.errors import Refusal
from gridman.sync.listening import Heard
from gridman.sync.retry import Retry

__all__ = ["AFTER_NEWS_S", "AFTER_WRITE_S", "EVERY_S", "Rhythm"]

AFTER_WRITE_S = 8.0
AFTER_NEWS_S = 0.3
BACK_S = 5.0
EVERY_S = 120.0
_SPREAD = 0.2


class Rhythm:
    """Tells what happened how long to wait for the next round, in seconds. Knows no clock and no thread: who uses it brings both, and calls it
    from one thread at a time.
    """

    def __init__(self, chance: random.Random, every_s: float = EVERY_S) -> None:
        self._chance = chance
        self._every_s = every_s
        self._retry = Retry(chance)
        self._is_under_way = False
        self._has_news = False

    @property
    def is_failing(self) -> bool:
        """Whether the last round failed."""
        return self._retry.is_failing

    @property
    def has_news(self) -> bool:
        """Whether the street has something that the round under way may have passed."""
        return self._has_news

    def begin(self) -> None:
        """A round begins."""
        self._is_under_way, self._has_news = True, False

    def succeed(self) -> float:
        """The round went well: when the next is due. Waits are spread by a fifth either way: desks started together in the morning do not call
        together all day.
        """
        self._is_under_way = False
        self._retry.succeed()
        return AFTER_NEWS_S if self._has_news else self._every_s * self._chance.uniform(1 - _SPREAD, 1 + _SPREAD)

    def fail(self, refusal: Refusal | None = None) -> float:
        """The round failed or was stopped: when the next is due."""
        self._is_under_way = False
        return self._retry.after_failure(refusal)

    def written(self) -> float | None:
        """Something was written here: the longest to wait now; None: the wait stays as it is. Sends soon, a few entries together; but while the
        street is away the retries' own rhythm holds.
        """
        return None if self._is_under_way or self.is_failing else AFTER_WRITE_S

    def heard(self, word: Heard) -> float | None:
        """The longest to wait now, None: the wait stays as it is. The street has something: fetch it, after the round under way if there is
        one. It is back after an absence: go on soon, but not all desks in the same moment.
        """
        if word is Heard.NEWS and self._is_under_way:
            self._has_news = True
            return None
        if word is Heard.NEWS:
            return AFTER_NEWS_S
        if word is Heard.THERE and not self._is_under_way and self.is_failing:
            return self._chance.uniform(AFTER_NEWS_S, BACK_S)
        return None
