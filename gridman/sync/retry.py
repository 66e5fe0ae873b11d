"""When to call the street again after a call failed: later each time, and never when everybody else does (sync design D12)."""

import random

from gridman.kernel.errors import Refusal

__all__ = ["AWAY", "FIRST_S", "LAST_S", "Retry"]

FIRST_S, LAST_S = 5.0, 300.0
_LONGEST_ASKED_S = 3_600.0
_LATER = 1.2

AWAY = ("sync.unreachable", "sync.cut_off", "http.busy", "server.stopping")
"""The street is not there, or asks for patience: nothing is wrong with this desk or its work."""


class Retry:
    """Waits from 5 seconds to 5 minutes, doubling, each anywhere in its upper half: the desks of a street whose server was away come back one by
    one. What the street asks for is kept to, and a little more, so that desks told the same do not come together.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._failures = 0

    @property
    def is_failing(self) -> bool:
        """Whether the last call failed."""
        return self._failures > 0

    def succeed(self) -> None:
        """A call went well."""
        self._failures = 0

    def after_failure(self, refusal: Refusal | None = None) -> float:
        """Seconds until the next call; `refusal`: what the failed one met."""
        longest = min(LAST_S, 2 * FIRST_S * 2 ** min(self._failures, 10))
        self._failures += 1
        wait = self._chance.uniform(longest / 2, longest)
        return max(wait, self._later(asked_s(refusal)))

    def after_asked(self, seconds: float) -> float:
        """Seconds until the next call when the street let this desk go and said when to come back."""
        return self._later(min(seconds, _LONGEST_ASKED_S))

    def _later(self, seconds: float) -> float:
        return seconds * self._chance.uniform(1.0, _LATER)


def asked_s(refusal: Refusal | None) -> float:
    """How long the street asked the desk to stay away, at most an hour; 0 when it did not."""
    text = str(refusal.params.get("retry_after_s", "")) if refusal is not None else ""
    return min(float(text), _LONGEST_ASKED_S) if text.isascii() and text.isdigit() else 0.0
