"""Set up what gridman needs, then run it: `python3 build_scripts/run.py [command] [arguments]`.

Without a command it plays the demonstration (`gridman demo`). Arguments go through unchanged.
`python3 build_scripts/run.py --set-up-only` makes everything ready and ends.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  an older Python starts this file too and must be told
    sys.exit("gridman needs Python 3.11 or newer and this is %s: try python3.11" % sys.version.split()[0])  # noqa: UP031

from prepare import become, prepare, running_environ
from steps import EXIT_SETUP, ROOT, SetupProblem

COMMANDS = frozenset({"desk", "street", "demo", "import", "export", "roster", "map", "sync", "bundle", "doctor"})


def tell_help() -> None:
    """This script's own help: how it is used, and what each command does."""
    sys.path.insert(0, str(ROOT))
    from gridman.cli.commands import COMMANDS as listed  # needs nothing that has to be installed

    print("usage: python3 build_scripts/run.py [COMMAND] [ARGUMENTS ...]\n")
    print("Set up what gridman needs, then run it. Without a command it plays the demonstration.\n")
    print("commands:")
    for command in listed:
        print(f"  {command.name:<8} {command.summary}")
    print("\nArguments go through to the command: python3 build_scripts/run.py demo --size grid --no-window")
    print("What a command takes:                python3 build_scripts/run.py COMMAND --help")
    print("Only make everything ready:          python3 build_scripts/run.py --set-up-only")


def main(arguments: list[str]) -> int:
    """Prepare and run; 3 when the set-up could not be finished, otherwise gridman's own exit code."""
    if arguments in (["--help"], ["-h"]):
        tell_help()
        return 0
    is_set_up_only = arguments == ["--set-up-only"]
    command = arguments if arguments and arguments[0] in COMMANDS else ["demo", *arguments]
    try:
        python = prepare("street" if command[0] == "street" else "desk")
    except SetupProblem as problem:
        problem.tell()
        return EXIT_SETUP
    except KeyboardInterrupt:
        return 130
    if is_set_up_only:
        return 0
    return become(python, ["-m", "gridman", *command], running_environ())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
