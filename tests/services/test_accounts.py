"""Accounts of the street: passwords, locks, suspension, and the log of all that."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Literal

import pytest
from argon2 import PasswordHasher

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.services import accounts
from gridman.services.audit import page_audit
from gridman.services.departments import add_department, retire_department
from gridman.services.enrolment import enrol
from gridman.services.street import open_street
from gridman.services.web_signin import sign_in_to_pages
from gridman.store.accounts import account_of_login
from gridman.store.store import Store
from gridman.store.unit import Unit
from tests.support.streets import ADMIN, CHEAP_HASHER, PASSWORD, STAFF, WORKER, TownStreet, town_street

OTHER = "moon over the weir"
AUDITOR = Actor(7, "Auditor", "auditor", 1)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.words() and "{" not in caught.value.words()
    return caught.value.code


def sign_in(town: TownStreet, login: str, password: str) -> int:
    return accounts.verify_login(town.street.store, login, password, hasher=CHEAP_HASHER)


def test_the_right_password_names_the_user_however_the_login_is_typed(town: TownStreet) -> None:
    assert sign_in(town, " Ｗorker ", PASSWORD) == town.users[WORKER]


@pytest.mark.postgres
@pytest.mark.parametrize("deed", ["role", "suspend"])
def test_two_administrators_who_shut_each_other_out_leave_one(
    tmp_path: Path, fresh_postgres_url: str, deed: str
) -> None:
    """At two of the processes that serve the street each saw the other stay."""
    with town_street(tmp_path / "street", fresh_postgres_url) as town:
        second = open_street(town.street.data_dir, fresh_postgres_url, town.clock, hasher=CHEAP_HASHER, must_exist=True)
        try:
            shut_each_other_out(town, second.store, deed)
        finally:
            second.close()


def shut_each_other_out(town: TownStreet, elsewhere: Store, deed: str) -> None:
    store, office = town.street.store, town.organisations["street"]
    with store.unit(SYSTEM) as unit:
        second = accounts.create_user(unit, "second", "Second", "sysadmin", office, PASSWORD, hasher=CHEAP_HASHER).id

    def shut_out(unit: Unit, user_id: int) -> None:
        if deed == "suspend":
            accounts.suspend(unit, user_id)
        else:
            accounts.amend_user(unit, user_id, name="Someone", role="auditor", organisation_id=office)

    def other() -> None:
        with elsewhere.unit(SYSTEM) as unit:
            shut_out(unit, town.users[ADMIN])

    with ThreadPoolExecutor(1) as pool:
        with store.unit(SYSTEM) as unit:
            shut_out(unit, second)
            unit.flush()
            late = pool.submit(other)
            wait([late], timeout=0.7)
        assert refused(lambda: late.result(20)) == "account.last_admin"


class Slow(PasswordHasher):
    """While it looks at a password, an administrator gives the user another one."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.meanwhile = [meanwhile]

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        found = super().verify(hash, password)
        if self.meanwhile:
            self.meanwhile.pop()()
        return found


@pytest.mark.parametrize("deed", ["password", "session", "enrolment"])
def test_a_password_that_is_replaced_at_that_moment_opens_nothing(town: TownStreet, deed: str) -> None:
    """A thief who changed it while the administrator did kept the account."""
    store, worker = town.street.store, town.users[STAFF]

    def reset() -> None:
        with store.unit(SYSTEM) as unit:
            accounts.set_password(unit, worker, OTHER, hasher=CHEAP_HASHER)

    slow, thief = Slow(reset), Actor(worker, "Staff", "community_staff", 1)
    deeds: dict[str, Callable[[], object]] = {
        "password": lambda: accounts.change_password(store, thief, PASSWORD, "a thief's own words", hasher=slow),
        "session": lambda: sign_in_to_pages(store, STAFF, PASSWORD, hasher=slow),
        "enrolment": lambda: enrol(store, STAFF, "Thief's", password=PASSWORD, hasher=slow),
    }
    assert refused(deeds[deed]) == "auth.wrong_password"
    assert sign_in(town, STAFF, OTHER) == worker
    with store.read() as reader:
        assert account_of_login(reader, STAFF).must_change  # type: ignore[union-attr]


def test_nobody_is_put_into_a_department_that_was_retired_meanwhile(town: TownStreet) -> None:
    store = town.street.store
    with store.unit(SYSTEM) as unit:
        gone = add_department(unit, "Water board", town.organisations["street"]).id
    with store.unit(SYSTEM) as unit:
        retire_department(unit, gone, "merged")
    with store.unit(SYSTEM) as unit:
        made = lambda: accounts.create_user(unit, "late", "Late", "department_user", gone, hasher=CHEAP_HASHER)  # noqa: E731
        assert refused(made) == "account.office_retired"
        worker = town.users[WORKER]
        moved = lambda: accounts.amend_user(unit, worker, name="W", role="department_user", organisation_id=gone)  # noqa: E731
        assert refused(moved) == "account.office_retired"


def test_a_wrong_password_and_an_unknown_login_sound_the_same(town: TownStreet) -> None:
    assert refused(lambda: sign_in(town, WORKER, OTHER)) == "auth.wrong_password"
    assert refused(lambda: sign_in(town, "nobody", OTHER)) == "auth.wrong_password"
    with town.street.store.read() as reader:
        lines = page_audit(reader, AUDITOR, act="sign_in_failed")
    assert [line.record_id for line in lines] == [None, town.users[WORKER]]


def test_five_failures_lock_for_a_quarter_of_an_hour_even_for_the_right_password(town: TownStreet) -> None:
    for _ in range(5):
        assert refused(lambda: sign_in(town, WORKER, OTHER)) == "auth.wrong_password"
    assert refused(lambda: sign_in(town, WORKER, PASSWORD)) == "auth.locked"
    assert sign_in(town, STAFF, PASSWORD) == town.users[STAFF]
    town.clock.pass_minutes(14.9)
    assert refused(lambda: sign_in(town, WORKER, PASSWORD)) == "auth.locked"
    town.clock.pass_minutes(0.2)
    assert sign_in(town, WORKER, PASSWORD) == town.users[WORKER]


def test_a_served_lock_gives_five_new_tries(town: TownStreet) -> None:
    for _ in range(5):
        refused(lambda: sign_in(town, WORKER, OTHER))
    town.clock.pass_minutes(16)
    assert [refused(lambda: sign_in(town, WORKER, OTHER)) for _ in range(6)] == ["auth.wrong_password"] * 5 + [
        "auth.locked"
    ]


def test_success_forgets_earlier_failures(town: TownStreet) -> None:
    for _ in range(3):
        for _ in range(4):
            refused(lambda: sign_in(town, WORKER, OTHER))
        assert sign_in(town, WORKER, PASSWORD) == town.users[WORKER]


def test_guesses_made_side_by_side_do_not_slip_past_the_lock(town: TownStreet) -> None:
    with ThreadPoolExecutor(12) as pool:
        codes = list(pool.map(lambda _: refused(lambda: sign_in(town, WORKER, OTHER)), range(12)))
    assert sorted(codes) == ["auth.locked"] * 7 + ["auth.wrong_password"] * 5


def test_the_password_is_kept_as_an_argon2id_hash_only(town: TownStreet) -> None:
    with town.street.store.read() as reader:
        kept = account_of_login(reader, WORKER)
    assert kept is not None and kept.password_hash.startswith("$argon2id$") and PASSWORD not in kept.password_hash


def test_the_real_hasher_costs_what_rfc_9106_recommends_and_replaces_cheaper_hashes(town: TownStreet) -> None:
    hasher = accounts.password_hasher()
    assert (hasher.memory_cost, hasher.time_cost, hasher.parallelism) == (65_536, 3, 4)
    accounts.verify_login(town.street.store, WORKER, PASSWORD, hasher=hasher)
    with town.street.store.read() as reader:
        kept = account_of_login(reader, WORKER)
    assert kept is not None and "m=65536,t=3,p=4" in kept.password_hash
    assert accounts.verify_login(town.street.store, WORKER, PASSWORD, hasher=hasher) == town.users[WORKER]


def test_the_administrator_resets_a_password_and_the_lock(town: TownStreet) -> None:
    for _ in range(6):
        refused(lambda: sign_in(town, WORKER, "wrong wrong wrong"))
    with town.street.store.unit(SYSTEM) as unit:
        accounts.set_password(unit, town.users[WORKER], OTHER, hasher=CHEAP_HASHER)
    assert sign_in(town, WORKER, OTHER) == town.users[WORKER]
    assert refused(lambda: sign_in(town, WORKER, PASSWORD)) == "auth.wrong_password"


def test_a_user_changes_the_own_password_knowing_the_old_one(town: TownStreet) -> None:
    worker = Actor(town.users[WORKER], "Worker", "grid_worker", 1)
    store = town.street.store
    assert refused(lambda: accounts.change_password(store, worker, "not it at all", OTHER, hasher=CHEAP_HASHER))
    assert (
        refused(lambda: accounts.change_password(store, worker, PASSWORD, "short", hasher=CHEAP_HASHER))
        == "passphrase.weak"
    )
    accounts.change_password(store, worker, PASSWORD, OTHER, hasher=CHEAP_HASHER)
    assert sign_in(town, WORKER, OTHER) == worker.user_id


def test_a_suspended_user_stays_out_until_let_in(town: TownStreet) -> None:
    store = town.street.store
    with store.unit(SYSTEM) as unit:
        accounts.suspend(unit, town.users[WORKER])
    assert refused(lambda: sign_in(town, WORKER, PASSWORD)) == "auth.suspended"
    with store.unit(SYSTEM) as unit:
        accounts.suspend(unit, town.users[WORKER], False)
    assert sign_in(town, WORKER, PASSWORD) == town.users[WORKER]


@pytest.mark.parametrize(
    ("login", "role", "password", "code"),
    [
        ("WORKER", "grid_worker", PASSWORD, "account.login_taken"),
        ("a b", "grid_worker", PASSWORD, "account.login_malformed"),
        ("x", "grid_worker", PASSWORD, "account.login_malformed"),
        ("new", "emperor", PASSWORD, "account.role"),
        ("new", "resident", PASSWORD, "account.role"),
        ("new", "grid_worker", "12345", "passphrase.weak"),
    ],
)
def test_a_bad_new_account_is_refused_whole(town: TownStreet, login: str, role: str, password: str, code: str) -> None:
    office = town.organisations["street"]

    def create() -> None:
        with town.street.store.unit(SYSTEM) as unit:
            accounts.create_user(unit, login, "New", role, office, password, hasher=CHEAP_HASHER)

    with town.street.store.read() as reader:
        before = reader.count(User)
    assert refused(create) == code
    with town.street.store.read() as reader:
        assert reader.count(User) == before


def test_only_the_administrator_manages_accounts(town: TownStreet) -> None:
    staff = Actor(town.users[STAFF], "Staff", "community_staff", 1)
    with town.street.store.read() as reader:
        assert refused(lambda: accounts.page_accounts(reader, staff)) == "access.role"
    for verb in (
        lambda u: accounts.suspend(u, town.users[ADMIN]),
        lambda u: accounts.set_password(u, town.users[ADMIN], OTHER),
        lambda u: accounts.create_user(u, "mine", "Mine", "sysadmin", town.organisations["street"], OTHER),
    ):
        with pytest.raises(Refusal) as caught, town.street.store.unit(staff) as unit:
            verb(unit)
        assert caught.value.code == "access.role"


def test_the_list_shows_what_the_administrator_needs(town: TownStreet) -> None:
    with town.street.store.unit(SYSTEM) as unit:
        accounts.suspend(unit, town.users[STAFF])
        accounts.create_user(unit, "zhou", "Zhou", "auditor", town.organisations["street"])
    for _ in range(5):
        refused(lambda: sign_in(town, WORKER, OTHER))
    with town.street.store.read() as reader:
        lines = {line.login: line for line in accounts.page_accounts(reader, SYSTEM)}
    assert list(lines) == ["admin", "clerk", "staff", "worker", "zhou"]
    assert lines["staff"].is_suspended and not lines["worker"].is_suspended
    assert lines["worker"].locked_until > town.clock.now and lines["clerk"].locked_until == 0
    assert lines["worker"].must_change and not lines["admin"].must_change
    assert not lines["zhou"].has_password
    assert refused(lambda: sign_in(town, "zhou", "")) == "auth.wrong_password"
