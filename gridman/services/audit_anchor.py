"""The desks' audit logs at the street: who holds a desk's key could write its log anew, but not what the street has received.

At each synchronisation a desk sends its new lines; the street takes them only as the continuation of what it has, and signs the head. A
desk whose log was cut or changed no longer continues it: that is noted, once, and shown to the administrator.
"""

from dataclasses import dataclass

from msgspec import Struct

from gridman.domain.access import SYSTEM, Actor
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.audit import note
from gridman.services.handover import copied_at
from gridman.services.lease import sign, verify_signature
from gridman.store import accounts as rows
from gridman.store.audit import audit_head, page_audit
from gridman.store.desk_audit import ChainRow, receive_rows, rows_after
from gridman.store.settings import get_setting, put_setting
from gridman.store.store import Store
from gridman.store.unit import Reader, Unit

__all__ = [
    "Anchor",
    "AuditPush",
    "BrokenLog",
    "CHANGED_LOG",
    "COPIED_LOG",
    "anchored",
    "broken_logs",
    "keep_anchor",
    "next_push",
    "receive",
]

_ANCHOR, _TOLD, _SIGNER = "audit.anchor", "audit.told", "street.signer"
_LINES = 500
_BROKEN = "audit_broken"
_MOST_BROKEN = 100_000


class AuditPush(Struct, frozen=True):
    """New lines of a desk's log, those after number `after`, and where the log ends (`NUMBER:DIGEST`)."""

    head: str
    after: int
    rows: list[ChainRow]


class Anchor(Struct, frozen=True):
    """What the street confirms: up to where it has the log (`NUMBER:DIGEST`), signed; not whole: the log was cut or changed."""

    head: str
    signature: str
    is_whole: bool


def receive(store: Store, street_key: bytes, actor: Actor, push: AuditPush) -> Anchor:
    """The street takes a desk's lines in. Refuses with ``http.malformed``."""
    number, _colon, digest = push.head.partition(":")
    if not (number.isascii() and number.isdigit() and len(number) < 16) or len(push.rows) > _LINES:
        raise Refusal(
            "http.malformed",
            N_("The message cannot be read ({why})."),
            N_("Both sides should run the same version of gridman; try again."),
            why="audit",
        )

    def take(unit: Unit) -> tuple[rows.Device, tuple[int, str] | None]:
        rows.lock_device(unit, actor.replica)
        device = rows.device_of(unit, actor.replica)
        assert device is not None  # the caller's token was its
        if push.after > device.audit_n:  # the street was restored from a backup: the desk sends again from there
            reached: tuple[int, str] | None = (device.audit_n, device.audit_digest)
        else:
            reached = receive_rows(unit, device, (int(number), digest), push.rows)
        if reached is None and device.audit_broken_at is None:
            rows.amend_device(unit, device.replica, audit_broken_at=unit.at)
            note(unit, _BROKEN, device=device.replica, line=device.audit_n)
        return device, reached

    device, reached = store.write(SYSTEM, take)
    head = f"{reached[0]}:{reached[1]}" if reached else f"{device.audit_n}:{device.audit_digest}"
    return Anchor(head, sign(store, street_key, _signed(actor.replica, head)), reached is not None)


def _signed(replica: int, head: str) -> bytes:
    return f"gridman audit {replica} {head}".encode()


def next_push(reader: Reader) -> AuditPush | None:
    """What a desk has to send now; None when the street has it all, or was told of this very head already."""
    head = audit_head(reader)
    anchor = anchored(reader)
    if not head or head in (anchor, get_setting(reader, _TOLD)):
        return None
    after = int(anchor.partition(":")[0] or 0)
    return AuditPush(head, after, rows_after(reader, after, _LINES))


def anchored(reader: Reader) -> str:
    """`NUMBER:DIGEST` up to which the street has confirmed this desk's log; empty before the first time."""
    return (get_setting(reader, _ANCHOR) or "").rpartition(":")[0]


def keep_anchor(store: Store, push: AuditPush, anchor: Anchor) -> bool:
    """Keep the street's answer; False when there is nothing more to send now. A confirmation the street did not sign is refused."""
    with store.unit(SYSTEM) as unit:
        signer = get_setting(unit, _SIGNER) or ""
        if signer and not verify_signature(signer, _signed(unit.replica, anchor.head), anchor.signature):
            raise Refusal(
                "sync.unsigned",
                N_("The street's confirmation of this computer's audit log is not signed by the street."),
                N_("Tell the office that looks after gridman."),
            )
        if not anchor.is_whole:
            put_setting(unit, _TOLD, push.head)
            return False
        put_setting(unit, _ANCHOR, f"{anchor.head}:{anchor.signature}")
        return anchor.head != push.head


CHANGED_LOG = N_("The audit log of computer {number} ({name}) was cut or changed after line {line}.")
COPIED_LOG = N_(
    "The data of computer {number} ({name}) was copied: the copies' audit logs cannot both be right after line {line}."
)


@dataclass(frozen=True)
class BrokenLog:
    """A desk's log that did not continue what the street has of it. `line`: the last one that was whole then, as the audit log tells it
    too; `is_copy`: the desk's data lies in two places, whose logs both go on from the same line. `is_open`: somebody has to do something
    about it: always, but for a copy that was shut out, or whose user has set up a computer anew since.
    """

    device: rows.Device
    line: int
    is_copy: bool
    is_open: bool


def broken_logs(reader: Reader) -> list[BrokenLog]:
    """Desks whose audit log was cut or changed, or goes on in two copies."""
    every = rows.devices(reader)
    broken = [d for d in every if d.audit_broken_at is not None]
    if not broken:
        return []
    noted = page_audit(reader, act=_BROKEN, limit=_MOST_BROKEN)
    lines = {row.details["device"]: int(row.details["line"]) for row in noted}
    found = []
    for device in broken:
        copied = copied_at(reader, device.replica)
        is_over = copied is not None and (
            device.revoked_at is not None or any(d.user_id == device.user_id and d.enrolled_at > copied for d in every)
        )
        line = lines.get(device.replica, device.audit_n)
        found.append(BrokenLog(device, line, copied is not None, not is_over))
    return found
