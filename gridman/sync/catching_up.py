"""A street that was updated takes in the work of newer desks that it could not understand before (`later`)."""

from msgspec import convert

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.catalog import noun
from gridman.kernel.errors import Refusal
from gridman.kernel.log import get_log
from gridman.services.access import actor_of_user, scopes_of_user
from gridman.store.pushed import forget_kept, kept_for_later
from gridman.store.store import Store
from gridman.store.unit import Reader
from gridman.sync.later import KINDS, is_strangers_photo
from gridman.sync.protocol import Op
from gridman.sync.push import Intake

__all__ = ["catch_up"]


def catch_up(store: Store) -> int:
    """Take in what this version understands, in the order in which it came, each under its author's name and rights of today; what cannot
    be applied is kept for review like any other work. Returns how many operations were taken. Costs one question when there is nothing.
    """
    with store.read() as reader:
        waiting = [(number, convert(p["op"], Op), p) for number, p in kept_for_later(reader.connection) if "op" in p]
    taken = 0
    for number, op, found in waiting:
        if not _is_understood(op):
            continue
        with store.read() as reader:
            actor = _author(reader, found["user_id"], found["replica"])
        with store.unit(actor or SYSTEM) as unit:
            if not forget_kept(unit.connection, number):
                continue  # another worker of this street took it
            scopes = scopes_of_user(unit, actor.user_id) if actor is not None else frozenset[str]()
            verdict = Intake(unit, scopes, found["replica"]).take(op)
        get_log(__name__).info("kept operation of device %s: %s", found["replica"], verdict.outcome)
        taken += 1
    return taken


def _is_understood(op: Op) -> bool:
    known = noun(op.entity)
    if known is None or op.kind not in KINDS or is_strangers_photo(op):
        return False
    return op.kind != "amend" or any(name in known.fields for name in op.after)


def _author(reader: Reader, user_id: int, replica: int) -> Actor | None:
    """Who did it; None when there is no such user any more: the work is kept for review then."""
    try:
        return actor_of_user(reader, user_id, replica)
    except Refusal:
        return None
