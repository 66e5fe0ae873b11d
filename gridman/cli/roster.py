"""`gridman roster`: sheets on paper, as PDF: household roster, household card, incident slip, visit record."""

import argparse
from pathlib import Path
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import Opened, add_data, add_database, add_login, open_folder, require_place
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _

__all__ = ["fill", "run"]

_FORMS = {"household_roster": "F01", "household_card": "F02", "incident_slip": "F05", "visit_record": "F06"}
_GRID = "household_roster"


def fill(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_data(parser)
    add_database(parser)
    add_login(parser)
    parser.add_argument(
        "--report", choices=sorted(_FORMS), default=_GRID, help=_("which sheet (default: household_roster)")
    )
    parser.add_argument(
        "--grid", metavar="CODE", help=_("for a roster: the grid's 15-digit code; not needed where there is only one")
    )
    parser.add_argument(
        "--record",
        metavar="ID",
        help=_("for a card: the household's number or id; for a slip or visit: its number or id"),
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=_("the PDF"))
    parser.add_argument(
        "--purpose", default="", metavar="TEXT", help=_("what the sheet is for; printed on it and kept in the audit")
    )
    parser.add_argument("--unmasked", action="store_true", help=_("print whole ID and phone numbers"))


def run(args: argparse.Namespace, console: Console) -> int:
    """Print the sheet to a file."""
    from gridman.reports.catalogue import get_report
    from gridman.reports.typeset import typeset
    from gridman.services.rosters import make_stamp

    require_place(args.out)
    report = get_report(_FORMS[args.report])
    with open_folder(args.data, args.login, args.database) as opened:
        sheet, rows, record_id = _sheet(opened, args.report, _wanted(args, opened))
        # Noted before the paper exists: a sheet without a line in the audit must not be possible.
        with opened.store.unit(opened.actor) as unit:
            stamp = make_stamp(unit, args.report, args.purpose, rows, record_id=record_id, masked=not args.unmasked)
    pages = typeset(report.build(sheet, stamp), args.out)
    console.say(_("{file}: {title}, {rows} records, batch {batch}").format(
        file=args.out, title=_(report.title), rows=rows, batch=stamp.batch,
    ))  # fmt: skip
    console.give({"file": str(args.out), "batch": stamp.batch, "records": rows, "pages": pages.pages})
    return 0


def _wanted(args: argparse.Namespace, opened: Opened) -> str:
    """What was named; for a roster also the only grid there is."""
    from gridman.domain.grid import Grid

    named = args.grid if args.report == _GRID else args.record
    if named:
        return str(named)
    if args.report == _GRID:
        only: dict[str, Any] = (
            {} if opened.kind == "street" and not opened.actor.grid_ids else {"id": sorted(opened.actor.grid_ids)}
        )
        with opened.store.read() as reader:
            grids = reader.page(Grid, limit=2, **only)
        if len(grids) == 1:
            return str(grids[0].code)
    raise Refusal(
        "cli.what_to_print",
        N_("Which one is to be printed?"),
        N_("Name the grid with --grid for a roster, the record with --record for the other sheets."),
    )


def _sheet(opened: Opened, report: str, wanted: str) -> tuple[Any, int, int]:
    """The sheet's content, how many records it shows, and the record it is about."""
    from gridman.domain.grid import Grid
    from gridman.domain.household import Household
    from gridman.domain.incident import Incident
    from gridman.domain.visit import Visit
    from gridman.services import rosters

    actor = opened.actor
    with opened.store.read() as reader:
        if report == _GRID:
            grid = _find(reader, Grid, "code", wanted)
            roster = rosters.roster_sheet(reader, actor, grid.id)
            return roster, len(roster.households), grid.id
        if report == "household_card":
            home = _find(reader, Household, "number", wanted).id
            return rosters.household_sheet(reader, actor, home), 1, home
        if report == "incident_slip":
            incident = _find(reader, Incident, "number", wanted).id
            return rosters.incident_sheet(reader, actor, incident, opened.blobs()), 1, incident
        visit = _find(reader, Visit, "", wanted).id
        return rosters.visit_sheet(reader, actor, visit, opened.blobs()), 1, visit


def _find(reader: Any, cls: type[Any], number_field: str, wanted: str) -> Any:
    """The record with this number or code, or else this id."""
    found = reader.first(cls, **{number_field: wanted}) if number_field else None
    if found is None and wanted.isdigit() and len(wanted) < 19:
        found = reader.find(cls, int(wanted))
    if found is None:
        raise Refusal(
            "cli.no_record",
            N_("There is no {kind} {wanted} in this folder."),
            N_("Check the number; a desk holds only the grids of its user."),
            kind=cls.__tablename__,
            wanted=wanted,
        )
    return found
