"""`gridman desk`: the window; below it what is done to a desk without one."""

import argparse

from gridman.cli import desk_backup, desk_server, enrolling, key_rotation
from gridman.cli.console import Console
from gridman.cli.folders import add_data
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _

__all__ = ["fill", "run"]


def fill(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.set_defaults(work=_open)
    add_data(parser)
    parser.add_argument("--theme", choices=("light", "dark"), default="", help=_("colours (default: as chosen last)"))
    parts = parser.add_subparsers(dest="what", metavar="WHAT")
    enrolling.fill(parts)
    desk_server.fill(parts)
    desk_backup.fill(parts)
    key_rotation.fill_desk(parts)


def run(args: argparse.Namespace, console: Console) -> int:
    """Do what was asked of the desk."""
    return int(args.work(args, console))


def _open(args: argparse.Namespace, console: Console) -> int:
    """Open the sign-in window on the data folder."""
    try:
        from gridman.ui.app import has_screen, run_program
    except ImportError as error:
        raise Refusal(
            "desk.no_qt",
            N_("The window cannot be opened: {why}."),
            N_("Run gridman doctor: it says which part is missing and how to get it."),
            why=error,
        ) from error
    from gridman.joining import DeskDoor
    from gridman.kernel.log import start_log

    if not has_screen():
        raise Refusal(
            "desk.no_screen",
            N_("There is no screen here on which a window could open."),
            N_(
                "Start it from the desktop of the computer, not over a bare terminal; the other commands work without a screen."
            ),
        )
    args.data.mkdir(parents=True, exist_ok=True)
    start_log(args.data / "logs", verbose=args.verbose)
    return run_program(["gridman"], DeskDoor(args.data), args.language, args.theme)
