"""What the street takes from computers that may not write any more: for how long, how much, and what is said when that is over.

A computer reported lost may be in a stranger's hands, who could write whatever he likes with it: so there is a window, and a bound on how
much can come to the review list. One that was taken out of service is in known hands.
"""

from dataclasses import dataclass

from gridman.domain.access import Actor
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.audit import note
from gridman.store.accounts import Device, device_of
from gridman.store.handing import add_to_hand_over, hand_over_of
from gridman.store.settings import get_setting, put_setting
from gridman.store.store import Store
from gridman.store.turns import take_device_turn
from gridman.store.unit import Reader, Unit

__all__ = [
    "LOST", "LOST_BYTES", "LOST_CHANGES", "LOST_PHOTO_BYTES", "LOST_WINDOW_MS", "RETIRED", "Source", "copied_at", "count_changes",
    "end_hand_over", "note_copied", "note_handed_over", "require_open", "source_of", "take_photo_bytes",
]  # fmt: skip

LOST, RETIRED = "lost", "retired"

LOST_WINDOW_MS = 30 * 86_400_000
"""For so long after the report something is taken: a desk opens for 14 days without its street, and may be found again a while later."""

LOST_CHANGES, LOST_BYTES = 5_000, 8 << 20
"""So many edited fields and other operations. A busy worker's fourteen days are some 1,200 operations of 0.4 kB."""

LOST_PHOTO_BYTES = 256 << 20
"""Fourteen days of 70 photos of 200 kB are about 200 MB."""

_COPIED = "copied.{replica}"
_REASONS = {LOST: "lost_desk", RETIRED: "retired_desk"}


@dataclass(frozen=True)
class Source:
    """Where handed-over work comes from. `reason`: a key of `gridman.domain.conflict.REASONS`; `computer`: its name."""

    reason: str
    computer: str

    @property
    def is_lost(self) -> bool:
        return self.reason == _REASONS[LOST]

    @property
    def is_removed(self) -> bool:
        """Whether the computer will destroy its records."""
        return self.reason != "copied_desk"


def source_of(reader: Reader, replica: int) -> Source:
    """What kind of computer hands over under this number: lost, retired, else one whose data is a copy."""
    device = device_of(reader, replica)
    if device is None:
        return Source("copied_desk", "")
    kind = None if device.revoked_at is None else device.revoked_as or LOST
    return Source(_REASONS.get(kind or "", "copied_desk"), device.name)


def note_copied(unit: Unit, replica: int) -> None:
    """A computer of this number was told that its data is a copy (``sync.fork``): remember since when the street knows."""
    if copied_at(unit, replica) is None:
        put_setting(unit, _COPIED.format(replica=replica), str(unit.now))


def copied_at(reader: Reader, replica: int) -> int | None:
    """Since when the street knows that this computer's data lies in two places; None: it knows of none."""
    since = get_setting(reader, _COPIED.format(replica=replica))
    return int(since) if since else None


def require_open(reader: Reader, device: Device) -> None:
    """Refuse with ``handover.closed`` a lost computer from which nothing is taken any more."""
    if device.revoked_as == RETIRED:
        return
    is_late = reader.now > (device.revoked_at or 0) + LOST_WINDOW_MS
    if is_late or hand_over_of(reader, device.replica).ended_at is not None:
        raise Refusal(
            "handover.closed",
            N_("Nothing is taken from this computer any more: it has handed over its work, or was reported lost more than {days} days ago."),
            N_("Ask the street's administrator."),
            days=LOST_WINDOW_MS // 86_400_000,
        )  # fmt: skip


def count_changes(unit: Unit, source: Source, replica: int, changes: int, op_bytes: int) -> None:
    """Count what is new. Refuses with ``handover.full`` when a lost computer has handed over as much as is taken from one."""
    so_far = hand_over_of(unit, replica)
    if source.is_lost and (so_far.changes + changes > LOST_CHANGES or so_far.bytes + op_bytes > LOST_BYTES):
        raise _full()
    add_to_hand_over(unit.connection, replica, changes, op_bytes)


def take_photo_bytes(store: Store, actor: Actor, count: int) -> None:
    """Count a piece of a photo of a lost computer before it is taken. Refuses with ``handover.full``."""

    def take(unit: Unit) -> None:
        take_device_turn(unit.connection, actor.replica)
        if hand_over_of(unit, actor.replica).photo_bytes + count > LOST_PHOTO_BYTES:
            raise _full()
        add_to_hand_over(unit.connection, actor.replica, photo_bytes=count)

    store.write(actor, take)


def end_hand_over(unit: Unit, source: Source, replica: int, cards: int) -> None:
    """It was all, and the audit says how many `cards` of the review list it became. Of a lost computer nothing is taken after
    this; the twin of a retired one may still come.
    """
    if source.is_removed:
        if source.is_lost:
            add_to_hand_over(unit.connection, replica, ended_at=unit.now)
        note_handed_over(unit, source, replica, cards)


def note_handed_over(unit: Unit, source: Source, replica: int, cards: int) -> None:
    """The audit's line of what came from a computer that was removed; what a copy of a desk hands over is told on the overview."""
    if source.is_removed:
        note(unit, "hand_over", "user", unit.actor.user_id, device=replica, source=source.reason, cards=cards)


def _full() -> Refusal:
    return Refusal(
        "handover.full",
        N_("This computer was reported lost, and the street has taken as much from it as it takes from such a computer ({count} changes)."),
        N_("Ask the street's administrator."),
        count=LOST_CHANGES,
    )  # fmt: skip
