"""How often somebody may try what costs the street much: counted in its data, so for all programs that serve it."""

from gridman.domain.access import SYSTEM
from gridman.store.store import Store
from gridman.store.throttles import count_call

__all__ = ["seconds_to_wait"]


def seconds_to_wait(store: Store, caller: str, per_s: float, burst: int) -> int:
    """Count a trial of `caller`; 0, or how long to wait before the next."""
    return store.write(SYSTEM, lambda unit: count_call(unit, caller, per_s, burst))
