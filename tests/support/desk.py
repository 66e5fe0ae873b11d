"""A real desk on a small register, made through the services, for tests and screenshots of the window.

One street, one community, two grids, 40 households, 110 people (fictional, county 990101), a few visits and incidents, three users
who work and an auditor.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.building import Building
from gridman.domain.conflict import Conflict
from gridman.domain.grid import Assignment, Grid
from gridman.domain.id_number import check_character
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.services import households, incidents, notices, visits
from gridman.store import indexes
from gridman.store.database import open_sqlite
from gridman.store.journal import DeskJournal
from gridman.store.store import Store, open_store
from gridman.store.unit import Unit

NOON = 1_795_406_400_000
"""2026-11-23 12:00 China time."""

DAY_MS = 86_400_000
REPLICA = 12

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志文海燕晓东"
_RARE = ("欧阳䶮", "张𬭚", "李㛃", "司马𪣻")
_COMPOUNDS = ("槐安里小区", "望河花园")


@dataclass(frozen=True)
class Profile:
    """Who signed in where."""

    login: str
    user_name: str
    street_url: str
    replica: int


@dataclass
class Status:
    """What the pill shows."""

    kind: str = "offline"
    waiting: int = 0
    sent: int = 0
    of: int = 0
    at: int | None = None
    reason: str = ""


@dataclass
class Desk:
    """The desk's parts, without a street server: it is offline."""

    store: Store
    actor: Actor
    profile: Profile
    blobs: Any
    data_dir: Path
    users: dict[str, Actor] = field(default_factory=dict)
    ids: dict[str, list[int]] = field(default_factory=dict)

    def status(self) -> Status:
        """Offline, with what waits."""
        from gridman.store import outbox

        with self.store.read() as reader:
            return Status("offline", outbox.waiting_acts(reader))

    def synchronise(self, progress: Progress = quiet, ticket: Ticket | None = None) -> None:
        """What a real desk says when its street is away: a window that stays open for a second asks."""
        raise Refusal("sync.unreachable", "The street server at {url} cannot be reached.", url=self.profile.street_url)

    def fetch_photo(self, sha256: str, progress: Progress = quiet, ticket: Ticket | None = None) -> bytes:
        """From here; its street is away."""
        data: bytes | None = self.blobs.get(sha256)
        if data is None:
            self.synchronise()
        assert data is not None
        return data

    def refresh_actor(self) -> Actor:
        return self.actor

    def tell_changes(self, hear: Callable[[Any], None]) -> None:
        """Nothing comes."""

    def hurry(self) -> None:
        """Nothing is under way."""

    def listen(self, heard: Callable[[Any], None], ticket: Ticket) -> None:
        """A street that is away has nothing to tell."""
        ticket.wait(3_600)

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def as_user(self, role: str) -> "Desk":
        """The same data with another of the three users signed in."""
        return Desk(self.store, self.users[role], self.profile, self.blobs, self.data_dir, self.users, self.ids)


class Files:
    """Photos in a folder, by their SHA-256."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, sha256: str, data: bytes) -> None:
        """Keep a photo."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / sha256).write_bytes(data)

    def get(self, sha256: str) -> bytes | None:
        """The photo, or None."""
        path = self._folder / sha256
        return path.read_bytes() if path.exists() else None

    def has(self, sha256: str) -> bool:
        """Whether it is here."""
        return (self._folder / sha256).exists()


def make_desk(
    tmp_path: Path, role: str = "grid_worker", *, household_count: int = 40, clock: Callable[[], int] | None = None
) -> Desk:
    """A desk in `tmp_path` with the register above; `role` (grid_worker, community_staff, street_supervisor) is signed in."""
    now = clock or (lambda: NOON)
    database = open_sqlite(tmp_path / "desk.db", bytes(range(32)))
    # The register came from the street, so it is not this desk's unsent work: journaled only from here on.
    store = open_store(database, REPLICA, [indexes.Indexer()], lambda: NOON - 100 * DAY_MS)
    with database.writer.begin() as connection:
        indexes.ensure(connection)
    ids: dict[str, list[int]] = {}
    with store.unit(SYSTEM) as unit:
        users = _found(unit, ids)
    worker = users["grid_worker"]
    with store.unit(users["community_staff"]) as unit:
        ids["households"] = [_household(unit, ids, n) for n in range(household_count)]
    store = Store(database, REPLICA, [indexes.Indexer(), DeskJournal()], lambda: NOON - 3_600_000)
    _work(store, worker, users, ids)
    store.clock = now
    profile = Profile("worker", worker.name, "http://127.0.0.1:8472", REPLICA)
    return Desk(store, users[role], profile, Files(tmp_path / "blobs"), tmp_path, users, ids)


def copy_desk(template: Desk, folder: Path, role: str = "grid_worker") -> Desk:
    """The desk of a closed `template` once more in `folder`: a copy takes a twentieth of the time of making one."""
    shutil.copytree(template.data_dir, folder, dirs_exist_ok=True)
    database = open_sqlite(folder / "desk.db", bytes(range(32)), must_exist=True)
    store = Store(database, REPLICA, [indexes.Indexer(), DeskJournal()], lambda: NOON)
    ids = {name: list(found) for name, found in template.ids.items()}
    return Desk(
        store, template.users[role], template.profile, Files(folder / "blobs"), folder, dict(template.users), ids
    )


def _found(unit: Unit, ids: dict[str, list[int]]) -> dict[str, Actor]:
    """Regions, organisations, grids, buildings, users."""
    street = unit.create(Region(code="990101001000", name="槐荫街道", level="street"))
    community = unit.create(Region(code="990101001001", name="望河社区", level="community", parent_id=street.id))
    office = unit.create(Organisation(name="槐荫街道办事处", level="street", region_id=street.id))
    committee = unit.create(
        Organisation(name="望河社区居委会", level="community", parent_id=office.id, region_id=community.id)
    )
    unit.create(Organisation(name="槐荫街道城管所", level="street", parent_id=office.id, is_department=True))
    grids = [_grid(unit, community, committee, n) for n in (1, 2)]
    ids["grids"] = [grid.id for grid, _organisation in grids]
    ids["buildings"] = [
        unit.create(
            Building(
                community_id=community.id,
                grid_id=grids[n // 2][0].id,
                compound=_COMPOUNDS[n // 2],
                number=str(n % 2 + 1),
                road="望河路",
                lng=117.1 + n * 0.001,
                lat=36.6,
            )
        ).id
        for n in range(4)
    ]
    both = frozenset(ids["grids"])
    people = (
        ("worker", "周小兰", "grid_worker", grids[0][1].id, frozenset({ids["grids"][0]})),
        ("clerk", "孙建国", "community_staff", committee.id, both),
        ("supervisor", "何志文", "street_supervisor", office.id, frozenset()),
        ("auditor", "罗秀英", "auditor", office.id, frozenset()),
    )
    found = {}
    for login, name, role, organisation_id, scope in people:
        user = unit.create(User(login=login, name=name, role=role, organisation_id=organisation_id))
        found[role] = Actor(user.id, name, role, organisation_id, scope, REPLICA)
        if role == "grid_worker":
            unit.create(Assignment(user_id=user.id, grid_id=ids["grids"][0], from_on="2026-01-01"))
    return found


def _grid(unit: Unit, community: Region, committee: Organisation, n: int) -> tuple[Grid, Organisation]:
    grid = unit.create(Grid(code=f"{community.code}{n:03d}", name=f"第{n}网格", community_id=community.id))
    organisation = Organisation(
        name=f"望河社区第{n}网格", level="grid", parent_id=committee.id, region_id=community.id, grid_id=grid.id
    )
    return grid, unit.create(organisation)


def _household(unit: Unit, ids: dict[str, list[int]], n: int) -> int:
    """Household number `n`: even ones in the first grid; two or three people each."""
    side, place = n % 2, n // 2
    building = ids["buildings"][side * 2 + place % 2]
    floor, door = place // 4 + 1, place % 4 // 2 + 1
    room = f"{floor}0{door}" if floor < 1_000 else str(floor)
    address = f"望河路18号{_COMPOUNDS[side]}{place % 2 + 1}号楼1单元{room}"
    household = households.register_household(
        unit,
        {"grid_id": ids["grids"][side], "building_id": building, "address": address, "is_rented": n % 9 == 4},
        {"building_id": building, "unit": "1", "floor": floor, "room": room},
    )
    household.walk_order = (place % 2) * 10_000 + floor * 100 + door
    size = 3 if n % 4 else 2
    surname = _SURNAMES[n % len(_SURNAMES)]
    for k in range(size):
        groups = _CARE.get((n % 10, k), ())
        households.add_person(unit, household.id, _person(n, k, surname), groups)
    return household.id


_CARE: dict[tuple[int, int], tuple[str, ...]] = {
    (0, 0): ("V01", "V03"),
    (3, 0): ("V13",),
    (5, 1): ("V12",),
    (7, 0): ("V02", "V21"),
    (8, 0): ("V18",),
}


def _person(n: int, k: int, surname: str) -> dict[str, Any]:
    """Person `k` of household `n`: a head, a spouse of the other sex, a child."""
    is_old = n % 10 in (0, 7)
    year = (1938 if is_old else 1975) + n % 12 if k < 2 else 2012 + n % 8
    sex = 1 if (n + k) % 2 else 2
    first = f"990101{year}{n % 12 + 1:02d}{(n + k) % 27 + 1:02d}{(n * 7 + k * 31) % 100:02d}{sex}"
    a, b = _GIVEN[(n * 3 + k * 5) % len(_GIVEN)], _GIVEN[(n * 7 + k) % len(_GIVEN)]
    name = _RARE[n // 10] if k == 0 and n % 10 == 6 and n < 40 else surname + a + b
    return {
        "name": name, "relation": ("02", "10", "20" if sex == 1 else "30")[k], "id_number": first + check_character(first),
        "population_type": "02" if n % 9 == 4 else "01", "household_match": "01", "ethnic": "01",
        "phones": f"139{(n * 137 + 11) % 10_000:04d}{(n * 911 + k) % 10_000:04d}" if k < 2 else None,
        "political": "01" if n % 6 == 0 and k == 0 else "13", "marital": "20" if k < 2 else "10",
        "workplace": "望河小学" if k == 2 else None,
    }  # fmt: skip


def _work(store: Store, worker: Actor, users: dict[str, Actor], ids: dict[str, list[int]]) -> None:
    """Some days' work: visits, incidents, a notice, a conflict."""
    homes = ids["households"][::2]
    ids["visits"], ids["incidents"] = [], []
    for n, home in enumerate(homes[3:9]):
        with store.unit(worker) as unit:
            draft = visits.VisitDraft(
                home, "2" if n % 3 == 0 else "1", needs="b;d" if n % 3 == 0 else "", note="血压药快用完了，帮忙预约社区门诊。"
                if n % 3 == 0 else "", visited_at=unit.at - n // 2 * DAY_MS,
            )  # fmt: skip
            ids["visits"].append(visits.log_visit(unit, draft).id)
    for n, (category, text) in enumerate(_INCIDENTS):
        with store.unit(worker) as unit:
            draft_ = incidents.IncidentDraft(
                category, text, place="槐安里小区1号楼北侧", grid_id=ids["grids"][0], household_id=homes[n] if n < 2 else None,
                lng=117.1 + n * 0.0007, lat=36.6 + n * 0.0004, urgency="1" if n == 1 else "0",
            )  # fmt: skip
            ids["incidents"].append(incidents.report_incident(unit, draft_).id)
    with store.unit(users["community_staff"]) as unit:
        incidents.perform(unit, ids["incidents"][0], "accept")
    with store.unit(users["street_supervisor"]) as unit:
        notices.publish(
            unit, "今冬供暖走访安排", "11月25日前完成辖区独居老人家庭供暖情况走访，发现室温不足16℃的请当日上报。",
            until_on=day_of(NOON + 7 * DAY_MS), is_urgent=True,
        )  # fmt: skip
        notices.publish(unit, "反诈宣传周", "请在走访时发放宣传单。", until_on=day_of(NOON + 4 * DAY_MS))
    with store.unit(SYSTEM) as unit:
        household = homes[1]
        unit.create(
            Conflict(
                record_kind="household",
                record_id=household,
                grid_id=ids["grids"][0],
                field="phones",
                reason="concurrent",
                kept='"13900001111"',
                kept_by_id=users["community_staff"].user_id,
                kept_at=NOON - DAY_MS,
                lost='"13900002222"',
                lost_by_id=worker.user_id,
                lost_at=NOON - DAY_MS - 3_600_000,
            )
        )


_INCIDENTS = (
    ("A805", "1号楼北侧井盖破损，夜间有行人绊倒。"),
    ("A702", "2单元楼道堆放电动车充电，线路老化。"),
    ("A801", "垃圾桶满溢两天未清运。"),
)
