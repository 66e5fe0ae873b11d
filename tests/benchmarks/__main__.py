"""All benchmarks in one table: `python -m tests.benchmarks [--small]`. A few minutes and 300 MB of temporary disk."""

import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import bench_events, bench_list, bench_map, bench_reports, bench_search, bench_store
from tests.benchmarks.crowd import make_crowd
from tests.benchmarks.measures import Figure, arguments, print_figures
from tests.benchmarks.sync.__main__ import main as sync_main


def run(is_small: bool) -> list[Figure]:
    """Every figure; search and list share one crowd."""
    with tempfile.TemporaryDirectory(prefix="gridman-bench-") as folder:
        desk = make_crowd(Path(folder), bench_search.PEOPLE // (100 if is_small else 1))
        try:
            figures = [*bench_list.measure(desk, is_small), *bench_search.measure(desk, is_small)]
        finally:
            desk.close()
    return [
        *figures,
        *bench_map.main(is_small),
        *bench_store.main(is_small),
        *sync_main(is_small),
        *(bench_events.main(is_small) if sys.platform == "linux" else ()),
        *bench_reports.main(is_small),
    ]


def main() -> None:
    """Measure and print, with what the machine was busy with before and after: figures of a busy machine say little."""
    is_small = arguments("All benchmarks in one table")
    started = time.monotonic()
    before = os.getloadavg() if hasattr(os, "getloadavg") else (0.0,)
    figures = run(is_small)
    print_figures(figures)
    after = os.getloadavg() if hasattr(os, "getloadavg") else (0.0,)
    print(
        f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}; "
        f"load {before[0]:.1f} before, {after[0]:.1f} after; {time.monotonic() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
