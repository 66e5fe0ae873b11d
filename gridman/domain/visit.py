"""The visit (走访): written once, never edited; an amendment is a new row that names the old one."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Privacy, Synced, column
from gridman.kernel.words import N_

__all__ = ["EFFECTIVE_OUTCOMES", "Visit"]

EFFECTIVE_OUTCOMES = frozenset({"1", "2", "4", "6"})
"""Outcomes that count as having reached the household; "not at home" and "refused" do not move the due date."""


class Visit(Synced):
    """One visit to one household. Distance and time of day are not judged: evening visits count like any other."""

    __tablename__ = "visit"

    household_id: Mapped[int] = column(N_("Household"), Kind.REFERENCE, index=True, is_required=True, merge=Merge.ONCE)
    grid_id: Mapped[int] = column(N_("Grid"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    visited_at: Mapped[int] = column(N_("Visited at"), Kind.INSTANT, index=True, is_required=True, merge=Merge.ONCE)
    user_id: Mapped[int] = column(N_("Visited by"), Kind.REFERENCE, index=True, merge=Merge.ONCE)
    kind: Mapped[str] = column(N_("Visit type"), Kind.CODE, code_table="visit_kind", merge=Merge.ONCE)
    outcome: Mapped[str] = column(
        N_("Outcome"),
        Kind.CODE,
        code_table="visit_outcome",
        is_required=True,
        merge=Merge.ONCE,
    )
    needs: Mapped[str | None] = column(
        N_("Needs"),
        Kind.CODES,
        code_table="visit_need",
        privacy=Privacy.PERSONAL,
        merge=Merge.ONCE,
    )
    note: Mapped[str | None] = column(
        N_("Note"), Kind.NOTE, privacy=Privacy.PERSONAL, max_length=2000, merge=Merge.ONCE
    )
    measure: Mapped[str | None] = column(N_("What was done"), Kind.NOTE, max_length=1000, merge=Merge.ONCE)
    claimed_at: Mapped[int | None] = column(
        N_("Time the computer gave"), Kind.INSTANT, is_shown=False, merge=Merge.STREET
    )
    """What `visited_at` was when it came, where a wrong clock had put it into the future and the street corrected it."""

    amends_id: Mapped[int | None] = column(N_("Amends"), Kind.REFERENCE, is_shown=False, merge=Merge.ONCE)
