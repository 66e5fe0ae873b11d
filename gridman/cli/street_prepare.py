"""`gridman street prepare`: make what new desks begin with before they come."""

import argparse
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import add_data, opened_street
from gridman.kernel.words import _

__all__ = ["fill"]


def fill(parts: Any) -> None:
    """The arguments of `street prepare`."""
    text = _(
        "make the snapshots that new desks begin with, for example at night; a running server does it by itself when it is quiet"
    )
    made = parts.add_parser("prepare", help=text, description=text)
    made.set_defaults(work=_prepare)
    add_data(made, is_street=True)


def _prepare(args: argparse.Namespace, console: Console) -> int:
    from gridman.sync.preparing import prepare
    from gridman.sync.snapshots import snapshots_of

    with opened_street(args.data, args.database) as street:
        done = prepare(street.store, snapshots_of(street), progress=console.progress)
    console.say(
        _("{made} snapshots made ({rows} records), {ready} were there already.").format(
            made=done.made, rows=done.rows, ready=done.ready
        )
    )
    if not done.is_whole:
        console.warn(_("Some were left out: another program prepares this street now, or there is no room for more."))
    console.give(
        {"scopes": done.scopes, "made": done.made, "ready": done.ready, "rows": done.rows, "whole": done.is_whole}
    )
    return 0 if done.is_whole else 1
