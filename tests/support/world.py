"""A small street in a real store: one community, two grids, departments, people of every role. Made through the services."""

from dataclasses import dataclass, field
from pathlib import Path

import shapely

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.household import Household
from gridman.domain.user import User
from gridman.services import layout
from gridman.services.departments import add_department
from gridman.services.households import add_person, register_household
from gridman.store.database import open_sqlite
from gridman.store.feed import StreetFeed
from gridman.store.indexes import Indexer
from gridman.store.journal import StreetJournal
from gridman.store.store import Store, open_store

STREET, COMMUNITY = "990101001000", "990101001001"
WEST, SOUTH, SIDE = 114.000, 30.000, 0.002


class Clock:
    """A clock the test moves."""

    def __init__(self, now_ms: int = 1_795_392_000_000) -> None:  # 2026-11-23 08:00 in China
        self.now_ms = now_ms

    def __call__(self) -> int:
        self.now_ms += 1
        return self.now_ms

    def pass_hours(self, hours: float) -> None:
        self.now_ms += int(hours * 3_600_000)


@dataclass
class World:
    """The store, the clock, and actors by name."""

    store: Store
    clock: Clock
    actors: dict[str, Actor] = field(default_factory=dict)
    grids: list[int] = field(default_factory=list)
    organisations: dict[str, int] = field(default_factory=dict)

    def household(self, grid: int = 0, address: str = "幸福里1号楼1单元101室", **values: object) -> Household:
        """A registered household with its head."""
        with self.store.unit(self.actors["worker" if grid == 0 else "neighbour"]) as unit:
            made = register_household(
                unit, {"grid_id": self.grids[grid], "address": address, "walk_order": 1, **values}
            )
            unit.flush()
            add_person(unit, made.id, {"name": "张三丰", "relation": "02", "population_type": "01"})
        return made


def box(column: int, columns: int = 1) -> bytes:
    """The ground of grid number `column` as WKB."""
    west = WEST + column * SIDE
    return bytes(shapely.to_wkb(shapely.box(west, SOUTH, west + columns * SIDE, SOUTH + SIDE)))


def make_world(folder: Path, clock: Clock | None = None) -> World:
    """A new street in `folder`."""
    clock = clock or Clock()
    database = open_sqlite(folder / "street.db", bytes(range(32)))
    store = open_store(database, 1, [StreetJournal(), StreetFeed(), Indexer()], clock)
    world = World(store, clock)
    buildings = [
        layout.BuildingLayout("幸福里", f"{n}号楼", WEST + SIDE * (n - 0.5) / 2, SOUTH + SIDE / 2, _small(n), 3, 6)
        for n in (1, 2, 3, 4)
    ]
    grids = [
        layout.GridLayout(f"{COMMUNITY}{n + 1:03d}", f"第{n + 1}网格", box(n), buildings[n * 2 : n * 2 + 2])
        for n in range(2)
    ]
    plan = layout.StreetLayout(
        STREET, "建设街道", box(0, 2), "fictional", [layout.CommunityLayout(COMMUNITY, "和平社区", box(0, 2), grids)]
    )
    with store.unit(SYSTEM) as unit:
        made = layout.lay_out(unit, plan)
        department = add_department(unit, "综合执法队", made.office.id)
        other = add_department(unit, "派出所", made.office.id)
        world.grids = [made.grids[g.code].id for g in grids]
        teams = [made.teams[g.code].id for g in grids]
        committee = made.committees[COMMUNITY].id
        world.organisations = {
            "office": made.office.id, "committee": committee, "team": teams[0], "other_team": teams[1],
            "department": department.id, "police": other.id,
        }  # fmt: skip
        for name, role, organisation, scope in (
            ("worker", "grid_worker", teams[0], world.grids[:1]),
            ("neighbour", "grid_worker", teams[1], world.grids[1:]),
            ("clerk", "community_staff", committee, world.grids),
            ("head", "community_head", committee, world.grids),
            ("supervisor", "street_supervisor", made.office.id, world.grids),
            ("officer", "department_user", department.id, []),
            ("policeman", "department_user", other.id, []),
        ):
            user = unit.create(User(login=name, name=f"用户{name}", role=role, organisation_id=organisation))
            unit.flush()
            world.actors[name] = Actor(user.id, user.name, role, organisation, frozenset(scope), 1)
    return world


def _small(number: int) -> bytes:
    west = WEST + SIDE * (number - 0.5) / 2
    return bytes(shapely.to_wkb(shapely.box(west, SOUTH + SIDE / 2, west + 0.0002, SOUTH + SIDE / 2 + 0.0001)))
