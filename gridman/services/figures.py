"""A street in figures, to tell two of its copies apart: what a backup holds against what is served now."""

from dataclasses import dataclass

from gridman.domain.household import Household
from gridman.domain.incident import OPEN_STATES, Incident
from gridman.domain.person import Person
from gridman.domain.visit import Visit
from gridman.store import accounts as rows
from gridman.store.backup import feed_position
from gridman.store.register_batches import all_batches
from gridman.store.unit import Reader

__all__ = ["Figures", "figures_of"]


@dataclass(frozen=True)
class Figures:
    """Counts of what is in use; `seq`: the last number of the feed; `imports`: of the register, those taken back left out."""

    households: int
    people: int
    visits: int
    incidents: int
    open_incidents: int
    accounts: int
    computers: int
    imports: int
    seq: int


def figures_of(reader: Reader) -> Figures:
    """The figures of this copy."""
    return Figures(
        households=reader.count(Household),
        people=reader.count(Person),
        visits=reader.count(Visit),
        incidents=reader.count(Incident),
        open_incidents=reader.count(Incident, state=set(OPEN_STATES)),
        accounts=len(rows.accounts(reader)),
        computers=sum(d.revoked_at is None for d in rows.devices(reader)),
        imports=sum(batch.state != "undone" for batch in all_batches(reader)),
        seq=feed_position(reader),
    )
