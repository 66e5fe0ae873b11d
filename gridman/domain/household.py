"""The household (户): the unit that is visited, printed and filed."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Privacy, Synced, column
from gridman.kernel.words import N_

__all__ = ["Household"]


class Household(Synced):
    """People who live in one dwelling under one household number. `address` is the full text of the place for search and print;
    `walk_order` is its place in the worker's round (building, unit, floor, room). What follows from other records (head's name, number of
    people, care groups, last and next visit) is not kept here but derived (`store/lines.py`), so that nobody can edit it apart.
    """

    __tablename__ = "household"

    number: Mapped[str] = column(N_("Household no."), index=True, merge=Merge.HOLD)
    grid_id: Mapped[int] = column(N_("Grid"), Kind.REFERENCE, index=True, is_required=True)
    building_id: Mapped[int | None] = column(N_("Building"), Kind.REFERENCE, index=True)
    dwelling_id: Mapped[int | None] = column(N_("Dwelling"), Kind.REFERENCE, index=True)
    address: Mapped[str] = column(N_("Address"), is_required=True, privacy=Privacy.PERSONAL)
    walk_order: Mapped[int | None] = column(N_("Walking order"), Kind.NUMBER, index=True, is_shown=False)
    head_person_id: Mapped[int | None] = column(N_("Head of household"), Kind.REFERENCE, is_shown=False)
    is_vacant: Mapped[bool | None] = column(N_("Vacant"), Kind.FLAG)
    is_rented: Mapped[bool | None] = column(N_("Rented out"), Kind.FLAG)
    phones: Mapped[str | None] = column(N_("Household phone"), Kind.PHONES, privacy=Privacy.PERSONAL)
    plate_numbers: Mapped[str | None] = column(
        N_("Vehicles"), privacy=Privacy.PERSONAL, hint=N_("Several separated by ;")
    )
    protection: Mapped[str | None] = column(
        N_("Allowances and insurance"), privacy=Privacy.SENSITIVE, purpose="social assistance"
    )
    needs_note: Mapped[str | None] = column(N_("Difficulties and needs"), Kind.NOTE, privacy=Privacy.SENSITIVE)
    informed_on: Mapped[str | None] = column(
        N_("Privacy notice given on"), Kind.DAY, hint=N_("The day the household was told what is kept and why")
    )
    remark: Mapped[str | None] = column(N_("Remark"), Kind.NOTE, max_length=1000)
