"""Work of a desk that is newer than its street: what the street does not know yet it keeps as it came, says so, and takes in once it has been
updated itself (`catching_up`; sync design D11). The desk goes on showing it meanwhile.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import to_builtins

from gridman.domain.access import Actor
from gridman.domain.catalog import noun
from gridman.kernel.words import N_
from gridman.sync.protocol import Op

__all__ = ["KINDS", "is_strangers_photo", "kept", "later"]

KINDS = frozenset(("create", "amend", "command"))
"""What can be done to a record, as this version knows it."""


def is_strangers_photo(op: Op) -> bool:
    """Whether it is a photo of a kind of record that only a later version knows."""
    owner = op.after.get("owner_kind")
    return op.entity == "attachment" and op.kind == "create" and isinstance(owner, str) and noun(owner) is None


def kept(op: Op, actor: Actor, replica: int) -> dict[str, Any]:
    """An operation, or the part of it that is not understood, as it is kept."""
    return {"op": to_builtins(op, builtin_types=(bytes,)), "user_id": actor.user_id, "replica": replica}


def later(entity: str, fields: Iterable[str] = ()) -> tuple[str, str, str, dict[str, str]]:
    """What the desk is told. `fields`: those that wait; none: the whole operation does."""
    names = sorted(fields)
    return (
        "sync.later",
        N_("The street server is older than this computer and does not know this yet ({what})."),
        N_("It keeps it and takes it in when it is updated. Nothing has to be done here."),
        {"what": ", ".join(names) or entity, "fields": ",".join(names)},
    )
