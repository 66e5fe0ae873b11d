"""A whole street's desks in one process: the real desk (encrypted file, outbox, HTTPS client), only set up faster than people do."""

import hashlib
import shutil
import threading
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, Table, select

from gridman.domain.access import SYSTEM
from gridman.domain.catalog import NOUNS
from gridman.domain.grid import Assignment, Grid
from gridman.domain.household import Household
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.joining import join_desk
from gridman.services.access import scopes_of_user
from gridman.services.accounts import create_user
from gridman.services.desk import Desk
from gridman.services.enrolment import Enrolled, enrol, new_code
from gridman.services.households import amend_household
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.lease import issue_ticket, keep_signer, signer_of
from gridman.services.signin import DeskParts, DeskUser, keep_desk_authority, keep_token
from gridman.services.street import Street
from gridman.services.visits import VisitDraft, log_visit
from gridman.store import tables
from gridman.store.database import open_sqlite
from gridman.store.store import open_store
from gridman.sync.http import HttpStreet
from gridman.sync.session import DeskSync
from tests.support.streets import CHEAP_HASHER

__all__ = ["Fleet", "Traffic", "found_fleet", "street_digest"]

KEY = bytes(range(32))


@dataclass
class Traffic:
    """Every request of the fleet: how long it took, in seconds, and what went wrong."""

    taken_s: list[float] = field(default_factory=list)
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def note(self, seconds: float) -> None:
        with self._mutex:
            self.taken_s.append(seconds)

    def connect(self, url: str, token: str, authority: bytes) -> HttpStreet:
        """A connection whose requests are counted here."""
        street = _Counting(url, token, authority)
        street.traffic = self
        return street


class _Counting(HttpStreet):
    traffic: Traffic

    def _ask(self, method: str, path: str, **what: Any) -> httpx.Response:
        started = time.perf_counter()
        try:
            return super()._ask(method, path, **what)
        finally:
            self.traffic.note(time.perf_counter() - started)


@dataclass
class Fleet:
    """The desks of a street, two workers to a grid. They open one by one when they are first asked for."""

    folder: Path
    enrolled: Sequence[Enrolled]
    traffic: Traffic = field(default_factory=Traffic)
    url: str = ""
    authority: bytes = b""
    desks: dict[int, Desk] = field(default_factory=dict)
    homes: dict[int, list[int]] = field(default_factory=dict)

    @cached_property
    def _empty(self) -> Path:
        path = self.folder / "empty.db"
        open_store(open_sqlite(path, KEY), 1, []).close()
        return path

    def desk(self, number: int) -> Desk:
        """Desk `number`, set up when it is new."""
        if number not in self.desks:
            self.desks[number] = self._set_up(self.enrolled[number])
        return self.desks[number]

    def _set_up(self, enrolled: Enrolled) -> Desk:
        folder = self.folder / f"desk{enrolled.replica}"
        folder.mkdir(parents=True)
        shutil.copy(self._empty, folder / "desk.db")
        user = DeskUser(
            enrolled.login, enrolled.name, enrolled.user_id, enrolled.role, enrolled.organisation_id, enrolled.replica,
            self.url, enrolled.street_id, enrolled.street_epoch,
        )  # fmt: skip
        database = open_sqlite(folder / "desk.db", KEY)
        with open_store(database, user.replica, []).unit(SYSTEM) as unit:
            keep_token(unit, enrolled.token)
            keep_desk_authority(unit, self.authority)
            keep_signer(unit, enrolled.signer, enrolled.ticket)
        desk = join_desk(DeskParts(folder, KEY, database, user))
        desk.synchroniser = DeskSync(desk.store, desk.blobs, user, self.traffic.connect)  # type: ignore[arg-type]
        return desk

    def work(self, number: int, visits: int, corrections: int, incidents: int, word: str) -> int:
        """Some of a worker's work at desk `number`; returns how many records were written."""
        desk = self.desk(number)
        homes = self.homes.get(number)
        if not homes:
            with desk.store.read() as reader:
                homes = self.homes[number] = [h.id for h in reader.page(Household, limit=1_000)]
        start = zlib.crc32(f"{word} {number}".encode())
        for n in range(visits):
            with desk.store.unit(desk.actor) as unit:
                log_visit(unit, VisitDraft(homes[(start + n) % len(homes)], "1", note=f"{word} {n}"))
        for n in range(corrections):
            with desk.store.unit(desk.actor) as unit:
                amend_household(unit, homes[(start + 3 * n) % len(homes)], {"remark": f"{word} {number} {n}"})
        for n in range(incidents):
            with desk.store.unit(desk.actor) as unit:
                draft = IncidentDraft(
                    "A801", f"{word} {number} {n}", place="Long Lane", grid_id=min(desk.actor.grid_ids)
                )
                report_incident(unit, draft)
        return visits + corrections + incidents

    def close(self) -> None:
        for desk in self.desks.values():
            desk.synchroniser.close()
            desk.close()


def found_fleet(street: Street, folder: Path, desks: int, homes_a_grid: int = 20) -> Fleet:
    """Lay a street with a grid for every two desks, its households and its workers, and enrol the desks. Nothing is served yet."""
    users: list[int] = []
    with street.store.unit(SYSTEM) as unit:
        region = unit.create(Region(code="990101001000", name="Long Street", level="street"))
        community = unit.create(Region(code="990101001001", name="One", level="community", parent_id=region.id))
        office = unit.create(Organisation(name="Office", level="street", region_id=region.id))
        committee = unit.create(
            Organisation(name="Committee", level="community", parent_id=office.id, region_id=community.id)
        )
        for number in range((desks + 1) // 2):
            grid = unit.create(
                Grid(code=f"{community.code}{number:03d}", name=f"Grid {number}", community_id=community.id)
            )
            for n in range(homes_a_grid):
                unit.create(
                    Household(number=f"{number}-{n}", grid_id=grid.id, address=f"Long Lane {number}-{n}", walk_order=n)
                )
            for n in range(min(2, desks - 2 * number)):
                login = f"w{number}{'ab'[n]}"
                user = create_user(
                    unit, login, login, "grid_worker", committee, "a long passphrase 1", hasher=CHEAP_HASHER
                )
                unit.create(Assignment(user_id=user.id, grid_id=grid.id, from_on="2026-01-01"))
                users.append(user.id)
    signer = signer_of(street.store, street.key)
    return Fleet(folder, [_enrol(street, user_id, signer) for user_id in users])


def _enrol(street: Street, user_id: int, signer: str) -> Enrolled:
    from dataclasses import replace

    from gridman.store.accounts import account_of_user

    with street.store.unit(SYSTEM) as unit:
        account, code = account_of_user(unit, user_id), new_code(unit, user_id)
    assert account is not None
    made = enrol(street.store, account.login, "fleet", code=code, hasher=street.hasher)
    return replace(made, signer=signer, ticket=issue_ticket(street.store, street.key, made.replica, user_id))


def _digest(rows: Iterable[tuple[Any, ...]]) -> str:
    whole = hashlib.sha256()
    for row in sorted(map(repr, rows)):
        whole.update(row.encode())
    return whole.hexdigest()


def _wire(kind: Table, columns: Sequence[str]) -> list[Any]:
    return [kind.c.id, *(kind.c[c] for c in columns if c != "id")]


def desk_digest(desk: Desk) -> str:
    """All synced rows of a desk."""
    rows: list[tuple[Any, ...]] = []
    with desk.store.read() as reader:
        for noun in NOUNS:
            table = noun.cls.__table__
            assert isinstance(table, Table)
            rows += [(noun.kind, *r) for r in reader.connection.execute(select(*_wire(table, noun.columns)))]
    return _digest(rows)


def street_digest(street: Street, user_id: int) -> str:
    """The rows that the street's scope query gives a user."""
    with street.store.read() as reader:
        scopes = scopes_of_user(reader, user_id)
        return _digest(_scoped_rows(reader.connection, scopes))


def _scoped_rows(connection: Connection, scopes: Iterable[str]) -> list[tuple[Any, ...]]:
    e = tables.sync_row.c
    rows: list[tuple[Any, ...]] = []
    for noun in NOUNS:
        table = noun.cls.__table__
        assert isinstance(table, Table)
        there = select(e.record_id).where(e.scope.in_(sorted(scopes)), e.entity == noun.kind)
        found = connection.execute(select(*_wire(table, noun.columns)).where(table.c.id.in_(there)))
        rows += [(noun.kind, *r) for r in found]
    return rows
