"""How the street stands, in numbers an administrator looks at in the morning; no personal values."""

from dataclasses import dataclass

from gridman.domain.access import Actor, require
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.domain.incident import OPEN_STATES, Incident
from gridman.domain.user import User
from gridman.services.audit_anchor import BrokenLog, broken_logs
from gridman.services.monitoring import LAST_BACKUP
from gridman.store import accounts as rows
from gridman.store.audit import page_audit
from gridman.store.backup import feed_position
from gridman.store.settings import get_setting
from gridman.store.unit import Reader

__all__ = ["QUIET_MS", "WRONG_CLOCK_MS", "DeskLine", "Overview", "overview", "page_desks"]

QUIET_MS = 10 * 86_400_000
"""A desk that was silent that long stays shut in four days (`gridman.services.lease`)."""
WRONG_CLOCK_MS = 5 * 60_000


@dataclass(frozen=True)
class DeskLine:
    """An enrolled computer. `skew_ms`: how far its clock was ahead of the street's at its last sending (negative: behind). `broken`: what is
    wrong with its audit log.
    """

    device: rows.Device
    login: str
    user_name: str
    skew_ms: int
    is_quiet: bool
    broken: BrokenLog | None = None

    @property
    def is_active(self) -> bool:
        """Neither lost nor retired."""
        return self.device.revoked_at is None

    @property
    def is_waited_for(self) -> bool:
        """Enrolled, and not heard of yet."""
        return self.is_active and not self.device.last_seen_at

    @property
    def has_taken_leave(self) -> bool:
        """Taken out of service, and it has called since: what it had not sent is here."""
        return self.device.revoked_at is not None and self.device.last_seen_at > self.device.revoked_at

    def is_too_old(self, lowest: int) -> bool:
        """Whether it speaks none of the versions of the sync that the street gives, whose lowest is told: its work is taken, it gets nothing."""
        return 0 < self.device.highest < lowest

    @property
    def has_wrong_clock(self) -> bool:
        """More than five minutes away."""
        return abs(self.skew_ms) > WRONG_CLOCK_MS


@dataclass(frozen=True)
class Overview:
    """`last_backup_at`: 0 when none was made. `waiting`: values that lost or are held and wait for a person's decision."""

    desks: tuple[DeskLine, ...]
    feed: int
    waiting: int
    households: int
    open_incidents: int
    accounts: int
    must_change: int
    locked: int
    last_backup_at: int
    failed_sign_ins: int


def page_desks(reader: Reader, actor: Actor) -> list[DeskLine]:
    """Every enrolled computer, oldest first."""
    require(actor, "account.manage")
    found = rows.devices(reader)
    users = (
        {u.id: u for u in reader.page(User, id={d.user_id for d in found}, limit=len(found) + 1, with_retired=True)}
        if found
        else {}
    )
    skews = rows.skews(reader)
    broken = {b.device.replica: b for b in broken_logs(reader)}
    return [
        DeskLine(
            d,
            users[d.user_id].login if d.user_id in users else str(d.user_id),
            users[d.user_id].name if d.user_id in users else "",
            skews.get(d.replica, 0),
            d.revoked_at is None and reader.now - max(d.last_seen_at, d.enrolled_at) > QUIET_MS,
            broken.get(d.replica),
        )
        for d in found
    ]  # fmt: skip


def overview(reader: Reader, actor: Actor) -> Overview:
    """The street at this moment."""
    require(actor, "account.manage")
    accounts = rows.accounts(reader)
    day_ago = reader.now - 86_400_000
    return Overview(
        desks=tuple(page_desks(reader, actor)),
        feed=feed_position(reader),
        waiting=reader.count(Conflict, resolved_at=None),
        households=reader.count(Household),
        open_incidents=reader.count(Incident, state=set(OPEN_STATES)),
        accounts=len(accounts),
        must_change=sum(a.must_change and bool(a.password_hash) for a in accounts),
        locked=sum(a.locked_until > reader.now for a in accounts),
        last_backup_at=int(get_setting(reader, LAST_BACKUP) or 0),
        failed_sign_ins=sum(r.at >= day_ago for r in page_audit(reader, act="sign_in_failed", limit=1_000)),
    )
