"""The audit logs of the desks as the street received them: each desk's chain goes on where it stopped, or it was tampered with."""

from typing import Any

import msgspec
from sqlalchemy import insert, select

from gridman.kernel.clock import INSTANTS
from gridman.store import accounts, tables
from gridman.store.accounts import Device
from gridman.store.audit import FIRST, digest_of_row
from gridman.store.unit import Reader, Unit

__all__ = ["ChainRow", "receive_rows", "rows_after"]


class ChainRow(msgspec.Struct, array_like=True, frozen=True):
    """One line of a desk's log as it travels, with what makes it a link of the chain."""

    id: int
    at: int
    actor_id: int | None
    replica: int | None
    act: str
    record_kind: str | None
    record_id: int | None
    details: str | None
    previous: str
    digest: str

    def is_sound(self) -> bool:
        """Whether it is a line of a log that both databases can keep and the auditor's page can show, and its digest covers it."""
        texts = (self.act, self.record_kind, self.details, self.previous, self.digest)
        numbers = (self.id, self.at, self.actor_id, self.record_id)
        if (
            any("\x00" in t for t in texts if t)
            or any(abs(n) >= 1 << 63 for n in numbers if n)
            or abs(self.replica or 0) >= 1 << 31
            or not 0 <= self.at < INSTANTS.stop
        ):
            return False
        try:
            details = msgspec.json.decode(self.details or "{}", type=dict[str, str | int | bool | None])
        except (msgspec.DecodeError, UnicodeError):
            return False
        if any(isinstance(v, int) and abs(v) >= 1 << 63 for v in details.values()):
            return False
        return self.digest == digest_of_row(msgspec.structs.asdict(self))


def rows_after(reader: Reader, n: int, limit: int) -> list[ChainRow]:
    """A desk's own lines after number `n`, oldest first."""
    a = tables.audit
    names = ChainRow.__struct_fields__
    query = select(*(a.c[name] for name in names)).where(a.c.id > n).order_by(a.c.id).limit(limit)
    return [ChainRow(*row) for row in reader.connection.execute(query)]


def receive_rows(unit: Unit, device: Device, head: tuple[int, str], rows: list[ChainRow]) -> tuple[int, str] | None:
    """Take in lines of a desk whose log ends at `head` (number, digest); lines known already are compared. Returns number and digest up to
    which the log is here and whole; None when it was cut or changed.
    """
    if head[0] < device.audit_n or (head[0] == device.audit_n > 0 and head[1] != device.audit_digest):
        return None  # lines that were here are gone there, or others
    if not all(0 < r.id < 1 << 63 for r in rows):
        return None  # no log has such lines, and no database could look for them
    known = _digests(unit, device.replica, [r.id for r in rows if r.id <= device.audit_n])
    if any(known.get(r.id) != r.digest for r in rows if r.id <= device.audit_n):
        return None
    n, digest, fresh = device.audit_n, device.audit_digest or FIRST, []
    for row in rows:
        if row.id <= device.audit_n:
            continue
        if row.id != n + 1 or row.previous != digest or not row.is_sound():
            return None
        n, digest = row.id, row.digest
        fresh.append(_stored(device.replica, row))
    if fresh:
        unit.connection.execute(insert(tables.desk_audit), fresh)
        accounts.amend_device(unit, device.replica, audit_n=n, audit_digest=digest)
    return n, digest


def _digests(unit: Unit, replica: int, numbers: list[int]) -> dict[int, str]:
    d = tables.desk_audit.c
    query = select(d.n, d.digest).where(d.replica == replica, d.n.in_(numbers))
    return {row.n: row.digest for row in unit.connection.execute(query)} if numbers else {}


def _stored(replica: int, row: ChainRow) -> dict[str, Any]:
    values = msgspec.structs.asdict(row)
    number = values.pop("id")
    return {**values, "replica": replica, "n": number, "desk": row.replica}
