"""Notices (通知) from a higher organisation to those below it."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Synced, column
from gridman.kernel.words import N_

__all__ = ["Notice"]


class Notice(Synced):
    """A notice shown on the Today page of its audience, an organisation and those below it, from its day until its last day."""

    __tablename__ = "notice"

    title: Mapped[str] = column(N_("Title"), is_required=True, merge=Merge.ONCE)
    body: Mapped[str | None] = column(N_("Text"), Kind.NOTE, max_length=5000, merge=Merge.ONCE)
    organisation_id: Mapped[int] = column(N_("From"), Kind.REFERENCE, merge=Merge.ONCE)
    audience_id: Mapped[int | None] = column(
        N_("Shown to"), Kind.REFERENCE, merge=Merge.ONCE, hint=N_("Nobody named: the whole street")
    )
    published_at: Mapped[int] = column(N_("Published"), Kind.INSTANT, merge=Merge.ONCE)
    until_on: Mapped[str | None] = column(N_("Shown until"), Kind.DAY)
    is_urgent: Mapped[bool | None] = column(N_("Urgent"), Kind.FLAG)
