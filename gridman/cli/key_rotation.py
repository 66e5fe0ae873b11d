"""`gridman street rotate-keys` and `gridman desk rotate-keys`: another data key."""

import argparse
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import PASSPHRASE, add_data, add_login, login_of
from gridman.cli.secrets import ask_secret
from gridman.kernel.words import _

__all__ = ["fill_desk", "fill_street"]


def fill_street(parts: Any) -> None:
    """The arguments of the street's command."""
    text = _("encrypt the street's data and photos anew, under another key; its server must be stopped")
    made = parts.add_parser("rotate-keys", help=text, description=text)
    made.set_defaults(work=_street)
    add_data(made, is_street=True)


def fill_desk(parts: Any) -> None:
    """The arguments of the desk's command."""
    text = _("encrypt one user's desk anew, under another key and the same passphrase; its window must be closed")
    made = parts.add_parser("rotate-keys", help=text, description=text)
    made.set_defaults(work=_desk)
    add_data(made)
    add_login(made)


def _street(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.key_change import change_street_key

    changed = change_street_key(args.data, args.database, progress=console.progress)
    console.say(
        _(
            "The street has another data key. Keep a new copy of {file} apart; the old one opens nothing of today."
        ).format(file=args.data / "street.key")
    )
    console.say(
        _(
            "Backups stay what they are, each opens with its own passphrase. Desks go on as before; nobody has to enrol anew."
        )
    )
    return _tell(changed, console)


def _desk(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.key_change import change_desk_key

    who = login_of(args.data, args.login)
    passphrase = ask_secret(PASSPHRASE, _("Passphrase of {login}").format(login=who))
    changed = change_desk_key(args.data, who, passphrase, progress=console.progress)
    console.say(_("The desk of {login} has another data key. The passphrase is the same.").format(login=who))
    return _tell(changed, console)


def _tell(changed: Any, console: Console) -> int:
    if changed.photos_lost:
        console.warn(
            _("{count} photos could not be read and were left out; gridman doctor names them.").format(
                count=changed.photos_lost
            )
        )
    console.give({"photos": changed.photos, "photos_lost": changed.photos_lost})
    return 0
