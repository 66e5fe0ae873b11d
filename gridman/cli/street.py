"""`gridman street`: serve a street, found it, and look after its accounts, computers, grids and departments."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from gridman.cli import (
    key_rotation,
    street_audit,
    street_backup,
    street_grids,
    street_monitor,
    street_office,
    street_prepare,
    street_review,
    street_trust,
)
from gridman.cli.console import Console
from gridman.cli.folders import add_data, opened_street
from gridman.cli.secrets import ask_new
from gridman.domain.access import SYSTEM
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.store.switching import wanted_switch

__all__ = ["fill", "run"]

PASSWORD = "GRIDMAN_PASSWORD"
_PORT = 8750
_WORK_ENDS_S = 120.0


def fill(parser: argparse.ArgumentParser) -> None:
    """The command's arguments; without a word after `street` it serves."""
    parser.set_defaults(work=_serve)
    parser.add_argument("--data", type=Path, metavar="DIR", help=_("folder of the street server"))
    parser.add_argument("--database", metavar="URL", help=_("PostgreSQL of the street: postgresql://user@host/name"))
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help=_("address to listen on (default: this computer only)")
    )
    parser.add_argument(
        "--port", type=int, default=_PORT, metavar="N", help=_("port (default: 8750; 0 takes any free one)")
    )
    parser.add_argument(
        "--certificate", type=Path, metavar="PEM", help=_("certificate of your own for HTTPS (default: the street's)")
    )
    parser.add_argument("--key", type=Path, metavar="PEM", help=_("the certificate's key"))
    parser.add_argument(
        "--insecure-http", action="store_true", help=_("no encryption; for this computer only, to look for faults")
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help=_("processes that serve (default: 1; more need PostgreSQL)")
    )
    parts = parser.add_subparsers(dest="what", metavar="WHAT")
    init = parts.add_parser("init", help=_("found a new street"))
    init.set_defaults(work=_init)
    add_data(init, is_street=True)
    init.add_argument("--name", required=True, metavar="NAME", help=_("the street's name"))
    init.add_argument(
        "--admin",
        required=True,
        metavar="LOGIN",
        help=_("the administrator; the password is asked, or read from GRIDMAN_PASSWORD"),
    )
    street_office.fill(parts)
    street_grids.fill(parts)
    street_trust.fill(parts)
    street_review.fill(parts)
    street_audit.fill(parts)
    street_backup.fill(parts)
    key_rotation.fill_street(parts)
    street_monitor.fill(parts)
    street_prepare.fill(parts)


def run(args: argparse.Namespace, console: Console) -> int:
    """Do what was asked of the street."""
    if args.data is None:
        console.warn(_("gridman street needs --data DIR, the folder of the street server."))
        return 2
    if args.work is not _serve and (switch := wanted_switch(args.data)) is not None:
        console.warn(
            _(
                "From the next start of the server on the restored street {folder} is served; what is changed now stays in the one replaced."
            ).format(folder=switch.restored)
        )
    return int(args.work(args, console))


def _init(args: argparse.Namespace, console: Console) -> int:
    from gridman.server.certificates import street_tls
    from gridman.services.street import found_street

    password = ask_new(PASSWORD, _("Password of {login}").format(login=args.admin))
    with opened_street(args.data, args.database, must_exist=False) as street:
        with street.store.unit(SYSTEM) as unit:
            organisation, admin = found_street(unit, args.name, args.admin, password, hasher=street.hasher)
        fingerprint = street_trust.say_fingerprint(console, street_tls(street).authority)
    console.say(_("{street} is founded in {folder}.").format(street=organisation.name, folder=args.data))
    console.say(
        _("Keep a copy of {file} apart: without it the data cannot be opened.").format(file=args.data / "street.key")
    )
    console.say(
        _("Next: gridman import map, then gridman street user add, then gridman street --data {folder}").format(
            folder=args.data
        )
    )
    console.give(
        {"street": organisation.name, "admin": admin.login, "data": str(args.data), "fingerprint": fingerprint}
    )
    return 0


def _serve(args: argparse.Namespace, console: Console) -> int:
    """Serve until Ctrl+C."""
    from gridman.kernel.log import start_log
    from gridman.services.street import hold_street_folder

    if bool(args.certificate) != bool(args.key):
        console.warn(_("--certificate and --key belong together."))
        return 2
    if args.workers > 1 and not args.database:
        raise Refusal(
            "street.one_writer",
            N_("SQLite has one writer: one process serves the street."),
            N_(
                "Leave --workers out, or move the street to PostgreSQL: gridman street backup, then restore --database."
            ),
        )
    is_there = args.data.is_dir()  # a folder that is missing is told by its opening, not made by its lock
    with hold_street_folder(args.data) if is_there else nullcontext(), _listening(args) as on:
        start_log(args.data / "logs", verbose=args.verbose)
        while _serve_once(args, console, on):
            console.say(_("Starting again."))
    console.say(_("Stopped."))
    return 0


@contextmanager
def _listening(args: argparse.Namespace) -> Iterator[Any]:
    """The socket of one process, which outlives a new start; several workers have their own."""
    from gridman.server.certificates import is_loopback
    from gridman.server.run import listen

    if args.workers > 1 or (
        args.insecure_http and not is_loopback(args.host)
    ):  # the latter is refused where it is served
        yield None
        return
    on = listen(args.host, args.port)
    try:
        yield on
    finally:
        on.close()


def _serve_once(args: argparse.Namespace, console: Console, on: Any) -> bool:
    """Serve until Ctrl+C, or until the pages ask for a new start (True). A restored street that was chosen takes its place before."""
    from gridman.server.run import serve
    from gridman.server.workers import Team, serve_team
    from gridman.services.jobs import hold_work
    from gridman.services.restoring import note_switched
    from gridman.store.switching import finish_switch, forget_switch

    switch = None
    if wanted_switch(args.data) is not None:
        with hold_work(args.data, _WORK_ENDS_S):  # work of the serving before may need a moment to its next step
            switch = finish_switch(args.data)
    with opened_street(args.data, args.database) as street:
        tls = None if args.insecure_http else street_trust.tls_of(street, args, switch.hosts if switch else ())
        if switch is not None:
            note_switched(street, switch)
            forget_switch(args.data)

        def ready(address: str) -> None:
            fingerprint = street_trust.announce(street, tls, args.host, address, console)
            console.say(_("Serving {folder} ({database}) at {address}; Ctrl+C stops.").format(
                folder=args.data, database=street.database_kind, address=address,
            ))  # fmt: skip
            console.give({"address": address, "fingerprint": fingerprint})

        if args.workers > 1:
            team = Team(args.data, args.database, args.workers, tls, verbose=args.verbose)
            serve_team(team, args.host, args.port, ready)
            return False
        return serve(street, args.host, args.port, ready, tls=tls, on=on)
