"""`gridman street monitor`: the token with which a monitoring program reads the server's numbers."""

import argparse
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import add_data, opened_street
from gridman.domain.access import SYSTEM
from gridman.kernel.words import _

__all__ = ["fill"]


def fill(parts: Any) -> None:
    """The arguments of `street monitor`."""
    text = _("give a monitoring program a token to read the server's numbers at /metrics")
    made = parts.add_parser("monitor", help=text, description=text)
    made.set_defaults(work=_monitor)
    add_data(made, is_street=True)


def _monitor(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.monitoring import new_monitor_token

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        token = new_monitor_token(unit)
    console.say(token)
    console.say(_("It is shown this once; an older token has stopped working. It opens /metrics and nothing else."))
    console.give({"token": token})
    return 0
