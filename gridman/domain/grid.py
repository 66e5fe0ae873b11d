"""The grid (网格): 300-500 households inside exactly one community."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Synced, column
from gridman.kernel.words import N_

__all__ = ["Assignment", "Grid", "grid_code", "is_grid_code"]


class Grid(Synced):
    """One grid. Code: 15 characters, 12-digit community code + 3-digit sequence (GB/T 47678.5-2026 gives the length; the split is
    recalled). A redrawn grid stays the same grid: its new boundary is in the journal beside the old one.
    """

    __tablename__ = "grid"

    code: Mapped[str] = column(N_("Grid code"), index=True, is_required=True, max_length=15, merge=Merge.ONCE)
    name: Mapped[str] = column(N_("Name"), is_required=True)
    community_id: Mapped[int] = column(N_("Community"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    shape: Mapped[bytes | None] = column(N_("Boundary"), Kind.SHAPE, is_shown=False, merge=Merge.STREET)
    valid_from_on: Mapped[str | None] = column(N_("Valid from"), Kind.DAY, merge=Merge.STREET)
    valid_to_on: Mapped[str | None] = column(N_("Valid to"), Kind.DAY, merge=Merge.STREET)
    predecessors: Mapped[str | None] = column(
        N_("Predecessors"), merge=Merge.STREET, hint=N_("Codes of the grids it was made from")
    )


class Assignment(Synced):
    """A user works in a grid from a day on; the day's scope of a worker is the set of open assignments."""

    __tablename__ = "assignment"

    user_id: Mapped[int] = column(N_("Grid worker"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    grid_id: Mapped[int] = column(N_("Grid"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    from_on: Mapped[str | None] = column(N_("From"), Kind.DAY, merge=Merge.STREET)
    until_on: Mapped[str | None] = column(N_("Until"), Kind.DAY, merge=Merge.STREET)


def grid_code(community_code: str, sequence: int) -> str:
    """The code of grid number `sequence` (1-899 ordinary, 900-999 special grids) of a community."""
    if len(community_code) != 12 or not community_code.isdigit() or not 0 < sequence < 1000:
        raise ValueError(f"not a grid: community {community_code!r}, number {sequence}")
    return f"{community_code}{sequence:03d}"


def is_grid_code(text: str) -> bool:
    """Whether `text` has the form of a grid code."""
    return len(text) == 15 and text.isdigit() and text[12:] != "000"
