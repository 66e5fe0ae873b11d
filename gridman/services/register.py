"""The register of residents from an office's spreadsheet: a dry run that says what would happen, the import in bounded units that
may be interrupted and repeated, and its undoing (`register_undo.py`).
"""

import gc
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from gridman.domain.access import Actor, may, require
from gridman.domain.masking import mask_within
from gridman.domain.register_row import CellProblem, RegisterRow
from gridman.domain.user import User
from gridman.kernel.clock import day_of
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.kernel.words import N_
from gridman.services import audit
from gridman.services.register_match import Match, match_households
from gridman.services.register_plan import HouseholdRows, RegisterPlan, UnknownPlace, plan_register
from gridman.services.register_write import RegisterWriter
from gridman.store.register_batches import Batch, all_batches, find_batch, save_batch
from gridman.store.store import Store
from gridman.store.unit import Reader, Unit

__all__ = [
    "Batch", "ImportResult", "RegisterReport", "all_batches", "check_register", "find_batch", "import_register", "page_batches",
]  # fmt: skip

_ALL = 100_000


@dataclass
class RegisterReport:
    """What an import of these rows would do. Counts are rows, except the household ones."""

    row_count: int = 0
    new_count: int = 0
    changed_count: int = 0
    same_count: int = 0
    refused_count: int = 0
    new_households: int = 0
    problems: list[CellProblem] = field(default_factory=list)
    unknown_places: list[UnknownPlace] = field(default_factory=list)

    @property
    def errors(self) -> list[CellProblem]:
        """The problems that keep a row out."""
        return [problem for problem in self.problems if not problem.is_warning]

    @property
    def warnings(self) -> list[CellProblem]:
        """What should be looked at though the row is imported."""
        return [problem for problem in self.problems if problem.is_warning]


@dataclass
class ImportResult(RegisterReport):
    """What an import did. `batch`: its number, "" when there was nothing to do; `counts`: records written, by kind."""

    batch: str = ""
    counts: dict[str, int] = field(default_factory=dict)


T = TypeVar("T", bound=RegisterReport)


def check_register(
    reader: Reader, rows: Sequence[RegisterRow], actor: Actor, progress: Progress = quiet
) -> RegisterReport:
    """The dry run: nothing is written."""
    require(actor, "register.import")
    plan = plan_register(reader, rows, actor)
    report = _report_of(RegisterReport(), plan)
    for done, part in _parts(plan.households, 500):
        for match in match_households(reader, part, day_of(reader.now), actor):
            _count(report, match)
        progress(done, len(plan.households), N_("Comparing with the register"))
    return _finish(report)


def import_register(
    store: Store,
    rows: Sequence[RegisterRow],
    actor: Actor,
    *,
    source: str = "",
    progress: Progress = quiet,
    ticket: Ticket | None = None,
    households_per_unit: int = 500,
) -> ImportResult:
    """Write what `check_register` foretells, `households_per_unit` households in one transaction. Rows with errors are left out.

    An import that was interrupted (`ticket`, a power cut) goes on when repeated, under the same batch number; repeating a finished
    one changes nothing. Raises Cancelled between two units when `ticket` says so. `source`: the file's name, for the audit.
    """
    require(actor, "register.import")
    with store.read() as reader:
        plan = plan_register(reader, rows, actor)
        batch = _open_batch(reader, rows, actor, source)
    result = _report_of(ImportResult(), plan)
    for done, part in _parts(plan.households, households_per_unit):
        if ticket is not None:
            ticket.check()
        with _uncollected(), store.unit(actor) as unit:
            _import_part(unit, part, batch, result)
        progress(done, len(plan.households), N_("Importing households"))
    _finish(result)
    if batch.stamps and batch.state == "open":
        _close_batch(store, actor, batch, result)
    return result


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection while thousands of records come to life that all stay until the commit: it only searches them again
    and again (28 % of an import).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _report_of(report: T, plan: RegisterPlan) -> T:
    report.row_count = plan.row_count
    report.problems = list(plan.problems)
    report.unknown_places = plan.unknown_places
    return report


def _parts(households: Sequence[HouseholdRows], size: int) -> Iterator[tuple[int, Sequence[HouseholdRows]]]:
    for start in range(0, len(households), size):
        part = households[start : start + size]
        yield start + len(part), part


def _count(report: RegisterReport, match: Match) -> None:
    report.problems += match.problems
    if match.household is None and match.people:
        report.new_households += 1
    for one in match.people:
        if one.person is None:
            report.new_count += 1
        elif one.values or one.new_groups or one.ended:
            report.changed_count += 1
        else:
            report.same_count += 1


def _finish(report: T) -> T:
    report.refused_count = report.row_count - report.new_count - report.changed_count - report.same_count
    report.problems.sort(key=lambda problem: (problem.sheet, problem.row))
    return report


def _open_batch(reader: Reader, rows: Sequence[RegisterRow], actor: Actor, source: str) -> Batch:
    """The interrupted batch of these very rows, else a new one (kept at its first write)."""
    digest = _digest(rows)
    known = all_batches(reader)
    for batch in known:
        if batch.digest == digest and batch.state == "open":
            return batch
    day = day_of(reader.now)
    today = sum(batch.number.startswith(f"R{day.replace('-', '')}") for batch in known)
    number = f"R{day.replace('-', '')}-{actor.replica:03d}-{today + 1:03d}"
    return Batch(number, digest, mask_within(source)[:100], reader.now, actor.user_id)


def page_batches(reader: Reader, actor: Actor) -> list[Batch]:
    """The imports there were, the newest first: all of them for administrators, for others those of their own office."""
    require(actor, "register.import")
    found = sorted(all_batches(reader), key=lambda batch: -batch.at)
    if may(actor, "account.manage"):
        return found
    office = {u.id for u in reader.page(User, organisation_id=actor.organisation_id, with_retired=True, limit=_ALL)}
    return [batch for batch in found if batch.actor_id in office]


def _digest(rows: Sequence[RegisterRow]) -> str:
    """Tells the same rows again, wherever the file lies."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr((sorted(row.person.items()), row.address, row.household_no, row.care)).encode())
    return digest.hexdigest()


def _close_batch(store: Store, actor: Actor, batch: Batch, result: ImportResult) -> None:
    with store.unit(actor) as unit:
        batch.state = "done"
        save_batch(unit, batch)
        audit.note(
            unit, "import", what="register", batch=batch.number, source=batch.source, rows=result.row_count,
            new=result.new_count, changed=result.changed_count, refused=result.refused_count,
        )  # fmt: skip


def _import_part(unit: Unit, part: Sequence[HouseholdRows], batch: Batch, result: ImportResult) -> None:
    writer = RegisterWriter(unit)
    for match in match_households(unit, part, day_of(unit.at), unit.actor):
        _count(result, match)
        if match.people:
            writer.write(match)
    if not writer.written:
        return
    if not batch.stamps:  # noted with the first of it: one that is stopped or killed is never closed
        audit.note(unit, "import", what="register begun", batch=batch.number, source=batch.source)
    batch.stamps.append(unit.stamp)
    batch.counts = dict(Counter(batch.counts) + writer.written)
    save_batch(unit, batch)
    result.batch, result.counts = batch.number, batch.counts
