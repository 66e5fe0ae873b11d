"""Enrolment: a user's computer becomes a desk of the street. It gets a replica number and a token; the street keeps a digest only.

A token is `gm1.REPLICA.SECRET`: it names the device it was made for, and its digest is kept with that device, so a token with another
device's number opens nothing.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from argon2 import PasswordHasher

from gridman.domain.access import SYSTEM, Actor, require
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import random_token
from gridman.kernel.words import N_
from gridman.services.access import actor_of_user, scopes_of_user
from gridman.services.accounts import (
    fail_attempt,
    finish_attempt,
    require_active,
    require_still,
    start_attempt,
    verify_account,
)
from gridman.services.audit import is_fit, note
from gridman.services.handover import LOST, RETIRED, require_open
from gridman.services.trust import ALPHABET
from gridman.store import accounts as rows
from gridman.store.accounts import Device
from gridman.store.store import Store
from gridman.store.unit import Reader, Unit

__all__ = [
    "CODE_MS", "LOST", "RETIRED", "Device", "Enrolled", "actor_of_token", "enrol", "new_code", "note_seen", "plain_name",
    "reason_given", "revoke_device", "rotate_token", "take_back",
]  # fmt: skip

CODE_MS = 24 * 3_600_000
_MAX_DEVICE_NAME = 60
_SEEN_EVERY_MS = 60_000
_TAKE_BACK_MS = 10 * 60_000


@dataclass(frozen=True)
class Enrolled:
    """What a new desk is told once. `token` is secret; everything else may lie in its profile file. `signer`, `ticket`: see
    `gridman.services.lease`."""

    replica: int
    token: str = field(repr=False)
    user_id: int
    login: str
    name: str
    role: str
    organisation_id: int
    street_id: str
    street_epoch: str
    scopes: tuple[str, ...]
    must_change_password: bool
    signer: str = ""
    ticket: str = ""


def new_code(unit: Unit, user_id: int) -> str:
    """A code to type at the new desk, `XXXX-XXXX`: works once, for 24 hours; an older one of the user stops working."""
    require(unit.actor, "account.manage")
    require_active(unit.get(User, user_id))
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    rows.add_code(unit, _code_digest(unit, letters), user_id, unit.at + CODE_MS)
    note(unit, "enrol_code", "user", user_id)
    return f"{letters[:4]}-{letters[4:]}"


def _code_digest(reader: Reader, code: str) -> str:
    """Tied to this street; blanks, hyphens and case do not matter."""
    letters = "".join(c for c in code.upper() if c.isalnum())
    street_id, _ = rows.street_identity(reader)
    return hashlib.sha256(f"gridman code {street_id} {letters}".encode()).hexdigest()


def enrol(
    store: Store,
    login: str,
    device_name: str,
    *,
    password: str | None = None,
    code: str | None = None,
    hasher: PasswordHasher | None = None,
) -> Enrolled:
    """Enrol a desk for the user who knows the password or holds a code.

    Refuses like `accounts.verify_login`; wrong codes count as failures too. Nothing is issued when it refuses.
    """
    if code is None:
        known = verify_account(store, login, password or "", hasher=hasher)
        with store.unit(SYSTEM) as unit:
            require_still(unit, known, password or "", hasher)
            return _issue(unit, known.user_id, device_name)
    account = start_attempt(store, login)
    with store.unit(SYSTEM) as unit:
        taken = account is not None and rows.take_code(unit, _code_digest(unit, code), account.user_id)
        enrolled = _issue(unit, account.user_id, device_name) if account is not None and taken else None
    if account is None or enrolled is None:
        fail_attempt(store, account, "code")
    finish_attempt(store, account)
    return enrolled


def plain_name(device_name: str) -> str:
    """A device's name as it is kept: what can be printed of it, with single spaces, at most 60 characters."""
    return " ".join("".join(c for c in device_name if c.isprintable()).split())[:_MAX_DEVICE_NAME]


def _issue(unit: Unit, user_id: int, device_name: str) -> Enrolled:
    user = unit.get(User, user_id)
    require_active(user)
    account = rows.account_of_user(unit, user_id)
    name = plain_name(device_name)
    secret = random_token()
    replica = rows.add_device(unit, user_id, name, _digest(secret))
    note(unit, "enrol", "user", user_id, device=replica)
    street_id, epoch = rows.street_identity(unit)
    return Enrolled(
        replica=replica,
        token=f"gm1.{replica}.{secret}",
        user_id=user_id,
        login=user.login,
        name=user.name,
        role=user.role,
        organisation_id=user.organisation_id,
        street_id=street_id,
        street_epoch=epoch,
        scopes=tuple(sorted(scopes_of_user(unit, user_id))),
        must_change_password=account is not None and account.must_change and bool(account.password_hash),
    )


def _digest(secret: str) -> str:
    """Plain SHA-256 suffices: the secret has 256 random bits, nobody guesses it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _split(token: str) -> tuple[int, str] | None:
    parts = token.split(".", 2)
    if len(token) > 200 or len(parts) != 3 or parts[0] != "gm1" or not (parts[1].isascii() and parts[1].isdigit()):
        return None
    return (int(parts[1]), _digest(parts[2])) if len(parts[1]) <= 7 and parts[2].isascii() else None


def actor_of_token(reader: Reader, token: str, *, is_farewell: bool = False) -> Actor:
    """Who speaks, by the token of the device; today's role and grids. ``is_farewell``: a removed device may say its last words, even
    those of a user who is suspended.

    Refuses with ``auth.unknown_token``, ``auth.device_revoked``, ``handover.closed`` or ``auth.suspended``.
    """
    device = _device_of_token(reader, token)
    if device.revoked_at is not None:
        if is_farewell:
            require_open(reader, device)
            return actor_of_user(reader, device.user_id, device.replica)
        raise Refusal(
            "auth.device_revoked",
            N_("This computer was removed from the street's list."),
            N_("Ask the street's administrator."),
            replica=device.replica,
            revoked_as=device.revoked_as or LOST,
        )
    require_active(reader.get(User, device.user_id))
    return actor_of_user(reader, device.user_id, device.replica)


def _device_of_token(reader: Reader, token: str) -> Device:
    found = _split(token)
    device = rows.device_of(reader, found[0]) if found else None
    if (
        found
        and device
        and any(hmac.compare_digest(found[1], d) for d in (device.token_digest, device.next_digest) if d)
    ):
        return device
    raise Refusal(
        "auth.unknown_token",
        N_("The street server does not know this computer."),
        N_("Check the server's address; if it is right, enrol this computer again."),
    )


def note_seen(store: Store, actor: Actor, token: str) -> None:
    """Remember that the device called (at most once a minute), and end the old token once the new one is used."""
    found = _split(token)
    with store.read() as reader:
        device = rows.device_of(reader, actor.replica)
        if device is None or found is None:
            return
        uses_next = hmac.compare_digest(found[1], device.next_digest)
        if not uses_next and reader.now - device.last_seen_at < _SEEN_EVERY_MS:
            return

    def keep(unit: Unit) -> None:
        values: dict[str, object] = {"last_seen_at": unit.at}
        if uses_next:
            rows.lock_device(unit, actor.replica)
            fresh = rows.device_of(unit, actor.replica)
            if (
                fresh is not None and fresh.next_digest == found[1]
            ):  # else another call did it, and yet another token may wait
                values |= {"token_digest": fresh.next_digest, "next_digest": None}
        rows.amend_device(unit, actor.replica, **values)

    store.write(actor, keep)


def rotate_token(unit: Unit) -> str:
    """Another token for the calling device. The old one works until the new one is used: the answer may get lost on the way."""
    secret = random_token()
    rows.amend_device(unit, unit.actor.replica, next_digest=_digest(secret))
    note(unit, "token", device=unit.actor.replica)
    return f"gm1.{unit.actor.replica}.{secret}"


def take_back(unit: Unit) -> None:
    """Forget the calling computer: nothing came of it, so the code that was used for it works again. Refuses with ``enrol.in_use`` one that
    has synchronised or was enrolled more than ten minutes ago.
    """
    rows.lock_device(unit, unit.actor.replica)
    device = rows.device_of(unit, unit.actor.replica)
    if device is None or device.highest or device.audit_n or unit.now > device.enrolled_at + _TAKE_BACK_MS:
        raise Refusal(
            "enrol.in_use",
            N_("This computer is in use; its enrolment cannot be taken back."),
            N_("The street's administrator can take it out of service."),
        )
    rows.forget_device(unit, device)
    note(unit, "enrol_failed", "user", device.user_id, device=device.replica)


def revoke_device(unit: Unit, replica: int, revoked_as: str = LOST, reason: str = "") -> None:
    """Shut a computer out at once; at its next contact it hands its unsent work over to the review list and destroys its records. What comes
    from a ``lost`` one, which may be in a stranger's hands, is marked as such and bounded (`gridman.services.handover`).
    ``reason``: goes to the audit log; refuses with ``device.reason`` what may not stand there.
    """
    require(unit.actor, "account.manage")
    if revoked_as not in (LOST, RETIRED):
        raise ValueError(f"a device is revoked as lost or retired, not {revoked_as!r}")
    if not is_fit(reason):
        raise _no_reason()
    device = rows.device_of(unit, replica)
    if device is None:
        raise Refusal(
            "device.missing",
            N_("There is no device number {replica}."),
            N_("See gridman street device list for those there are."),
            replica=replica,
        )
    if device.revoked_at is None or (device.revoked_as == RETIRED and revoked_as == LOST):
        # Its tokens stay, one that was handed out last too: with whichever it has it hears of this and hands over what it has not sent.
        rows.amend_device(unit, replica, revoked_at=unit.at, revoked_as=revoked_as)
        note(
            unit,
            "revoke",
            "user",
            device.user_id,
            device=replica,
            revoked_as=revoked_as,
            **({"reason": reason} if reason else {}),
        )


def reason_given(text: str) -> str:
    """Why a person shuts a computer out, as the audit log keeps it; refuses with ``device.reason`` when nothing is said or it may not stand there."""
    reason = text.strip()
    if not reason or not is_fit(reason):
        raise _no_reason()
    return reason


def _no_reason() -> Refusal:
    """``device.reason``: why a computer is shut out is not said, or not in a way that the audit log may keep."""
    return Refusal(
        "device.reason",
        N_("A reason is needed: at most 200 characters, without identity or phone numbers."),
        N_("In a few words, for example: stolen from the counter; given back."),
    )
