"""The street and its desks as every history finds them: made once in a process, copied for each history.

Engines stay from one history to the next, with what they have compiled; only the files below them change. So a history costs its events and
not its stage.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from unittest.mock import patch

import shapely
from sqlalchemy import create_engine, text

from gridman.domain.access import SYSTEM
from gridman.domain.building import Building
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.person import Person
from gridman.store import accounts, feed, indexes
from gridman.store import backup as store_backup
from gridman.store.database import Database, open_postgresql, open_sqlite
from gridman.store.unit import Unit
from gridman.sync.bundle import introduce
from gridman.sync.replica import Replica
from gridman.sync.seal import Keys
from tests.simulation.faults import Fuse
from tests.sync.world import KEY, World, fast_folder, make_world

__all__ = ["ROLES", "Prepared", "Slot", "Street", "boundary", "determined", "Stage", "on_stage", "prepare"]

ROLES = (
    ("grid_worker", "community", (0, 1)),
    ("grid_worker", "community", (1, 2)),
    ("street_clerk", "street", ()),
    ("community_staff", "community", ()),
    ("department_user", "water", ()),
)
"""Of the desks that are ready; a history plays with some of them."""

LNG, LAT, WIDTH, HEIGHT = 120.0, 30.0, 0.01, 0.01


def boundary(grid: int, left: float, right: float) -> bytes:
    """Grid number `grid` of a row of three, its edges moved by these parts of its width."""
    return bytes(
        shapely.to_wkb(shapely.box(LNG + (grid + left) * WIDTH, LAT, LNG + (grid + 1 + right) * WIDTH, LAT + HEIGHT))
    )


@contextmanager
def determined(life: str) -> Iterator[None]:
    """Tokens that a history can repeat, and no derived indexes: those are tested elsewhere and would take a third of the time."""
    numbers = count(1)
    with ExitStack() as stack:
        for module in (feed, store_backup):
            stack.enter_context(patch.object(module, "random_token", lambda size=32: f"{life}{next(numbers)}"))
        # One program at a time writes: a PostgreSQL street may draw ids like a SQLite one, and both give out the same.
        stack.enter_context(patch.object(Unit, "is_alone", property(lambda self: True)))
        stack.enter_context(patch.object(indexes, "refresh", lambda *args, **kwargs: None))
        stack.enter_context(patch.object(indexes, "forget", lambda *args, **kwargs: None))
        stack.enter_context(patch.object(indexes, "add_new", lambda *args, **kwargs: None))
        yield


@dataclass
class Prepared:
    """Files of the street and of its synchronised desks, and what was made in them. `url`: the street's PostgreSQL database, else ""."""

    folder: Path
    grids: list[int]
    houses: list[int]
    people: list[int]
    users: list[int]
    organisations: dict[str, int]
    assigned: dict[tuple[int, int], int]
    community: int
    url: str = ""


def prepare(url: str = "") -> Prepared:
    """Build them; the folder is the caller's to remove."""
    folder = Path(tempfile.mkdtemp(prefix="gridman-sim-", dir=fast_folder()))
    with determined("prepared"), make_world(url or None) as world:
        world.replica = Replica(world.store, Keys.from_seed(KEY).public)
        houses, people = _furnish(world)
        for role, organisation, grids in ROLES:
            desk = world.desk(role, organisation, grids)
            with world.store.unit(SYSTEM) as unit:
                assert accounts.add_device(unit, desk.user_id, "desk", "digest") == desk.store.replica
            introduce(desk.store, desk.actor, desk.street)
        for desk in world.desks:
            desk.sync()
        made = Prepared(
            folder, world.grids, houses, people, [d.user_id for d in world.desks], world.organisations, dict(world.assigned),
            world.community, url,
        )  # fmt: skip
        world.close()
        for path in world.folder.glob("*.db"):
            shutil.copy(path, folder / path.name)
    return made


def _furnish(world: World) -> tuple[list[int], list[int]]:
    houses: list[int] = []
    people: list[int] = []
    with world.store.unit(SYSTEM) as unit:
        for g, grid_id in enumerate(world.grids):
            unit.amend(unit.get(Grid, grid_id), shape=boundary(g, 0, 0))
            building = unit.create(
                Building(
                    community_id=world.community, grid_id=grid_id, compound=f"Court {g}", number="1",
                    lng=LNG + (g + 0.9) * WIDTH, lat=LAT + HEIGHT / 2,
                )
            )  # fmt: skip
            for number in range(2):
                house = unit.create(
                    Household(
                        number=f"H{g}-{number}", grid_id=grid_id, address=f"Lane {g} No. {number}",
                        building_id=building.id if number else None,
                    )
                )  # fmt: skip
                houses.append(house.id)
            people.append(
                unit.create(
                    Person(
                        household_id=houses[-1],
                        grid_id=grid_id,
                        name=f"Person {g}",
                        relation="02",
                        population_type="01",
                    )
                ).id
            )
    return houses, people


@dataclass
class Slot:
    """One SQLite file whose engines outlive what lies in it."""

    path: Path
    is_compared: bool = False
    database: Database = field(init=False)
    fuse: Fuse = field(init=False)

    def __post_init__(self) -> None:
        self.database = open_sqlite(self.path, KEY)
        self.fuse = Fuse(self.database, is_at_commits_only=self.is_compared)

    def load(self, source: Path) -> None:
        """Put a copy of `source` into the place of what is there."""
        self.close()
        shutil.copy(source, self.path)

    def save(self, target: Path) -> None:
        """Copy the file as somebody would who copies a folder: nobody has it open."""
        self.close()
        shutil.copy(self.path, target)

    def close(self) -> None:
        self.database.close()
        for ending in ("-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)


@dataclass
class Street:
    """The street's data: a SQLite file, or databases of a PostgreSQL server made from one another."""

    prepared: Prepared
    slot: Slot
    _made: list[str] = field(default_factory=list)
    _fuse: Fuse | None = None
    _database: Database | None = None

    @property
    def database(self) -> Database:
        return self._database or self.slot.database

    @property
    def fuse(self) -> Fuse:
        return self._fuse or self.slot.fuse

    def fresh(self) -> None:
        """As it was prepared."""
        if not self.prepared.url:
            self.slot.load(self.prepared.folder / "street.db")
        else:
            self._open(self._copied(self.prepared.url))

    def save(self) -> str:
        """A copy of this moment, by the product's own copying where that is (SQLite)."""
        if self.prepared.url:
            assert self._database is not None
            url = str(self._database.writer.url.render_as_string(hide_password=False))
            self._database.close()
            return self._copied(url)
        target = self.prepared.folder / f"saved-{self.slot.path.name}"
        target.unlink(missing_ok=True)
        store_backup.copy_database(self.database, target)
        return str(target)

    def put_back(self, saved: str) -> None:
        """Have what `save` copied in the place of what is there."""
        if self.prepared.url:
            self._open(self._copied(saved))
        else:
            self.slot.load(Path(saved))

    def _open(self, url: str) -> None:
        if self._database is not None:
            self._database.close()
        self._database = open_postgresql(url)
        self._fuse = Fuse(self._database, is_at_commits_only=self.slot.is_compared)

    def _copied(self, url: str) -> str:
        source = url.rpartition("/")[2]
        name = f"{source.partition('_c')[0]}_c{len(self._made)}"
        self._made.append(name)
        server = create_engine(url.rpartition("/")[0] + "/postgres", isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {source}"))
        server.dispose()
        return f"{url.rpartition('/')[0]}/{name}"

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
        self.slot.close()


@dataclass
class Stage:
    """Where histories are played, one after the other. `is_compared`: beside the same histories on another kind of database, so that faults
    come only where both have the same places for them.
    """

    prepared: Prepared
    is_compared: bool = False
    _slots: dict[str, Slot] = field(default_factory=dict)
    _street: Street | None = None

    @property
    def street(self) -> Street:
        """The street's data."""
        if self._street is None:
            self._street = Street(self.prepared, Slot(self.prepared.folder / "stage-street.db", self.is_compared))
        return self._street

    def slot(self, name: str) -> Slot:
        """The file of that name, whatever lies in it."""
        if name not in self._slots:
            self._slots[name] = Slot(self.prepared.folder / f"{name}.db", self.is_compared)
        return self._slots[name]

    def close(self) -> None:
        """Close every file and forget them."""
        for slot in self._slots.values():
            slot.close()
        if self._street is not None:
            self._street.close()
        shutil.rmtree(self.prepared.folder, ignore_errors=True)


@contextmanager
def on_stage(url: str = "", *, is_compared: bool = False) -> Iterator[Stage]:
    """A stage for as many histories as one likes, on SQLite or on the empty PostgreSQL database `url`."""
    stage = Stage(prepare(url), is_compared)
    try:
        yield stage
    finally:
        stage.close()
