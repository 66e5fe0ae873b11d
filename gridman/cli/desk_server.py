"""`gridman desk server`: the street server has another address."""

import argparse
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import PASSPHRASE, add_data, add_login, login_of
from gridman.cli.secrets import ask_secret
from gridman.kernel.words import _

__all__ = ["fill"]


def fill(parts: Any) -> None:
    """The command's arguments."""
    text = _("tell this computer the new address of its street server; kept only if the same street answers there")
    made = parts.add_parser("server", help=text, description=text)
    made.set_defaults(work=_move)
    made.add_argument("url", metavar="URL", help=_("the new address, for example https://street.example:8750"))
    add_data(made)
    add_login(made)


def _move(args: argparse.Namespace, console: Console) -> int:
    from gridman.joining import move_desk

    who = login_of(args.data, args.login)
    passphrase = ask_secret(PASSPHRASE, _("Passphrase of {login}").format(login=who))
    user = move_desk(args.data, who, passphrase, args.url)
    console.say(
        _("The same street answers at {url}: this computer goes there from now on.").format(url=user.server_url)
    )
    console.give({"server": user.server_url})
    return 0
