"""The desks of the day: enrolled over HTTP, opened by passphrase, synchronised with the street."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridman.demo.account import Account
from gridman.demo.clock import DayClock
from gridman.demo.stage import CLERK, DEPARTMENT, PASSWORDS, SUPERVISOR, WORKER
from gridman.domain import codes
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.person import Person
from gridman.joining import enrol_desk, sign_in_desk
from gridman.kernel.words import _
from gridman.services.desk import Desk
from gridman.services.signin import desk_users
from gridman.store.store import Store

__all__ = ["check_scopes", "close_all", "open_desks", "synchronise"]

ORDER = (WORKER, CLERK, SUPERVISOR, DEPARTMENT)


def open_desks(
    folder: Path, server_url: str, fingerprint: str, clock: DayClock, account: Account, *, is_first: bool
) -> dict[str, Desk]:
    """Each user's desk on a computer of its own, enrolled now or opened again; the first synchronisation is done. They believe the street
    server of this fingerprint and no other. `is_first`: the day has not gone past this step, so a first synchronisation that was cut off
    goes on; later in the day what waits on a desk must not be sent before its hour.
    """
    desks = {}
    for login in ORDER:
        place = folder / login
        if desk_users(place):
            desks[login] = sign_in_desk(place, login, PASSWORDS[login], clock)
            if is_first:
                desks[login].synchronise(account.progress)
            continue
        desks[login] = enrol_desk(
            place,
            server_url,
            login,
            PASSWORDS[login],
            password=PASSWORDS[login],
            device_name=f"demo-{login}",
            fingerprint=fingerprint,
            clock=clock,
        )
        result = desks[login].synchronise(account.progress)
        account.say(
            _("{login}: enrolled as device {replica}, first sync {rows} rows in {requests} requests").format(
                login=login, replica=desks[login].profile.replica, rows=f"{result.received:,}", requests=result.requests
            )
        )
    return desks


def synchronise(desks: Mapping[str, Desk], logins: tuple[str, ...], account: Account) -> list[Any]:
    """One synchronisation each, in this order; says what was sent and received."""
    results = []
    for login in logins:
        result = desks[login].synchronise(account.progress)
        results.append(result)
        account.say(
            _("{login}: sent {sent}, received {received}, {requests} requests").format(
                login=login, sent=result.sent, received=result.received, requests=result.requests
            )
        )
        account.equal(len(result.refused), 0, _("{login}: nothing was refused").format(login=login))
    return results


def check_scopes(desks: Mapping[str, Desk], street: Store, account: Account) -> None:
    """Each desk holds exactly what its user may see."""
    with street.read() as everything:
        for login in ORDER:
            desk = desks[login]
            own = sorted(desk.actor.grid_ids)
            sees_people = login in (WORKER, CLERK)
            wanted = everything.count(Person, grid_id=own) if sees_people else 0
            homes = everything.count(Household, grid_id=own) if sees_people else 0
            with desk.store.read() as reader:
                found = (reader.count(Person), reader.count(Household))
                incidents = reader.count(Incident)
            account.equal(
                found, (wanted, homes),
                _("{login} ({role}) holds {people} people, {homes} households, {incidents} incidents: its scope and no more").format(
                    login=login, role=codes.word("role", desk.actor.role), people=f"{found[0]:,}", homes=f"{found[1]:,}", incidents=incidents
                ),
            )  # fmt: skip


def close_all(desks: Mapping[str, Desk]) -> None:
    """Let go of every desk's files."""
    for desk in desks.values():
        desk.close()
