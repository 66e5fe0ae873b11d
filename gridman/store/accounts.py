"""The street's rows about sign-in: accounts, devices, enrolment codes. Secrets are stored as digests only."""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, delete, func, insert, select, update

from gridman.kernel.errors import Refusal
from gridman.kernel.ids import REPLICA_BITS, STREET_REPLICA
from gridman.kernel.words import N_
from gridman.store import tables
from gridman.store.store import get_meta, put_meta
from gridman.store.turns import take_turn
from gridman.store.unit import Reader, Unit

__all__ = [
    "Account", "Device", "account_of_login", "account_of_user", "accounts", "add_account", "add_code", "add_device", "amend_account",
    "amend_device", "begin_attempt", "device_of", "devices", "ensure_street", "forget_device", "lock_device", "keep_replicas_from", "skews",
    "street_identity", "take_code",
]  # fmt: skip

_STREET_ID = "street_id"
_REPLICA_FLOOR = "replica_floor"


@dataclass(frozen=True)
class Account:
    """How one user signs in. `password_hash` is empty while none was set (the user enrols by code)."""

    user_id: int
    login: str
    password_hash: str
    must_change: bool
    failed_count: int
    locked_until: int


@dataclass(frozen=True)
class Device:
    """One enrolled desk. `next_digest`: a token handed out that the desk has not used yet. `app`, `lowest`, `highest`: the version of the program
    and those of the sync that it named last; empty and 0 before the first time.
    """

    replica: int
    user_id: int
    name: str
    token_digest: str
    next_digest: str
    enrolled_at: int
    last_seen_at: int
    revoked_at: int | None
    revoked_as: str = ""
    audit_n: int = 0
    audit_digest: str = ""
    audit_broken_at: int | None = None
    app: str = ""
    lowest: int = 0
    highest: int = 0


def _account(row: Row[Any]) -> Account:
    return Account(
        row.user_id, row.login, row.password_hash, bool(row.must_change), row.failed_count or 0, row.locked_until or 0
    )


def _device(row: Row[Any]) -> Device:
    return Device(
        row.replica,
        row.user_id,
        row.name or "",
        row.token_digest or "",
        row.next_digest or "",
        row.enrolled_at or 0,
        row.last_seen_at or 0,
        row.revoked_at,
        row.revoked_as or "",
        row.audit_n or 0,
        row.audit_digest or "",
        row.audit_broken_at,
        row.app or "",
        row.lowest or 0,
        row.highest or 0,
    )


def account_of_login(reader: Reader, login: str) -> Account | None:
    """The account with this (folded) login."""
    row = reader.connection.execute(select(tables.account).where(tables.account.c.login == login)).first()
    return None if row is None else _account(row)


def account_of_user(reader: Reader, user_id: int) -> Account | None:
    """The account of a user."""
    row = reader.connection.execute(select(tables.account).where(tables.account.c.user_id == user_id)).first()
    return None if row is None else _account(row)


def accounts(reader: Reader) -> list[Account]:
    """Every account, by login."""
    return [_account(r) for r in reader.connection.execute(select(tables.account).order_by(tables.account.c.login))]


def add_account(unit: Unit, user_id: int, login: str, password_hash: str, must_change: bool) -> None:
    """A new account. The caller made sure that the login is free, in its turn."""
    values = {"user_id": user_id, "login": login, "password_hash": password_hash, "must_change": must_change}
    unit.connection.execute(insert(tables.account), {**values, "failed_count": 0, "locked_until": 0})


def amend_account(unit: Unit, user_id: int, **values: Any) -> None:
    """Write some columns of an account."""
    _amend(unit, tables.account, "user_id", user_id, values)


def begin_attempt(unit: Unit, account: Account, lock_after: int, lock_ms: int) -> int:
    """Count an attempt before its password is looked at, so that guesses made side by side cannot slip past the lock.

    Returns 0 when the attempt may go on, else the milliseconds to wait.
    """
    take_turn(unit.connection)
    fresh = account_of_user(unit, account.user_id) or account
    if fresh.locked_until > unit.at:
        return min(fresh.locked_until - unit.at, lock_ms)
    failed = (0 if fresh.failed_count >= lock_after else fresh.failed_count) + 1
    amend_account(
        unit, account.user_id, failed_count=failed, locked_until=unit.at + lock_ms if failed >= lock_after else 0
    )
    return 0


def device_of(reader: Reader, replica: int) -> Device | None:
    """The device with this replica number."""
    row = reader.connection.execute(select(tables.device).where(tables.device.c.replica == replica)).first()
    return None if row is None else _device(row)


def devices(reader: Reader, user_id: int | None = None) -> list[Device]:
    """Enrolled desks, oldest first; of one user when told."""
    query = select(tables.device).order_by(tables.device.c.replica)
    if user_id is not None:
        query = query.where(tables.device.c.user_id == user_id)
    return [_device(row) for row in reader.connection.execute(query)]


def skews(reader: Reader) -> dict[int, int]:
    """By how many milliseconds each device's clock was ahead of the street's when it sent last."""
    d = tables.device.c
    return {r.replica: int(r.skew_ms) for r in reader.connection.execute(select(d.replica, d.skew_ms)) if r.skew_ms}


def lock_device(unit: Unit, replica: int) -> None:
    """Let this transaction alone change the device until it ends (SQLite's writer is alone anyway)."""
    d = tables.device
    unit.connection.execute(select(d.c.replica).where(d.c.replica == replica).with_for_update()).all()


def add_device(unit: Unit, user_id: int, name: str, token_digest: str) -> int:
    """A new desk; returns its replica number, the next one never used (2 is the first)."""
    take_turn(unit.connection)
    replica = _highest_replica(unit) + 1
    if replica >= 1 << REPLICA_BITS:
        raise Refusal("enrol.no_numbers", N_("All device numbers are used up."), N_("Tell the makers of the program."))
    unit.connection.execute(
        insert(tables.device),
        {"replica": replica, "user_id": user_id, "name": name, "token_digest": token_digest, "enrolled_at": unit.at},
    )
    return replica


def _highest_replica(reader: Reader) -> int:
    highest = reader.connection.execute(select(func.max(tables.device.c.replica))).scalar() or STREET_REPLICA
    return max(int(highest), int(get_meta(reader, _REPLICA_FLOOR) or 0))


def keep_replicas_from(unit: Unit, skipped: int) -> None:
    """Never hand out the next `skipped` replica numbers: a street restored from a backup may have given them to desks already."""
    take_turn(unit.connection)
    put_meta(unit.connection, _REPLICA_FLOOR, str(_highest_replica(unit) + skipped))


def forget_device(unit: Unit, device: Device) -> None:
    """Take a device that never came to be off the list again. Its number is never given out anew, and the code used for it works once more,
    unless the user was given another one since.
    """
    keep_replicas_from(unit, 0)
    e = tables.enrolment
    newest = select(func.max(e.c.expires_at)).where(e.c.user_id == device.user_id).scalar_subquery()
    ours = (e.c.user_id == device.user_id, e.c.used_at == device.enrolled_at, e.c.expires_at == newest)
    unit.connection.execute(update(e).where(*ours).values(used_at=None))
    unit.connection.execute(delete(tables.device).where(tables.device.c.replica == device.replica))


def amend_device(unit: Unit, replica: int, **values: Any) -> None:
    """Write some columns of a device."""
    _amend(unit, tables.device, "replica", replica, values)


def _amend(unit: Unit, table: Table, key: str, value: int, values: dict[str, Any]) -> None:
    unit.connection.execute(update(table).where(table.c[key] == value).values(**values))


def add_code(unit: Unit, code_digest: str, user_id: int, expires_at: int) -> None:
    """A new enrolment code of a user; the user's older unused ones stop working."""
    e = tables.enrolment
    unit.connection.execute(update(e).where(e.c.user_id == user_id, e.c.used_at.is_(None)).values(used_at=unit.at))
    unit.connection.execute(
        insert(e), {"code_digest": code_digest, "user_id": user_id, "expires_at": expires_at, "used_at": None}
    )


def take_code(unit: Unit, code_digest: str, user_id: int) -> bool:
    """Use up a code: True for exactly one caller, while it has not expired and belongs to the user."""
    e = tables.enrolment
    valid = (e.c.code_digest == code_digest, e.c.user_id == user_id, e.c.used_at.is_(None), e.c.expires_at > unit.at)
    return unit.connection.execute(update(e).where(*valid).values(used_at=unit.at)).rowcount == 1


def ensure_street(unit: Unit) -> None:
    """Give a new street its identity: who it is (for ever) and the epoch of its numbering (anew after a restored backup)."""
    take_turn(unit.connection)
    if get_meta(unit, _STREET_ID) is None:
        put_meta(unit.connection, _STREET_ID, secrets.token_hex(8))
    if unit.connection.execute(select(tables.sync_clock.c.n)).first() is None:
        unit.connection.execute(insert(tables.sync_clock), {"one": 1, "n": 0, "epoch": secrets.token_hex(8)})


def street_identity(reader: Reader) -> tuple[str, str]:
    """The street's id and epoch."""
    epoch = reader.connection.execute(select(tables.sync_clock.c.epoch)).scalar()
    return get_meta(reader, _STREET_ID) or "", str(epoch or "")
