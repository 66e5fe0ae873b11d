"""A street with two communities, three grids and its people, on SQLite or on the real PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from gridman.domain.access import SYSTEM
from gridman.domain.grid import Assignment, Grid
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.services.accounts import create_user
from gridman.services.street import Street, found_street, open_street

CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""The real algorithm with costs for tests."""

ADMIN, WORKER, STAFF, CLERK = "admin", "worker", "staff", "clerk"
PASSWORD = "street party 2026"


@dataclass
class Hands:
    """A clock the test turns."""

    now: int = 1_795_406_400_000

    def __call__(self) -> int:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        self.now += int(minutes * 60_000)


@dataclass
class TownStreet:
    """The opened street and the ids tests ask for."""

    street: Street
    clock: Hands
    grids: list[int] = field(default_factory=list)
    users: dict[str, int] = field(default_factory=dict)
    organisations: dict[str, int] = field(default_factory=dict)


@contextmanager
def town_street(folder: Path, database_url: str | None = None, clock: Hands | None = None) -> Iterator[TownStreet]:
    """A founded street: admin, a worker of the first grid, staff of the first community, a clerk of the street."""
    hands = clock or Hands()
    street = open_street(folder, database_url, hands, hasher=CHEAP_HASHER)
    try:
        yield _peopled(TownStreet(street, hands))
    finally:
        street.close()


def _peopled(town: TownStreet) -> TownStreet:
    with town.street.store.unit(SYSTEM) as unit:
        region = unit.create(Region(code="990101001000", name="Qingshi Street", level="street"))
        parts = [
            unit.create(Region(code=f"99010100100{n}", name=f"Community {n}", level="community", parent_id=region.id))
            for n in (1, 2)
        ]
        unit.flush()
        grids = [
            unit.create(Grid(code=f"{parts[part].code}00{n}", name=f"Grid {n}", community_id=parts[part].id))
            for part, n in ((0, 1), (0, 2), (1, 1))
        ]
        office, admin = found_street(unit, "Qingshi Street", ADMIN, PASSWORD, region=region, hasher=CHEAP_HASHER)
        community = unit.create(
            Organisation(name="Community 1", level="community", parent_id=office.id, region_id=parts[0].id)
        )
        unit.flush()
        town.grids = [g.id for g in grids]
        town.organisations = {"street": office.id, "community": community.id}
        town.users[ADMIN] = admin.id
        for login, role, organisation in (
            (WORKER, "grid_worker", community),
            (STAFF, "community_staff", community),
            (CLERK, "street_clerk", office),
        ):
            user = create_user(unit, login, login.title(), role, organisation, PASSWORD, hasher=CHEAP_HASHER)
            town.users[login] = user.id
        unit.create(Assignment(user_id=town.users[WORKER], grid_id=town.grids[0], from_on="2026-01-01"))
    return town


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TownStreet]:
    """The street, once on each database."""
    url: Callable[[], str] = lambda: request.getfixturevalue("postgres_server").create_database()  # noqa: E731
    with town_street(tmp_path / "street", None if request.param == "sqlite" else url()) as made:
        yield made
