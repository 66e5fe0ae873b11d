"""Rows of long work that was begun on the street's pages: what it is, how far it is, who asked it to stop, and what came of it. They lie in the
database, so that any of a street's server processes can show them, and whoever comes back later.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, delete, insert, select, update

from gridman.store import tables
from gridman.store.unit import Reader, Unit

__all__ = [
    "CANCELLED",
    "DONE",
    "FAILED",
    "LOST",
    "REFUSED",
    "RUNNING",
    "JobRow",
    "add_job",
    "amend_job",
    "find_job",
    "page_jobs",
    "sweep_jobs",
]

RUNNING, DONE, REFUSED, CANCELLED, LOST, FAILED = "running", "done", "refused", "cancelled", "lost", "failed"
_j = tables.job


@dataclass(frozen=True)
class JobRow:
    """One piece of work. `about`: names of files and folders; `done` of `total` (0: not known); instants are 0 where there is none; `result` is
    sealed.
    """

    id: int
    kind: str
    state: str
    user_id: int
    about: dict[str, str]
    started_at: int
    ended_at: int
    cancel_at: int
    step: str
    done: int
    total: int
    result: bytes

    @property
    def is_running(self) -> bool:
        """Whether it has not ended, as far as the row says."""
        return self.state == RUNNING


def add_job(unit: Unit, kind: str, user_id: int, about: dict[str, str]) -> int:
    """Work begins; returns its number."""
    values = {
        "kind": kind, "state": RUNNING, "user_id": user_id, "about": msgspec.json.encode(about).decode(), "started_at": unit.at,
    }  # fmt: skip
    made = unit.connection.execute(insert(_j).values(**values))
    return int((made.inserted_primary_key or (0,))[0])


def amend_job(unit: Unit, job_id: int, **values: Any) -> None:
    """Write some columns."""
    unit.connection.execute(update(_j).where(_j.c.id == job_id).values(**values))


def find_job(reader: Reader, job_id: int) -> JobRow | None:
    """The work with this number."""
    row = reader.connection.execute(select(_j).where(_j.c.id == job_id)).first()
    return None if row is None else _row(row)


def page_jobs(reader: Reader, *, state: str | None = None, limit: int = 50) -> list[JobRow]:
    """The newest work."""
    query = select(_j).order_by(_j.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(_j.c.state == state)
    return [_row(row) for row in reader.connection.execute(query)]


def sweep_jobs(unit: Unit, results_before: int, rows_before: int) -> None:
    """Forget the results of what ended before one instant, and the rows before another."""
    unit.connection.execute(update(_j).where(_j.c.ended_at < results_before).values(result=None))
    unit.connection.execute(delete(_j).where(_j.c.ended_at < rows_before))


def _row(row: Row[Any]) -> JobRow:
    return JobRow(
        row.id, row.kind, row.state, row.user_id or 0, msgspec.json.decode(row.about or "{}", type=dict[str, str]), row.started_at,
        row.ended_at or 0, row.cancel_at or 0, row.step or "", row.done or 0, row.total or 0, row.result or b"",
    )  # fmt: skip
