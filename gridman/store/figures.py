"""Counts that tell how a copy of the data is doing, and nothing of what is in it: for reports to those who look after gridman."""

from sqlalchemy import func, select

from gridman.domain.fields import Record
from gridman.store import tables
from gridman.store.unit import Reader

__all__ = ["figures"]


def figures(reader: Reader) -> dict[str, int]:
    """Rows of each table, operations in each state and with each kind of refusal (by code), the feed's last number."""
    run = reader.connection.execute
    found = {
        f"rows {table.name}": int(run(select(func.count()).select_from(table)).scalar_one())
        for table in Record.metadata.sorted_tables
    }
    j = tables.journal.c
    states = run(select(j.state, j.verdict, func.count()).where(j.op_n.is_not(None)).group_by(j.state, j.verdict))
    found |= {f"operations {state} {verdict or '-'}": int(count) for state, verdict, count in states}
    found["feed number"] = int(run(select(func.max(tables.sync_clock.c.n))).scalar() or 0)
    found["operation number"] = int(run(select(func.max(j.op_n))).scalar() or 0)
    return found
