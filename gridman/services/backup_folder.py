"""Backups in the street's own folder, for an administrator who works in a browser: made, listed, fetched, verified."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gridman.domain.access import Actor, require
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.files import take_away
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.services.audit import note_alone
from gridman.services.backup import Inside, back_up_street, look_into_backup
from gridman.services.street import Street
from gridman.store.archive import Manifest
from gridman.store.keys import DEFAULT_COST, Cost, check_passphrase

__all__ = [
    "BackupLine",
    "back_up_here",
    "backup_here",
    "fetch_backup",
    "new_backup_name",
    "page_backups",
    "verify_here",
]

HERE, ENDING, _KEPT = "backups", ".gmb", 5
_LOGIN = "backup"


def new_backup_name(street: Street, actor: Actor, passphrase: str) -> str:
    """What a backup made now is called. Refuses with ``passphrase.weak`` before anything is begun."""
    require(actor, "account.manage")
    check_passphrase(passphrase, _LOGIN)
    stamp = show_instant(street.clock()).replace("-", "").replace(":", "").replace(" ", "-")
    return next(f"street-{stamp}{more}{ENDING}" for more in ("", *(f"-{n}" for n in range(2, 1_000)))
                if not (street.data_dir / HERE / f"street-{stamp}{more}{ENDING}").exists())  # fmt: skip


def back_up_here(
    street: Street,
    actor: Actor,
    passphrase: str,
    progress: Progress = quiet,
    *,
    name: str = "",
    cost: Cost = DEFAULT_COST,
    within: Path | None = None,
) -> tuple[Path, Manifest]:
    """A backup in the street's own folder `backups`, for an administrator who works in a browser; the newest five stay there.

    Refuses like `back_up_street`. The passphrase is kept nowhere.
    """
    path = street.data_dir / HERE / (name or new_backup_name(street, actor, passphrase))
    made = back_up_street(street, path, passphrase, progress, cost=cost, within=within, actor=actor)
    for old in page_backups(street, actor)[_KEPT:]:
        with suppress(OSError):  # somebody fetches it just now: it goes the next time
            take_away(old.path)
    return path, made


def verify_here(
    street: Street, actor: Actor, name: str, passphrase: str, progress: Progress = quiet, *, within: Path | None = None
) -> Inside:
    """Make sure that a kept backup can be restored, and say what is in it. Refuses like `verify_street_backup`; ``backup.missing``."""
    path = backup_here(street, actor, name)
    return look_into_backup(path, passphrase, progress, within=within)


@dataclass(frozen=True)
class BackupLine:
    """A backup in the street's own folder."""

    path: Path
    made_at: int
    size_bytes: int


def page_backups(street: Street, actor: Actor) -> list[BackupLine]:
    """The backups in the street's own folder, the newest first."""
    require(actor, "account.manage")
    found = [(p, p.stat()) for p in (street.data_dir / HERE).glob(f"street-*{ENDING}") if p.is_file()]
    lines = [BackupLine(p, int(s.st_mtime * 1000), s.st_size) for p, s in found]
    return sorted(lines, key=lambda line: (line.made_at, line.path.name), reverse=True)


def backup_here(street: Street, actor: Actor, name: str) -> Path:
    """The file of that name among the kept ones. Refuses with ``backup.missing``."""
    found = next((line.path for line in page_backups(street, actor) if line.path.name == name), None)
    if found is None:
        raise Refusal(
            "backup.missing",
            N_("There is no such backup on the server."),
            N_("Look at the list again: old ones are removed when new ones are made."),
        )
    return found


def fetch_backup(street: Street, actor: Actor, name: str) -> Path:
    """The file of a backup that is to leave the server; it is noted who took it. Refuses with ``backup.missing``."""
    found = backup_here(street, actor, name)
    note_alone(street.store, actor, "export", what="backup file", file=name)
    return found
