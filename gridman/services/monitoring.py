"""What the server asks of the street's data beside its work: news for desks that wait, numbers for monitors, and who may read them."""

import hashlib
import hmac
from collections.abc import Iterable

from gridman.domain.access import require
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import random_token
from gridman.kernel.words import N_
from gridman.services.audit import note
from gridman.store.news import News, Numbers, look, numbers
from gridman.store.settings import get_setting, put_setting
from gridman.store.store import Store
from gridman.store.unit import Unit

__all__ = [
    "LAST_BACKUP",
    "News",
    "Numbers",
    "last_backup_at",
    "new_monitor_token",
    "news",
    "require_monitor",
    "street_numbers",
]

LAST_BACKUP = "street.last_backup_at"
_DIGEST = "monitor.token_digest"
_MARK = "gmm."


def news(store: Store, before: News | None, scopes: Iterable[str]) -> News:
    """What happened since `before` in these scopes; without it where things stand."""
    with store.read() as reader:
        return look(reader, before, scopes)


def street_numbers(store: Store) -> Numbers:
    """The street in numbers, without names."""
    with store.read() as reader:
        return numbers(reader)


def last_backup_at(store: Store) -> int | None:
    """When the last backup of this street was finished."""
    with store.read() as reader:
        at = get_setting(reader, LAST_BACKUP)
    return int(at) if at else None


def new_monitor_token(unit: Unit) -> str:
    """A token with which a monitoring program reads the street's numbers, and nothing else; an older one stops working."""
    require(unit.actor, "account.manage")
    token = _MARK + random_token()
    put_setting(unit, _DIGEST, hashlib.sha256(token.encode()).hexdigest())
    note(unit, "token", what="monitor")
    return token


def require_monitor(store: Store, token: str) -> None:
    """Refuse with ``auth.no_monitor`` whoever does not hold the monitor's token."""
    with store.read() as reader:
        known = get_setting(reader, _DIGEST) or ""
    if not (known and hmac.compare_digest(known, hashlib.sha256(token.encode("utf-8", "replace")).hexdigest())):
        raise Refusal(
            "auth.no_monitor",
            N_("The street's numbers are for its monitor only."),
            N_("Ask from the server's own computer, or with the token that gridman street monitor gives."),
        )
