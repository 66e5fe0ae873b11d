"""Undoing an import: what it created is retired and what it changed gets its old value back, as far as nobody has worked on it
since. What somebody has worked on stays, and is named.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gridman.domain.access import Actor, may, require
from gridman.domain.attachment import Attachment
from gridman.domain.building import Dwelling
from gridman.domain.catalog import noun
from gridman.domain.fields import kind_of
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.kernel.words import N_, _
from gridman.services import audit
from gridman.store.batches import batches
from gridman.store.register_batches import (
    Batch,
    Done,
    all_batches,
    done_by,
    find_batch,
    made_since,
    save_batch,
    touched_since,
)
from gridman.store.store import Store
from gridman.store.unit import Reader, Unit

__all__ = ["UndoResult", "undo_import"]

_ALL = 1_000_000
_PER_UNIT = 300


@dataclass
class UndoResult:
    """`retired`, `restored`: records taken back; `kept`: (kind, id) of what somebody has worked on since."""

    batch: str
    retired: int = 0
    restored: int = 0
    kept: list[tuple[str, int]] = field(default_factory=list)


def undo_import(
    store: Store, number: str, actor: Actor, *, progress: Progress = quiet, ticket: Ticket | None = None
) -> UndoResult:
    """Take back batch `number`, in bounded units; an interrupted undoing goes on when repeated.

    A household stays whole: if anything in it was touched or used since (edited, visited, a person added), all of it stays.
    Refuses with ``register.no_batch`` or ``register.undone``, and with ``register.not_yours`` a batch that wrote in grids of others.
    """
    require(actor, "register.import")
    with store.read() as reader:
        batch = _get_batch(reader, number)
        done = done_by(reader, batch.stamps)
        passing = [stamp for other in all_batches(reader) if other.state == "undone" for stamp in _stamps(other)]
        _require_own(reader, number, done, actor)
    result = UndoResult(number)
    created = {record.record_id for record in done if record.kind == "create"}
    amended = [record for record in done if record.kind == "amend" and record.record_id not in created]
    households = _households_of(store, done)
    parts = list(batches(households, _PER_UNIT))
    for at, part in enumerate(parts, start=1):
        if ticket is not None:
            ticket.check()
        with store.unit(actor) as unit:
            if not batch.undone_by:
                audit.note(unit, "import", what="register undo begun", batch=number)
            batch.undone_by.append(unit.stamp)
            _undo_households(unit, part, _Undoing(batch, created, [*passing, *_stamps(batch)]), result)
            save_batch(unit, batch)
        progress(at, len(parts) + 1, N_("Taking back households"))
    with store.unit(actor) as unit:
        _restore(unit, amended, result)
        batch.undone_by.append(unit.stamp)
        batch.state = "undone"
        save_batch(unit, batch)
        audit.note(
            unit, "import", what="register undone", batch=number, retired=result.retired, restored=result.restored,
            kept=len(result.kept),
        )  # fmt: skip
    progress(1, 1, N_("Taking back households"))
    return result


@dataclass(frozen=True)
class _Undoing:
    """`created`: records the batch made; `passing`: stamps of units that do not count as somebody's work: the batch's own, and
    those of other imports that were undone.
    """

    batch: Batch
    created: set[int]
    passing: list[str]

    @property
    def reason(self) -> str:
        return _("Import {number} undone").format(number=self.batch.number)


def _stamps(batch: Batch) -> list[str]:
    return [*batch.stamps, *batch.undone_by]


def _get_batch(reader: Reader, number: str) -> Batch:
    batch = find_batch(reader, number)
    if batch is None:
        raise Refusal(
            "register.no_batch", N_("There is no import with number {number} on this computer."),
            N_("Look the number up in the list of imports; an import is undone where it was made."), number=number,
        )  # fmt: skip
    if batch.state == "undone":
        raise Refusal("register.undone", N_("Import {number} has been undone already."), "", number=number)
    return batch


def _require_own(reader: Reader, number: str, done: Iterable[Done], actor: Actor) -> None:
    """Refuse unless all that the batch wrote lies in the actor's grids: at the street an office finds everybody's imports."""
    if not actor.grid_ids:
        return
    written: dict[str, set[int]] = defaultdict(set)
    for step in done:
        written[step.entity].add(step.record_id)
    kinds: tuple[type[Household | Person | CareTag | Dwelling], ...] = (Household, Person, CareTag, Dwelling)
    for cls in kinds:
        for part in batches(written[kind_of(cls)]):
            for record in reader.page(cls, id=part, with_retired=True, limit=_ALL):
                if record.grid_id is None or not may(actor, "register.import", record.grid_id):
                    raise Refusal(
                        "register.not_yours", N_("Import {number} wrote in grids that are not yours."),
                        N_("Ask the street's administrator to take it back."), number=number,
                    )  # fmt: skip


def _households_of(store: Store, done: Iterable[Done]) -> set[int]:
    """Every household in which the batch created something."""
    created: dict[str, list[int]] = defaultdict(list)
    for record in done:
        if record.kind == "create":
            created[record.entity].append(record.record_id)
    found = set(created[kind_of(Household)])
    with store.read() as reader:
        for part in batches(created[kind_of(Person)]):
            found |= {person.household_id for person in reader.page(Person, id=part, limit=_ALL)}
        for part in batches(created[kind_of(CareTag)]):
            found |= {tag.household_id for tag in reader.page(CareTag, id=part, limit=_ALL)}
    return found


def _undo_households(unit: Unit, ids: Sequence[int], undoing: _Undoing, result: UndoResult) -> None:
    created = undoing.created
    people = unit.page(Person, household_id=ids, limit=_ALL)
    tags = unit.page(CareTag, household_id=ids, limit=_ALL)
    households = unit.page(Household, id=ids, limit=_ALL)
    records: list[Household | Person | CareTag] = [*people, *tags, *households]
    touched = touched_since(unit, {r.id for r in records if r.id in created}, undoing.passing)
    busy = {_household_of(r) for r in records if r.id in touched} | _used(unit, ids, undoing)
    busy |= {p.household_id for p in people if p.id not in created and p.household_id in created}
    busy |= {t.household_id for t in tags if t.id not in created and t.household_id in created}
    for record in records:
        if record.id not in created:
            continue
        if _household_of(record) in busy:
            result.kept.append((kind_of(type(record)), record.id))
        else:
            unit.retire(record, undoing.reason)
            result.retired += 1
    _retire_dwellings(unit, [h for h in households if h.id in created and h.id not in busy], undoing, result)


def _household_of(record: Household | Person | CareTag) -> int:
    return record.id if isinstance(record, Household) else record.household_id


def _used(unit: Unit, ids: Sequence[int], undoing: _Undoing) -> set[int]:
    """Households that something else refers to since the import; one that was there before has its visits of before."""
    used = [(v.id, v.household_id, v.visited_at) for v in unit.page(Visit, household_id=ids, limit=_ALL)]
    incidents = unit.page(Incident, household_id=ids, limit=_ALL)
    used += [(i.id, i.household_id, i.reported_at) for i in incidents if i.household_id]
    used += [(a.id, a.owner_id, 0) for a in unit.page(Attachment, owner_id=ids, limit=_ALL)]
    later = made_since(unit, [record_id for record_id, _home, _at in used], undoing.batch.stamps)
    return {
        home for record_id, home, at in used if home in undoing.created or at >= undoing.batch.at or record_id in later
    }


def _retire_dwellings(unit: Unit, gone: Sequence[Household], undoing: _Undoing, result: UndoResult) -> None:
    unit.flush()
    ids = {h.dwelling_id for h in gone if h.dwelling_id in undoing.created}
    if not ids:
        return
    still_used = {h.dwelling_id for h in unit.page(Household, dwelling_id=ids, limit=_ALL)}
    still_used |= touched_since(unit, {i for i in ids if i}, undoing.passing)
    for dwelling in unit.page(Dwelling, id=ids - still_used, limit=_ALL):
        unit.retire(dwelling, undoing.reason)
        result.retired += 1


def _restore(unit: Unit, amended: Sequence[Done], result: UndoResult) -> None:
    """Give changed fields their old value, the last change first, where the imported value still stands."""
    for record in reversed(amended):
        known = noun(record.entity)
        found = unit.find(known.cls, record.record_id) if known else None
        if found is None:
            continue
        values = {f: record.before.get(f) for f, value in record.after.items() if getattr(found, f) == value}
        unit.amend(found, **values)
        result.restored += bool(values)
        if len(values) < len(record.after):
            result.kept.append((record.entity, record.record_id))
