"""The street of the resilience run: one community, three people with a desk each, some households that all of them edit."""

import time
from dataclasses import dataclass
from pathlib import Path

from gridman.domain.access import SYSTEM
from gridman.domain.grid import Assignment
from gridman.domain.household import Household
from gridman.joining import join_desk
from gridman.server.certificates import street_tls
from gridman.services.desk import Desk
from gridman.services.signin import set_up_desk
from gridman.store.keys import Cost
from gridman.sync.http import enrol_over_http
from tests.support.streets import CLERK, PASSWORD, STAFF, WORKER, Hands, town_street

__all__ = ["CARRIED", "LOGINS", "PASSPHRASE", "Town", "found_town", "set_up"]

PASSPHRASE = "a passphrase of tests"
CARRIED = CLERK
"""Whose desk is mostly without a network: its work travels on a stick."""
LOGINS = (WORKER, STAFF, CARRIED)
_CHEAP = Cost(memory_kib=64, passes=1, lanes=1)


@dataclass(frozen=True)
class Town:
    """The founded street: its folder, the certificate of its authority, its users' ids by login."""

    folder: Path
    authority: bytes
    users: dict[str, int]


def found_town(folder: Path, households: int) -> Town:
    """Two grid workers and a member of the community's staff share the first grid, with its households."""
    with town_street(folder, clock=Hands(int(time.time() * 1_000))) as town:
        with town.street.store.unit(SYSTEM) as unit:
            from gridman.domain.user import User

            carried = unit.get(User, town.users[CARRIED])
            unit.amend(carried, role="grid_worker", organisation_id=town.organisations["community"])
            for login in (STAFF, CARRIED):
                unit.create(Assignment(user_id=town.users[login], grid_id=town.grids[0], from_on="2026-01-01"))
            for n in range(households):
                unit.create(Household(number=f"H{n}", grid_id=town.grids[0], address=f"Long Lane {n}", walk_order=n))
        return Town(folder, street_tls(town.street).authority, dict(town.users))


def set_up(town: Town, data: Path, url: str, login: str) -> Desk:
    """A desk of `login`, enrolled over the line and synchronised for the first time; open."""
    enrolled = enrol_over_http(url, login, "Counter", password=PASSWORD, authority=town.authority)
    desk = join_desk(set_up_desk(data, enrolled, url, PASSPHRASE, authority=town.authority, cost=_CHEAP))
    desk.synchronise()
    return desk
