"""Which version of the protocol a desk and the street speak with each other, and what happens when there is none (sync design D11).

A desk that is too old for the street goes on handing over its work (it is *drained*) and receives nothing until it is updated, so no edit
is stranded on it. A street that is too old for a desk cannot understand its work: that waits on the desk.
"""

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.sync.protocol import Versions

__all__ = ["TOO_OLD", "agreed", "is_drained", "other_versions", "too_old"]

TOO_OLD = "sync.too_old"


def agreed(street: Versions, desk: Versions) -> int:
    """The version of the answer: the highest that both know; of a desk that is drained its own. Refuses with ``sync.too_new``."""
    if desk.lowest > street.highest:
        raise other_versions(desk.highest, street.highest)
    return min(street.highest, desk.highest)


def is_drained(street: Versions, desk: Versions) -> bool:
    """Whether the desk is too old to be given anything, but its work is taken."""
    return desk.highest < street.lowest


def other_versions(theirs: int, ours: int) -> Refusal:
    """There is no version that both sides speak, and it is the street that is behind."""
    return Refusal(
        "sync.too_new",
        N_("This computer and the street server speak different versions of the sync ({theirs} and {ours})."),
        N_("Update the older of the two. Nothing was lost: your work waits on this computer."),
        theirs=theirs,
        ours=ours,
    )


def too_old(desk: Versions, street: Versions) -> Refusal:
    """The desk handed over all it had, and is given nothing."""
    return Refusal(
        "sync.too_old",
        N_("gridman on this computer is too old to receive from the street server (it speaks {theirs}, the street {ours} or later)."),
        N_("Your work was sent and received. Update gridman on this computer; then it receives again."),
        theirs=desk.highest,
        ours=street.lowest,
    )  # fmt: skip
