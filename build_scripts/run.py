"""Set up what gridman needs, then run it: `python3 build_scripts/run.py [command] [arguments]`.

Without a command it plays the demonstration (`gridman demo`). Arguments go through unchanged.
`python3 build_scripts/run.py --set-up-only` makes everything ready and ends.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  an older Python starts this file too and must be told
    sys.exit("gridman needs Python 3.11 or newer and this is %s: try python3.11" % sys.version.split()[0])  # noqa: UP031

from prepare import become, prepare, running_environ
from steps import EXIT_SETUP, SetupProblem

COMMANDS = frozenset({"desk", "street", "demo", "import", "export", "roster", "map", "sync", "bundle", "doctor"})


def main(arguments: list[str]) -> int:
    """Prepare and run; 3 when the set-up could not be finished, otherwise gridman's own exit code."""
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
