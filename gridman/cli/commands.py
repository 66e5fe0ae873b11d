"""The commands by name, and what holds for all of them: language, help, exit codes, how errors are told."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from gridman import __version__
from gridman.cli.console import Console
from gridman.kernel import words
from gridman.kernel.errors import Refusal
from gridman.kernel.files import os_trouble
from gridman.kernel.progress import Cancelled
from gridman.kernel.words import N_, _

__all__ = ["COMMANDS", "FAULT", "INTERRUPTED", "OK", "REFUSED", "USAGE", "Command", "Interrupted", "make_parser", "run"]

OK, REFUSED, USAGE, INTERRUPTED, FAULT = 0, 1, 2, 3, 4
_CODES = N_(
    "exit codes: 0 done, 1 refused or something is wrong, 2 wrong usage, 3 interrupted, 4 a fault of the program"
)
_VALUED = ("--language",)
Interrupted = (KeyboardInterrupt, Cancelled)


@dataclass(frozen=True)
class Command:
    """One command: its name, the module that has `fill(parser)` and `run(args, console) -> int`, and one line of help."""

    name: str
    module: str
    summary: str
    examples: tuple[str, ...]


COMMANDS: tuple[Command, ...] = (
    Command(
        "desk", "gridman.cli.desk", N_("open the desk's window"),
        (
            "gridman desk", "gridman desk --data /srv/gridman-desk",
            "gridman desk enrol --login zhou --server https://street.example:8750 --code ABCD-2345-EFGH-6789-JKMN",
        ),
    ),
    Command(
        "street", "gridman.cli.street", N_("serve a street, or look after its accounts and computers"),
        (
            "gridman street init --data /srv/street --name 海晏街道 --admin admin",
            "gridman street --data /srv/street --host 0.0.0.0 --port 8750",
            "gridman street user add --data /srv/street --login zhou --name 周桂英 --role grid_worker --code",
            "gridman street certificate --data /srv/street --host street.example",
            "gridman street user code --data /srv/street --login zhou --qr zhou.png",
            "gridman street assign --data /srv/street --login zhou --grid 990101001001001",
            "gridman street backup --data /srv/street --to /mnt/safe/street-1123.backup",
            "gridman street restore /mnt/safe/street-1123.backup --data /srv/street-new",
        ),
    ),
    Command(
        "import", "gridman.cli.importing", N_("take a map or a register into a street"),
        (
            "gridman import map street.osm.pbf --data /srv/street --code 990101001000 --name 海晏街道 --communities 10 --grids 8",
            "gridman import register residents.xlsx --data /srv/street --dry-run --errors wrong.xlsx",
            "gridman import register --data /srv/street --undo R20261123-000-001",
        ),
    ),
    Command(
        "export", "gridman.cli.exporting", N_("write the register, incidents or the map to a file"),
        (
            "gridman export register out.xlsx --data /srv/street --grid 990101001001001 --purpose 年度核查",
            "gridman export incidents out.geojson --data /srv/street --purpose 月报",
            "gridman export map out.gpkg --data /srv/street",
        ),
    ),
    Command(
        "roster", "gridman.cli.roster", N_("print a household roster, a card, a slip or a visit record as PDF"),
        ("gridman roster --data ~/desk --login zhou --grid 990101001001001 --out roster.pdf --purpose 入户核查",),
    ),
    Command(
        "map", "gridman.cli.mapping", N_("write the incidents' map as one page that opens without a network"),
        ("gridman map --data ~/desk --login zhou --out incidents.html",),
    ),
    Command(
        "sync", "gridman.cli.syncing", N_("exchange a desk's work with its street server, or tell a record's history"),
        ("gridman sync --data ~/desk --login zhou", "gridman sync --data ~/desk --login zhou --explain 17592186044423"),
    ),
    Command(
        "bundle", "gridman.cli.bundle", N_("exchange work with the street by a file that is carried by hand"),
        (
            "gridman bundle export --data ~/desk --login zhou --out /media/stick/zhou.gridman",
            "gridman bundle take /media/stick/zhou.gridman --data /srv/street --out /media/stick/back.gridman",
            "gridman bundle import /media/stick/back.gridman --data ~/desk --login zhou",
        ),
    ),
    Command(
        "demo", "gridman.cli.demo", N_("play one day in a demonstration street, checked step by step"),
        ("gridman demo", "gridman demo --size street --out day --seed 7 --no-window"),
    ),
    Command(
        "doctor", "gridman.cli.doctor", N_("say what is wrong with this machine or a data folder, and what to do"),
        ("gridman doctor", "gridman doctor --data ~/desk --login zhou --repair"),
    ),
)  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments and how to see the right ones."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        sys.stderr.write(f"{self.prog}: {message}\n")
        sys.stderr.write(_("{program} --help shows what there is.").format(program=self.prog) + "\n")
        raise SystemExit(USAGE)


def make_parser(asked: str | None = None) -> argparse.ArgumentParser:
    """The whole command line; only the command `asked` brings its own arguments (its module is imported)."""
    parser = _Parser(
        prog="gridman",
        description=_("Neighbourhood grid management that works without a network."),
        epilog=_(_CODES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gridman {__version__}")
    _add_common(parser, {"language": "", "json": False, "verbose": False})
    choices = parser.add_subparsers(dest="command", metavar="COMMAND", title=_("commands"))
    for command in COMMANDS:
        epilog = "\n".join([_("examples:"), *(f"  {line}" for line in command.examples), "", _(_CODES)])
        made = choices.add_parser(
            command.name,
            help=_(command.summary),
            description=_(command.summary),
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if command.name == asked:
            importlib.import_module(command.module).fill(made)
            _add_common_below(made)
    return parser


def _add_common(parser: argparse.ArgumentParser, defaults: dict[str, object] | None = None) -> None:
    values = defaults or dict.fromkeys(("language", "json", "verbose"), argparse.SUPPRESS)
    parser.add_argument(
        "--language", choices=sorted(words.LANGUAGES), default=values["language"], help=_("language to speak")
    )
    parser.add_argument("--json", action="store_true", default=values["json"], help=_("answer in JSON, for scripts"))
    parser.add_argument("--verbose", action="store_true", default=values["verbose"], help=_("show the program's log"))


def _add_common_below(parser: argparse.ArgumentParser) -> None:
    """The common options may stand after any command, too."""
    _add_common(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in set(action.choices.values()):
                _add_common_below(below)


def run(argv: Sequence[str]) -> int:
    """Parse, speak the person's language, do the command, tell errors in words; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    words.use(_language_of(argv))
    asked = _command_of(argv)
    try:
        args = make_parser(asked).parse_args(argv)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else USAGE
    if asked is None:
        make_parser().print_help()
        return USAGE
    return _do(args, Console(is_json=args.json))


def _do(args: argparse.Namespace, console: Console) -> int:
    command = next(c for c in COMMANDS if c.name == args.command)
    try:
        code = importlib.import_module(command.module).run(args, console)
        console.flush()
        return int(code)
    except Refusal as refusal:
        console.refuse(refusal)
        return REFUSED
    except Interrupted:
        console.end_line()
        console.warn(_("Interrupted. What was saved before stays saved."))
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has enough
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - Python flushes it at exit
        return OK
    except Exception as error:
        trouble = os_trouble(error)
        if trouble is not None and not args.verbose:
            console.refuse(trouble)
            return REFUSED
        return _fault(args, console, error)


def _fault(args: argparse.Namespace, console: Console, error: Exception) -> int:
    """A bug: say so, with what helps to find it."""
    import traceback

    console.end_line()
    if args.verbose:
        traceback.print_exc()
    where = traceback.extract_tb(error.__traceback__)[-1]
    console.warn(
        _("This is a fault of gridman itself: {error} ({place}). Nothing more was done.").format(
            error=type(error).__name__, place=f"{os.path.basename(where.filename)}:{where.lineno}"
        )
    )  # fmt: skip
    console.warn(_("Run the command again with --verbose and report what it shows."))
    return FAULT


def _command_of(argv: Sequence[str]) -> str | None:
    """The command asked for: the first word that is no option or an option's value."""
    names = {command.name for command in COMMANDS}
    is_value = False
    for word in argv:
        if is_value:
            is_value = False
        elif word in _VALUED:
            is_value = True
        elif not word.startswith("-"):
            return word if word in names else None
    return None


def _language_of(argv: Sequence[str]) -> str:
    """--language (the last one, as for any option), else what the machine speaks, else English."""
    found = ""
    for at, word in enumerate(argv):
        told = word.partition("=")[2] if word.startswith("--language=") else ""
        if word == "--language" and at + 1 < len(argv):
            told = argv[at + 1]
        if told in words.LANGUAGES:
            found = told
    return found or spoken_here()


def spoken_here() -> str:
    """The language of this machine's user, of those the program has."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        told = os.environ.get(name, "")
        if told:
            return "zh_CN" if told.lower().startswith("zh") else "en"
    if sys.platform == "win32":
        import ctypes

        # Primary language 4 is Chinese (Windows language identifiers).
        return "zh_CN" if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == 4 else "en"
    else:
        return "en"
