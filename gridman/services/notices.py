"""Notices from a higher organisation."""

from gridman.domain import access
from gridman.domain.notice import Notice
from gridman.domain.rules import require_valid, tidy
from gridman.store.unit import Reader, Unit

__all__ = ["current_notices", "publish"]


def current_notices(reader: Reader, today: str, limit: int = 20) -> list[Notice]:
    """Notices to be seen on `today`, urgent ones first, then the newest."""
    found = reader.page(Notice, order_by=("-published_at",), limit=200)
    shown = [n for n in found if not n.until_on or n.until_on >= today]
    return sorted(shown, key=lambda n: not n.is_urgent)[:limit]


def publish(unit: Unit, title: str, body: str = "", *, until_on: str | None = None, is_urgent: bool = False) -> Notice:
    """Publish a notice to everyone in the street."""
    access.require(unit.actor, "notice.write")
    values = tidy(
        Notice,
        {
            "title": title, "body": body, "organisation_id": unit.actor.organisation_id, "published_at": unit.at,
            "until_on": until_on, "is_urgent": is_urgent,
        },
    )  # fmt: skip
    require_valid(Notice, values, is_new=True)
    return unit.create(Notice(**values))
