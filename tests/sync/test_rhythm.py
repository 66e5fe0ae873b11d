"""When a desk synchronises by itself: what each thing that happens does to the wait for the next round."""

import random

import pytest

from gridman.kernel.errors import Refusal
from gridman.sync.listening import Heard
from gridman.sync.retry import FIRST_S
from gridman.sync.rhythm import AFTER_NEWS_S, AFTER_WRITE_S, BACK_S, Rhythm


@pytest.fixture
def rhythm() -> Rhythm:
    return Rhythm(random.Random(1), 100.0)


def test_news_is_fetched_at_once_and_news_in_a_round_after_it(rhythm: Rhythm) -> None:
    assert rhythm.heard(Heard.NEWS) == AFTER_NEWS_S
    rhythm.begin()
    assert rhythm.heard(Heard.NEWS) is None and rhythm.has_news
    assert rhythm.succeed() == AFTER_NEWS_S
    rhythm.begin()
    assert not rhythm.has_news and 80 <= rhythm.succeed() <= 120


def test_regular_rounds_are_spread(rhythm: Rhythm) -> None:
    pauses = [rhythm.succeed() for _n in range(200)]
    assert min(pauses) < 85 and max(pauses) > 115


def test_a_street_that_is_back_is_asked_soon_but_not_by_all_in_the_same_moment(rhythm: Rhythm) -> None:
    assert rhythm.heard(Heard.THERE) is None, "it was never away"
    assert FIRST_S <= rhythm.fail(Refusal("sync.unreachable", "")) <= 2 * FIRST_S
    waits = [rhythm.heard(Heard.THERE) or 0.0 for _n in range(50)]
    assert all(AFTER_NEWS_S <= wait <= BACK_S for wait in waits) and max(waits) - min(waits) > 2
    assert rhythm.heard(Heard.AWAY) is None


def test_what_was_written_goes_soon_unless_the_street_is_away(rhythm: Rhythm) -> None:
    assert rhythm.written() == AFTER_WRITE_S
    rhythm.begin()
    assert rhythm.written() is None
    rhythm.fail()
    assert rhythm.written() is None
    rhythm.succeed()
    assert rhythm.written() == AFTER_WRITE_S
