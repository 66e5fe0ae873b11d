"""A desk against its street over HTTPS, with encryption and sign-in on: the first sync, a worker's day, and nothing to say.

`python -m tests.benchmarks.bench_sync [--small]`. The street is a real server on 127.0.0.1 with one grid: 400 households, 1,000
residents, 1,500 visits. Yardstick: the same rows put into an empty encrypted file of the same schema and settings by the bare driver's
executemany, in the same run. A day: 60 visits, 20 corrections, 5 incidents.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import httpx

from gridman.domain.access import SYSTEM
from gridman.domain.catalog import NOUNS
from gridman.domain.grid import Assignment
from gridman.domain.household import Household
from gridman.domain.person import Person
from gridman.domain.visit import Visit
from gridman.joining import enrol_desk
from gridman.kernel.clock import system_clock
from gridman.server.certificates import street_tls
from gridman.server.run import ServerThread
from gridman.services import layout
from gridman.services.accounts import create_user
from gridman.services.desk import Desk
from gridman.services.households import HouseholdQuery, amend_household, household_ids
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.street import Street, open_street
from gridman.services.trust import fingerprint_of
from gridman.services.visits import VisitDraft, log_visit
from gridman.store.database import Database, open_sqlite
from gridman.store.migrations import upgrade
from gridman.sync.http import HttpStreet
from gridman.sync.session import DeskSync
from tests.benchmarks.measures import Figure, arguments, print_figures, timed
from tests.support.world import COMMUNITY, STREET, box

__all__ = ["main"]

HOUSEHOLDS, PEOPLE_EACH, VISITS_EACH = 400, 2.5, 3.75
PASSWORD, LOGIN = "bench-2026-liandong", "bench"
_DAY_MS = 86_400_000
Rows = dict[str, tuple[str, list[tuple[Any, ...]]]]


class CountingStreet(HttpStreet):
    """Counts requests and the bytes of bodies both ways, as they cross the wire."""

    requests = 0
    carried = 0

    def _ask(self, method: str, path: str, **what: Any) -> httpx.Response:
        answer = super()._ask(method, path, **what)
        type(self).requests += 1
        type(self).carried += len(what.get("content", b"")) + answer.num_bytes_downloaded
        return answer

    @classmethod
    def taken(cls) -> tuple[int, int]:
        """(requests, bytes) since the last call."""
        found = (cls.requests, cls.carried)
        cls.requests = cls.carried = 0
        return found


def fill(street: Street, households: int) -> None:
    """One grid with its register, and the worker's account."""
    grid = layout.GridLayout(f"{COMMUNITY}001", "第一网格", box(0))
    plan = layout.StreetLayout(
        STREET, "建设街道", box(0), "fictional", [layout.CommunityLayout(COMMUNITY, "和平社区", box(0), [grid])]
    )
    with street.store.unit(SYSTEM) as unit:
        made = layout.lay_out(unit, plan)
        team, grid_id = made.teams[grid.code], made.grids[grid.code].id
        user = create_user(unit, LOGIN, "周桂英", "grid_worker", team, PASSWORD, must_change=False)
        unit.create(Assignment(user_id=user.id, grid_id=grid_id))
        for n in range(households):
            address = f"幸福里{n // 60 + 1}号楼{n // 20 % 3 + 1}单元{n % 20 + 101}室"
            home = unit.create(
                Household(
                    grid_id=grid_id, number=f"001001-1-{n:05d}", address=address, walk_order=n, informed_on="2026-01-05"
                )
            )
            for p in range(int((n + 1) * PEOPLE_EACH) - int(n * PEOPLE_EACH)):
                born = f"{1940 + (n * 7 + p * 29) % 80}-{n % 12 + 1:02d}-{p % 28 + 1:02d}"
                unit.create(
                    Person(
                        household_id=home.id, grid_id=grid_id, name=f"{'王李张刘陈杨赵黄'[n % 8]}{'秀英建国志强玉梅'[p % 8]}{n}",
                        relation="02" if p == 0 else "20", sex=str(p % 2 + 1), birth_on=born, population_type="01", ethnic="01",
                        phones=f"139{n:04d}{p:04d}", id_number=f"990101{born.replace('-', '')}{n % 1000:03d}{p % 10}",
                    )
                )  # fmt: skip
            for v in range(int((n + 1) * VISITS_EACH) - int(n * VISITS_EACH)):
                at = system_clock() - (v * 40 + n % 40) * _DAY_MS
                unit.create(
                    Visit(
                        household_id=home.id,
                        grid_id=grid_id,
                        visited_at=at,
                        user_id=user.id,
                        kind="01",
                        outcome="1",
                        note=f"平安 {n}",
                    )
                )


def enrolled(folder: Path, url: str, fingerprint: str) -> Desk:
    """A new desk that counts its traffic; nothing is received yet."""
    desk = enrol_desk(folder, url, LOGIN, PASSWORD, password=PASSWORD, device_name="bench", fingerprint=fingerprint)
    desk.synchroniser.close()
    desk.synchroniser = DeskSync(desk.store, desk.blobs, desk.profile, CountingStreet)  # type: ignore[arg-type]
    return desk


def rows_of(desk: Desk) -> Rows:
    """All synced rows of a desk: table -> (INSERT statement, rows)."""
    found: Rows = {}
    with desk.store.read() as reader:
        for noun in NOUNS:
            columns = ", ".join(f'"{c}"' for c in noun.columns)
            rows = [tuple(r) for r in reader.connection.exec_driver_sql(f'SELECT {columns} FROM "{noun.kind}"')]
            marks = ", ".join("?" * len(noun.columns))
            found[noun.kind] = (f'INSERT INTO "{noun.kind}" ({columns}) VALUES ({marks})', rows)
    return found


def insert_bare(database: Database, rows: Rows) -> None:
    """The yardstick: executemany of every table in one transaction, no journal, no indexes of ours."""
    with database.writer.begin() as connection:
        cursor = connection.connection.cursor()
        for statement, values in rows.values():
            if values:
                cursor.executemany(statement, values)


def bare_database(path: Path) -> Database:
    """An empty encrypted file of the program's schema."""
    database = open_sqlite(path, bytes(range(32)))
    upgrade(database)
    return database


def a_day(desk: Desk, day: int) -> None:
    """60 visits, 20 corrections, 5 incidents; the places differ from day to day."""
    with desk.store.read() as reader:
        homes = list(household_ids(reader, HouseholdQuery()))
    for n in range(60):
        with desk.store.unit(desk.actor) as unit:
            log_visit(unit, VisitDraft(homes[(n + day) % len(homes)], "1", note=f"一切平安，无需求。{day}-{n}"))
    for n in range(20):
        with desk.store.unit(desk.actor) as unit:
            amend_household(unit, homes[(n * 7 + day) % len(homes)], {"remark": f"核对 {day}-{n}"})
    for n in range(5):
        with desk.store.unit(desk.actor) as unit:
            draft = IncidentDraft(
                "A801", f"楼道堆放杂物 {day}-{n}", place="幸福里1号楼", grid_id=min(desk.actor.grid_ids)
            )
            report_incident(unit, draft)


def first_sync(folder: Path, url: str, fingerprint: str, rounds: int) -> tuple[list[Figure], Desk]:
    """New desks receive the grid, the bare driver inserts the same rows, in turns."""
    ours, bare, carried, requests, desk, rows = [], [], 0, 0, None, 0
    for number in range(rounds):
        if desk is not None:
            desk.close()
        desk = enrolled(folder / f"desk{number}", url, fingerprint)
        CountingStreet.taken()
        ours.append(timed(desk.synchronise))
        requests, carried = CountingStreet.taken()
        known = rows_of(desk)
        rows = sum(len(values) for _, values in known.values())
        database = bare_database(folder / f"bare{number}.db")
        bare.append(timed(lambda database=database, known=known: insert_bare(database, known)))  # type: ignore[misc]
        database.close()
    assert desk is not None
    yardstick = ("executemany", statistics.median(bare))
    return [
        Figure("sync", f"first sync of a grid, {rows:,} rows", statistics.median(ours), yardstick=yardstick),
        Figure("sync", f"first sync, on the wire in {requests} requests", carried / 1_000, "kB"),
    ], desk


def days(folder: Path, desk: Desk, rounds: int) -> list[Figure]:
    """Days of work go up; the bare driver inserts as many rows; then a sync with nothing to say."""
    ours, bare, silent, carried, requests, silent_bytes = [], [], [], 0, 0, 0
    for number in range(rounds):
        before = {kind: len(values) for kind, (_, values) in rows_of(desk).items()}
        a_day(desk, number)
        CountingStreet.taken()
        ours.append(timed(desk.synchronise))
        requests, carried = CountingStreet.taken()
        new = {kind: (statement, values[before[kind] :]) for kind, (statement, values) in rows_of(desk).items()}
        database = bare_database(folder / f"day{number}.db")
        bare.append(timed(lambda database=database, new=new: insert_bare(database, new)))  # type: ignore[misc]
        database.close()
        silent.append(timed(desk.synchronise))
        silent_bytes = CountingStreet.taken()[1]
    middle = statistics.median
    return [
        Figure("sync", f"a day's sync, {requests} requests", middle(ours), yardstick=("executemany", middle(bare))),
        Figure("sync", "a day's sync, on the wire", carried / 1_000, "kB"),
        Figure("sync", "nothing to say", middle(silent), yardstick=("a day's sync", middle(ours))),
        Figure("sync", "nothing to say, on the wire", float(silent_bytes), "B"),
    ]


def main(is_small: bool) -> list[Figure]:
    """Serve a street, enrol desks, measure."""
    with tempfile.TemporaryDirectory(prefix="gridman-bench-") as place:
        folder = Path(place)
        street = open_street(folder / "street")
        try:
            fill(street, HOUSEHOLDS // (20 if is_small else 1))
            tls = street_tls(street)
            with ServerThread(street, tls=tls) as url:
                rounds = 2 if is_small else 5
                figures, desk = first_sync(folder, url, fingerprint_of(tls.authority), rounds)
                try:
                    return [*figures, *days(folder, desk, rounds)]
                finally:
                    desk.close()
        finally:
            street.close()


if __name__ == "__main__":
    print_figures(main(arguments("A desk's synchronisations")))
