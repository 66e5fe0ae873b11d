"""`gridman desk backup`: one user's desk in one file."""

import argparse
from pathlib import Path
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import add_data, add_login, opened_desk, require_place
from gridman.cli.street_backup import tell
from gridman.kernel.words import _

__all__ = ["fill"]


def fill(parts: Any) -> None:
    """The command's arguments."""
    text = _("copy one user's desk, encrypted as it is, into one file")
    backup = parts.add_parser("backup", help=text, description=text)
    backup.set_defaults(work=_backup)
    add_data(backup)
    add_login(backup)
    backup.add_argument("--to", type=Path, required=True, metavar="FILE", help=_("the new file"))


def _backup(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.backup import back_up_desk

    require_place(args.to)
    with opened_desk(args.data, args.login) as desk:
        made = back_up_desk(desk, args.to, console.progress)
    console.say(
        _(
            "The desk is copied to {file}; any tar program unpacks it into an empty folder. The passphrase stays the same."
        ).format(file=args.to)
    )
    console.warn(_("Put it back only if this computer's desk is lost and has not sent anything since: the street refuses a copy whose work it "
                   "already knows otherwise, and the desk must then be set up anew."))  # fmt: skip
    tell(console, made, args.to)
    return 0
