"""Administrative divisions: province … street (街道), community (社区), by the 12-digit statistical code."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Synced, column
from gridman.kernel.words import N_

__all__ = ["Region", "level_of_code"]

_SIGNIFICANT_DIGITS = {2: "province", 4: "prefecture", 6: "county", 9: "street", 12: "community"}


class Region(Synced):
    """One division. Code: 2 province + 2 prefecture + 2 county (GB/T 2260) + 3 street + 3 community, as text."""

    __tablename__ = "region"

    code: Mapped[str] = column(N_("Division code"), index=True, is_required=True, max_length=12, merge=Merge.ONCE)
    name: Mapped[str] = column(N_("Name"), is_required=True)
    level: Mapped[str] = column(N_("Level"), merge=Merge.ONCE)
    parent_id: Mapped[int | None] = column(N_("Belongs to"), Kind.REFERENCE, merge=Merge.STREET)
    attribution: Mapped[str | None] = column(N_("Origin of the map"), merge=Merge.STREET, max_length=500)
    shape: Mapped[bytes | None] = column(N_("Outline"), Kind.SHAPE, is_shown=False, merge=Merge.STREET)


def level_of_code(code: str) -> str | None:
    """The level a 12-digit division code stands for, or None when it is malformed."""
    if len(code) != 12 or not code.isdigit():
        return None
    for digits, level in _SIGNIFICANT_DIGITS.items():
        if set(code[digits:]) <= {"0"}:
            return level
    return None
