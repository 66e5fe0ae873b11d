"""The audit log of the street and of its desks as one list, for the auditor (domain reference DP-13, DP-14).

Lines hold ids only, for good. Where the street knows a name that an auditor may see (an account's, a computer's, an organisation's, a grid's),
it is put beside the id when the list is shown; residents stay numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gridman.domain.access import Actor, require
from gridman.domain.grid import Grid
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.kernel.clock import from_day
from gridman.services.audit import verify_chain
from gridman.services.audit_anchor import BrokenLog, broken_logs
from gridman.store import accounts as rows
from gridman.store.audit import AuditRow
from gridman.store.audit_pages import Place, Placed, Wanted, page_lines
from gridman.store.keys import fold_login
from gridman.store.unit import Reader

__all__ = ["LogLine", "LogPage", "Verdict", "page_log", "verify_log"]

_DAY_MS = 86_400_000
_ALL = 100_000
_NAMED: dict[str, type[Organisation] | type[Grid] | type[Region]] = {
    "organisation": Organisation,
    "grid": Grid,
    "region": Region,
}


@dataclass(frozen=True)
class LogLine:
    """One line with the names the street knows: `login` and `name` of who acted, the `computer`, the `record`; empty where it knows none.
    `row.replica`: the computer's number; the street's own lines come from its number. `details`: as noted, numbers of computers and grids
    with their names.
    """

    row: AuditRow
    place: str
    login: str
    name: str
    computer: str
    record: str
    details: dict[str, object]


@dataclass(frozen=True)
class LogPage:
    """Some lines, the newest first. `older`, `newer`: the place to go on from in either direction, empty at the end."""

    lines: list[LogLine]
    older: str
    newer: str


@dataclass(frozen=True)
class Verdict:
    """`broken_line`: the first line of the street's own log that was changed or is missing, None when it is whole; `desks`: the logs of desks
    that were cut or changed, or go on in two copies.
    """

    broken_line: int | None
    desks: tuple[BrokenLog, ...]


def page_log(
    reader: Reader,
    actor: Actor,
    *,
    acts: Iterable[str] = (),
    replica: int | None = None,
    login: str = "",
    day: str = "",
    older: str = "",
    newer: str = "",
    limit: int = 200,
) -> LogPage:
    """Lines of the street and its desks: of some acts, one computer, accounts whose sign-in name has `login` in it, one civil `day`
    ("YYYY-MM-DD"); the newest, or those next to a place. A place or day that is none is taken as not said.
    """
    require(actor, "audit.read")
    begins = _instant_of(day)
    wanted = Wanted(
        frozenset(acts),
        replica,
        _with_login(reader, login) if login else None,
        begins,
        None if begins is None else begins + _DAY_MS,
    )
    before, after = _place_of(older), _place_of(newer)
    found = page_lines(reader, wanted, older_than=before, newer_than=None if before else after, limit=limit + 1)
    has_more = len(found) > limit
    if before is None and after is not None:
        shown = found[1:] if has_more else found
        has_newer, has_older = has_more, bool(found)
    else:
        shown = found[:limit]
        has_newer, has_older = before is not None, has_more
    lines = _named(reader, shown)
    return LogPage(lines, lines[-1].place if has_older and lines else "", lines[0].place if has_newer and lines else "")


def _instant_of(day: str) -> int | None:
    try:
        return from_day(day) if len(day) == 10 else None
    except (ValueError, OverflowError):
        return None


def _place_of(text: str) -> Place | None:
    parts = text.split("-")
    if len(parts) != 4 or not all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
        return None
    return Place(*(int(p) for p in parts))


def _with_login(reader: Reader, login: str) -> frozenset[int]:
    wanted = fold_login(login)
    return frozenset(u.id for u in reader.page(User, limit=_ALL, with_retired=True) if wanted in u.login)


def _named(reader: Reader, lines: list[Placed]) -> list[LogLine]:
    rows_ = [line.row for line in lines]
    ids = {r.actor_id for r in rows_ if r.actor_id} | {
        r.record_id for r in rows_ if r.record_kind == "user" and r.record_id
    }
    users = {u.id: u for u in reader.page(User, id=ids, limit=len(ids) + 1, with_retired=True)} if ids else {}
    computers = {d.replica: d.name for d in rows.devices(reader)}
    names = {kind: _names(reader, kind, rows_) for kind in _NAMED}

    def record(row: AuditRow) -> str:
        if row.record_kind == "user" and row.record_id in users:
            return users[row.record_id].login
        return names.get(row.record_kind or "", {}).get(row.record_id or 0, "")

    def detail(name: str, value: object) -> object:
        known = computers if name == "device" else names["grid"] if name == "grid" else {}
        said = known.get(value, "") if isinstance(value, int) else ""
        return f"{value} ({said})" if said else value

    return [
        LogLine(
            row, "-".join(str(part) for part in place), users[row.actor_id].login if row.actor_id in users else "",
            users[row.actor_id].name if row.actor_id in users else "", computers.get(row.replica or 0, ""), record(row),
            {name: detail(name, value) for name, value in row.details.items()},
        )
        for row, place in lines
    ]  # fmt: skip


def _names(reader: Reader, kind: str, lines: list[AuditRow]) -> dict[int, str]:
    """Names of the records of a kind that lines are about."""
    ids = {r.record_id for r in lines if r.record_kind == kind and r.record_id}
    if kind == "grid":
        ids |= {r.details["grid"] for r in lines if isinstance(r.details.get("grid"), int)}
    found: list[Organisation | Grid | Region] = list(
        reader.page(_NAMED[kind], id=ids, limit=len(ids) + 1, with_retired=True)
    )
    return {record.id: record.name for record in found}


def verify_log(reader: Reader, actor: Actor) -> Verdict:
    """Count the chain through."""
    require(actor, "audit.read")
    return Verdict(verify_chain(reader), tuple(broken_logs(reader)))
