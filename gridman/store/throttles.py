"""Leaky buckets that several programs share: how often a stranger may try something costly."""

import hashlib

from sqlalchemy import delete, insert, select, update

from gridman.store import tables
from gridman.store.turns import take_turn
from gridman.store.unit import Unit

__all__ = ["count_call"]


def count_call(unit: Unit, caller: str, per_s: float, burst: int) -> int:
    """Count a call of `caller`, who has `burst` calls at once and `per_s` in the long run; returns 0, or the seconds to wait.

    Who it is, is kept as a digest, and only until the bucket would be full again.
    """
    t, now = tables.throttle, unit.now
    key = hashlib.blake2b(caller.encode(), digest_size=16).hexdigest()
    take_turn(unit.connection)
    unit.connection.execute(delete(t).where(t.c.at < now - int(burst / per_s * 1_000)))
    known = unit.connection.execute(select(t.c.left, t.c.at).where(t.c.caller == key)).first()
    left = float(burst) if known is None else min(float(burst), known.left + max(0, now - known.at) / 1_000 * per_s)
    if left < 1:
        return max(1, round((1 - left) / per_s))
    values = {"left": left - 1, "at": now}
    if known is None:
        unit.connection.execute(insert(t).values(caller=key, **values))
    else:
        unit.connection.execute(update(t).where(t.c.caller == key).values(**values))
    return 0
