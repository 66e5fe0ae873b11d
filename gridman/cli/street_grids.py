"""`gridman street assign`, `grid` and `notice`: who works where, and what everybody is told."""

import argparse
from dataclasses import asdict
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import opened_street
from gridman.cli.street_office import leaf, organisation_of, user_of
from gridman.domain.access import SYSTEM
from gridman.kernel.clock import show_instant
from gridman.kernel.words import _

__all__ = ["fill"]


def fill(parts: Any) -> None:
    """The arguments of the three."""
    given = leaf(parts, "assign", _("give a worker a grid, or take it away"), _assign)
    given.add_argument("--login", required=True, metavar="LOGIN", help=_("the worker"))
    given.add_argument(
        "--grid", required=True, action="append", metavar="CODE", help=_("15-digit grid code; may be repeated")
    )
    given.add_argument("--end", action="store_true", help=_("end the assignment instead, with the end of today"))
    given.add_argument("--now", action="store_true", help=_("with --end: at once"))
    grid = parts.add_parser("grid", help=_("grids and who works in them")).add_subparsers(metavar="DO", required=True)
    leaf(grid, "list", _("list them"), _grids)
    split = leaf(grid, "split", _("cut one in two; buildings and households follow"), _split)
    split.add_argument("--grid", required=True, metavar="CODE", help=_("15-digit grid code"))
    split.add_argument(
        "--along",
        required=True,
        type=_point,
        nargs="+",
        metavar="LNG,LAT",
        help=_("points of the line that cuts it, in degrees"),
    )
    split.add_argument(
        "--name", default="", metavar="NAME", help=_("name of the new grid, the part with fewer buildings")
    )
    notice = parts.add_parser("notice", help=_("notices to the desks")).add_subparsers(metavar="DO", required=True)
    add = leaf(notice, "add", _("publish one"), _add_notice)
    add.add_argument("--title", required=True, metavar="TEXT", help=_("its title"))
    add.add_argument("--text", default="", metavar="TEXT", help=_("what it says; no personal data of residents"))
    add.add_argument(
        "--for",
        dest="audience",
        metavar="NAME",
        help=_("an organisation and those below it (default: the whole street)"),
    )
    add.add_argument("--until", metavar="DAY", help=_("its last day, YYYY-MM-DD"))
    add.add_argument("--urgent", action="store_true", help=_("stands first"))
    leaf(notice, "list", _("list them"), _notices)
    withdraw = leaf(notice, "withdraw", _("take one back"), _withdraw_notice)
    withdraw.add_argument("number", type=int, metavar="NUMBER", help=_("its number in the list"))


def _assign(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.assignments import assign, get_grid, withdraw

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        user = user_of(unit, args.login)
        for code in args.grid:
            grid = get_grid(unit, code)
            if args.end:
                withdraw(unit, user.id, grid.id, at_once=args.now)
            else:
                assign(unit, user.id, grid.id)
    if args.end and not args.now:
        text = _("{name} works in {grids} until the end of today; --now ends it at once.")
    else:
        text = _("{name} no longer works in {grids}.") if args.end else _("{name} works in {grids}.")
    console.say(text.format(name=user.name, grids=", ".join(args.grid)))
    console.give({"login": user.login, "grids": args.grid, "ended": args.end, "at_once": args.end and args.now})
    return 0


def _point(text: str) -> tuple[float, float]:
    lng, lat = text.split(",")
    return float(lng), float(lat)


def _split(args: argparse.Namespace, console: Console) -> int:
    from gridman.domain.household import Household
    from gridman.services.assignments import get_grid
    from gridman.services.grid_split import split_grid

    with opened_street(args.data, args.database) as street:
        with street.store.unit(SYSTEM) as unit:
            made = split_grid(unit, get_grid(unit, args.grid).id, args.along, args.name)
        with street.store.read() as reader:
            count = reader.count(Household, grid_id=made.id)
    console.say(_("{name} ({code}) is made, with {n} households.").format(name=made.name, code=made.code, n=count))
    console.say(_("Nobody works in it yet: gridman street assign gives it a worker."))
    console.give({"code": made.code, "name": made.name, "households": count})
    return 0


def _grids(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.assignments import page_grids

    with opened_street(args.data, args.database) as street, street.store.read() as reader:
        lines = page_grids(reader, SYSTEM)
    for line in lines:
        workers = ", ".join(f"{w.name} ({w.login})" for w in line.workers) or "-"
        console.say(f"{line.code}  {line.household_count:>5}  {line.community} {line.name}  {workers}")
    console.give([asdict(line) for line in lines])
    return 0


def _add_notice(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.notices import publish

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        audience = organisation_of(unit, args.audience).id if args.audience else None
        made = publish(unit, args.title, args.text, audience_id=audience, until_on=args.until, is_urgent=args.urgent)
    console.say(
        _("Notice {number} is published; desks show it after their next synchronisation.").format(number=made.id)
    )
    console.give({"number": made.id})
    return 0


def _notices(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.notices import page_notices

    with opened_street(args.data, args.database) as street, street.store.read() as reader:
        lines = page_notices(reader, SYSTEM)
    words = {"shown": _("shown"), "over": _("over"), "withdrawn": _("withdrawn")}
    for line in lines:
        n = line.notice
        console.say(
            f"{n.id}  {show_instant(n.published_at)}  {words[line.state]}  {line.audience or _('the whole street')}  {n.title}"
        )
    console.give([
        {
            "number": line.notice.id, "title": line.notice.title, "audience": line.audience, "published_at": line.notice.published_at,
            "until_on": line.notice.until_on, "urgent": bool(line.notice.is_urgent), "state": line.state,
        }
        for line in lines
    ])  # fmt: skip
    return 0


def _withdraw_notice(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.notices import withdraw_notice

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        found = withdraw_notice(unit, args.number)
    console.say(_("The notice “{title}” is withdrawn.").format(title=found.title))
    console.give({"number": args.number})
    return 0
