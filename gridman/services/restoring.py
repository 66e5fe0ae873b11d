"""A kept backup restored beside the street that is served, compared with it, and put in its place at the next start.

Two steps, because a restore takes something away from everybody: what was done on the server since the backup. The first step changes
nothing that is served; the second says exactly what goes and comes back, and keeps the replaced street whole.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gridman.domain.access import SYSTEM, Actor, require
from gridman.domain.user import User
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.files import take_away, take_away_folder
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.services.audit import note, note_alone
from gridman.services.backup import Restored, restore_street
from gridman.services.backup_folder import backup_here
from gridman.services.figures import Figures, figures_of
from gridman.services.street import Street, open_street
from gridman.store import accounts as rows
from gridman.store.handing import hand_over_of
from gridman.store.pushed import last_pushed
from gridman.store.register_batches import all_batches
from gridman.store.switching import REPLACED, RESTORED, Switch, decide_switch, take_back_switch, wanted_switch
from gridman.store.unit import Reader

__all__ = [
    "Comparison", "Computer", "FolderLine", "compare", "decide", "discard", "new_folder_name", "note_switched", "page_replaced",
    "page_restored", "restore_here", "undecide", "wanted_switch",
]  # fmt: skip

_ALL = 100_000


@dataclass(frozen=True)
class FolderLine:
    """A street's folder within the data folder, restored or replaced."""

    name: str
    made_at: int
    size_bytes: int


@dataclass(frozen=True)
class Computer:
    """A computer, by its number and the words people know it by."""

    replica: int
    name: str
    login: str


@dataclass(frozen=True)
class Comparison:
    """What is served now against what would be. `accounts_gone`: made since, not in the restored one; `accounts_back`: suspended since, there
    in use again; `roles_back`: (login, role then) of those who had another role, which they would have again; computers alike
    (`computers_back`: shut out since, there trusted again); `imports_gone`: numbers of imports made since; `work_gone`: changes that came since
    from computers which are shut out by now, so that no desk sends them again.
    """

    now: Figures
    then: Figures
    accounts_gone: tuple[str, ...]
    accounts_back: tuple[str, ...]
    roles_back: tuple[tuple[str, str], ...]
    computers_gone: tuple[Computer, ...]
    computers_back: tuple[Computer, ...]
    imports_gone: tuple[str, ...]
    work_gone: int


def new_folder_name(street: Street) -> str:
    """What a street restored now is called. Refuses with ``backup.by_command`` where the data lies in PostgreSQL."""
    _require_sqlite(street)
    stamp = show_instant(street.clock()).replace("-", "").replace(":", "").replace(" ", "-")
    return next(
        f"{stamp}{more}"
        for more in ("", *(f"-{n}" for n in range(2, 1_000)))
        if not (street.data_dir / RESTORED / f"{stamp}{more}").exists()
    )


def _require_sqlite(street: Street) -> None:
    if not street.store.database.is_sqlite:
        raise Refusal(
            "backup.by_command",
            N_(
                "A street on PostgreSQL is restored at the server itself: the new data needs an empty database of its own."
            ),
            N_("gridman street restore FILE --data NEW-FOLDER --database URL; then start the server with both."),
        )


def restore_here(
    street: Street,
    actor: Actor,
    backup: str,
    passphrase: str,
    progress: Progress = quiet,
    *,
    name: str = "",
    within: Path | None = None,
) -> Restored:
    """Make the street of a kept backup anew in a folder of its own beside the one that is served, which goes on. Refuses like
    `restore_street`, and with ``backup.missing``, ``backup.by_command``, ``backup.other_street``.
    """
    require(actor, "account.manage")
    path = backup_here(street, actor, backup)
    folder = street.data_dir / RESTORED / (name or new_folder_name(street))
    with street.store.read() as reader:
        street_id, _epoch = rows.street_identity(reader)
    made = restore_street(path, folder, passphrase, street.clock, progress, within=within, of_street=street_id)
    note_alone(street.store, actor, "restore", what="beside", file=backup, folder=folder.name)
    return made


def page_restored(street: Street, actor: Actor) -> list[FolderLine]:
    """Restored streets that wait, the newest first."""
    require(actor, "account.manage")
    return _folders(street.data_dir / RESTORED)


def page_replaced(street: Street, actor: Actor) -> list[FolderLine]:
    """Streets that were replaced and are kept, the newest first."""
    require(actor, "account.manage")
    return _folders(street.data_dir / REPLACED)


def _folders(place: Path) -> list[FolderLine]:
    lines = []
    for p in place.iterdir() if place.is_dir() else ():
        with suppress(FileNotFoundError, NotADirectoryError):  # no street, or one that is thrown away at this moment
            lines.append(FolderLine(p.name, int((p / "street.key").stat().st_mtime * 1000), _size_of(p)))
    return sorted(lines, key=lambda line: (line.made_at, line.name), reverse=True)


def _size_of(folder: Path) -> int:
    """About how much it holds: other administrators compare it and throw it away meanwhile."""
    size = 0
    for path, _folders_in, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                size += os.stat(os.path.join(path, name)).st_size
    return size


def _folder_of(street: Street, actor: Actor, name: str) -> Path:
    if name not in {line.name for line in page_restored(street, actor)}:
        raise Refusal(
            "backup.no_restored",
            N_("There is no such restored street on the server."),
            N_("Look at the list of backups again: it may have been removed, or be the one that is served by now."),
        )
    return street.data_dir / RESTORED / name


@contextmanager
def _opened(folder: Path) -> Iterator[Reader]:
    street = open_street(folder, None, must_exist=True)
    try:
        with street.store.read() as reader:
            yield reader
    finally:
        street.close()


def compare(street: Street, actor: Actor, name: str) -> Comparison:
    """What would go and what would come back if the restored street `name` were served. Refuses with ``backup.no_restored``."""
    folder = _folder_of(street, actor, name)
    with street.store.read() as now, _opened(folder) as then:
        in_use_now, in_use_then = _logins(now), _logins(then)
        known_then = {a.login for a in rows.accounts(then)}
        devices_now, devices_then = _computers(now), _computers(then)
        ever_then = {d.replica for d in rows.devices(then)}
        imports_then = {batch.number for batch in all_batches(then)}
        return Comparison(
            now=figures_of(now),
            then=figures_of(then),
            accounts_gone=tuple(sorted(login for login in in_use_now if login not in known_then)),
            accounts_back=tuple(sorted(in_use_then.keys() - in_use_now.keys())),
            roles_back=tuple(
                (login, role) for login, role in sorted(in_use_then.items()) if in_use_now.get(login, role) != role
            ),
            computers_gone=tuple(c for replica, c in devices_now.items() if replica not in ever_then),
            computers_back=tuple(c for replica, c in devices_then.items() if replica not in devices_now),
            imports_gone=tuple(sorted(b.number for b in all_batches(now) if b.number not in imports_then)),
            work_gone=_work_gone(now, then),
        )


def _work_gone(now: Reader, then: Reader) -> int:
    shut_out = [d.replica for d in rows.devices(now) if d.revoked_at is not None]
    return sum(max(0, _came_from(now, replica) - _came_from(then, replica)) for replica in shut_out)


def _came_from(reader: Reader, replica: int) -> int:
    """How many changes this computer sent, in the ordinary way or when it was shut out."""
    return last_pushed(reader.connection, replica) + hand_over_of(reader, replica).changes


def _logins(reader: Reader) -> dict[str, str]:
    """Those who may sign in, with their roles."""
    return {u.login: u.role for u in reader.page(User, limit=_ALL) if not u.is_suspended}


def _computers(reader: Reader) -> dict[int, Computer]:
    logins = {u.id: u.login for u in reader.page(User, limit=_ALL, with_retired=True)}
    return {
        d.replica: Computer(d.replica, d.name, logins.get(d.user_id, "–"))
        for d in rows.devices(reader)
        if d.revoked_at is None
    }


def decide(street: Street, actor: Actor, name: str, hosts: tuple[str, ...] = ()) -> Switch:
    """From the next start of the server on the restored street `name` is served; the present one is kept beside it. `hosts`: the names in the
    server's certificate. Refuses with ``backup.no_restored`` and, where the data lies in PostgreSQL, ``backup.by_command``: of that street only the
    key and the photos would be moved away.
    """
    _require_sqlite(street)
    folder = _folder_of(street, actor, name)
    taken = {line.name for line in page_replaced(street, actor)}
    stamp = show_instant(street.clock()).replace("-", "").replace(":", "").replace(" ", "-")
    replaced = next(
        f"{stamp}{more}" for more in ("", *(f"-{n}" for n in range(2, 1_000))) if f"{stamp}{more}" not in taken
    )
    switch = Switch(folder.name, replaced, street.clock(), hosts)
    with street.store.unit(actor) as unit:
        note(unit, "restore", None, None, what="decided", folder=name)
    decide_switch(street.data_dir, switch)
    return switch


def undecide(street: Street, actor: Actor) -> None:
    """The present street goes on being served."""
    require(actor, "account.manage")
    if take_back_switch(street.data_dir):
        note_alone(street.store, actor, "restore", what="taken back")


def discard(street: Street, actor: Actor, name: str) -> None:
    """Throw a restored street away that is not served. Refuses with ``backup.no_restored`` and, once it is chosen, ``backup.chosen``."""
    folder = _folder_of(street, actor, name)
    wanted = wanted_switch(street.data_dir)
    if wanted is not None and wanted.restored == name:
        raise Refusal(
            "backup.chosen",
            N_("This restored street is served from the next start on."),
            N_("Take that back first."),
        )
    take_away(folder / "street.key")  # what is left cannot be opened, and is listed no more
    take_away_folder(folder)
    note_alone(street.store, actor, "restore", what="thrown away", folder=name)


def note_switched(street: Street, switch: Switch) -> None:
    """In the log of the street that is served now: since when, and where the one before lies."""
    with street.store.unit(SYSTEM) as unit:
        note(unit, "restore", None, None, what="served", replaced=switch.replaced)
