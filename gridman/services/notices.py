"""Notices from a higher organisation to an organisation and all below it."""

from dataclasses import dataclass

from gridman.domain import access
from gridman.domain.access import Actor
from gridman.domain.notice import Notice
from gridman.domain.organisation import Organisation
from gridman.domain.rules import require_valid, tidy
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.audit import note
from gridman.store.unit import Reader, Unit

__all__ = ["NoticeLine", "audiences", "current_notices", "page_notices", "publish", "withdraw_notice"]

_ALL = 100_000


@dataclass(frozen=True)
class NoticeLine:
    """A notice as its writers see it; `audience` is "" for the whole street. `state`: shown, over or withdrawn. `is_ours`: the one who looks
    may withdraw it.
    """

    notice: Notice
    author: str
    audience: str
    state: str
    is_ours: bool


def current_notices(reader: Reader, today: str, limit: int = 20, *, actor: Actor | None = None) -> list[Notice]:
    """Notices to be seen on `today`, urgent ones first, then the newest; with an actor only those that are for the actor: for an
    organisation that the actor belongs to or that stands above it, or written there.
    """
    found = reader.page(Notice, order_by=("-published_at",), limit=200)
    mine, own = (None, 0) if actor is None else (_organisations_of(reader, actor), actor.organisation_id)
    shown = [
        n
        for n in found
        if (not n.until_on or n.until_on >= today)
        and (mine is None or not n.audience_id or n.audience_id in mine or n.organisation_id == own)
    ]
    return sorted(shown, key=lambda n: not n.is_urgent)[:limit]


def _organisations_of(reader: Reader, actor: Actor) -> set[int]:
    """The actor's organisation and the teams of the actor's grids, with everything above them."""
    by_id = {o.id: o for o in reader.page(Organisation, limit=_ALL)}
    wanted = [actor.organisation_id] if actor.organisation_id else []
    if actor.grid_ids and "visit.write" in access.rights_of(actor.role):
        wanted += [o.id for o in by_id.values() if o.grid_id in actor.grid_ids]
    found: set[int] = set()
    while wanted:
        number = wanted.pop()
        if number in found:
            continue
        found.add(number)
        organisation = by_id.get(number)
        if organisation is not None and organisation.parent_id:
            wanted.append(organisation.parent_id)
    return found


def audiences(reader: Reader, actor: Actor) -> tuple[int | None, frozenset[int] | None]:
    """The actor's own organisation, and those that the actor may write to; None for these: to every one, and to the whole street."""
    own = _writer(reader, actor)
    if own is None:
        return actor.organisation_id or None, None
    by_superior: dict[int | None, list[int]] = {}
    for o in reader.page(Organisation, limit=_ALL):
        by_superior.setdefault(o.parent_id, []).append(o.id)
    found, waiting = set(), [own.id]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += by_superior.get(number, [])
    return own.id, frozenset(found)


def _writer(reader: Reader, actor: Actor) -> Organisation | None:
    """The organisation that bounds whom the actor writes to; None for the program itself and the street, which write to all."""
    own = reader.find(Organisation, actor.organisation_id) if actor.organisation_id else None
    return None if own is None or own.level in ("street", "district") else own


def publish(
    unit: Unit,
    title: str,
    body: str = "",
    *,
    audience_id: int | None = None,
    until_on: str | None = None,
    is_urgent: bool = False,
) -> Notice:
    """Publish a notice to an organisation and everybody below it; without one, to the whole street.

    Refuses with ``access.role``, what the fields' rules say, and ``notice.other_office`` when a community writes to somebody who is not below it.
    """
    access.require(unit.actor, "notice.write")
    if audience_id is not None:
        unit.get(Organisation, audience_id)
    _check_audience(unit, audience_id)
    values = tidy(
        Notice,
        {
            "title": title, "body": body, "organisation_id": unit.actor.organisation_id, "audience_id": audience_id,
            "published_at": unit.at, "until_on": until_on, "is_urgent": is_urgent,
        },
    )  # fmt: skip
    require_valid(Notice, values, is_new=True)
    made = unit.create(Notice(**values))
    unit.flush()
    note(unit, "notice", "notice", made.id, audience=audience_id)
    return made


def _check_audience(unit: Unit, audience_id: int | None) -> None:
    """Whoever works below the street writes to those below only."""
    own = _writer(unit, unit.actor)
    if own is None:
        return
    above, number = set(), audience_id
    while number is not None and number not in above:
        above.add(number)
        organisation = unit.find(Organisation, number)
        number = organisation.parent_id if organisation else None
    if own.id not in above:
        raise Refusal(
            "notice.other_office",
            N_("{organisation} writes to itself and to those below it."),
            N_("Choose {organisation} or one of its grids, or ask the street to write the notice."),
            organisation=own.name,
        )


def page_notices(reader: Reader, actor: Actor, limit: int = 200) -> list[NoticeLine]:
    """The newest notices, withdrawn ones too, for those who write them."""
    access.require(actor, "notice.write")
    found = reader.page(Notice, order_by=("-published_at",), limit=limit, with_retired=True)
    ids = {i for n in found for i in (n.organisation_id, n.audience_id) if i}
    names = (
        {o.id: o.name for o in reader.page(Organisation, id=ids, limit=len(ids) + 1, with_retired=True)} if ids else {}
    )
    today, own = day_of(reader.now), _writer(reader, actor)
    return [
        NoticeLine(
            n,
            names.get(n.organisation_id, ""),
            names.get(n.audience_id or 0, ""),
            "withdrawn" if n.retired_at is not None else "over" if n.until_on and n.until_on < today else "shown",
            own is None or n.organisation_id == own.id,
        )
        for n in found
    ]


def withdraw_notice(unit: Unit, notice_id: int) -> Notice:
    """Take a notice back before its last day; desks stop showing it at their next synchronisation.

    Refuses with ``notice.not_yours`` a community that did not write it: neither the street's notices nor another community's are its own.
    """
    access.require(unit.actor, "notice.write")
    found, own = unit.get(Notice, notice_id), _writer(unit, unit.actor)
    if own is not None and found.organisation_id != own.id:
        author = unit.find(Organisation, found.organisation_id)
        raise Refusal(
            "notice.not_yours",
            N_("This notice was written by {organisation}."),
            N_("Ask {organisation} or the street to withdraw it."),
            organisation=author.name if author else "–",
        )
    if found.retired_at is None:
        unit.retire(found, "withdrawn")
        note(unit, "notice", "notice", notice_id, withdrawn=True)
    return found
