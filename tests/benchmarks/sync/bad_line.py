"""The same day and the same grid on the bad line of the sync study: 600 ms round trip, 20 kB/s, 5 % of segments lost; counted at the line.

Yardstick of a time: what the line alone takes for these bytes, that is one round trip for the request (three when the connection is made
anew: TCP, TLS, request) and bytes by rate. No loss is in it, so 1.0 cannot be reached.
"""

import statistics
import time
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from gridman.kernel.errors import Refusal
from gridman.services.desk import Desk
from tests.benchmarks.measures import Figure, timed
from tests.benchmarks.sync.day import a_day
from tests.benchmarks.sync.first import Served
from tests.benchmarks.sync.wire import enrolled
from tests.support.link import BAD, GOOD, BadLink, Counts, Weather

__all__ = ["bad_line"]

_LITTLE = Weather(rtt_s=0.05, bytes_per_s=200_000, loss=0.05)
_CUT_EVERY_S = 10.0
_WARM, _COLD = 1, 3  # round trips
_ROUNDS_TO_TRY = 400
_PAUSE_S = 0.5


@dataclass
class _Taken:
    """What a kind of synchronisation took, each time; `requests`: counted at the line, a hand shake among those of a cold one."""

    what: str
    trips: int
    seconds: list[float] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)

    def figures(self, weather: Weather, unit: str) -> list[Figure]:
        middle = statistics.median(self.seconds)
        carried = statistics.median(c.carried for c in self.counts)
        asked = f", {max(c.turns for c in self.counts)} request" if self.trips == _WARM else ""
        bytes_alone = carried / weather.bytes_per_s if weather.bytes_per_s else 0.0
        floor = self.trips * weather.rtt_s + bytes_alone
        yardstick = ("the line alone", floor) if floor else None
        return [
            Figure("sync", f"{self.what}{asked}", middle, "s", yardstick),
            Figure("sync", f"{self.what}, on the wire with TLS", carried / (1 if unit == "B" else 1_000), unit),
        ]


def bad_line(place: Served, login: str, is_small: bool) -> list[Figure]:
    """Days and silent rounds on the good and on the bad line, then first synchronisations of the grid on the bad one."""
    bad, rounds = (_LITTLE, 1) if is_small else (BAD, 7)
    with BadLink(urlsplit(place.url).port or 0, GOOD) as link:
        desk = _enrolled(place, link, f"line-{login}", login)
        try:
            desk.synchronise()
            figures = [
                *_ordinary(link, desk, GOOD, "the good line", rounds),
                *_ordinary(link, desk, bad, "the bad line", rounds),
            ]
        finally:
            desk.close()
        return [*figures, *_firsts(place, link, login, bad, 1 if is_small else 3)]


def _enrolled(place: Served, link: BadLink, name: str, login: str) -> Desk:
    """A new desk beyond the line; the line is good while it enrols."""
    link.weather = GOOD
    return enrolled(place.folder / name, f"https://127.0.0.1:{link.port}", place.fingerprint, login)


def _ordinary(link: BadLink, desk: Desk, weather: Weather, where: str, rounds: int) -> list[Figure]:
    kinds = {
        (works, trips): _Taken(f"{what}, {connection}, {where}", trips)
        for works, what in ((True, "a day"), (False, "nothing to say"))
        for trips, connection in ((_WARM, "warm"), (_COLD, "cold"))
    }
    for number in range(rounds):
        for (works, trips), taken in kinds.items():
            if trips == _COLD:
                desk.synchroniser.close()
            if works:
                a_day(desk, number * 2 + trips)
            link.weather = weather
            link.taken()
            taken.seconds.append(timed(desk.synchronise) / 1_000)
            taken.counts.append(link.taken())
            link.weather = GOOD
    return [figure for (works, _), taken in kinds.items() for figure in taken.figures(weather, "kB" if works else "B")]


def _firsts(place: Served, link: BadLink, login: str, weather: Weather, rounds: int) -> list[Figure]:
    """New desks receive the grid; then with the line cut every ten seconds, calling again each time."""
    figures = []
    for what, there in (("", weather), (", cut every 10 s", replace(weather, cut_every_s=_CUT_EVERY_S, dead_s=2.0))):
        seconds, counts, calls = [], [], []
        for number in range(rounds):
            desk = _enrolled(place, link, f"first-{login}-{len(what)}-{number}", login)
            try:
                link.weather = there
                link.taken()
                took, called = _at_last(desk)
                seconds.append(took)
                calls.append(called)
                counts.append(link.taken())
            finally:
                link.weather = GOOD
                desk.close()
        carried = statistics.median(c.carried for c in counts)
        floor = _COLD * weather.rtt_s + carried / weather.bytes_per_s
        cuts = sum(c.cuts for c in counts)
        name = f"first sync of a grid, the bad line{what}"
        told = f" ({cuts} cuts, {max(calls)} calls at most)" if what else ""
        figures += [
            Figure("sync", f"{name}{told}", statistics.median(seconds), "s", ("the line alone", floor)),
            Figure("sync", f"{name}, on the wire with TLS", carried / 1_000, "kB"),
        ]
    return figures


def _at_last(desk: Desk) -> tuple[float, int]:
    """Synchronise again and again until it is through, as a desk does, but with shorter pauses; seconds, and how often."""
    started = time.perf_counter()
    for call in range(1, _ROUNDS_TO_TRY):
        try:
            desk.synchronise()
        except Refusal as refusal:
            if refusal.code not in ("sync.unreachable", "sync.cut_off"):
                raise
            time.sleep(_PAUSE_S)
        else:
            return time.perf_counter() - started, call
    raise AssertionError("it never got through")
