"""`python -m tests.soak [--desks 300] [--minutes 10] [--every 60] [--threads 6] [--postgres [--workers 2]]`; ends with 0 when all is well."""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.soak.soak import Plan, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Many desks at work on one street.")
    parser.add_argument("--desks", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two synchronisations of a desk")
    parser.add_argument("--threads", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    parser.add_argument("--workers", type=int, default=2, help="with --postgres: processes that serve")
    told = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gridman-soak-"))
        database = None
        if told.postgres:
            from tests.support.postgres import running_postgres

            database = stack.enter_context(running_postgres()).create_database()
        plan = Plan(told.desks, told.minutes, told.every, told.threads, told.seed, database, told.workers)
        outcome = run(Path(folder), plan, lambda text: print(text, flush=True))
    print("\n".join(outcome.lines()))
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"{os.cpu_count()} processors, load {load:.1f} at the end")
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
