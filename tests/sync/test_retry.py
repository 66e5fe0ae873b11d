"""Calling again after a failure: later each time, spread, and as the street asks. Real client code, time and chance given."""

import heapq
import random
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from gridman.kernel.errors import Refusal
from gridman.sync.http import HttpStreet
from gridman.sync.protocol import Hello
from gridman.sync.retry import FIRST_S, LAST_S, Retry, asked_s

DESKS = 300


def test_waits_grow_from_seconds_to_five_minutes_and_success_forgets_them() -> None:
    retry = Retry(random.Random(1))
    waits = [retry.after_failure() for _n in range(12)]
    assert FIRST_S <= waits[0] <= 2 * FIRST_S and all(FIRST_S <= wait <= LAST_S for wait in waits)
    assert all(wait >= LAST_S / 2 for wait in waits[5:])
    assert retry.is_failing
    retry.succeed()
    assert not retry.is_failing and retry.after_failure() <= 2 * FIRST_S


def test_what_the_street_asks_for_is_kept_to() -> None:
    retry = Retry(random.Random(1))
    asked = Refusal("http.busy", "", retry_after_s="40")
    assert all(retry.after_failure(asked) >= 40 for _n in range(3))
    assert 7 <= retry.after_asked(7.0) <= 8.4


@pytest.mark.parametrize("nonsense", ["", "soon", "-5", "1e9", "²", "Sat, 28 Nov 2026 08:00:00 GMT"])
def test_a_wish_that_is_no_number_of_seconds_is_no_wish(nonsense: str) -> None:
    assert asked_s(Refusal("http.busy", "", retry_after_s=nonsense)) == 0


def test_nobody_is_sent_away_for_longer_than_an_hour() -> None:
    assert asked_s(Refusal("http.busy", "", retry_after_s="999999999999")) == 3_600


def calls_of(desks: int, until_s: float, street: Callable[[float], httpx.Response | None]) -> list[float]:
    """The instants at which desks call a street, each by its own real client: `street` answers a call at an instant, or is not there."""
    now, calls, due = 0.0, [], [(0.0, n) for n in range(desks)]

    def at_the_street(request: httpx.Request) -> httpx.Response:
        calls.append(now)
        answer = street(now)
        if answer is None:
            raise httpx.ConnectError("refused", request=request)
        return answer

    transport = httpx.MockTransport(at_the_street)
    client = HttpStreet("http://127.0.0.1:1", "token", transport=transport)  # one for all: a client costs a moment
    retries = [Retry(random.Random(n)) for n in range(desks)]
    heapq.heapify(due)
    while due and due[0][0] < until_s:
        now, number = heapq.heappop(due)
        try:
            client.greet(Hello(1, number))
        except Refusal as refusal:
            assert refusal.code in ("sync.unreachable", "http.busy", "server.stopping")
            heapq.heappush(due, (now + retries[number].after_failure(refusal), number))
        else:
            raise AssertionError("the street of this test never answers well")
    client.close()
    return calls


def worst(calls: list[float], within_s: float, since: float = 0.0) -> int:
    """The most calls that fall into a span of this length."""
    return max(Counter(int(at // within_s) for at in calls if at >= since).values(), default=0)


@pytest.mark.parametrize("outage_s", [60.0, 600.0, 3_600.0])
def test_after_an_outage_of_the_whole_street_the_desks_do_not_come_together(outage_s: float) -> None:
    calls = calls_of(DESKS, outage_s + LAST_S, lambda at: None)
    assert worst(calls, 1.0) == DESKS, "they all lost the street in the same second"
    returning = worst(calls, 1.0, since=outage_s)
    print(f"{DESKS} desks after {outage_s:.0f} s: at most {returning} in one second")
    # With 300 desks over at most 150 s a second has two on the average; a herd would be hundreds.
    assert returning <= (25 if outage_s <= 60 else 12)
    if outage_s > LAST_S:
        back = {at for at in calls if outage_s <= at}
        assert len(back) >= DESKS, "and within five minutes all are back"


def test_desks_that_were_told_when_to_come_again_do_not_come_together() -> None:
    chance = random.Random(7)

    def busy(at: float) -> httpx.Response:
        body = {"code": "http.busy", "words": "", "remedy": "", "text": "", "advice": "", "params": {}}
        return httpx.Response(503, json=body, headers={"Retry-After": str(chance.randint(10, 60))})

    calls = calls_of(DESKS, 60.0, busy)
    assert worst(calls, 1.0, since=1.0) <= 20
    assert not [at for at in calls if 0 < at < 10], "nobody comes before the time that was asked for"


def test_a_proxys_503_is_an_absence_with_a_wish() -> None:
    transport = httpx.MockTransport(lambda r: httpx.Response(503, text="<html>", headers={"Retry-After": "33"}))
    street = HttpStreet("http://127.0.0.1:1", "token", transport=transport)
    with pytest.raises(Refusal) as caught:
        street.greet(Hello(1, 2))
    assert caught.value.code == "sync.unreachable" and asked_s(caught.value) == 33
