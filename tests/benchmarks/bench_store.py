"""A visit saved, against a bare INSERT on the same encrypted settings.

`python -m tests.benchmarks.bench_store [--small]`: `log_visit` in a transaction of its own brings a rights check, validation, journal,
stamps, the search index and the household's next due day. Yardstick: one INSERT and COMMIT of the same values through the bare driver,
in a file of its own with the same key, page cache, write-ahead log and syncs.
"""

import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2

from gridman.domain.household import Household
from gridman.services.households import HouseholdQuery, household_ids
from gridman.services.visits import VisitDraft, log_visit
from tests.benchmarks.crowd import KEY, make_crowd
from tests.benchmarks.measures import Figure, arguments, percentile, print_figures, timed
from tests.support.desk import NOON, Desk

__all__ = ["measure"]

PEOPLE, VISITS = 15_000, 400
_NOTE = "独居，血压偏高按时服药；燃气灶软管老化。"
_PRAGMAS = (
    f"key=\"x'{KEY.hex()}'\"", "journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "temp_store=MEMORY", "secure_delete=ON",
)  # fmt: skip
_TABLE = (
    "CREATE TABLE visit (id INTEGER PRIMARY KEY, household_id INTEGER, grid_id INTEGER, visited_at INTEGER, user_id INTEGER, kind TEXT, "
    "outcome TEXT, needs TEXT, note TEXT)"
)


def bare_file(path: Path) -> Any:
    """A connection of the bare driver, with the store's own settings."""
    connection = dbapi2.connect(str(path), isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute(_TABLE)
    return connection


def measure(desk: Desk, bare: Any, visits: int) -> list[Figure]:
    """Both kinds of saving in turns."""
    with desk.store.read() as reader:
        homes = list(household_ids(reader, HouseholdQuery()))
        grids = {
            row.grid_id
            for start in range(0, len(homes), 500)
            for row in reader.page(Household, id=homes[start : start + 500])
        }
    worker = replace(desk.users["community_staff"], grid_ids=frozenset(grids))

    def ours(n: int) -> None:
        with desk.store.unit(worker) as unit:
            log_visit(unit, VisitDraft(homes[n % len(homes)], "2", needs="c;d", note=f"{_NOTE}{n}"))

    def plain(n: int) -> None:
        bare.execute("BEGIN IMMEDIATE")
        bare.execute(
            "INSERT INTO visit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (n, homes[n % len(homes)], 1, NOON, worker.user_id, "01", "2", "c;d", f"{_NOTE}{n}"),
        )
        bare.execute("COMMIT")

    times: tuple[list[float], list[float]] = ([], [])
    for n in range(visits + 20):
        for taken, work in zip(times, (ours, plain), strict=True):
            taken.append(timed(lambda work=work, n=n: work(n)))  # type: ignore[misc]
    mine, yardstick = (taken[20:] for taken in times)
    middle = statistics.median
    return [
        Figure("store", "a visit saved, p50", middle(mine), yardstick=("bare INSERT", middle(yardstick))),
        Figure(
            "store",
            "a visit saved, p99",
            percentile(mine, 0.99),
            yardstick=("bare INSERT", percentile(yardstick, 0.99)),
        ),
    ]


def main(is_small: bool) -> list[Figure]:
    """Make a register and save visits into it."""
    with tempfile.TemporaryDirectory(prefix="gridman-bench-") as folder:
        desk = make_crowd(Path(folder), PEOPLE // (20 if is_small else 1))
        bare = bare_file(Path(folder) / "bare.db")
        try:
            return measure(desk, bare, VISITS // (10 if is_small else 1))
        finally:
            bare.close()
            desk.close()


if __name__ == "__main__":
    print_figures(main(arguments("A visit saved")))
