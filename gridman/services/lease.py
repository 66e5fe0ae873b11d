"""How long a desk may be opened without its street: a ticket that the street signs anew while it is in contact.

The ticket names the desk, its user, the street's time and the last instant; it is signed with the street's Ed25519 key (RFC 8032), whose
public half the desk got when it was enrolled. The desk counts with a clock that does not go back: the later of its own and the latest it
has seen, so that turning the computer's clock back gains nothing.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gridman.domain.access import SYSTEM
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.store.settings import get_setting, put_setting
from gridman.store.store import Store
from gridman.store.turns import take_turn
from gridman.store.unit import Reader, Unit

__all__ = [
    "LEASE_MS", "SIGNING_KEY", "Lease", "end_lease", "ending_soon", "is_ticket_due", "issue_ticket", "keep_signer", "keep_ticket",
    "lease_of", "note_time", "open_signing_key",
    "require_lease", "sealed_signing_key", "sign", "signer_of", "verify_signature",
]  # fmt: skip

LEASE_MS = 14 * 86_400_000
RENEW_MS = 86_400_000
WARN_MS = 4 * 86_400_000
SIGNING_KEY, _SIGNER, _TICKET, _SEEN = "street.signing_key", "street.signer", "lease.ticket", "lease.seen_at"


class _Ticket(msgspec.Struct, frozen=True):
    replica: int
    user_id: int
    at: int
    not_after: int


@dataclass(frozen=True)
class Lease:
    """How long this desk may still be opened. `not_after` 0: it is not limited (enrolled at a street that gave no ticket)."""

    not_after: int
    now: int

    @property
    def is_over(self) -> bool:
        return bool(self.not_after) and self.now > self.not_after

    @property
    def days_left(self) -> int:
        """Whole days, never below 0."""
        return max(0, (self.not_after - self.now) // 86_400_000)


def _sealing(street_key: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=b"gridman signing key 1").derive(street_key))


def _signing_key(store: Store, street_key: bytes) -> Ed25519PrivateKey:
    """The street's signing key, made when there is none; it lies in the street's data, sealed with the street's key."""
    with store.read() as reader:
        sealed = get_setting(reader, SIGNING_KEY)
    if sealed is None:
        with store.unit(SYSTEM) as unit:
            take_turn(unit.connection)
            sealed = get_setting(unit, SIGNING_KEY)
            if sealed is None:
                sealed = sealed_signing_key(street_key, Ed25519PrivateKey.generate())
                put_setting(unit, SIGNING_KEY, sealed)
    return open_signing_key(street_key, sealed)


def sealed_signing_key(street_key: bytes, key: Ed25519PrivateKey) -> str:
    """A signing key as the street's data keeps it."""
    nonce = secrets.token_bytes(12)
    return (nonce + _sealing(street_key).encrypt(nonce, key.private_bytes_raw(), b"ed25519")).hex()


def open_signing_key(street_key: bytes, sealed: str) -> Ed25519PrivateKey:
    """The signing key out of the street's data. Refuses with ``street.other_key``."""
    raw = bytes.fromhex(sealed)
    try:
        return Ed25519PrivateKey.from_private_bytes(_sealing(street_key).decrypt(raw[:12], raw[12:], b"ed25519"))
    except InvalidTag as error:
        raise Refusal(
            "street.other_key",
            N_("The street's signing key does not open with the street's key file."),
            N_("Put the key file that belongs to this data in its place."),
        ) from error


def signer_of(store: Store, street_key: bytes) -> str:
    """The public half of the street's signing key, hexadecimal: what a new desk is given."""
    return _signing_key(store, street_key).public_key().public_bytes_raw().hex()


def sign(store: Store, street_key: bytes, message: bytes) -> str:
    """The street's signature of a message, base64."""
    return base64.b64encode(_signing_key(store, street_key).sign(message)).decode()


def verify_signature(signer: str, message: bytes, signature: str) -> bool:
    """Whether the street of this public key signed the message."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer))
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def issue_ticket(store: Store, street_key: bytes, replica: int, user_id: int) -> str:
    """A ticket for a desk from now on: two base64 words, what it says and the signature. Fits a header."""
    now = store.clock()
    said = msgspec.json.encode(_Ticket(replica, user_id, now, now + LEASE_MS))
    return f"{base64.b64encode(said).decode()}.{sign(store, street_key, said)}"


def _read(signer: str, ticket: str) -> _Ticket | None:
    said, _, signature = ticket.partition(".")
    try:
        content = base64.b64decode(said, validate=True)
        return msgspec.json.decode(content, type=_Ticket) if verify_signature(signer, content, signature) else None
    except (ValueError, msgspec.DecodeError):
        return None


def keep_signer(unit: Unit, signer: str, ticket: str) -> None:
    """At enrolment: whose tickets this desk accepts, and the first of them."""
    put_setting(unit, _SIGNER, signer)
    if ticket:
        keep_ticket(unit, ticket)


def keep_ticket(unit: Unit, ticket: str) -> bool:
    """Keep a ticket that came with a synchronisation; False when it is not the street's, not this desk's, or an older one."""
    found = _read(get_setting(unit, _SIGNER) or "", ticket)
    known = _known(unit)
    if found is None or found.replica != unit.replica or (known is not None and found.at < known.at):
        return False
    put_setting(unit, _TICKET, ticket)
    put_setting(
        unit, _SEEN, str(found.at)
    )  # the street's word about the time counts more than what a wrong clock has said
    return True


def end_lease(unit: Unit) -> None:
    """This desk opens no more without its street: it was reported lost."""
    put_setting(unit, _TICKET, None)


def _known(reader: Reader) -> _Ticket | None:
    return _read(get_setting(reader, _SIGNER) or "", get_setting(reader, _TICKET) or "")


def lease_of(reader: Reader) -> Lease:
    """How long this desk may still be opened. A desk whose ticket was taken away or changed is over."""
    now = max(reader.now, int(get_setting(reader, _SEEN) or 0))
    if not get_setting(reader, _SIGNER):
        return Lease(0, now)
    found = _known(reader)
    return Lease(found.not_after if found else 1, now)


def is_ticket_due(reader: Reader) -> bool:
    """Whether a synchronisation should ask for another ticket: once a day is enough."""
    lease = lease_of(reader)
    return bool(lease.not_after) and lease.not_after - lease.now < LEASE_MS - RENEW_MS


def note_time(unit: Unit) -> None:
    """Remember that it is at least this late."""
    seen = int(get_setting(unit, _SEEN) or 0)
    if unit.now > seen:
        put_setting(unit, _SEEN, str(unit.now))


def require_lease(reader: Reader) -> None:
    """Refuse a desk that was too long without its street: ``signin.expired``."""
    lease = lease_of(reader)
    if lease.is_over:
        raise Refusal(
            "signin.expired",
            N_("This computer was not in contact with the street for too long; it could be opened until {until}."),
            N_(
                "Connect it to the office's network and sign in again. Nothing is lost: what waits here is sent then. If the street server moved, "
                "type gridman desk server URL."
            ),
            until=show_instant(lease.not_after) if lease.not_after > 1 else "-",
        )


def ending_soon(reader: Reader) -> Refusal | None:
    """What to tell the person in the last days; None while there is time."""
    lease = lease_of(reader)
    if not lease.not_after or lease.not_after - lease.now > WARN_MS:
        return None
    return Refusal(
        "signin.ends_soon",
        N_("Without contact with the street this computer can be opened for {days} more days."),
        N_("Connect it to the office's network and synchronise."),
        days=lease.days_left,
    )
