"""`gridman street backup`, `verify`, `restore` and `migrate`."""

import argparse
from pathlib import Path
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import add_data, add_database, opened_street, require_place
from gridman.cli.secrets import ask_new, ask_secret
from gridman.kernel.clock import show_instant
from gridman.kernel.words import _

__all__ = ["fill", "tell"]

BACKUP_PASSPHRASE = "GRIDMAN_BACKUP_PASSPHRASE"


def fill(parts: Any) -> None:
    """The arguments of the four."""
    backup = _leaf(parts, "backup", _("copy the street into one file while the server runs"), _backup)
    add_data(backup, is_street=True)
    backup.add_argument("--to", type=Path, required=True, metavar="FILE", help=_("the new file"))
    verify = _leaf(parts, "verify", _("make sure that a backup can be restored"), _verify)
    verify.add_argument("file", type=Path, metavar="FILE", help=_("the backup"))
    # The verb needs no street; `street` itself asks for a folder.
    verify.set_defaults(data=Path())
    restore = _leaf(parts, "restore", _("make the street of a backup anew in an empty folder"), _restore)
    restore.add_argument("file", type=Path, metavar="FILE", help=_("the backup"))
    restore.add_argument("--data", type=Path, required=True, metavar="DIR", help=_("new folder of the street server"))
    add_database(restore)
    text = _("bring the data up to this version of the program; a copy is kept first")
    migrate = parts.add_parser("migrate", help=text, description=text)
    migrate.set_defaults(work=_migrate)
    add_data(migrate, is_street=True)


def _migrate(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.street import migrate_street

    done = migrate_street(args.data, args.database, console.progress)
    if done.before == done.after:
        console.say(_("The data is of this version already (schema {version}).").format(version=done.after))
    else:
        console.say(_("The data was brought from schema {before} to {after}; as it was it lies in {copy}.").format(
            before=done.before, after=done.after, copy=done.copy,
        ))  # fmt: skip
    console.give({"before": done.before, "after": done.after, "copy": str(done.copy) if done.copy else None})
    return 0


def _leaf(parts: Any, name: str, text: str, work: Any) -> argparse.ArgumentParser:
    told = _("{what}. The backup's passphrase is asked, or read from {variable}").format(
        what=text, variable=BACKUP_PASSPHRASE
    )
    made: argparse.ArgumentParser = parts.add_parser(name, help=text, description=told)
    made.set_defaults(work=work)
    return made


def _backup(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.backup import back_up_street

    require_place(args.to)
    with opened_street(args.data, args.database) as street:
        passphrase = ask_new(BACKUP_PASSPHRASE, _("Passphrase of the backup"))
        made = back_up_street(street, args.to, passphrase, console.progress)
    console.say(
        _("The street is copied to {file}. Without the passphrase nobody can open it, not even you.").format(
            file=args.to
        )
    )
    tell(console, made, args.to)
    return 0


def _verify(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.backup import verify_street_backup

    passphrase = ask_secret(BACKUP_PASSPHRASE, _("Passphrase of the backup"))
    found = verify_street_backup(args.file, passphrase, console.progress)
    console.say(_("{file} is sound: it can be restored.").format(file=args.file))
    tell(console, found, args.file)
    return 0


def _restore(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.backup import restore_street

    passphrase = ask_secret(BACKUP_PASSPHRASE, _("Passphrase of the backup"))
    restored = restore_street(args.file, args.data, passphrase, progress=console.progress, database_url=args.database)
    console.say(
        _("The street of {at} lies in {folder}.").format(at=show_instant(restored.manifest.made_at), folder=args.data)
    )
    console.say(
        _("Start it at the address of the old one: desks send again by themselves whatever it does not know yet.")
    )
    console.warn(_("What was done since on the server itself is not in it: users, assignments, imports; computers shut out since must be shut "
                   "out again, and computers enrolled since must be enrolled again. Never start the old folder again."))  # fmt: skip
    tell(console, restored.manifest, args.data, epoch=restored.epoch)
    return 0


def tell(console: Console, manifest: Any, path: Path, **more: Any) -> None:
    """What a backup holds, in a line and for scripts."""
    size = sum(m.size_bytes for m in manifest.members)
    console.say(
        _("made {at}, {mb} MB, {photos} photos").format(
            at=show_instant(manifest.made_at), mb=round(size / 1_000_000, 1), photos=manifest.photo_count
        )
    )
    console.give(
        {
            "file": str(path), "kind": manifest.kind, "made_at": manifest.made_at, "seq": manifest.seq, "bytes": size,
            "photos": manifest.photo_count, **more,
        }
    )  # fmt: skip
