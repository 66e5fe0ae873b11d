"""Where the keys of bundles lie, always in the encrypted store: a desk's seed and its street's public keys, a street's list of devices' keys."""

import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gridman.domain.access import Actor
from gridman.store.settings import get_setting, put_setting
from gridman.store.store import Store
from gridman.store.unit import Reader, Unit

__all__ = ["desk_seed", "device_keys", "keep_device_keys", "keep_street_keys", "private_keys", "street_keys_here"]

_SEED, _STREET, _DEVICE = "bundle.seed", "bundle.street_keys", "bundle.device_keys"
_SEED_BYTES = 32


def private_keys(seed: bytes) -> bytes:
    """The private halves (64 bytes: to sign, to open) that belong to a seed."""
    return HKDF(hashes.SHA256(), 64, salt=None, info=b"gridman bundle keys 1").derive(seed)


def desk_seed(store: Store, actor: Actor) -> bytes:
    """The secret of this desk's keys, made when first asked for."""
    with store.read() as reader:
        known = get_setting(reader, _SEED)
    if known is None:
        with store.unit(actor) as unit:
            known = get_setting(unit, _SEED) or os.urandom(_SEED_BYTES).hex()
            put_setting(unit, _SEED, known)
    return bytes.fromhex(known)


def street_keys_here(reader: Reader) -> bytes:
    """The street's public keys as this desk was told them; empty before."""
    return bytes.fromhex(get_setting(reader, _STREET) or "")


def keep_street_keys(unit: Unit, public: bytes) -> None:
    """Believe these keys of the street."""
    put_setting(unit, _STREET, public.hex())


def device_keys(reader: Reader, replica: int) -> bytes:
    """A device's public keys as the street was told them; empty before."""
    return bytes.fromhex(get_setting(reader, f"{_DEVICE}.{replica}") or "")


def keep_device_keys(unit: Unit, replica: int, public: bytes) -> None:
    """Note a device's public keys."""
    put_setting(unit, f"{_DEVICE}.{replica}", public.hex())
