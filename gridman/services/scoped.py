"""What a caller over the network may read of the street's data: within the scopes its desk would receive, nothing more."""

from dataclasses import dataclass
from typing import Any

from gridman.domain.access import Actor, require
from gridman.domain.fields import Kind, Privacy, fields_of
from gridman.domain.incident import Incident
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.access import scopes_of_user
from gridman.store.queries.scoped import has_content, has_own_content, incidents_in_scopes
from gridman.store.unit import Reader

__all__ = ["IncidentPage", "page_incidents", "require_blob", "require_own_blob", "require_sendable_blob"]


@dataclass(frozen=True)
class IncidentPage:
    """Some incidents as plain values; `next_id`: where the next page goes on, None at the end."""

    incidents: list[dict[str, Any]]
    next_id: int | None


def page_incidents(
    reader: Reader, actor: Actor, *, after_id: int = 0, limit: int = 100, state: str | None = None
) -> IncidentPage:
    """Incidents of the caller's scopes without personal fields, in the order of their ids."""
    require(actor, "incident.read")
    scopes = scopes_of_user(reader, actor.user_id)
    found = incidents_in_scopes(reader, scopes, after_id=after_id, limit=limit + 1, state=state)
    names = ["id", *(
        name for name, field in fields_of(Incident).items()
        if field.privacy is Privacy.NONE and field.kind not in (Kind.BYTES, Kind.SHAPE) and not name.startswith("retired")
    )]  # fmt: skip
    page = [{name: getattr(incident, name) for name in names} for incident in found[:limit]]
    return IncidentPage(page, page[-1]["id"] if len(found) > limit else None)


def require_blob(reader: Reader, actor: Actor, sha256: str) -> None:
    """Refuse with ``blob.missing`` a content of which the caller has no record: whether it exists is nobody else's business."""
    if not has_content(reader, scopes_of_user(reader, actor.user_id), sha256):
        raise _missing()


def require_own_blob(reader: Reader, actor: Actor, sha256: str) -> None:
    """Refuse with ``blob.missing`` a content that the caller's device has not made a record of. A record that lies in another grid by now,
    or was kept for review, counts.
    """
    if not has_own_content(reader, actor.replica, sha256):
        raise _missing()


def require_sendable_blob(reader: Reader, actor: Actor, sha256: str) -> None:
    """Refuse with ``blob.missing`` a content of which the caller neither has a record nor made one."""
    if not has_own_content(reader, actor.replica, sha256):
        require_blob(reader, actor, sha256)


def _missing() -> Refusal:
    return Refusal(
        "blob.missing",
        N_("The street has no such photo for this computer."),
        N_("Synchronise first: the photo's record goes before the photo."),
    )
