"""`gridman demo`: one day in a demonstration street."""

import argparse
from pathlib import Path

from gridman.cli.console import Console
from gridman.kernel.clock import Clock
from gridman.kernel.words import _

__all__ = ["fill", "run"]


def fill(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    sizes = ("grid", "community", "street")
    parser.add_argument(
        "--size", choices=sizes, default="community", help=_("how much of the street is played (default: community)")
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/demo"), metavar="DIR", help=_("where everything goes (default: out/demo)")
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help=_("the day's chance; the same number gives the same people")
    )
    parser.add_argument("--no-window", action="store_true", help=_("do not open the desk's window at the end"))


def run(args: argparse.Namespace, console: Console) -> int:
    """Play the day; 0 only when every checked outcome held."""
    from gridman.demo.day import run as play

    opens = not args.no_window
    return play(args.size, args.out, args.seed, opens_window=opens, show=_show if opens else None)


def _show(data: Path, login: str, passphrase: str, clock: Clock) -> int:
    """Open the window on one of the day's desks, if there is a screen."""
    from gridman.joining import sign_in_desk
    from gridman.services.signin import verify_passphrase
    from gridman.ui.app import has_screen, run_desk

    if not has_screen():
        return 0
    desk = sign_in_desk(data, login, passphrase, clock)
    try:
        return run_desk(desk, unlock=lambda typed: verify_passphrase(data, login, typed, clock))
    finally:
        desk.close()
