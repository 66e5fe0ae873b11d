"""Streets of three sizes, put into a street's store by bulk as its imports and its desks would have left them: ids of the replicas that made
the rows, numbers of the feed, versions of edited fields. The street's own search index is not made: no synchronisation reads it.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import Connection, Table, insert, update

from gridman.demo.naming import surname
from gridman.domain.access import SYSTEM, grid_scope, incident_scope, organisation_scope
from gridman.domain.grid import Assignment
from gridman.domain.household import Household
from gridman.domain.incident import Incident, IncidentStep
from gridman.domain.person import CareTag, Person
from gridman.domain.stamp import stamp_text
from gridman.domain.visit import Visit
from gridman.kernel.clock import system_clock
from gridman.kernel.ids import COUNTER_BITS, STREET_REPLICA
from gridman.services import layout
from gridman.services.accounts import create_user
from gridman.services.street import Street
from gridman.store import tables
from tests.benchmarks.sync.people import household_values, incident_values, person_values, visit_values
from tests.support.world import STREET, box

__all__ = ["COMMUNITY_SIZE", "GRID_SIZE", "PASSWORD", "STREET_SIZE", "Size", "Town", "fill"]

PASSWORD = "bench-2026-liandong"
_DAY_MS = 86_400_000
_FIRST_DESK = 1_000
"""Replica numbers of the workers' desks that made the visits; those that enrol later get others."""

_VISITS_A_SYNC = 60


@dataclass(frozen=True)
class Size:
    """How many grids, and what lies in each. Incidents have one line of their log each."""

    grids: int
    households: int
    people: int
    tags: int
    visits: int
    incidents: int
    grids_a_community: int = 20

    @property
    def rows_a_grid(self) -> int:
        return self.households + self.people + self.tags + self.visits + 2 * self.incidents

    @property
    def rows(self) -> int:
        return self.grids * self.rows_a_grid

    def hundredth(self) -> "Size":
        """A little one of the same kind: does it run at all?"""
        return Size(min(self.grids, 3), self.households // 20, self.people // 20, self.tags // 20, self.visits // 20, 5)


GRID_SIZE = Size(1, 400, 1_000, 100, 4_400, 250)
COMMUNITY_SIZE = Size(12, 400, 1_000, 100, 4_000, 250)
STREET_SIZE = Size(200, 250, 750, 75, 1_225, 100)


@dataclass
class Town:
    """What was made: grids in order; who may sign in (PASSWORD), by grid: its worker; by community: a member of its staff."""

    size: Size
    grids: list[int] = field(default_factory=list)
    workers: list[str] = field(default_factory=list)
    staff: list[str] = field(default_factory=list)
    worker_ids: list[int] = field(default_factory=list)
    teams: list[int] = field(default_factory=list)


def fill(street: Street, size: Size, seed: int = 1) -> Town:
    """Lay the street out and put its records in."""
    town = _lay_out(street, size)
    chance = Random(seed)
    with street.store.database.writer.begin() as connection:
        feed = _Feed(connection)
        for number in range(size.grids):
            _Filling(feed, town, number, chance).run()
        feed.flush()
        _count_on(connection, feed)
    return town


def _lay_out(street: Street, size: Size) -> Town:
    town = Town(size)
    communities = []
    for c in range(-(-size.grids // size.grids_a_community)):
        code = f"990101001{c + 1:03d}"
        numbers = range(c * size.grids_a_community, min(size.grids, (c + 1) * size.grids_a_community))
        grids = [layout.GridLayout(f"{code}{n % 900 + 1:03d}", f"第{n + 1}网格", box(n)) for n in numbers]
        communities.append(layout.CommunityLayout(code, f"第{c + 1}社区", box(numbers[0], len(grids)), grids))
    plan = layout.StreetLayout(STREET, "建设街道", box(0, size.grids), "fictional", communities)
    with street.store.unit(SYSTEM) as unit:
        made = layout.lay_out(unit, plan)
        for community in communities:
            committee = made.committees[community.code]
            town.staff.append(f"staff{len(town.staff)}")
            create_user(unit, town.staff[-1], "赵敏", "community_staff", committee, PASSWORD, must_change=False)
            for grid in community.grids:
                town.workers.append(f"worker{len(town.workers)}")
                team, record = made.teams[grid.code], made.grids[grid.code]
                user = create_user(unit, town.workers[-1], "周桂英", "grid_worker", team, PASSWORD, must_change=False)
                unit.create(Assignment(user_id=user.id, grid_id=record.id))
                town.grids.append(record.id)
                town.teams.append(team.id)
                town.worker_ids.append(user.id)
    return town


class _Feed:
    """Rows on their way into the tables, with their places in the feed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: dict[Table, list[dict[str, Any]]] = {}
        self._count = 0
        c = tables.sync_clock.c
        self.seq = int(connection.execute(tables.sync_clock.select().with_only_columns(c.n)).scalar_one())
        r = tables.replica_counter.c
        at = tables.replica_counter.select().with_only_columns(r.last).where(r.replica == STREET_REPLICA)
        self.counters = {STREET_REPLICA: int(connection.execute(at).scalar_one())}

    def new_id(self, replica: int) -> int:
        """The next id of a replica."""
        self.counters[replica] = self.counters.get(replica, 0) + 1
        return replica << COUNTER_BITS | self.counters[replica]

    def put(self, cls: Any, scopes: tuple[str, ...], values: dict[str, Any]) -> None:
        """A record in these scopes, under the present number."""
        table = cls.__table__
        self._waiting.setdefault(table, []).append({c.key: values.get(c.key) for c in table.columns})
        for scope in scopes:
            entry = {"record_id": values["id"], "scope": scope, "entity": table.name, "seq": self.seq}
            self._waiting.setdefault(tables.sync_row, []).append(entry)
        self._count += 1
        if self._count >= 5_000:
            self.flush()

    def edited(self, record_id: int, name: str, at: int, replica: int, user_id: int) -> None:
        """A field that was edited once."""
        version = stamp_text(at, 0, replica)
        cell = {"record_id": record_id, "field": name, "version": version, "actor_id": user_id, "at": at}
        self._waiting.setdefault(tables.cell, []).append(cell)

    def flush(self) -> None:
        for table, rows in self._waiting.items():
            self._connection.execute(insert(table), rows)
        self._waiting, self._count = {}, 0


@dataclass
class _Filling:
    """The records of one grid."""

    feed: _Feed
    town: Town
    number: int
    chance: Random

    def run(self) -> None:
        size, grid_id = self.town.size, self.town.grids[self.number]
        self.feed.seq += 1
        homes, people = self._register(grid_id)
        for person in self.chance.sample(people, size.tags):
            values = {
                "id": self.feed.new_id(STREET_REPLICA), "person_id": person["id"], "household_id": person["household_id"],
                "grid_id": grid_id, "care_group": self.chance.choice(("V01", "V02", "V03", "V04", "V13")), "since_on": "2025-03-01",
            }  # fmt: skip
            self.feed.put(CareTag, (grid_scope(grid_id),), values)
        self._round(grid_id, homes)

    def _register(self, grid_id: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Households and their people, as an import makes them; one household in ten was edited since."""
        size, chance = self.town.size, self.chance
        share = iter(sorted(chance.randrange(size.households) for _ in range(size.people - size.households)))
        more, homes, people = next(share, None), [], []
        for n in range(size.households):
            home = {
                "id": self.feed.new_id(STREET_REPLICA),
                "grid_id": grid_id,
                **household_values(chance, n, self.number),
            }
            family, count = surname(chance), 1
            while more == n:
                count, more = count + 1, next(share, None)
            members = [
                {
                    "id": self.feed.new_id(STREET_REPLICA), "household_id": home["id"], "grid_id": grid_id,
                    **person_values(chance, place, family),
                }
                for place in range(count)
            ]  # fmt: skip
            home["head_person_id"] = members[0]["id"]
            self.feed.put(Household, (grid_scope(grid_id),), home)
            for member in members:
                self.feed.put(Person, (grid_scope(grid_id),), member)
            homes.append(home)
            people += members
            if chance.random() < 0.1:
                at = system_clock() - chance.randrange(200 * _DAY_MS)
                self.feed.edited(home["id"], "phones", at, _FIRST_DESK + self.number, self.town.worker_ids[self.number])
        return homes, people

    def _round(self, grid_id: int, homes: list[dict[str, Any]]) -> None:
        """Visits and incidents in the order in which the worker's desk made them, and sent them day by day."""
        size, chance, replica = self.town.size, self.chance, _FIRST_DESK + self.number
        user_id, team = self.town.worker_ids[self.number], self.town.teams[self.number]
        acts = [True] * size.visits + [False] * size.incidents
        chance.shuffle(acts)
        at = system_clock() - 400 * _DAY_MS
        for n, is_visit in enumerate(acts):
            self.feed.seq += n % _VISITS_A_SYNC == 0
            at += chance.randrange(1, max(2, 2 * 390 * _DAY_MS // len(acts)))
            if is_visit:
                values = {
                    "household_id": chance.choice(homes)["id"],
                    "visited_at": at,
                    "user_id": user_id,
                    **visit_values(chance),
                }
                values |= {"id": self.feed.new_id(replica), "grid_id": grid_id}
                self.feed.put(Visit, (grid_scope(grid_id),), values)
            else:
                self._incident(grid_id, at, user_id, team, replica)

    def _incident(self, grid_id: int, at: int, user_id: int, team: int, replica: int) -> None:
        scopes = (incident_scope(grid_id), organisation_scope(team))
        incident_id = self.feed.new_id(replica)
        values = {
            "id": incident_id, "number": f"G{replica}-{self.feed.counters[replica]:06d}", "grid_id": grid_id, "reported_at": at,
            "reporter_id": user_id, "creator_id": team, "holder_id": team, "state": self.chance.choice(("reported", "handling", "closed")),
            **incident_values(self.chance, self.number),
        }  # fmt: skip
        self.feed.put(Incident, scopes, values)
        step = {
            "id": self.feed.new_id(replica), "incident_id": incident_id, "grid_id": grid_id, "at": at, "action": "report",
            "from_state": "draft", "to_state": "reported", "user_id": user_id, "organisation_id": team,
        }  # fmt: skip
        self.feed.put(IncidentStep, scopes, step)


def _count_on(connection: Connection, feed: _Feed) -> None:
    """Whoever writes next goes on after what was put in."""
    connection.execute(update(tables.sync_clock).values(n=feed.seq))
    r = tables.replica_counter
    connection.execute(update(r).where(r.c.replica == STREET_REPLICA).values(last=feed.counters[STREET_REPLICA]))
