"""`gridman map`: the incidents on the map as one page."""

import argparse
from pathlib import Path

from gridman.cli.console import Console
from gridman.cli.folders import add_data, add_database, add_login, open_folder, require_place
from gridman.kernel.words import _, language

__all__ = ["fill", "run"]


def fill(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_data(parser)
    add_database(parser)
    add_login(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("incidents.html"), metavar="FILE", help=_("the page (default: incidents.html)")
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Write the page."""
    from gridman.domain.access import require
    from gridman.joining import incident_page
    from gridman.kernel.files import write_whole
    from gridman.services.street import as_sqlite

    require_place(args.out)
    with open_folder(args.data, args.login, args.database) as opened:
        require(opened.actor, "map.read")
        require(opened.actor, "incident.read")
        with as_sqlite(opened.store, console.progress) as store, store.read() as reader:
            html, count = incident_page(reader, language(), console.progress)
    write_whole(args.out, html.encode("utf-8"), mode=0o644)
    console.say(_("{file}: {count} incidents on the map").format(file=args.out, count=count))
    console.give({"file": str(args.out), "incidents": count, "bytes": len(html.encode("utf-8"))})
    return 0
