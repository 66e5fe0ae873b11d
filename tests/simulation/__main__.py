"""`python -m tests.simulation --seeds 0:1000 [--steps 50]`: play histories, say which seed breaks a promise."""

import argparse
import sys
import time

from tests.simulation.sim import Violation, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0:200", help="FIRST:END")
    parser.add_argument("--steps", type=int, default=70)
    parser.add_argument("--database", help="URL of an empty PostgreSQL database for one seed")
    told = parser.parse_args()
    first, end = (int(part) for part in told.seeds.split(":"))
    started, failed = time.monotonic(), 0
    for seed in range(first, end):
        try:
            run(seed, told.steps, told.database)
        except Violation as violation:
            failed += 1
            print(violation, file=sys.stderr)
    took = time.monotonic() - started
    print(f"{end - first} seeds, {failed} failed, {took:.1f} s, {(end - first) / max(took, 0.001):.1f}/s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
