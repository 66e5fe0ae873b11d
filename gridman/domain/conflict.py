"""A value that lost, or an edit that could not be applied: kept with who and when until a person has looked at it."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Privacy, Synced, column
from gridman.kernel.words import N_

__all__ = ["DOUBLES", "HANDED_OVER", "REASONS", "Conflict"]

REASONS = {
    "concurrent": N_("Two people changed this without knowing of each other; the later value stands."),
    "held": N_("Two people changed this identity field; the earlier value stands until somebody decides."),
    "retired": N_("The record was retired while somebody edited it."),
    "scope": N_("The record had moved to another grid when this edit arrived."),
    "target": N_("Somebody moved the record into a grid that is not theirs."),
    "same_person": N_("Two entries carry the same ID number; both were taken over."),
    "same_visit": N_("The same worker logged two visits to this household within ten minutes; both were taken over."),
    "decided": N_("Two people decided this differently, without knowing of each other."),
    "refused": N_("The street server could not apply this edit."),
    "retired_desk": N_("It had not been sent when the computer was taken out of service, and was handed over."),
    "lost_desk": N_(
        "It came from a computer that was reported lost: whoever holds that computer could have written it. Ask the user before you take it over."
    ),
    "copied_desk": N_(
        "It was written on a computer whose data was a copy, or put back from one, and had not been sent."
    ),
}

DOUBLES = frozenset({"same_person", "same_visit"})
"""Not a lost value but two records: `kept` names the other one, {"id": N}."""

HANDED_OVER = frozenset({"retired_desk", "lost_desk", "copied_desk"})
"""What a computer handed over that may not write any more: `computer` is its name, `lost_by_id` its user."""


class Conflict(Synced):
    """One kept loser. `kept` and `lost` are the two values as JSON text; `resolution` is "kept", "restored" or a note.
    `organisation_id`: who decides where no grid is known; without that either, everybody sees it.
    """

    __tablename__ = "conflict"

    record_kind: Mapped[str] = column(N_("Record"), merge=Merge.ONCE)
    record_id: Mapped[int] = column(N_("Record"), Kind.REFERENCE, index=True, merge=Merge.ONCE)
    grid_id: Mapped[int | None] = column(N_("Grid"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    field: Mapped[str | None] = column(N_("Field"), merge=Merge.ONCE)
    reason: Mapped[str] = column(N_("Reason"), merge=Merge.ONCE)
    kept: Mapped[str | None] = column(N_("Value that stands"), privacy=Privacy.PERSONAL, merge=Merge.ONCE)
    kept_by_id: Mapped[int | None] = column(N_("Written by"), Kind.REFERENCE, merge=Merge.ONCE)
    kept_at: Mapped[int | None] = column(N_("Written at"), Kind.INSTANT, merge=Merge.ONCE)
    lost: Mapped[str | None] = column(N_("Other value"), privacy=Privacy.PERSONAL, merge=Merge.ONCE)
    lost_by_id: Mapped[int | None] = column(N_("Written by"), Kind.REFERENCE, merge=Merge.ONCE)
    lost_at: Mapped[int | None] = column(N_("Written at"), Kind.INSTANT, merge=Merge.ONCE)
    resolved_at: Mapped[int | None] = column(N_("Decided at"), Kind.INSTANT)
    resolved_by_id: Mapped[int | None] = column(N_("Decided by"), Kind.REFERENCE)
    resolution: Mapped[str | None] = column(N_("Decision"))
    computer: Mapped[str | None] = column(N_("Computer"), merge=Merge.ONCE)
    organisation_id: Mapped[int | None] = column(N_("Organisation"), Kind.REFERENCE, merge=Merge.ONCE)
