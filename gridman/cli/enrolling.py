"""`gridman desk enrol`: set this computer up for a user without the window, for offices that set up many."""

import argparse
import platform
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import PASSPHRASE, add_data
from gridman.cli.secrets import ask_new, ask_secret
from gridman.kernel.words import _

__all__ = ["fill"]

_PASSWORD = "GRIDMAN_PASSWORD"


def fill(parts: Any) -> None:
    """The arguments of `desk enrol`."""
    text = _("set this computer up for a user, without the window")
    made = parts.add_parser("enrol", help=text, description=text)
    made.set_defaults(work=_enrol)
    add_data(made)
    made.add_argument("--login", required=True, metavar="LOGIN", help=_("sign-in name"))
    made.add_argument(
        "--server", default="", metavar="URL", help=_("address of the street server (not needed with a scanned code)")
    )
    made.add_argument(
        "--code",
        metavar="CODE",
        help=_("code from the administrator; without it the password is asked, or read from GRIDMAN_PASSWORD"),
    )
    made.add_argument(
        "--fingerprint",
        default="",
        metavar="LETTERS",
        help=_("the street's fingerprint, compared with the administrator's, where the code has none"),
    )
    made.add_argument(
        "--name", default=platform.node(), metavar="NAME", help=_("name of this computer on the street's list")
    )
    made.add_argument(
        "--again",
        action="store_true",
        help=_(
            "for a user who is set up already: a new desk beside the old one; gridman sync --left sends what that had not"
        ),
    )


def _enrol(args: argparse.Namespace, console: Console) -> int:
    """Enrol, choose the passphrase, fetch the records."""
    from gridman.joining import enrol_desk
    from gridman.services.signin import standing_desk, stays_behind

    standing = standing_desk(args.data, args.login)
    if (
        standing is not None and args.again
    ):  # before a passphrase is asked: there it can be stopped, and the code still works
        console.warn(stays_behind(args.data, standing).words())
    password = None if args.code else ask_secret(_PASSWORD, _("Password of {login}").format(login=args.login))
    passphrase = ask_new(PASSPHRASE, _("New passphrase for this computer"))
    desk = enrol_desk(
        args.data, args.server, args.login, passphrase, password=password, code=args.code, device_name=args.name,
        fingerprint=args.fingerprint, again=args.again,
    )  # fmt: skip
    try:
        profile = desk.profile
        console.say(
            _("{name} ({login}) can work on this computer: number {number}, street server {url}.").format(
                name=profile.name, login=profile.login, number=profile.replica, url=profile.server_url
            )
        )
        desk.synchronise(console.progress)
    finally:
        desk.close()
    left = None if standing is None else standing.replica
    console.give({"login": profile.login, "number": profile.replica, "server": profile.server_url, "left": left})
    return 0
