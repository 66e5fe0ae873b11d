"""`gridman export`: the register, incidents or the map as files for other programs. Each export of people's data is noted in the audit."""

import argparse
from pathlib import Path
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import Opened, add_data, add_database, add_login, open_folder, require_place
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _

__all__ = ["fill", "run"]

_FORMATS = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG"}


def fill(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    register = _leaf(kinds, "register", _("residents in the office's layout (.xlsx)"), _register)
    register.add_argument(
        "--grid", action="append", metavar="CODE", help=_("15-digit grid code; may be repeated (default: all)")
    )
    register.add_argument("--unmasked", action="store_true", help=_("write whole ID and phone numbers"))
    incidents = _leaf(kinds, "incidents", _("incidents (.xlsx, .geojson, .gpkg)"), _incidents)
    incidents.add_argument("--state", action="append", metavar="STATE", help=_("only in this state; may be repeated"))
    for made in (register, incidents):
        made.add_argument("--purpose", default="", metavar="TEXT", help=_("what the file is for; kept in the audit"))
    _leaf(kinds, "map", _("boundaries, buildings and base map (.geojson, .gpkg)"), _map)


def _leaf(kinds: Any, name: str, text: str, work: Any) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = kinds.add_parser(name, help=text, description=text)
    made.set_defaults(work=work)
    made.add_argument("file", type=Path, metavar="FILE", help=_("the file to write"))
    add_data(made)
    add_database(made)
    add_login(made)
    return made


def run(args: argparse.Namespace, console: Console) -> int:
    """Write what was asked."""
    require_place(args.file)
    with open_folder(args.data, args.login, args.database) as opened:
        count = int(args.work(opened, args, console))
    console.say(_("{file}: {count} records").format(file=args.file, count=count))
    console.give({"file": str(args.file), "records": count})
    return 0


def _register(opened: Opened, args: argparse.Namespace, console: Console) -> int:
    from gridman.exchange.register_export import export_register

    _require_ending(args.file, {".xlsx": "xlsx"})
    grids = _grids(opened, args.grid or ())
    return export_register(
        opened.store, opened.actor, grids, args.file, args.purpose, masked=not args.unmasked, progress=console.progress
    )


def _grids(opened: Opened, codes: Any) -> list[int]:
    """Ids of the grids with these codes; all of the actor's without codes."""
    from gridman.domain.grid import Grid

    with opened.store.read() as reader:
        grids = {g.code: g.id for g in reader.page(Grid, valid_to_on=None, limit=100_000)}
    unknown = [code for code in codes if code not in grids]
    if unknown:
        raise Refusal(
            "cli.no_grid", N_("There is no grid {code}."), N_("See gridman export map for the codes of the grids."), code=unknown[0]
        )  # fmt: skip
    own = opened.actor.grid_ids
    return [grids[code] for code in codes] or [i for i in grids.values() if not own or i in own]


def _require_ending(path: Path, endings: dict[str, str]) -> str:
    """What the file's ending stands for. Refuses with ``cli.ending``."""
    found = endings.get(path.suffix.lower())
    if found is None:
        raise Refusal(
            "cli.ending",
            N_("{file} does not end in {endings}."),
            N_("The ending says which kind of file to write."),
            file=path.name,
            endings=", ".join(endings),
        )
    return found


def _incidents(opened: Opened, args: argparse.Namespace, console: Console) -> int:
    """Incidents without their reporters; noted before the first line leaves."""
    from gridman.domain.access import require
    from gridman.domain.masking import mask_within
    from gridman.services import audit
    from gridman.services.incidents import IncidentQuery, incident_ids, incident_rows

    kind = _require_ending(args.file, {".xlsx": "xlsx", **_FORMATS})
    require(opened.actor, "export")
    if not args.purpose.strip():
        raise Refusal(
            "cli.no_purpose", N_("An export needs a purpose."), N_("Say in a few words with --purpose what the file is for.")
        )  # fmt: skip
    with opened.store.read() as reader:
        ids = list(incident_ids(reader, IncidentQuery(states=tuple(args.state or ()))))
        rows = [row for at in range(0, len(ids), 500) for row in incident_rows(reader, ids[at : at + 500])]
    with opened.store.unit(opened.actor) as unit:
        audit.note(unit, "export", what="incidents", purpose=mask_within(args.purpose)[:100], rows=len(rows))
    lines = [_incident_line(row) for row in rows]
    if kind == "xlsx":
        _write_table(args.file, lines)
        return len(lines)
    from gridman.geo.write import ShapeLayer, write_layers

    with_place = [
        (row, line) for row, line in zip(rows, lines, strict=True) if row.lng is not None and row.lat is not None
    ]
    import shapely

    points = [shapely.Point(row.lng, row.lat) for row, _line in with_place]
    write_layers(args.file, [ShapeLayer("incidents", points, [line for _row, line in with_place])])
    if len(with_place) < len(rows):
        console.warn(
            _("{count} incidents have no place on the map and were left out.").format(count=len(rows) - len(with_place))
        )
    return len(with_place)


def _incident_line(row: Any) -> dict[str, str]:
    from gridman.domain import codes
    from gridman.kernel.clock import show_instant

    return {
        "number": row.number or "", "state": row.state, "state_name": codes.word("incident_state", row.state),
        "category": row.category or "", "category_name": codes.word("incident_category", row.category),
        "description": row.description or "", "place": row.place or "", "grid": row.grid_name or "", "holder": row.holder_name or "",
        "reported": show_instant(row.reported_at), "due": show_instant(row.due_at) if row.due_at else "",
        "overdue": "1" if row.is_overdue else "0",
    }  # fmt: skip


def _write_table(path: Path, lines: list[dict[str, str]]) -> None:
    from gridman.exchange.workbook import Column, Table, write_workbook

    headings = {
        "number": _("Number"), "state_name": _("State"), "category_name": _("Category"), "description": _("Description"),
        "place": _("Place"), "grid": _("Grid"), "holder": _("Held by"), "reported": _("Reported"), "due": _("Due"),
    }  # fmt: skip
    columns = [Column(text, width=40 if name == "description" else 16) for name, text in headings.items()]
    write_workbook(path, [Table(_("Incidents"), columns, [[line[name] for name in headings] for line in lines])])


def _map(opened: Opened, args: argparse.Namespace, console: Console) -> int:
    """Boundaries with their codes, buildings and the base map: no people, so nothing to note."""
    from gridman.cli.map_layers import map_layers
    from gridman.domain.access import require
    from gridman.geo.write import write_layers

    kind = _require_ending(args.file, _FORMATS)
    require(opened.actor, "map.read")
    with opened.store.read() as reader:
        layers = map_layers(reader)
    return write_layers(args.file, layers, as_one=kind == "GeoJSON")
