"""`gridman doctor`: what is wrong with this machine or a data folder, and what to do."""

import argparse
import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from gridman.cli.console import Console
from gridman.cli.findings import Finding, checked
from gridman.cli.folders import PASSPHRASE, add_database, add_login, kind_of, login_of
from gridman.cli.secrets import ask_secret
from gridman.kernel.errors import Refusal
from gridman.kernel.paths import default_data_dir
from gridman.kernel.words import N_, _

__all__ = ["fill", "run"]


def fill(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    text = _("data folder of a desk or a street (default: the desk's usual one, if there is one)")
    parser.add_argument("--data", type=Path, metavar="DIR", help=text)
    add_database(parser)
    add_login(parser)
    parser.add_argument("--repair", action="store_true", help=_("make lists and indexes anew where they are wrong"))
    parser.add_argument("--no-machine", action="store_true", help=_("look at the folder only"))
    parser.add_argument("--no-window", action="store_true", help=_("leave out what only the desk's window needs"))
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help=_("write a report to send to those who look after gridman: no names, nothing of what the records say"),
    )
    parser.add_argument("--offline", action="store_true", help=_("do not call the street server"))


def run(args: argparse.Namespace, console: Console) -> int:
    """Look, tell, and return 1 when something is wrong."""
    folder = args.data or default_data_dir()
    found: list[Finding] = []
    counts: dict[str, dict[str, int]] = {}
    for finding in _findings(args, folder, console, counts):
        found.append(finding)
        _tell(finding, console)
    if args.report is not None:
        from gridman.cli.doctor_report import write_report

        write_report(args.report, folder, found, counts)
        console.say(_("The report is in {path}.").format(path=args.report))
    wrong = sum(f.is_wrong for f in found)
    warned = sum(bool(f.problems) and f.is_warning for f in found)
    console.say(
        _("{count} looked at: {wrong} wrong, {warned} to note").format(count=len(found), wrong=wrong, warned=warned)
    )
    console.give({"wrong": wrong, "warnings": warned, "findings": [_plain(f) for f in found]})
    return 1 if wrong else 0


def _findings(
    args: argparse.Namespace, folder: Path, console: Console, counts: dict[str, dict[str, int]]
) -> Iterator[Finding]:
    from gridman.cli.machine_checks import check_machine, disk_flaws

    kind = "street" if args.database else kind_of(folder)
    if not args.no_machine:
        yield from check_machine(folder, with_window=kind != "street" and not args.no_window)
    else:
        yield checked(_("Disk"), lambda: disk_flaws(folder))  # the folder's, which the machine's checks tell as well
    if kind == "street":
        yield from _street(args, folder, counts)
    elif kind == "desk":
        yield from _desks(args, folder, console, counts)
    elif args.data is not None:
        yield Finding(_("Data folder"), str(folder), (_nothing_there(folder),))


def _nothing_there(folder: Path) -> Refusal:
    return Refusal(
        "cli.no_folder",
        N_("There is neither a desk nor a street in {folder}."),
        N_("Check --data; a desk is set up with gridman desk, a street with gridman street init."),
        folder=folder,
    )


def _street(args: argparse.Namespace, folder: Path, counts: dict[str, dict[str, int]]) -> Iterator[Finding]:
    from gridman.cli.folder_checks import check_street, open_street_inside

    try:
        inside = open_street_inside(folder, args.database)
    except Refusal as refusal:
        yield Finding(_("Data of the street"), str(folder), (refusal,))
        return
    with closing(inside):
        yield Finding(_("Data of the street"), str(folder))
        _count(inside.store, "street", counts)
        for finding in check_street(folder, inside):
            is_apart = any(p.code == "doctor.feed_apart" for p in finding.problems)
            yield _placed_anew(inside.store, finding) if is_apart and args.repair else finding


def _desks(
    args: argparse.Namespace, folder: Path, console: Console, counts: dict[str, dict[str, int]]
) -> Iterator[Finding]:
    """Every desk from outside; one from inside, when its passphrase can be had."""
    from gridman.cli.folder_checks import HARMLESS, desk_files, left_behind, uncounted
    from gridman.services.signin import desk_users

    try:
        users = desk_users(folder)
    except Refusal as refusal:
        yield Finding(_("Profile of this computer"), str(folder), (refusal,))
        yield from left_behind(folder)
        return
    yield Finding(_("Profile of this computer"), ", ".join(user.login for user in users))
    is_sound = True
    for user in users:
        files = list(desk_files(folder, user))
        yield from files
        if any(finding.is_wrong for finding in files):
            is_sound = False
            if any(p.code not in HARMLESS for finding in files for p in finding.problems):
                yield uncounted(user)
    yield from left_behind(folder)
    if not args.login and PASSPHRASE not in os.environ:
        console.say(_("To look inside, add --login; the passphrase is asked."))
    elif is_sound or args.login:
        yield from _inside(args, folder, counts, is_sound)


def _inside(
    args: argparse.Namespace, folder: Path, counts: dict[str, dict[str, int]], is_sound: bool
) -> Iterator[Finding]:
    from gridman.cli.folder_checks import check_desk, open_desk_inside, uncounted
    from gridman.services.signin import desk_users
    from gridman.store.keys import fold_login

    login = login_of(folder, args.login)
    user = next((u for u in desk_users(folder) if u.login == fold_login(login)), None)
    if user is None:
        raise Refusal(
            "signin.unknown_here",
            N_("{login} has not been set up on this computer."),
            N_("Connect to the street server once and enrol this computer for that user."),
            login=login,
        )
    subject = _("Desk of {login}").format(login=user.login)
    try:
        inside = open_desk_inside(
            folder, user, ask_secret(PASSPHRASE, _("Passphrase of {login}").format(login=user.login))
        )
    except Refusal as refusal:
        yield Finding(subject, "", (refusal,))
        if not refusal.code.startswith("signin.") and is_sound:
            yield uncounted(user)
        return
    with closing(inside):
        yield Finding(subject, _("opens with the passphrase"))
        _count(inside.store, f"desk {inside.replica}", counts)
        for finding in check_desk(inside, asks_server=not args.offline):
            is_list = any(p.code.startswith("doctor.index_") for p in finding.problems)
            if is_list and args.repair and inside.store is not None:
                yield _repaired(inside.store, finding)
            else:
                yield finding


def _count(store: object, name: str, counts: dict[str, dict[str, int]]) -> None:
    """The figures of a report; a store that cannot be counted is told of by its findings."""
    from gridman.store.figures import figures
    from gridman.store.store import Store

    if isinstance(store, Store):
        with suppress(Exception), store.read() as reader:
            counts[name] = figures(reader)


def _repaired(store: object, finding: Finding) -> Finding:
    from gridman.store.soundness import list_flaws, repair_lists
    from gridman.store.store import Store

    assert isinstance(store, Store)
    repair_lists(store)
    with store.read() as reader:
        return checked(finding.subject, lambda: list_flaws(reader), _("made anew"))


def _placed_anew(store: object, finding: Finding) -> Finding:
    from gridman.store.feed_repair import place_anew
    from gridman.store.soundness import follower_flaws
    from gridman.store.store import Store

    assert isinstance(store, Store)
    place_anew(store)
    with store.read() as reader:
        return checked(finding.subject, lambda: follower_flaws(reader), _("placed anew"))


def _tell(finding: Finding, console: Console) -> None:
    mark = "✓" if not finding.problems else "!" if finding.is_warning else "✗"
    detail = f"  {finding.detail}" if finding.detail else ""
    console.say(f"{mark} {finding.subject}{detail}")
    for problem in finding.problems:
        what = Refusal(problem.code, problem.text, "", **problem.params).words()
        console.say(f"    {what}")
        if problem.remedy:
            console.say("    → " + Refusal(problem.code, problem.remedy, "", **problem.params).words())


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "subject": finding.subject, "detail": finding.detail, "is_wrong": finding.is_wrong,
        "problems": [{"code": p.code, "words": p.words()} for p in finding.problems],
    }  # fmt: skip
