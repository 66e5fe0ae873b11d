"""Which worker has which grid. The desk of a worker holds exactly the grids of the worker's open assignments; so an assignment moves data,
and its end takes data away. `foresee` says in numbers what would happen.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gridman.domain.access import Actor, require
from gridman.domain.grid import Assignment, Grid
from gridman.domain.household import Household
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.audit import note
from gridman.store import accounts as rows
from gridman.store.unit import Reader, Unit

__all__ = [
    "BY_ASSIGNMENT",
    "Foreseen",
    "GridLine",
    "assign",
    "foresee",
    "get_grid",
    "lacks_grid",
    "page_grids",
    "withdraw",
]

BY_ASSIGNMENT = frozenset({"grid_worker", "grid_leader"})
"""Roles whose data follows their assignments; the others' follows their organisation."""
_ALL = 1_000_000
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Worker:
    """One who has a grid. `since_on`: a day, or "" where none was noted; `until_on`: the last day, or ""."""

    user_id: int
    login: str
    name: str
    since_on: str
    until_on: str


@dataclass(frozen=True)
class GridLine:
    """One grid as the administrator sees it; nobody in `workers`: its visits are nobody's."""

    grid_id: int
    code: str
    name: str
    community: str
    household_count: int
    workers: tuple[Worker, ...]


@dataclass(frozen=True)
class Foreseen:
    """What an assignment or its end would mean: whose desks, how many households, who else has the grid then."""

    user: User
    grid: Grid
    household_count: int
    computers: tuple[str, ...]
    others: tuple[str, ...]
    has_it: bool


def page_grids(reader: Reader, actor: Actor) -> list[GridLine]:
    """Every grid by code, with who works in it today."""
    require(actor, "account.manage")
    grids = reader.page(Grid, order_by=("code",), limit=_ALL)
    communities = {r.id: r.name for r in reader.page(Region, level="community", limit=_ALL)}
    workers = _workers(reader, day_of(reader.now))
    counts = {g.id: reader.count(Household, grid_id=g.id) for g in grids}
    return [
        GridLine(g.id, g.code, g.name, communities.get(g.community_id, ""), counts[g.id], tuple(workers.get(g.id, ())))
        for g in grids
    ]


def _workers(reader: Reader, today: str) -> dict[int, list[Worker]]:
    open_ones = [a for a in reader.page(Assignment, limit=_ALL) if _is_open(a, today)]
    users = _users(reader, (a.user_id for a in open_ones))
    found: dict[int, list[Worker]] = {}
    for a in open_ones:
        user = users.get(a.user_id)
        if user is not None:
            found.setdefault(a.grid_id, []).append(
                Worker(user.id, user.login, user.name, a.from_on or "", a.until_on or "")
            )
    return found


def _is_open(assignment: Assignment, today: str) -> bool:
    return (not assignment.from_on or assignment.from_on <= today) and (
        not assignment.until_on or today <= assignment.until_on
    )


def _users(reader: Reader, ids: Iterable[int]) -> dict[int, User]:
    wanted = set(ids)
    return {u.id: u for u in reader.page(User, id=wanted, limit=len(wanted) + 1)} if wanted else {}


def get_grid(reader: Reader, code: str) -> Grid:
    """The grid of a 15-digit code; refuses with ``assign.no_grid``."""
    grid = reader.first(Grid, code=code.strip())
    if grid is None:
        raise Refusal(
            "assign.no_grid",
            N_("There is no grid {code}."),
            N_("See gridman street grid list for the codes of the grids."),
            code=code,
        )
    return grid


def lacks_grid(reader: Reader, user: User) -> bool:
    """Whether the user works by grids and has none: the desk stays empty."""
    held = reader.page(Assignment, user_id=user.id, limit=_ALL) if user.role in BY_ASSIGNMENT else []
    return user.role in BY_ASSIGNMENT and not any(_is_open(a, day_of(reader.now)) for a in held)


def foresee(reader: Reader, actor: Actor, user_id: int, grid_id: int) -> Foreseen:
    """What the assignment of this grid to this user, or its end, would mean."""
    require(actor, "account.manage")
    user, grid = reader.get(User, user_id), reader.get(Grid, grid_id)
    workers = _workers(reader, day_of(reader.now)).get(grid_id, [])
    computers = tuple(d.name or str(d.replica) for d in rows.devices(reader, user_id) if d.revoked_at is None)
    others = tuple(w.name for w in workers if w.user_id != user_id)
    has_it = any(w.user_id == user_id for w in workers)
    return Foreseen(user, grid, reader.count(Household, grid_id=grid_id), computers, others, has_it)


def assign(unit: Unit, user_id: int, grid_id: int) -> bool:
    """Give the user the grid from today on; False when it was theirs already. Refuses with ``assign.role`` a role that works by
    organisation: an assignment would change nothing for it.
    """
    require(unit.actor, "account.manage")
    user, grid = unit.get(User, user_id), unit.get(Grid, grid_id)
    if user.role not in BY_ASSIGNMENT:
        raise Refusal(
            "assign.role",
            N_("{name} does not work by grids: with the role {role} the organisation decides what is seen."),
            N_("Assign grids to grid workers and grid leaders; change the organisation of others instead."),
            name=user.name,
            role=user.role,
        )
    if any(_is_open(a, day_of(unit.at)) for a in unit.page(Assignment, user_id=user_id, grid_id=grid_id, limit=_ALL)):
        return False
    unit.create(Assignment(user_id=user_id, grid_id=grid_id, from_on=day_of(unit.at)))
    note(unit, "assign", "user", user_id, grid=grid.id)
    return True


def withdraw(unit: Unit, user_id: int, grid_id: int, *, at_once: bool = False) -> bool:
    """Take the grid away from the user with the end of today, or `at_once`; False when it was not theirs. What the desk has not sent by
    then is kept for review.
    """
    require(unit.actor, "account.manage")
    grid, today = unit.get(Grid, grid_id), day_of(unit.at)
    last_day = day_of(unit.at - DAY_MS) if at_once else today
    held = [a for a in unit.page(Assignment, user_id=user_id, grid_id=grid_id, limit=_ALL) if _is_open(a, today)]
    for assignment in held:
        unit.amend(assignment, until_on=last_day)
    if held:
        note(unit, "assign", "user", user_id, grid=grid.id, until=last_day)
    return bool(held)
