"""A small street for the sync tests: one community with three grids, its people, and desks that talk to the street in-process."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.grid import Assignment, Grid
from gridman.domain.household import Household
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.services.access import actor_of_user
from gridman.store.database import Database, open_postgresql, open_sqlite
from gridman.store.feed import StreetFeed
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal, StreetJournal
from gridman.store.store import Store, open_store
from gridman.sync import exchange
from gridman.sync.codec import decode_answer, decode_greeting, decode_last_words, decode_request, encode
from gridman.sync.protocol import Answer, Greeting, Hello, LastWords, Request
from gridman.sync.replica import Replica
from gridman.sync.snapshots import Snapshots

KEY = bytes(range(32))
NOON = 1_795_406_400_000


@dataclass
class Watch:
    """A clock the test turns."""

    now: int = NOON

    def __call__(self) -> int:
        return self.now

    def pass_(self, ms: int = 1_000) -> None:
        self.now += ms


@cache
def empty_file() -> Path:
    """An empty store, made once: opening a copy of it saves the migrations."""
    folder = Path(tempfile.mkdtemp(prefix="gridman-empty-", dir=fast_folder()))
    path = folder / "empty.db"
    database = open_sqlite(path, KEY)
    open_store(database, 1, []).close()
    return path


def fast_folder() -> str | None:
    """A folder in memory where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def open_copy(path: Path) -> Database:
    """A new store file at `path`."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(empty_file(), path)
    return open_sqlite(path, KEY)


@dataclass
class InProcess:
    """The street behind its own wire format, without a wire."""

    replica: Replica
    actor: Callable[[], Actor]
    requests: list[Request] = field(default_factory=list)

    def greet(self, hello: Hello) -> Greeting:
        return decode_greeting(self.replica.exchange_bytes(self.actor(), encode(hello)))

    def exchange(self, request: Request) -> Answer:
        self.requests.append(request)
        body = encode(request)
        assert decode_request(body) == request
        return decode_answer(self.replica.exchange_bytes(self.actor(), body))

    def farewell(self, words: LastWords) -> Answer:
        body = encode(words)
        assert decode_last_words(body) == words
        return decode_answer(self.replica.farewell_bytes(self.actor(), body))

    def blob_size(self, sha256: str) -> int | None:
        raise NotImplementedError

    def put_blob(self, sha256: str, offset: int, total: int, chunk: bytes) -> int:
        raise NotImplementedError

    def get_blob(self, sha256: str, offset: int, limit: int) -> tuple[bytes, int]:
        raise NotImplementedError


@dataclass
class Desk:
    """One desk: its store, its user, and its way to the street."""

    store: Store
    user_id: int
    street: InProcess
    clock: Watch

    @property
    def actor(self) -> Actor:
        return self.street.actor()

    def sync(self) -> exchange.RoundResult:
        return exchange.round(self.store, self.street)

    def household(self, household_id: int) -> Household | None:
        with self.store.read() as reader:
            return reader.find(Household, household_id)

    def amend(self, household_id: int, **values: object) -> None:
        with self.store.unit(self.actor) as unit:
            unit.amend(unit.get(Household, household_id), **values)


@dataclass
class World:
    """The street, its grids and organisations, and its desks."""

    folder: Path
    clock: Watch
    store: Store
    replica: Replica
    community: int = 0
    grids: list[int] = field(default_factory=list)
    organisations: dict[str, int] = field(default_factory=dict)
    desks: list[Desk] = field(default_factory=list)
    assigned: dict[tuple[int, int], int] = field(default_factory=dict)

    def desk(self, role: str = "grid_worker", organisation: str = "community", grids: Sequence[int] = (0,)) -> Desk:
        """Enrol a desk for a new user."""
        number = len(self.desks) + 2
        with self.store.unit(SYSTEM) as unit:
            user = unit.create(
                User(
                    login=f"u{number}",
                    name=f"User {number}",
                    role=role,
                    organisation_id=self.organisations[organisation],
                )
            )
            user_id = user.id
        for g in grids:
            self.assign(user_id, g)
        clock = Watch(self.clock.now)
        store = Store(open_copy(self.folder / f"desk{number}.db"), number, [DeskJournal(), Indexer()], clock)

        def actor() -> Actor:
            with self.store.read() as reader:
                return actor_of_user(reader, user_id, number)

        desk = Desk(store, user_id, InProcess(self.replica, actor), clock)
        self.desks.append(desk)
        return desk

    def assign(self, user_id: int, grid: int) -> None:
        """Give a worker a grid."""
        with self.store.unit(SYSTEM) as unit:
            made = unit.create(Assignment(user_id=user_id, grid_id=self.grids[grid]))
            self.assigned[user_id, grid] = made.id

    def withdraw(self, user_id: int, grid: int) -> None:
        """Take a grid away from a worker."""
        with self.store.unit(SYSTEM) as unit:
            unit.amend(unit.get(Assignment, self.assigned.pop((user_id, grid))), until_on="2026-01-01")

    def add_households(self, grid: int, count: int) -> list[int]:
        """New households on the street."""
        with self.store.unit(SYSTEM) as unit:
            made = [
                unit.create(Household(number=f"H{grid}-{i}", grid_id=self.grids[grid], address=f"Lane {grid} No. {i}"))
                for i in range(count)
            ]
            return [h.id for h in made]

    def household(self, household_id: int) -> Household | None:
        with self.store.read() as reader:
            return reader.find(Household, household_id)

    def close(self) -> None:
        for desk in self.desks:
            desk.store.close()
        self.store.close()


@contextmanager
def make_world(url: str | None = None) -> Iterator[World]:
    """A street with three grids; on PostgreSQL when `url` is given. Even the smallest scope begins with a snapshot, of tiny segments."""
    folder = Path(tempfile.mkdtemp(prefix="gridman-sync-", dir=fast_folder()))
    clock = Watch()
    recorders = [StreetJournal(), StreetFeed(), Indexer()]
    if url:
        store = open_store(open_postgresql(url), 1, recorders, clock)
    else:
        store = Store(open_copy(folder / "street.db"), 1, recorders, clock)
    snapshots = Snapshots(
        folder / "snapshots", KEY, clock, least_rows=2, segment_rows=3, least_bytes=1, row_bytes=1, making_s=1e9
    )
    world = World(folder, clock, store, Replica(store, snapshots=snapshots))
    with store.unit(SYSTEM) as unit:
        street = unit.create(Region(code="990101001000", name="Demo Street", level="street"))
        community = unit.create(
            Region(code="990101001001", name="Demo Community", level="community", parent_id=street.id)
        )
        world.community = community.id
        for i in range(3):
            grid = unit.create(Grid(code=f"99010100100100{i + 1}", name=f"Grid {i + 1}", community_id=community.id))
            world.grids.append(grid.id)
        top = unit.create(Organisation(name="Street office", level="street", region_id=street.id))
        own = unit.create(
            Organisation(name="Community office", level="community", parent_id=top.id, region_id=community.id)
        )
        water = unit.create(Organisation(name="Water company", level="street", parent_id=top.id, is_department=True))
        world.organisations = {"street": top.id, "community": own.id, "water": water.id}
    try:
        yield world
    finally:
        world.close()
        shutil.rmtree(folder, ignore_errors=True)
