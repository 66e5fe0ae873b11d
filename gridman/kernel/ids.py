"""Record ids: 64-bit integers, `replica << 43 | counter`, made without asking anyone.

A replica is one copy of the data that may create records (a desk, or the street server, which is replica 1); its 20-bit
number is issued when the desk enrols. Measured against UUIDs these ids shrink the file and the wire by a quarter to a third.
"""

import secrets

__all__ = ["COUNTER_BITS", "STREET_REPLICA", "counter_of", "random_token", "replica_of"]

COUNTER_BITS = 43
REPLICA_BITS = 20
STREET_REPLICA = 1


def replica_of(record_id: int) -> int:
    """The replica that made this id."""
    return record_id >> COUNTER_BITS


def counter_of(record_id: int) -> int:
    """The running number within its replica."""
    return record_id & (1 << COUNTER_BITS) - 1


def random_token(n_bytes: int = 32) -> str:
    """An unguessable URL-safe token: the only source of randomness for secrets outside the key store."""
    return secrets.token_urlsafe(n_bytes)
