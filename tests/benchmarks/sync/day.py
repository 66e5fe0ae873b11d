"""A worker's days: 60 visits, 20 corrections, 5 incidents go up; then a synchronisation with nothing to say."""

import statistics

from gridman.services.desk import Desk
from gridman.services.households import HouseholdQuery, amend_household, household_ids
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.visits import VisitDraft, log_visit
from tests.benchmarks.measures import Figure, timed
from tests.benchmarks.sync.first import Served
from tests.benchmarks.sync.wire import CountingStreet, bare_database, insert_bare, rows_of

__all__ = ["a_day", "days"]


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


def days(place: Served, login: str, rounds: int) -> list[Figure]:
    """Days of work go up; the bare driver inserts as many rows; then a sync with nothing to say."""
    ours, bare, silent, carried, requests, silent_bytes = [], [], [], 0, 0, 0
    desk = place.enrol(f"days-{login}", login)
    try:
        desk.synchronise()
        for number in range(rounds):
            before = {kind: len(values) for kind, (_, values) in rows_of(desk).items()}
            a_day(desk, number)
            CountingStreet.taken()
            ours.append(timed(desk.synchronise))
            requests, carried = CountingStreet.taken()
            new = {kind: (statement, values[before[kind] :]) for kind, (statement, values) in rows_of(desk).items()}
            database = bare_database(place.folder / f"day{number}.db")
            bare.append(timed(lambda database=database, new=new: insert_bare(database, new)))  # type: ignore[misc]
            database.close()
            silent.append(timed(desk.synchronise))
            silent_bytes = CountingStreet.taken()[1]
    finally:
        desk.close()
    middle = statistics.median
    return [
        Figure("sync", f"a day's sync, {requests} requests", middle(ours), yardstick=("executemany", middle(bare))),
        Figure("sync", "a day's sync, on the wire", carried / 1_000, "kB"),
        Figure("sync", "nothing to say", middle(silent), yardstick=("a day's sync", middle(ours))),
        Figure("sync", "nothing to say, on the wire", float(silent_bytes), "B"),
    ]
