"""A photo that belongs to a visit, an incident or a household. The row travels with its thumbnail; the picture itself is a file."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Privacy, Synced, column
from gridman.kernel.words import N_

__all__ = ["Attachment"]


class Attachment(Synced):
    """Immutable and named by the SHA-256 of its content, after it was made small and its location data was stripped."""

    __tablename__ = "attachment"

    owner_kind: Mapped[str] = column(N_("Belongs to"), merge=Merge.ONCE)
    owner_id: Mapped[int] = column(N_("Belongs to"), Kind.REFERENCE, index=True, merge=Merge.ONCE)
    grid_id: Mapped[int | None] = column(N_("Grid"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    sha256: Mapped[str] = column(N_("Content"), index=True, is_shown=False, merge=Merge.ONCE)
    media_type: Mapped[str] = column(N_("File type"), merge=Merge.ONCE)
    size_bytes: Mapped[int] = column(N_("Size"), Kind.NUMBER, merge=Merge.ONCE)
    width_px: Mapped[int | None] = column(N_("Width"), Kind.NUMBER, merge=Merge.ONCE)
    height_px: Mapped[int | None] = column(N_("Height"), Kind.NUMBER, merge=Merge.ONCE)
    taken_at: Mapped[int | None] = column(N_("Taken at"), Kind.INSTANT, merge=Merge.ONCE)
    thumbnail: Mapped[bytes | None] = column(N_("Thumbnail"), Kind.BYTES, privacy=Privacy.PERSONAL, merge=Merge.ONCE)
    caption: Mapped[str | None] = column(N_("Caption"))
