"""Batches of an imported register: which units of work they took, so that an interrupted import goes on and a whole one can be
undone. The journal knows what each unit did.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
from sqlalchemy import func, select

from gridman.store import tables
from gridman.store.batches import batches
from gridman.store.store import get_meta, put_meta
from gridman.store.unit import Reader, Unit
from gridman.store.values import unpack

__all__ = ["Batch", "Done", "all_batches", "done_by", "find_batch", "made_since", "save_batch", "touched_since"]

_PREFIX = "register_batch:"


@dataclass
class Batch:
    """One import. `state`: "open" (interrupted, or running), "done", "undone". `digest` tells the rows; `stamps` its units;
    `undone_by` the units that took it back.
    """

    number: str
    digest: str
    source: str
    at: int
    actor_id: int
    state: str = "open"
    stamps: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    undone_by: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Done:
    """One thing a batch did to one record. `after` is empty when the record was created."""

    kind: str
    entity: str
    record_id: int
    after: dict[str, Any]
    before: dict[str, Any]


def save_batch(unit: Unit, batch: Batch) -> None:
    """Keep the batch as it is now, in the unit's own transaction."""
    put_meta(unit.connection, _PREFIX + batch.number, msgspec.json.encode(asdict(batch)).decode())


def find_batch(reader: Reader, number: str) -> Batch | None:
    """The batch with this number, or None."""
    text = get_meta(reader, _PREFIX + number)
    return msgspec.json.decode(text, type=Batch) if text else None


def all_batches(reader: Reader) -> list[Batch]:
    """Every batch, the newest first."""
    m = tables.meta.c
    query = select(m.value).where(m.key.startswith(_PREFIX, autoescape=True))
    found = [msgspec.json.decode(text, type=Batch) for text in reader.connection.scalars(query)]
    return sorted(found, key=lambda batch: (batch.at, batch.number), reverse=True)


def done_by(reader: Reader, stamps: Sequence[str]) -> list[Done]:
    """What the units with these stamps did, in order."""
    j = tables.journal.c
    query = (
        select(j.id, j.kind, j.entity, j.record_id, j.after, j.before)
        .where(j.stamp.in_(list(stamps)), j.kind.in_(("create", "amend")))
        .order_by(j.id)
    )
    return [
        Done(r.kind, r.entity, r.record_id, {} if r.kind == "create" else unpack(r.after), unpack(r.before))
        for r in reader.connection.execute(query)
    ]


def touched_since(reader: Reader, record_ids: Iterable[int], stamps: Sequence[str]) -> set[int]:
    """Those of the records that some other unit changed after these."""
    j = tables.journal.c
    found: set[int] = set()
    for part in batches(record_ids):
        query = select(j.record_id).where(j.record_id.in_(part), j.stamp.not_in(list(stamps)))
        found.update(reader.connection.scalars(query))
    return found


def made_since(reader: Reader, record_ids: Iterable[int], stamps: Sequence[str]) -> set[int]:
    """Those of the records that were made after the first unit with one of these stamps."""
    j = tables.journal.c
    first = reader.connection.scalar(select(func.min(j.id)).where(j.stamp.in_(list(stamps))))
    found: set[int] = set()
    for part in batches(record_ids if first is not None else ()):
        query = select(j.record_id).where(j.record_id.in_(part), j.kind == "create", j.id > first)
        found.update(reader.connection.scalars(query))
    return found
