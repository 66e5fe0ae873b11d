"""Accounts on the street server: who may sign in, with which password, and what stops guessing (domain reference DP-14)."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gridman.domain.access import SYSTEM, Actor, require, rights_of
from gridman.domain.codes import table
from gridman.domain.organisation import Organisation
from gridman.domain.rules import require_valid, tidy
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.audit import note
from gridman.services.meanwhile import edits_against
from gridman.store import accounts as rows
from gridman.store.keys import check_passphrase, fold_login
from gridman.store.store import Store
from gridman.store.turns import take_turn
from gridman.store.unit import Reader, Unit
from gridman.store.web_sessions import end_sessions_of

__all__ = [
    "AccountLine", "amend_user", "change_password", "create_user", "page_accounts", "password_hasher", "require_still", "roles_with_account",
    "set_password", "suspend", "verify_account", "verify_login", "wrong_password",
]  # fmt: skip

LOCK_AFTER = 5
LOCK_MS = 15 * 60_000
_MIN_LOGIN, _MAX_LOGIN = 2, 40


@dataclass(frozen=True)
class AccountLine:
    """An account as the administrator sees it. `locked_until`: 0 unless it is locked now."""

    user_id: int
    login: str
    name: str
    role: str
    organisation_id: int
    is_suspended: bool
    has_password: bool
    must_change: bool
    locked_until: int
    device_count: int


@cache
def password_hasher() -> PasswordHasher:
    """Argon2id with 64 MiB, 3 passes, 4 lanes (RFC 9106, second recommendation)."""
    return PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)


def create_user(
    unit: Unit,
    login: str,
    name: str,
    role: str,
    organisation: Organisation | int,
    password: str | None = None,
    *,
    must_change: bool = True,
    hasher: PasswordHasher | None = None,
) -> User:
    """A new user with an account. Without a password the user enrols by code (`enrolment.new_code`).

    Refuses a login that is taken or malformed, an unknown role or organisation, a weak password.
    """
    require(unit.actor, "account.manage")
    folded = _check_login(login)
    _check_role(role)
    organisation_id = organisation if isinstance(organisation, int) else organisation.id
    unit.get(Organisation, organisation_id)
    values = tidy(User, {"login": folded, "name": name, "role": role, "organisation_id": organisation_id})
    require_valid(User, values, is_new=True)
    hashed = _hash(password, folded, hasher)
    take_turn(unit.connection)
    _require_office(unit, organisation_id)
    if rows.account_of_login(unit, folded) is not None:
        raise Refusal(
            "account.login_taken",
            N_("The sign-in name {login} is taken."),
            N_("Choose another one, for example with the grid's number behind it."),
            login=folded,
        )
    user = unit.create(User(**values))
    unit.flush()
    rows.add_account(unit, user.id, folded, hashed, must_change)
    note(unit, "account", "user", user.id, role=role)
    return user


def roles_with_account() -> list[str]:
    """The codes of the roles that an account can have, in the table's order."""
    return [code.code for code in table("role") if rights_of(code.code)]


def _check_role(role: str) -> None:
    if role not in roles_with_account():
        raise Refusal(
            "account.role",
            N_("There is no role {role} with an account."),
            N_("Roles: {roles}."),
            role=role,
            roles=", ".join(roles_with_account()),
        )


def amend_user(
    unit: Unit, user_id: int, *, name: str, role: str, organisation_id: int, phone: str = "", seen: Mapping[str, Any] | None = None
) -> User:  # fmt: skip
    """Another name, role, organisation or phone. What the user's desks hold follows at their next contact. `seen`: the values that the person who
    changes them had before their eyes; what somebody else changed since is left alone, see `gridman.services.meanwhile`.

    Refuses an unknown role or organisation, an empty name, and with ``account.last_admin`` to leave the street without an administrator.
    """
    require(unit.actor, "account.manage")
    take_turn(unit.connection)  # two administrators who step down at one moment would each see the other stay
    unit.hold(User, user_id)
    user = unit.get(User, user_id)
    _check_role(role)
    unit.get(Organisation, organisation_id)
    values = tidy(User, {"name": name, "role": role, "organisation_id": organisation_id, "phone": phone or None})
    require_valid(User, {"login": user.login, **values}, is_new=True)
    if seen is not None:
        current = {field: getattr(user, field) for field in values}
        values = edits_against("user", current, values, tidy(User, {"phone": None, **seen}))
    if values.get("organisation_id", user.organisation_id) != user.organisation_id:
        _require_office(unit, organisation_id)
    if user.role == "sysadmin" and values.get("role", user.role) != "sysadmin":
        _require_another_admin(unit, user)
    unit.amend(user, **values)
    note(unit, "account", "user", user_id, role=user.role)
    return user


def _require_another_admin(unit: Unit, user: User) -> None:
    others = [u for u in unit.page(User, role="sysadmin", limit=1_000) if u.id != user.id and not u.is_suspended]
    if not others:
        raise Refusal(
            "account.last_admin",
            N_("{login} is the street's only administrator."),
            N_("Give somebody else the role sysadmin first."),
            login=user.login,
        )


def _require_office(unit: Unit, organisation_id: int) -> None:
    """Refuse an organisation that is not there or, with ``account.office_retired``, that another administrator has retired meanwhile; until
    the unit ends it is not.
    """
    unit.hold(Organisation, organisation_id)
    office = unit.get(Organisation, organisation_id)
    if office.retired_at is not None:
        raise Refusal(
            "account.office_retired",
            N_("{organisation} is retired: nobody can work there any more."),
            N_("Choose another organisation."),
            organisation=office.name,
        )


def _check_login(login: str) -> str:
    folded = fold_login(login)
    sound = all(c in "._-@" or unicodedata.category(c)[0] in "LN" for c in folded)
    if not sound or not _MIN_LOGIN <= len(folded) <= _MAX_LOGIN:
        raise Refusal(
            "account.login_malformed",
            N_("{login} cannot be a sign-in name."),
            N_("Use 2 to 40 letters, digits, Chinese characters, dots, hyphens or underscores, without blanks."),
            login=login,
        )
    return folded


def _hash(password: str | None, login: str, hasher: PasswordHasher | None) -> str:
    if password is None:
        return ""
    check_passphrase(password, login)
    return (hasher or password_hasher()).hash(_prepare(password))


def _prepare(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def set_password(
    unit: Unit, user_id: int, password: str, *, must_change: bool = True, hasher: PasswordHasher | None = None
) -> None:
    """The administrator gives a user another password; it lifts a lock."""
    require(unit.actor, "account.manage")
    account = _account(unit, user_id)
    _write_password(unit, account, _hash(password, account.login, hasher), must_change)


def change_password(store: Store, actor: Actor, old: str, new: str, *, hasher: PasswordHasher | None = None) -> None:
    """A user replaces the own password, knowing the old one."""
    with store.read() as reader:
        login = _account(reader, actor.user_id).login
    account = verify_account(store, login, old, hasher=hasher)
    hashed = _hash(new, account.login, hasher)  # slow: the writer is not held up by it
    with store.unit(actor) as unit:
        require_still(unit, account, old, hasher)
        _write_password(unit, account, hashed, False)


def require_still(unit: Unit, account: rows.Account, password: str, hasher: PasswordHasher | None) -> None:
    """Refuse with ``auth.wrong_password`` a password that was right a moment ago (`account`: as it was then) and that an administrator has replaced
    since; until the unit ends nobody does.
    """
    take_turn(unit.connection)
    fresh = _account(unit, account.user_id)
    if fresh.password_hash != account.password_hash and not _matches(
        hasher or password_hasher(), fresh.password_hash, password
    ):
        raise wrong_password()


def _write_password(unit: Unit, account: rows.Account, hashed: str, must_change: bool) -> None:
    take_turn(unit.connection)
    rows.amend_account(
        unit, account.user_id, password_hash=hashed, must_change=must_change, failed_count=0, locked_until=0
    )
    end_sessions_of(unit, account.user_id)
    note(unit, "password", "user", account.user_id)


def _account(reader: Reader, user_id: int) -> rows.Account:
    account = rows.account_of_user(reader, user_id)
    if account is None:
        raise Refusal(
            "account.missing",
            N_("User number {id} has no account."),
            N_("See gridman street user list for the accounts there are."),
            id=user_id,
        )
    return account


@cache
def _nobodys_hash(hasher: PasswordHasher) -> str:
    """What an unknown login's password is compared with, so that the answer takes as long as for a known one."""
    return hasher.hash("no such account")


def verify_login(store: Store, login: str, password: str, *, hasher: PasswordHasher | None = None) -> int:
    """The id of the user who signs in, see `verify_account`."""
    return verify_account(store, login, password, hasher=hasher).user_id


def verify_account(store: Store, login: str, password: str, *, hasher: PasswordHasher | None = None) -> rows.Account:
    """The account of the user who signs in, as it was when the password was looked at; what is written on its strength
    asks `require_still`. Takes a store, not a unit: the failure must be counted although the sign-in is refused, and the slow hash must not hold
    up the writer.

    Refuses with ``auth.wrong_password`` (the same for an unknown login), ``auth.locked`` after 5 failures for 15 minutes, or
    ``auth.suspended``.
    """
    hasher = hasher or password_hasher()
    account = start_attempt(store, login)
    stored = account.password_hash if account and account.password_hash else _nobodys_hash(hasher)
    is_right = _matches(hasher, stored, password)
    if account is None or not account.password_hash or not is_right:
        fail_attempt(store, account, "password")
    finish_attempt(store, account)
    if hasher.check_needs_rehash(account.password_hash):
        with store.unit(SYSTEM) as unit:
            require_still(unit, account, password, hasher)
            rows.amend_account(unit, account.user_id, password_hash=hasher.hash(_prepare(password)))
    return account


def _matches(hasher: PasswordHasher, stored: str, password: str) -> bool:
    try:
        return hasher.verify(stored, _prepare(password))
    except (VerificationError, InvalidHashError):
        return False


def start_attempt(store: Store, login: str) -> rows.Account | None:
    """Count a try at this login before its secret is looked at; refuses while the account is locked. None: no such account."""
    folded = fold_login(login)
    if not folded.isprintable():  # no login has such characters, and PostgreSQL cannot even ask for some
        return None
    with store.read() as reader:
        account = rows.account_of_login(reader, folded)
    if account is None:
        return None
    with store.unit(SYSTEM) as unit:
        wait_ms = rows.begin_attempt(unit, account, LOCK_AFTER, LOCK_MS)
    if wait_ms:
        raise Refusal(
            "auth.locked",
            N_("The account is locked after too many wrong passwords."),
            N_("Wait {minutes} minutes, or ask the administrator to set a new password."),
            minutes=-(-wait_ms // 60_000),
            seconds=-(-wait_ms // 1_000),
        )
    return account


def fail_attempt(store: Store, account: rows.Account | None, by: str) -> NoReturn:
    """Note a wrong secret (`by`: password or code) and refuse; says no more than that."""
    with store.unit(SYSTEM) as unit:
        note(unit, "sign_in_failed", "user" if account else None, account.user_id if account else None, by=by)
    raise wrong_password()


def wrong_password() -> Refusal:
    """The refusal ``auth.wrong_password``, which says no more than that."""
    return Refusal(
        "auth.wrong_password",
        N_("The sign-in name, the password or the enrolment code is wrong."),
        N_("Check Caps Lock and the input method, then type it again. A code works once, for 24 hours: ask the administrator for a new "
           "one."),
    )  # fmt: skip


def finish_attempt(store: Store, account: rows.Account) -> None:
    """The secret was right: forget the failures; refuse a suspended user."""
    with store.unit(SYSTEM) as unit:
        rows.amend_account(unit, account.user_id, failed_count=0, locked_until=0)
        user = unit.get(User, account.user_id)
        require_active(user)


def require_active(user: User) -> None:
    """Refuse a user who is suspended or has left."""
    if user.is_suspended or user.retired_at is not None:
        raise Refusal(
            "auth.suspended",
            N_("The account is suspended."),
            N_("Ask the street's administrator."),
        )


def suspend(unit: Unit, user_id: int, is_suspended: bool = True) -> None:
    """Shut a user out of the server at once, or let the user in again. The desks learn it at their next contact."""
    require(unit.actor, "account.manage")
    take_turn(unit.connection)
    unit.hold(User, user_id)
    user = unit.get(User, user_id)
    if is_suspended and user.role == "sysadmin":
        _require_another_admin(unit, user)
    if is_suspended:
        end_sessions_of(unit, user_id)
    unit.amend(user, is_suspended=is_suspended)
    note(unit, "suspend", "user", user_id, suspended=is_suspended)


def page_accounts(reader: Reader, actor: Actor) -> list[AccountLine]:
    """Every account, by login."""
    require(actor, "account.manage")
    counts: dict[int, int] = {}
    for device in rows.devices(reader):
        if device.revoked_at is None:
            counts[device.user_id] = counts.get(device.user_id, 0) + 1
    accounts = rows.accounts(reader)
    users = {
        u.id: u for u in reader.page(User, limit=len(accounts) + 1, with_retired=True, id={a.user_id for a in accounts})
    }
    return [_line(a, users[a.user_id], counts.get(a.user_id, 0), reader.now) for a in accounts if a.user_id in users]


def _line(account: rows.Account, user: User, device_count: int, now: int) -> AccountLine:
    return AccountLine(
        user.id,
        account.login,
        user.name,
        user.role,
        user.organisation_id,
        bool(user.is_suspended),
        bool(account.password_hash),
        account.must_change,
        account.locked_until if account.locked_until > now else 0,
        device_count,
    )
