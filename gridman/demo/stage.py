"""Setting the stage: the street laid out from its map, its people employed, its register imported from the office's spreadsheet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridman.demo.account import Account
from gridman.demo.people import write_demo_register
from gridman.demo.state import DayState
from gridman.domain.access import SYSTEM
from gridman.domain.grid import Assignment
from gridman.domain.household import Household
from gridman.domain.organisation import Organisation
from gridman.domain.person import Person
from gridman.domain.user import User
from gridman.exchange.register_sheet import read_register
from gridman.geo.demo import demo_plan
from gridman.geo.plan import StreetPlan
from gridman.intake import import_map
from gridman.kernel.words import _
from gridman.services import maps, notices
from gridman.services.accounts import create_user
from gridman.services.departments import add_department
from gridman.services.register import import_register
from gridman.services.street import Street, found_street

__all__ = ["CLERK", "DEPARTMENT", "PASSWORDS", "SUPERVISOR", "WORKER", "employ", "fill_register", "lay_street"]

WORKER, CLERK, SUPERVISOR, DEPARTMENT = "wangge", "shequ", "jiedao", "zhifa"
PASSWORDS = {
    WORKER: "wangge-2026-zoufang",
    CLERK: "shequ-2026-taizhang",
    SUPERVISOR: "jiedao-2026-diaodu",
    DEPARTMENT: "zhifa-2026-banli",
}
"""Sign-in names and passphrases of the demonstration; printed on the terminal, worth nothing elsewhere."""

DEPARTMENTS = ("综合行政执法队", "市场监督管理所", "派出所", "燃气管理站")
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙朱马胡郭林何高梁"
_GIVEN = ("秀兰", "建国", "桂英", "志强", "玉梅", "海燕", "文静", "大勇", "晓红", "立新", "国庆", "淑珍")


@dataclass(frozen=True)
class _Post:
    login: str
    name: str
    role: str


_POSTS = {
    WORKER: _Post(WORKER, "周桂英", "grid_worker"),
    CLERK: _Post(CLERK, "林文静", "community_staff"),
    SUPERVISOR: _Post(SUPERVISOR, "梁立新", "street_supervisor"),
    DEPARTMENT: _Post(DEPARTMENT, "马大勇", "department_user"),
}


def lay_street(street: Street, size: Any, account: Account) -> StreetPlan:
    """Import the shipped map, cut it into communities and grids, and lay the street out."""
    plan = demo_plan(size, progress=account.progress)
    with street.store.unit(SYSTEM) as unit:
        if unit.first(Organisation, level="street", is_department=None) is None:
            found_street(unit, plan.name.zh, "admin", "admin-2026-guanli", hasher=street.hasher)
    made = import_map(street.store, plan, progress=account.progress)
    account.say(
        _("{street}: {communities} communities, {grids} grids, {buildings} buildings from {file} ({attribution})").format(
            street=plan.name.zh, communities=len(plan.communities), grids=len(plan.grids), buildings=made.laid.building_count if made.laid else 0,
            file="maps/demo/street.osm.pbf", attribution=plan.attribution,
        )
    )  # fmt: skip
    with street.store.read() as reader:
        shapes = maps.overview(reader)
    account.equal(len(shapes.grids), len(plan.grids), _("every grid of the plan is in the street's store"))
    return plan


def employ(street: Street, plan: StreetPlan, account: Account) -> None:
    """Departments, users with accounts, grids assigned, a notice published. Repeating it adds nobody twice."""
    first = plan.grids[0]
    with street.store.unit(SYSTEM) as unit:
        office = unit.first(Organisation, level="street", is_department=None)
        assert office is not None
        departments = [add_department(unit, name, office.id) for name in DEPARTMENTS]
        unit.flush()
        grids = {g.code: g for g in maps.overview(unit).grids}
        teams = {o.grid_id: o for o in unit.page(Organisation, level="grid", limit=10_000)}
        community_id = grids[first.code].community_id
        committee = unit.first(Organisation, level="community", region_id=community_id)
        assert committee is not None
        places = {WORKER: teams[grids[first.code].id], CLERK: committee, SUPERVISOR: office, DEPARTMENT: departments[0]}
        for login, post in _POSTS.items():
            if unit.first(User, login=login) is None:
                create_user(
                    unit,
                    login,
                    post.name,
                    post.role,
                    places[login],
                    PASSWORDS[login],
                    must_change=False,
                    hasher=street.hasher,
                )
        _assign(unit, WORKER, grids[first.code].id)
        for number, grid in enumerate(plan.grids[1:], start=1):
            _employ_worker(unit, street, number, teams[grids[grid.code].id], grids[grid.code].id)
        if not notices.current_notices(unit, ""):
            notices.publish(
                unit,
                "寒潮蓝色预警：请关注独居老人取暖安全",
                "今夜起气温明显下降。请各网格在两天内探访独居和高龄老人，检查取暖和用气安全，发现问题立即上报。",
                is_urgent=True,
            )
    with street.store.read() as reader:
        account.say(
            _("{users} users, {departments} departments, every grid has a worker").format(
                users=reader.count(User), departments=len(DEPARTMENTS)
            )
        )  # fmt: skip


def _employ_worker(unit: Any, street: Street, number: int, team: Organisation, grid_id: int) -> None:
    login = f"wg{number:02d}"
    if unit.first(User, login=login) is None:
        name = _SURNAMES[number % len(_SURNAMES)] + _GIVEN[number % len(_GIVEN)]
        create_user(unit, login, name, "grid_worker", team, None, hasher=street.hasher)
    _assign(unit, login, grid_id)


def _assign(unit: Any, login: str, grid_id: int) -> None:
    unit.flush()
    user = unit.first(User, login=login)
    if unit.first(Assignment, user_id=user.id, grid_id=grid_id) is None:
        unit.create(Assignment(user_id=user.id, grid_id=grid_id))


def fill_register(street: Street, plan: StreetPlan, path: Path, seed: int, state: DayState, account: Account) -> None:
    """Write the office's spreadsheet and import it like anyone's file."""
    written = write_demo_register(plan, path, seed=seed, today=state.day)
    account.say(
        _("{file}: {people} fictional people in {households} households, 25 columns, county 990101").format(
            file=path.name, people=f"{written.people:,}", households=f"{written.households:,}"
        )
    )
    sheet = read_register(path, account.progress)
    result = import_register(street.store, sheet.rows, SYSTEM, source=path.name, progress=account.progress)
    with street.store.read() as reader:
        people, households = reader.count(Person), reader.count(Household)
        rare = [p.name for p in reader.page(Person, limit=200_000) if any(ord(c) > 0xFFFF for c in p.name)]
    account.equal(result.refused_count, 0, _("no row of the spreadsheet was refused"))
    account.equal(
        (people, households),
        (written.people, written.households),
        _("the register holds every person and household of the file"),
    )
    account.check(
        bool(rare), _("rare characters arrived unharmed, for example {name}").format(name=rare[0] if rare else "")
    )
    again = import_register(street.store, sheet.rows, SYSTEM, source=path.name, progress=account.progress)
    account.equal(again.new_count + again.changed_count, 0, _("importing the same file again changes nothing"))
    state.facts.update(people=people, households=households, batch=result.batch)
