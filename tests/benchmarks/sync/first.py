"""First synchronisations: a grid, a community, one grid out of a whole street; in turns with the bare driver inserting the same rows."""

import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gridman.server.certificates import street_tls
from gridman.server.run import ServerThread
from gridman.services.desk import Desk
from gridman.services.street import open_street
from gridman.services.trust import fingerprint_of
from gridman.sync.checking import ask_all_again
from tests.benchmarks.measures import Figure, timed
from tests.benchmarks.sync.town import Size, Town, fill
from tests.benchmarks.sync.wire import CountingStreet, bare_database, enrolled, insert_bare, rows_of

__all__ = ["Served", "first_sync", "served"]


@dataclass
class Served:
    """A filled street behind its address; `folder` is for desks."""

    folder: Path
    town: Town
    url: str
    fingerprint: str

    def enrol(self, name: str, login: str) -> Desk:
        """A new desk of a user."""
        return enrolled(self.folder / name, self.url, self.fingerprint, login)


@contextmanager
def served(size: Size) -> Iterator[Served]:
    """A street of this size, filled and served over HTTPS on 127.0.0.1."""
    with tempfile.TemporaryDirectory(prefix="gridman-bench-") as place:
        folder = Path(place)
        street = open_street(folder / "street")
        try:
            town = fill(street, size)
            tls = street_tls(street)
            with ServerThread(street, tls=tls) as url:
                yield Served(folder, town, url, fingerprint_of(tls.authority))
        finally:
            street.close()


def first_sync(place: Served, what: str, login: str, rounds: int) -> list[Figure]:
    """New desks of `login` receive what is theirs. The first one of a street is told apart: the street prepares things for it. Computing is
    the processor's time of desk and server together, in which a busy machine's waiting does not show.
    """
    ours, bare, computing, bare_computing, carried, requests, rows = [], [], [], [], 0, 0, 0
    for number in range(rounds + 1):
        desk = place.enrol(f"{login}-{number}", login)
        try:
            CountingStreet.taken()
            started = time.process_time()
            ours.append(timed(desk.synchronise))
            computing.append((time.process_time() - started) * 1_000)
            requests, carried = CountingStreet.taken()
            known = rows_of(desk)
        finally:
            desk.close()
        rows = sum(len(values) for _, values in known.values())
        database = bare_database(place.folder / f"bare-{login}-{number}.db")
        started = time.process_time()
        bare.append(timed(lambda database=database, known=known: insert_bare(database, known)))  # type: ignore[misc]
        bare_computing.append((time.process_time() - started) * 1_000)
        database.close()
    yardstick = ("executemany", statistics.median(bare[1:]))
    return [
        Figure("sync", f"{what}, {rows:,} rows", statistics.median(ours[1:]), yardstick=yardstick),
        Figure(
            "sync",
            f"{what}, computing",
            statistics.median(computing[1:]),
            yardstick=("executemany", statistics.median(bare_computing[1:])),
        ),
        Figure("sync", f"{what}, the first desk of all", ours[0], yardstick=yardstick),
        Figure("sync", f"{what}, on the wire in {requests} requests", carried / 1_000, "kB"),
        Figure("sync", f"{what}, memory taken by desk and server", _memory(place, login), "MB"),
    ]


def comparison(place: Served, what: str, login: str) -> Figure:
    """A desk holds each of its scopes against the street's, against as many rounds in which nothing is compared."""
    desk = place.enrol(f"{login}-compared", login)
    try:
        desk.synchronise()
        scopes = ask_all_again(desk.store)
        compared = sum(timed(desk.synchronise) for _scope in scopes)
        plain = sum(timed(desk.synchronise) for _scope in scopes)
    finally:
        desk.close()
    return Figure("sync", f"{what}, all of it compared with the street", compared, yardstick=("nothing to say", plain))


def _memory(place: Served, login: str) -> float:
    """The most memory (MB) that Python's objects of desk and server take on top of what they had, during a first synchronisation."""
    desk = place.enrol(f"{login}-memory", login)
    try:
        tracemalloc.start()
        desk.synchronise()
        return tracemalloc.get_traced_memory()[1] / 1_000_000
    finally:
        tracemalloc.stop()
        desk.close()
