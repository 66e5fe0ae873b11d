"""`gridman import map` and `gridman import register`: what an office has in files becomes the street's data."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import add_data, opened_street
from gridman.domain.access import SYSTEM
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _, listed

__all__ = ["fill", "run"]

_SHOWN = 20


def fill(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    _fill_map(kinds.add_parser("map", help=_("a base map: OpenStreetMap extract, GeoPackage, GeoJSON")))
    _fill_register(kinds.add_parser("register", help=_("residents from the office's spreadsheet")))


def _fill_map(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(work=_import_map)
    parser.add_argument("file", type=Path, metavar="FILE", help=_(".osm.pbf, .osm, .gpkg or .geojson"))
    add_data(parser, is_street=True)
    systems = ("wgs84", "gcj02", "bd09")
    parser.add_argument(
        "--coordinates", choices=systems, default="wgs84", help=_("what the file's numbers mean; wgs84 stands for CGCS2000 too")
    )  # fmt: skip
    parser.add_argument("--code", default="", metavar="CODE", help=_("the street's 12-digit code"))
    parser.add_argument("--name", default="", metavar="NAME", help=_("the street's name"))
    parser.add_argument(
        "--communities", type=int, default=0, metavar="N", help=_("cut the street into N communities along its roads")
    )
    parser.add_argument("--grids", type=int, default=8, metavar="M", help=_("grids of each community (default: 8)"))
    parser.add_argument(
        "--names", type=Path, metavar="CSV", help=_("names (columns use, zh, en) for communities, compounds and roads")
    )
    parser.add_argument(
        "--dwellings",
        type=_range,
        metavar="LEAST-MOST",
        help=_("raise or lower houses until each grid holds so many homes"),
    )
    parser.add_argument(
        "--attribution", default="", metavar="TEXT", help=_("where the map comes from; every map shows it")
    )
    parser.add_argument(
        "--names-in",
        choices=("zh_CN", "en"),
        default="zh_CN",
        help=_("language of the names in the data (default: zh_CN)"),
    )
    parser.add_argument(
        "--withdraw-rest",
        action="store_true",
        help=_("take grids and communities that the map does not have out of use, where nobody uses them"),
    )
    parser.add_argument(
        "--keep-old", action="store_true", help=_("keep pieces of the base map that the file does not have")
    )


def _range(text: str) -> tuple[int, int]:
    least, dash, most = text.partition("-")
    if not (dash and least.isdigit() and most.isdigit() and 0 < int(least) <= int(most)):
        raise argparse.ArgumentTypeError(_("“{text}” is not a range like 300-500").format(text=text))
    return int(least), int(most)


def _fill_register(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(work=_import_register)
    parser.add_argument(
        "file", type=Path, metavar="FILE", nargs="?", help=_("the spreadsheet, in the office's 25-column layout")
    )
    add_data(parser, is_street=True)
    parser.add_argument("--dry-run", action="store_true", help=_("say what would happen; write nothing"))
    parser.add_argument(
        "--errors",
        type=Path,
        metavar="COPY",
        help=_("write a copy of the spreadsheet with the errors in a last column"),
    )
    parser.add_argument(
        "--undo", metavar="BATCH", help=_("take an import back, as far as nobody has worked on it since")
    )
    parser.add_argument("--batches", action="store_true", help=_("list the imports there were"))


def run(args: argparse.Namespace, console: Console) -> int:
    """Import what was asked."""
    return int(args.work(args, console))


def _import_map(args: argparse.Namespace, console: Console) -> int:
    from gridman.geo.read import read_map
    from gridman.intake import import_base_map, import_map, plan_of_file

    progress = console.progress
    with opened_street(args.data, args.database) as street:
        data = read_map(args.file, args.coordinates, progress)
        for note in data.notes:
            console.say(note.words())
        plan = plan_of_file(
            data, code=args.code, name=args.name, communities=args.communities, grids_each=args.grids, names=args.names,
            dwellings_per_grid=args.dwellings, attribution=args.attribution, language=args.names_in, progress=progress,
        )  # fmt: skip
        is_new = not args.keep_old
        if plan is None:
            made = import_base_map(
                street.store, data, attribution=args.attribution, replaces_base_map=is_new, progress=progress
            )
        else:
            made = import_map(
                street.store, plan, language=args.names_in, replaces_base_map=is_new, withdraws_rest=args.withdraw_rest, progress=progress
            )  # fmt: skip
    if made.laid is not None:
        console.say(
            _("{street}: {communities} communities, {grids} grids, {buildings} buildings").format(
                street=made.laid.street.name, communities=made.community_count, grids=made.grid_count, buildings=made.building_count
            )
        )  # fmt: skip
        _tell_rest(made, args.withdraw_rest, console)
    console.say(
        _("Base map: {added} pieces added, {kept} as before, {retired} retired").format(
            added=made.added, kept=made.kept, retired=made.retired
        )
    )
    console.give(
        {
            "communities": made.community_count, "grids": made.grid_count, "buildings": made.building_count, "added": made.added,
            "kept": made.kept, "retired": made.retired,
            "left_over": made.rest.free if made.rest else 0, "notes": {note.code: note.count for note in data.notes},
        }
    )  # fmt: skip
    return 0


def _tell_rest(made: Any, is_withdrawn: bool, console: Console) -> None:
    """Nothing of an earlier layout disappears, or stays, without a word."""
    rest = made.rest
    if rest is None:
        return
    if rest.free and is_withdrawn:
        console.say(_("{n} grids and communities of an earlier layout were taken out of use").format(n=rest.free))
    elif rest.free:
        console.say(
            _(
                "{n} grids and communities of an earlier layout are not on this map and not in use; --withdraw-rest takes them away"
            ).format(n=rest.free)
        )
    if rest.in_use:
        console.say(_("Not on this map, but in use, and kept: {names}").format(names=", ".join(rest.in_use[:20])))


def _import_register(args: argparse.Namespace, console: Console) -> int:
    if args.batches:
        return _list_batches(args, console)
    if args.undo:
        return _undo(args, console)
    if args.file is None:
        raise Refusal(
            "cli.no_file",
            N_("Which spreadsheet is to be imported?"),
            N_("Name the file after “register”; --undo and --batches need none."),
        )
    return _read_and_import(args, console)


def _read_and_import(args: argparse.Namespace, console: Console) -> int:
    from gridman.exchange.register_sheet import read_register
    from gridman.exchange.register_write import write_errors_copy
    from gridman.services.register import check_register, import_register

    sheet = read_register(args.file, console.progress)
    for skipped in sheet.skipped:
        console.warn(skipped.words())
    with opened_street(args.data, args.database) as street:
        if args.dry_run:
            with street.store.read() as reader:
                report = check_register(reader, sheet.rows, SYSTEM, console.progress)
        else:
            report = import_register(street.store, sheet.rows, SYSTEM, source=args.file.name, progress=console.progress)
    if args.errors and report.problems:
        write_errors_copy(args.file, args.errors, report.problems)
    _tell_report(report, sheet.unknown, args, console)
    return 1 if report.refused_count else 0


def _tell_report(report: Any, unknown: list[str], args: argparse.Namespace, console: Console) -> None:
    batch = getattr(report, "batch", "")
    head = _("Would be imported") if args.dry_run else _("Imported as batch {batch}").format(batch=batch or "-")
    console.say(
        _("{head}: {rows} rows; {new} new, {changed} changed, {same} unchanged, {refused} refused; {households} new households").format(
            head=head, rows=report.row_count, new=report.new_count, changed=report.changed_count, same=report.same_count,
            refused=report.refused_count, households=report.new_households,
        )
    )  # fmt: skip
    if unknown:
        console.say(_("Columns not read: {columns}").format(columns=listed(unknown)))
    for problem in report.problems[:_SHOWN]:
        console.warn(problem.words())
    if len(report.problems) > _SHOWN:
        console.warn(_("… and {count} more.").format(count=len(report.problems) - _SHOWN))
    if args.errors and report.problems:
        console.say(_("Errors in {file}; correct them there and import that file.").format(file=args.errors))
    console.give(
        {
            "batch": batch, "rows": report.row_count, "new": report.new_count, "changed": report.changed_count,
            "same": report.same_count, "refused": report.refused_count, "new_households": report.new_households,
            "unknown_columns": unknown, "problems": [_problem(p) for p in report.problems],
            "unknown_places": [asdict(place) for place in report.unknown_places],
        }
    )  # fmt: skip


def _problem(problem: Any) -> dict[str, object]:
    return {
        "sheet": problem.sheet, "row": problem.row, "column": problem.column, "code": problem.code, "words": problem.words(),
        "is_warning": problem.is_warning,
    }  # fmt: skip


def _undo(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.register_undo import undo_import

    with opened_street(args.data, args.database) as street:
        result = undo_import(street.store, args.undo, SYSTEM, progress=console.progress)
    console.say(
        _("Batch {batch} was taken back: {retired} records retired, {restored} restored, {kept} kept").format(
            batch=result.batch, retired=result.retired, restored=result.restored, kept=len(result.kept)
        )
    )
    for kind, record_id in result.kept[:_SHOWN]:
        console.say(_("kept because it was worked on since: {kind} {id}").format(kind=kind, id=record_id))
    console.give(asdict(result))
    return 0


def _list_batches(args: argparse.Namespace, console: Console) -> int:
    from gridman.kernel.clock import show_instant
    from gridman.services.register import all_batches

    with opened_street(args.data, args.database) as street, street.store.read() as reader:
        batches = all_batches(reader)
    for b in batches:
        console.say(f"{b.number}  {show_instant(b.at)}  {b.state:<6} {b.source}  {b.counts}")
    console.give(
        [{"number": b.number, "at": b.at, "state": b.state, "source": b.source, "counts": b.counts} for b in batches]
    )
    return 0
