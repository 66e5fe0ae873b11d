"""What hangs on records that leave a desk: lines that count them, and what commands on them made here."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Table, select

from gridman.domain.catalog import Noun
from gridman.store import outbox, tables
from gridman.store.batches import batches
from gridman.store.values import unpack

__all__ = ["households_of", "made_for", "table_of"]


def made_for(connection: Connection, ids: Iterable[int]) -> set[tuple[str, int]]:
    """(kind, id) of what answered commands on these records made here and no checkpoint has settled yet: when they lose their effects with
    the record, nothing would remember it.
    """
    j = tables.journal.c
    made: set[tuple[str, int]] = set()
    for part in batches(ids):
        answered = select(j.effects).where(
            j.record_id.in_(part), j.kind == "command", j.state == outbox.ACKNOWLEDGED, j.effects.is_not(None)
        )
        for (effects,) in connection.execute(answered):
            made.update((str(kind), int(i)) for kind, i in unpack(effects).get("made", ()))
    return made


def households_of(connection: Connection, known: Noun, ids: Sequence[int]) -> set[int]:
    """The households whose derived line counts these records."""
    table = table_of(known)
    if known.kind == "household" or "household_id" not in table.c:
        return set()
    owner = table.c.household_id
    found: set[int | None] = set()
    for part in batches(ids):
        found.update(connection.scalars(select(owner).where(table.c.id.in_(part))))
    return {i for i in found if i is not None}


def table_of(known: Noun) -> Table:
    """The table of a noun."""
    table = known.cls.__table__
    assert isinstance(table, Table)
    return table
