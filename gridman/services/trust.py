"""Trust between a desk and its street: the street's own certificate authority, its fingerprint, and the invitation that carries it.

A desk believes one authority only, the one whose fingerprint came to it by a way of its own: with the enrolment code on paper or as a QR,
or read from the street's screen. The short fingerprint is 12 letters (59 bits) of an Argon2id hash (RFC 9106, second recommended set):
to find another authority with the same letters costs 2^59 such hashes; a plain hash that short would be cheap to meet.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qs, urlencode, urlsplit

from argon2.low_level import Type, hash_secret_raw
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gridman.domain.access import SYSTEM
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.store.settings import get_setting, put_setting
from gridman.store.store import Store
from gridman.store.turns import take_turn
from gridman.store.unit import Reader, Unit

__all__ = [
    "ALPHABET", "CA_KEY", "Authority", "Invitation", "browser_fingerprint", "check_street",
    "desk_authority", "fingerprint_of", "is_same_letters", "keep_authority",
    "keep_desk_authority", "kept_authority", "note_served", "read_invitation", "sealing_password", "served",
]  # fmt: skip

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Nothing that is misread on paper: no 0 O 1 I L."""

CODE_LETTERS, MARK_LETTERS, _GROUP = 8, 12, 4
_SCHEME = "gridman"
_CA, CA_KEY, _PINNED = "tls.ca", "tls.ca_key", "street.ca"
_SERVED_CA, _SERVED_AT = "tls.served_ca", "tls.served_at"
_SALT = b"gridman street CA fingerprint 1"


@dataclass(frozen=True)
class Authority:
    """The street's certificate authority: its certificate, and its private key sealed with the street's key (both PEM)."""

    certificate: bytes
    sealed_key: bytes = field(repr=False)


@dataclass(frozen=True)
class Invitation:
    """What an administrator hands to a new desk: a one-time code and what proves the street. `fingerprint`: 12 letters or, from a QR,
    the 64 hexadecimal digits of the whole SHA-256; "" in a bare code.
    """

    code: str = field(repr=False)
    fingerprint: str = ""
    url: str = ""

    @property
    def words(self) -> str:
        """To be typed: `XXXX-XXXX-FFFF-FFFF-FFFF`."""
        return "-".join(filter(None, (self.code, self.fingerprint)))

    def link(self, authority: bytes) -> str:
        """To be shown as a QR: the address, the code, and the whole fingerprint of the authority's certificate (PEM)."""
        query = {"url": self.url, "code": self.code, "ca": _sha256(authority)}
        return f"{_SCHEME}://enrol?{urlencode(query)}"


def sealing_password(street_key: bytes) -> bytes:
    """The password of the private keys of TLS that lie in the street's data, derived from the street's key."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"gridman tls keys 1").derive(street_key).hex().encode()


def kept_authority(reader: Reader) -> Authority | None:
    """The street's authority; None while none was made."""
    certificate, key = get_setting(reader, _CA), get_setting(reader, CA_KEY)
    return Authority(certificate.encode(), key.encode()) if certificate and key else None


def keep_authority(store: Store, fresh: Authority) -> Authority:
    """Keep a new authority in the street's data; returns the one that counts when two servers make one at the same moment."""
    with store.unit(SYSTEM) as unit:
        take_turn(unit.connection)
        known = kept_authority(unit)
        if known is None:
            put_setting(unit, _CA, fresh.certificate.decode())
            put_setting(unit, CA_KEY, fresh.sealed_key.decode())
        return known or fresh


def note_served(store: Store, authority: bytes, url: str) -> None:
    """Remember which authority desks are to believe and at which address, so that an invitation says the same."""
    with store.read() as reader:
        if served(reader) == (authority, url):
            return
    with store.unit(SYSTEM) as unit:
        put_setting(unit, _SERVED_CA, authority.decode("ascii"))
        put_setting(unit, _SERVED_AT, url)


def served(reader: Reader) -> tuple[bytes, str]:
    """The authority (PEM) and the address by which the street was served last; before, its own authority and no address."""
    own = kept_authority(reader)
    certificate = get_setting(reader, _SERVED_CA)
    return (certificate or "").encode() or (own.certificate if own else b""), get_setting(reader, _SERVED_AT) or ""


def desk_authority(store: Store) -> bytes:
    """The one authority this desk believes (PEM); empty when it was enrolled without TLS, within one computer.

    It lies in the encrypted store: who can write to the desk's folder cannot exchange it.
    """
    with store.read() as reader:
        return (get_setting(reader, _PINNED) or "").encode()


def keep_desk_authority(unit: Unit, certificate: bytes) -> None:
    """Believe this authority, and no other, from now on."""
    put_setting(unit, _PINNED, certificate.decode("ascii"))


def _der(certificate: bytes) -> bytes:
    return x509.load_pem_x509_certificate(certificate).public_bytes(serialization.Encoding.DER)


def _sha256(certificate: bytes) -> str:
    return hashlib.sha256(_der(certificate)).hexdigest()


def browser_fingerprint(certificate: bytes) -> str:
    """The SHA-256 of a certificate (PEM) as browsers show it: `AB:CD:…`."""
    whole = _sha256(certificate).upper()
    return ":".join(whole[at : at + 2] for at in range(0, len(whole), 2))


@lru_cache(maxsize=8)
def fingerprint_of(certificate: bytes) -> str:
    """The short fingerprint of a certificate (PEM), `FFFF-FFFF-FFFF`. ValueError when it is none."""
    stretched = hash_secret_raw(
        _der(certificate), _SALT, time_cost=3, memory_cost=65_536, parallelism=4, hash_len=32, type=Type.ID
    )
    number, letters = int.from_bytes(stretched, "big"), ""
    for _place in range(MARK_LETTERS):
        number, at = divmod(number, len(ALPHABET))
        letters += ALPHABET[at]
    return _grouped(letters)


def _letters(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum())


def _grouped(letters: str) -> str:
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def is_same_letters(one: str, other: str) -> bool:
    """Whether two codes or fingerprints are the same, however they were typed; never two empty ones."""
    first, second = _letters(one), _letters(other)
    return bool(first) and hmac.compare_digest(first.encode(), second.encode())


def read_invitation(text: str) -> Invitation:
    """What was typed (with or without hyphens, with or without the fingerprint) or scanned. Refuses with ``enrol.code_malformed``."""
    text = text.strip()
    if text.lower().startswith(f"{_SCHEME}:"):
        return _from_link(text)
    letters = _letters(text)
    if len(letters) not in (CODE_LETTERS, CODE_LETTERS + MARK_LETTERS) or not set(letters) <= set(ALPHABET):
        raise _malformed()
    return Invitation(_grouped(letters[:CODE_LETTERS]), _grouped(letters[CODE_LETTERS:]))


def _from_link(text: str) -> Invitation:
    try:
        parts = urlsplit(text)
        found = {name: values[0] for name, values in parse_qs(parts.query).items()}
    except ValueError as error:
        raise _malformed() from error
    letters, whole = _letters(found.get("code", "")), found.get("ca", "").lower()
    is_hex = len(whole) == 64 and all(c in "0123456789abcdef" for c in whole)
    if parts.netloc != "enrol" or len(letters) != CODE_LETTERS or not is_hex or not found.get("url"):
        raise _malformed()
    return Invitation(_grouped(letters), whole, found["url"])


def _malformed() -> Refusal:
    return Refusal(
        "enrol.code_malformed",
        N_("This is not an enrolment code."),
        N_("Type all its letters (five groups of four), or the text of the QR that the administrator shows."),
    )


def check_street(certificate: bytes, url: str, fingerprint: str) -> None:
    """Refuse unless the authority that the server at `url` shows (PEM) is the one of the fingerprint: ``enrol.confirm_street`` when none
    was said (the refusal names the one to compare), ``sync.untrusted`` when it is another.
    """
    try:
        shown = fingerprint_of(certificate)
    except ValueError as error:
        raise _other(url) from error
    if not fingerprint:
        raise Refusal(
            "enrol.confirm_street",
            N_("The street server at {url} shows the fingerprint {fingerprint}."),
            N_("Ask the administrator for the street's fingerprint (gridman street certificate). Go on only if it is the same, letter by "
               "letter."),
            url=url,
            fingerprint=shown,
        )  # fmt: skip
    if not is_same_letters(fingerprint, _sha256(certificate) if len(_letters(fingerprint)) == 64 else shown):
        raise _other(url)


def _other(url: str) -> Refusal:
    return Refusal(
        "sync.untrusted",
        N_("The server at {url} is not the street server that the code or the fingerprint belongs to."),
        N_(
            "Do not go on: somebody may stand in between. Check the address and every letter; otherwise tell the administrator."
        ),
        url=url,
    )
