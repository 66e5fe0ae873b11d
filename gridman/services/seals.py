"""What a street keeps in its data under its own key: the signing key, the key of its certificate authority, and, after a change of keys, the
former keys of bundles. They survive a change of the data key: desks go on believing the same street.

A change writes them a second time under the new key, beside the present ones (`.next`); the next opening of the street keeps those that its
key opens (`settle_seals`), so that data and key file never disagree, whenever a kill comes.
"""

import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gridman.domain.access import SYSTEM
from gridman.services.lease import SIGNING_KEY, open_signing_key, sealed_signing_key
from gridman.services.trust import CA_KEY, sealing_password
from gridman.store.bundle_keys import private_keys
from gridman.store.rotation import NEXT
from gridman.store.settings import get_setting, put_setting
from gridman.store.store import Store
from gridman.store.turns import take_turn
from gridman.store.unit import Reader, Unit

__all__ = ["former_bundle_keys", "reseal", "resealed_pem", "settle_seals"]

_FORMER = "bundle.former_keys"
_NONCE = 12


def reseal(store: Store, old: bytes, new: bytes) -> None:
    """Write everything sealed a second time, for the key to come."""
    with store.unit(SYSTEM) as unit:
        take_turn(unit.connection)
        signing, ca_key = get_setting(unit, SIGNING_KEY), get_setting(unit, CA_KEY)
        if signing:
            put_setting(unit, SIGNING_KEY + NEXT, sealed_signing_key(new, open_signing_key(old, signing)))
        if ca_key:
            put_setting(unit, CA_KEY + NEXT, resealed_pem(ca_key.encode(), old, new).decode())
        put_setting(unit, _FORMER + NEXT, _sealed(new, [*_former(unit, old), private_keys(old)]))


def resealed_pem(content: bytes, old: bytes, new: bytes) -> bytes:
    """PEM text whose private key is encrypted for another street key; certificates in it stay as they are."""
    key = serialization.load_pem_private_key(content, sealing_password(old))
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(sealing_password(new)),
    )
    start = content.index(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    end = content.index(b"-----END ENCRYPTED PRIVATE KEY-----") + len(b"-----END ENCRYPTED PRIVATE KEY-----\n")
    return content[:start] + sealed + content[end:]


def settle_seals(store: Store, key: bytes) -> None:
    """After a change of keys, or one that was cut off: keep of each pair the one that `key` opens."""
    with store.read() as reader:
        if get_setting(reader, _FORMER + NEXT) is None:
            return
    with store.unit(SYSTEM) as unit:
        take_turn(unit.connection)
        waiting = get_setting(unit, _FORMER + NEXT)
        if waiting is None:
            return
        is_ours = _opened(key, waiting) is not None
        for name in (SIGNING_KEY, CA_KEY, _FORMER):
            fresh = get_setting(unit, name + NEXT)
            if is_ours and fresh is not None:
                put_setting(unit, name, fresh)
            put_setting(unit, name + NEXT, None)


def former_bundle_keys(store: Store, key: bytes) -> tuple[bytes, ...]:
    """The private keys of bundles from before each change of the data key, the oldest first."""
    with store.read() as reader:
        return tuple(_former(reader, key))


def _former(reader: Reader | Unit, key: bytes) -> list[bytes]:
    kept = get_setting(reader, _FORMER)
    return (_opened(key, kept) or []) if kept else []


def _sealer(key: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"gridman former bundle keys 1").derive(key))


def _sealed(key: bytes, keys: list[bytes]) -> str:
    nonce = secrets.token_bytes(_NONCE)
    return (nonce + _sealer(key).encrypt(nonce, msgspec.msgpack.encode(keys), b"former")).hex()


def _opened(key: bytes, sealed: str) -> list[bytes] | None:
    raw = bytes.fromhex(sealed)
    try:
        return msgspec.msgpack.decode(_sealer(key).decrypt(raw[:_NONCE], raw[_NONCE:], b"former"), type=list[bytes])
    except InvalidTag:
        return None
