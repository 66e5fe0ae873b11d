"""The audit log of the street and of its desks as one list, for the auditor (domain reference DP-13, DP-14)."""

from dataclasses import dataclass

from gridman.domain.access import Actor, require
from gridman.domain.user import User
from gridman.services.audit import page_audit, verify_chain
from gridman.services.audit_anchor import broken_desks, desk_lines
from gridman.store.accounts import Device
from gridman.store.audit import AuditRow
from gridman.store.unit import Reader

__all__ = ["LogLine", "Verdict", "page_log", "verify_log"]


@dataclass(frozen=True)
class LogLine:
    """One line with the name of who acted. `row.replica`: the computer; the street's own lines come from its number."""

    row: AuditRow
    login: str


@dataclass(frozen=True)
class Verdict:
    """`broken_line`: the first line of the street's own log that was changed or is missing, None when it is whole; `desks`: those whose log
    was cut or changed.
    """

    broken_line: int | None
    desks: tuple[Device, ...]


def page_log(
    reader: Reader, actor: Actor, *, act: str | None = None, replica: int | None = None, limit: int = 200
) -> list[LogLine]:
    """The newest lines of the street and its desks; of one computer when told."""
    require(actor, "audit.read")
    lines = desk_lines(reader, actor, replica=replica, act=act, limit=limit)
    if replica is None:
        lines += page_audit(reader, actor, act=act, limit=limit)
    lines = sorted(lines, key=lambda line: -line.at)[:limit]
    ids = {line.actor_id for line in lines if line.actor_id}
    names = {u.id: u.login for u in reader.page(User, id=ids, limit=len(ids) + 1, with_retired=True)} if ids else {}
    return [LogLine(line, names.get(line.actor_id or 0, "")) for line in lines]


def verify_log(reader: Reader, actor: Actor) -> Verdict:
    """Count the chain through."""
    require(actor, "audit.read")
    return Verdict(verify_chain(reader), tuple(broken_desks(reader)))
