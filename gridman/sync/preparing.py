"""Snapshots made before anybody asks: of the scopes of all people who may have a desk, so that a new desk does not wait for its first one."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from gridman.domain.user import User
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.services.access import scopes_of_user
from gridman.store.feed_pages import clock_of, same_moment
from gridman.store.store import Store
from gridman.store.turns import alone_at_preparing
from gridman.store.unit import Reader
from gridman.sync.snapshots import Snapshots

__all__ = ["Prepared", "last_change", "prepare"]

FRESH_MS = 72_000_000
"""A snapshot older than this (20 hours) is made anew ahead of its end."""

REST_MS = 600_000
"""A snapshot that was spoilt (a record left its scope) so soon after it was made waits: busy scopes would be made all day long."""

MOST_BYTES = 1 << 30
"""More than this nothing is made ahead; a desk that asks is served all the same."""

_MOST_USERS = 10_000


@dataclass
class Prepared:
    """What was done: scopes that people have, snapshots made now and there already, rows in those made; `is_whole`: none had to be left
    out, because another program does it or there is no room.
    """

    scopes: int = 0
    made: int = 0
    ready: int = 0
    rows: int = 0
    is_whole: bool = True


def prepare(
    store: Store,
    snapshots: Snapshots,
    pause: Callable[[str], None] = lambda scope: None,
    progress: Progress = quiet,
) -> Prepared:
    """Make the snapshots that are missing, old or spoilt, those of most people first. `pause` is called with the scope before each piece of
    work and gives way to whoever is in a hurry; it may raise Cancelled, what is made until then stays.
    """
    with alone_at_preparing(store.database) as is_alone:
        if not is_alone:
            return Prepared(is_whole=False)
        with store.read() as reader:
            same_moment(reader)
            scopes = _scopes_in_use(reader, pause)
        done = Prepared(len(scopes))
        for number, scope in enumerate(scopes):
            progress(number, len(scopes), N_("Preparing"))
            pause(scope)
            _prepare_one(store, snapshots, scope, done, pause)
        progress(len(scopes), len(scopes), N_("Preparing"))
        return done


def last_change(store: Store) -> int:
    """The number of the last change: while it stays the same there is nothing new to prepare."""
    with store.read() as reader:
        return clock_of(reader.connection)[0]


def _prepare_one(
    store: Store, snapshots: Snapshots, scope: str, done: Prepared, pause: Callable[[str], None]
) -> None:  # fmt: skip
    with store.read() as reader:  # a view of its own for each: a long one would keep the write-ahead log from ending
        same_moment(reader)
        seq, epoch = clock_of(reader.connection)
        if not snapshots.pays(reader, scope):
            return
        if snapshots.ready(reader, scope, epoch, seq, FRESH_MS) or snapshots.is_young(scope, epoch, REST_MS):
            done.ready += 1
        elif snapshots.bytes_on_disk() >= MOST_BYTES:
            done.is_whole = False
        else:
            made = snapshots.make(reader, scope, epoch, seq, FRESH_MS, pause)
            done.made += made is not None
            done.rows += made.rows if made is not None else 0
            done.is_whole = done.is_whole and made is not None


def _scopes_in_use(reader: Reader, pause: Callable[[str], None]) -> list[str]:
    """The scopes of all who may sign in, those that most of them have first."""
    found: Counter[str] = Counter()
    for user in reader.page(User, limit=_MOST_USERS):
        pause("")
        found.update(scopes_of_user(reader, user.id))
    return sorted(found, key=lambda scope: (-found[scope], scope))
