"""`python -m tests.resilience [--kills N] [--seed S] [--seconds T]`: kill -9 of desks, server and postman behind a bad line; prints what became of
every save. Exit code 1 when anything is lost, doubled or different at the end.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.resilience.run import Report, run
from tests.support.link import Weather

__all__ = ["main"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.resilience", description=__doc__)
    parser.add_argument("--kills", type=int, default=60, metavar="N", help="SIGKILLs in all (default: 60)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the dice (default: 1)")
    parser.add_argument(
        "--seconds", type=float, default=240, metavar="T", help="of work before the line clears (default: 240)"
    )
    parser.add_argument("--rtt-ms", type=float, default=600, metavar="MS", help="round trip (default: 600)")
    parser.add_argument(
        "--rate",
        type=float,
        default=20_000,
        metavar="BYTES",
        help="bytes a second each way, 0: no limit (default: 20000)",
    )
    parser.add_argument(
        "--loss", type=float, default=0.05, metavar="SHARE", help="of segments that stall (default: 0.05)"
    )
    parser.add_argument(
        "--cut-every", type=float, default=15, metavar="S", help="mean seconds between cuts (default: 15)"
    )
    parser.add_argument(
        "--lost-answers", type=float, default=0.05, metavar="SHARE", help="of answers never delivered (default: 0.05)"
    )
    parser.add_argument(
        "--silences", type=float, default=0.02, metavar="SHARE", help="of requests swallowed (default: 0.02)"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep all data in this new folder")
    return parser.parse_args()


def told(report: Report) -> str:
    """The report as lines of text."""
    line, saved, sums = report.line, report.saved, report.sums
    killed = ", ".join(f"{n} while {what}" for what, n in sorted(report.desk_kills.items()))
    on_the_way = ", ".join(f"{n} {what}" for what, n in sorted(saved.told.items()))
    kinds = ", ".join(f"{len(words)} {kind}s" for kind, words in sorted(saved.saves.items()))
    lines = [
        f"time            {report.seconds:.0f} s",
        f"kill -9         {report.desk_kills.total()} of desks ({killed}), {report.street_kills} of the server "
        f"({report.street_kills_while_asked} while it was asked, {report.street_kills_in_a_photo} with a photo half received), "
        f"{report.postman_kills} of a bundle being taken in",
        f"line            {line.cuts} cuts of {line.connections_cut} connections, {line.answers_lost} answers lost, {line.silences} silences, "
        f"{line.stalls} segments lost, {line.refused} connections refused, {line.connections} made",
        f"requests        {line.turns} (TLS hand shakes included), {line.up / 1_000:.0f} kB up, {line.down / 1_000:.0f} kB down",
        f"stick           {report.bundles} bundles taken in, {report.bundles_again} of them a second time",
        f"desks were told {on_the_way or 'nothing'}",
        f"acknowledged    {saved.count} saves: {kinds}",
        f"at the street   {sums.operations} operations, {sums.photos} whole photos, {sums.conflicts} losing values kept",
        f"lost            {len(sums.lost)}",
        f"doubled         {len(sums.doubled)}",
        f"unacknowledged  {sums.unclaimed} arrived though the kill came before they were written down",
    ]
    for login, (desk, street) in report.digests.items():
        said = "equal" if desk == street else f"NOT equal to the street's {street[0]} rows {street[1][:16]}"
        lines.append(f"digest          {login}: {desk[0]} rows {desk[1][:16]}, {said}")
    for what, found in (("lost", sums.lost), ("doubled", sums.doubled), ("flaw", sums.flaws), ("fault", saved.faults)):
        lines += [f"  {what}: {one}" for one in found[:20]]
    return "\n".join([*lines, "SOUND" if report.is_sound else "NOT SOUND"])


def main() -> int:
    """Play and tell; 1 when anything is lost."""
    args = _arguments()
    weather = Weather(args.rtt_ms / 1_000, args.rate, args.loss, args.cut_every, args.lost_answers, args.silences)
    is_seen = sys.stderr.isatty()

    def say(text: str) -> None:
        if is_seen:
            print(f"\r{text}", end="", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="gridman-resilience-") as place:
        folder = args.keep or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        report = run(folder, weather, kills=args.kills, seed=args.seed, seconds=args.seconds, say=say)
    if is_seen:
        print(file=sys.stderr)
    print(told(report))
    return 0 if report.is_sound else 1


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUTF8", "1")
    sys.exit(main())
