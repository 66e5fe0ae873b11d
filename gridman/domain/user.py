"""People who work with the program. Passwords are not here: an account's secrets live on the street server only."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Synced, column
from gridman.kernel.words import N_

__all__ = ["User"]


class User(Synced):
    """A user: whom the journal and the incident's log name."""

    __tablename__ = "user"

    login: Mapped[str] = column(N_("Sign-in name"), index=True, is_required=True, merge=Merge.STREET, max_length=40)
    name: Mapped[str] = column(N_("Name"), Kind.NAME, is_required=True, merge=Merge.STREET)
    role: Mapped[str] = column(N_("Role"), Kind.CODE, code_table="role", is_required=True, merge=Merge.STREET)
    organisation_id: Mapped[int] = column(N_("Organisation"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    phone: Mapped[str | None] = column(N_("Phone"), Kind.PHONES, merge=Merge.STREET)
    is_suspended: Mapped[bool | None] = column(N_("Suspended"), Kind.FLAG, merge=Merge.STREET)
