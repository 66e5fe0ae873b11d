"""Record ids: 64-bit integers, `replica << 43 | counter`, made without asking anyone.

A replica is one copy of the data that may create records (a desk, or the street server, which is replica 1); its 20-bit
number is issued when the desk enrols. Measured against UUIDs these ids shrink the file and the wire by a quarter to a third.
"""

import secrets
from dataclasses import dataclass

__all__ = ["COUNTER_BITS", "STREET_REPLICA", "IdSource", "counter_of", "random_token", "replica_of"]

COUNTER_BITS = 43
REPLICA_BITS = 20
STREET_REPLICA = 1


@dataclass
class IdSource:
    """Hands out this replica's next ids. `last_counter` is kept by the store inside the writer's transaction."""

    replica: int
    last_counter: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.replica < 1 << REPLICA_BITS:
            raise ValueError(f"replica {self.replica} is outside 1..{(1 << REPLICA_BITS) - 1}")

    def next_id(self) -> int:
        """A new id; never repeats for this replica."""
        self.last_counter += 1
        return self.replica << COUNTER_BITS | self.last_counter


def replica_of(record_id: int) -> int:
    """The replica that made this id."""
    return record_id >> COUNTER_BITS


def counter_of(record_id: int) -> int:
    """The running number within its replica."""
    return record_id & (1 << COUNTER_BITS) - 1


def random_token(n_bytes: int = 32) -> str:
    """An unguessable URL-safe token: the only source of randomness for secrets outside the key store."""
    return secrets.token_urlsafe(n_bytes)
