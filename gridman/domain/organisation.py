"""Organisations that hold incidents: district, street, community, grid, and functional departments (职能部门) beside them."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Synced, column
from gridman.kernel.words import N_

__all__ = ["ORG_LEVELS", "Organisation", "rank_of"]

ORG_LEVELS = ("grid", "community", "street", "district")
"""From low to high; a functional department has the level of the organisation it stands beside."""


class Organisation(Synced):
    """One organisation. `is_department`: a functional department; its superior is `parent_id` like anyone's."""

    __tablename__ = "organisation"

    name: Mapped[str] = column(N_("Name"), is_required=True, merge=Merge.STREET)
    level: Mapped[str] = column(N_("Level"), merge=Merge.STREET)
    parent_id: Mapped[int | None] = column(N_("Superior"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    region_id: Mapped[int | None] = column(N_("Region"), Kind.REFERENCE, merge=Merge.STREET)
    grid_id: Mapped[int | None] = column(N_("Grid"), Kind.REFERENCE, merge=Merge.STREET)
    is_department: Mapped[bool | None] = column(N_("Functional department"), Kind.FLAG, merge=Merge.STREET)
    phone: Mapped[str | None] = column(N_("Phone"), Kind.PHONES, merge=Merge.STREET)


def rank_of(organisation: Organisation) -> int:
    """Its place from low (0, grid) to high (3, district)."""
    return ORG_LEVELS.index(organisation.level)
