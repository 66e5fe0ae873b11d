"""300 desks at once, as at 17:30: each has a day's work, all send it at the same moment to one server process over HTTPS.

What a desk does before and after (its own database) is left out: 300 desks are 300 machines, and here they would all share this process.
Timed is what a desk waits for: connection, TLS, queue, the street's work, the answer; who is told to come later comes later, as told.
Yardstick: the rows of those days put into an encrypted file of the same settings by the bare driver, one commit for each desk.
"""

import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import event

from gridman.domain.access import Actor
from gridman.domain.household import Household
from gridman.kernel.errors import Refusal
from gridman.server.certificates import street_tls
from gridman.services.access import actor_of_user
from gridman.services.desk import Desk
from gridman.services.households import amend_household
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.street import Street, open_street
from gridman.services.visits import VisitDraft, log_visit
from gridman.store import committing
from gridman.sync import exchange
from gridman.sync.codec import encode
from gridman.sync.http import HttpStreet
from gridman.sync.protocol import Answer, Request
from gridman.sync.replica import Replica
from tests.benchmarks.measures import Figure, percentile, timed
from tests.benchmarks.sync.wire import Rows, bare_database, insert_bare, rows_of
from tests.support.fleet import Fleet, found_fleet
from tests.support.street_process import street_process
from tests.support.streets import CHEAP_HASHER

__all__ = ["herd", "shared_commits"]

DESKS, _PATIENCE_S = 300, 900.0
SLOW_DISK_S = 0.008
_ALONG_THE_WAY = ("sync.cut_off", "sync.unreachable")


def herd(is_small: bool) -> list[Figure]:
    """The herd's figures."""
    count = 4 if is_small else DESKS
    with tempfile.TemporaryDirectory(prefix="gridman-bench-") as place:
        folder = Path(place)
        street = open_street(folder / "street", hasher=CHEAP_HASHER)
        fleet = found_fleet(street, folder / "desks", count, homes_a_grid=60)
        fleet.authority = street_tls(street).authority
        street.close()
        try:
            with street_process(folder / "street") as server:
                fleet.url = server.url
                for number in range(count):
                    fleet.desk(number).synchronise()
                requests, rows = zip(*(_day(fleet, n) for n in range(count)), strict=True)
                waited, later, whole_s = _rush(fleet, requests)
            bare_ms = _bare(folder, rows)
        finally:
            fleet.close()
    ops = sum(len(r.ops) for r in requests)
    yardstick = ("executemany", bare_ms)
    return [
        Figure("sync", f"{count} desks at once, {ops:,} operations, all through", whole_s * 1_000, yardstick=yardstick),
        Figure("sync", f"{count} desks at once, a desk waits, p50", percentile(waited, 0.5) * 1_000),
        Figure("sync", f"{count} desks at once, a desk waits, p95", percentile(waited, 0.95) * 1_000),
        Figure("sync", f"{count} desks at once, operations a second", ops / whole_s, "1/s"),
        Figure("sync", f"{count} desks at once, told to come later", float(later + 1) - 1.0, "times"),
    ]


def _day(fleet: Fleet, number: int) -> tuple[Request, Rows]:
    """A day at a desk (60 visits, 20 corrections, 5 incidents), and the request that carries it; a unit each would only take longer here."""
    desk = fleet.desk(number)
    before = {kind: len(rows) for kind, (_, rows) in rows_of(desk).items()}
    with desk.store.read() as reader:
        homes = [h.id for h in reader.page(Household, limit=1_000)]
    with desk.store.unit(desk.actor) as unit:
        for n in range(60):
            log_visit(unit, VisitDraft(homes[n % len(homes)], "1", note=f"一切平安，无需求。{n}"))
        for n in range(20):
            amend_household(unit, homes[n % len(homes)], {"remark": f"核对 {number} {n}"})
        for n in range(5):
            draft = IncidentDraft("A801", f"楼道堆放杂物 {n}", place="幸福里1号楼", grid_id=min(desk.actor.grid_ids))
            report_incident(unit, draft)
    new = {kind: (statement, rows[before[kind] :]) for kind, (statement, rows) in rows_of(desk).items()}
    return exchange.prepare(desk.store, push_bytes=1 << 20), new


def _rush(fleet: Fleet, requests: tuple[Request, ...]) -> tuple[list[float], int, float]:
    """All at the same moment; how long each waited, how often one was told to come later, and until the last was through."""
    gate = threading.Barrier(len(requests) + 1)
    waited = [_PATIENCE_S] * len(requests)
    later = [0] * len(requests)

    def send(number: int) -> None:
        street = HttpStreet(fleet.url, fleet.enrolled[number].token, fleet.authority)
        gate.wait()
        started = time.perf_counter()
        while time.perf_counter() - started < _PATIENCE_S:
            try:
                street.exchange(requests[number])
                waited[number] = time.perf_counter() - started
                break
            except Refusal as refusal:
                if "seconds" not in refusal.params and refusal.code not in _ALONG_THE_WAY:
                    raise
                later[number] += 1
                time.sleep(float(str(refusal.params.get("seconds", 1))))
        street.close()

    threads = [threading.Thread(target=send, args=(n,), daemon=True) for n in range(len(requests))]
    for thread in threads:
        thread.start()
    gate.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join(_PATIENCE_S + 30)
    whole = time.perf_counter() - started
    if max(waited) >= _PATIENCE_S:
        raise RuntimeError(f"{sum(w >= _PATIENCE_S for w in waited)} desks did not come through")
    return waited, sum(later), whole


def _bare(folder: Path, days: tuple[Rows, ...]) -> float:
    database = bare_database(folder / "bare.db")
    try:
        return sum(timed(lambda day=day: insert_bare(database, day)) for day in days)  # type: ignore[misc]
    finally:
        database.close()


def shared_commits(is_small: bool) -> list[Figure]:
    """Pushes of one edit by many threads in this process: all that wait in one commit, against a commit each (yardstick), in turns; on this
    machine's disk, and on one that takes 8 ms longer to be sure (an office computer's hard disk), which a pause in the commit stands for.
    """
    count = 6 if is_small else 160
    with tempfile.TemporaryDirectory(prefix="gridman-bench-") as place:
        street = open_street(Path(place) / "street", hasher=CHEAP_HASHER)
        fleet = found_fleet(street, Path(place) / "desks", count)
        replica = Replica(street.store)
        try:
            for number in range(count):
                _round(replica, street, fleet.desk(number), fleet, number)
            figures = _compared(street, fleet, replica, count, "this disk")

            @event.listens_for(street.store.database.writer, "commit")
            def _slow(connection: Any) -> None:
                time.sleep(SLOW_DISK_S)

            return [*figures, *_compared(street, fleet, replica, count, "a slow disk")]
        finally:
            fleet.close()
            street.close()


def _actor(street: Street, fleet: Fleet, number: int) -> Actor:
    enrolled = fleet.enrolled[number]
    with street.store.read() as reader:
        return actor_of_user(reader, enrolled.user_id, enrolled.replica)


def _round(replica: Replica, street: Street, desk: Desk, fleet: Fleet, number: int) -> None:
    """A synchronisation without a wire."""
    for _turn in range(20):
        request = exchange.prepare(desk.store)
        answer: Answer = replica.exchange(_actor(street, fleet, number), request)
        if exchange.absorb(desk.store, request, answer).complete:
            desk.refresh_actor()
            return


def _compared(street: Street, fleet: Fleet, replica: Replica, count: int, where: str) -> list[Figure]:
    alone: list[float] = []
    shared: list[float] = []
    whole = {True: 0.0, False: 0.0}
    most = committing.MOST
    try:
        for is_shared in (False, True, True, False):
            committing.MOST = most if is_shared else 1
            taken, all_ms = _pushes(street, fleet, replica, count)
            (shared if is_shared else alone).extend(taken)
            whole[is_shared] += all_ms / 2
    finally:
        committing.MOST = most
    told = f"{count} pushes at once, {where}"
    return [
        Figure("sync", f"{told}, shared commits, all", whole[True], yardstick=("a commit each", whole[False])),
        *(
            Figure(
                "sync",
                f"{told}, shared commits, p{share:.0f}",
                percentile(shared, share / 100),
                yardstick=("a commit each", percentile(alone, share / 100)),
            )
            for share in (50, 99)
        ),
    ]


def _pushes(street: Street, fleet: Fleet, replica: Replica, count: int) -> tuple[list[float], float]:
    """One edit from each desk, by as many threads as the server gives to exchanges."""
    jobs: list[tuple[Actor, bytes]] = []
    for number in range(count):
        fleet.work(number, 1, 0, 0, "push")
        request = exchange.prepare(fleet.desk(number).store)
        jobs.append((_actor(street, fleet, number), encode(request)))
    taken: list[float] = []
    left = iter(jobs)
    mutex = threading.Lock()

    def some() -> None:
        while True:
            with mutex:
                job = next(left, None)
            if job is None:
                return
            taken.append(timed(lambda job=job: replica.exchange_bytes(job[0], job[1])))  # type: ignore[misc]

    threads = [threading.Thread(target=some) for _ in range(16)]

    def all_of_them() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    whole = timed(all_of_them)
    for number in range(count):
        _round(replica, street, fleet.desk(number), fleet, number)
    return taken, whole
