"""A desk whose data is a copy, or was put back from one: the street has other work under its numbers already. It must be set up anew; what
waits on it goes to the street's review list first (`farewell`), and its person is told how much that was.
"""

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["FORK", "fork", "fork_after_rescue"]

FORK = "sync.fork"


def fork() -> Refusal:
    """Taking rows in would bring records whose numbers this copy is about to give out again, so nothing is taken in any more."""
    return Refusal(
        "sync.fork",
        N_("The street already has other work under this computer's numbers: its data was copied or restored from a backup."),
        N_("Set this computer up again from the street server (Sync page, or gridman desk enrol --again); what waits here goes to the street's "
           "review list at its next contact."),
    )  # fmt: skip


def fork_after_rescue(count: int) -> Refusal:
    """`count` cards of the street's review list are its work by now, and nothing waits."""
    what = fork().text
    if not count:
        return Refusal(
            FORK,
            what,
            N_("The street knows all that was written here, nothing is lost. "
               "Set this computer up again from the street server (Sync page, or gridman desk enrol --again)."),
        )  # fmt: skip
    return Refusal(
        FORK,
        what,
        N_("Nothing is lost: what was written here went to the street's review list (entries: {count}). "
            "Set this computer up again from the street server (Sync page, or gridman desk enrol --again)."),
        count=count,
    )  # fmt: skip
