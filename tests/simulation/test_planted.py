"""The simulator is sharp enough: it finds every one of these bugs, each of which breaks one promise of the sync on purpose."""

import pytest

from tests.simulation import fleet
from tests.simulation.planted import PLANTED

MOST_SEEDS = 2_000
LEAST_BUGS = 15


@pytest.mark.slow
def test_every_planted_bug_is_found() -> None:
    assert len(PLANTED) >= LEAST_BUGS
    found = fleet.first_failing(sorted(PLANTED), MOST_SEEDS)
    missed = [name for name, first in found.items() if first is None]
    assert not missed, f"not found within {MOST_SEEDS} histories: {missed}"
