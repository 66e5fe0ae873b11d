"""Each benchmark runs, on a hundredth of its data, and measures something beside a yardstick."""

import subprocess
import sys
from types import ModuleType

import pytest

from tests.benchmarks import bench_events, bench_reports, bench_search, bench_store
from tests.benchmarks.measures import Figure, percentile
from tests.benchmarks.sync import __main__ as bench_sync


def _is_whole(figures: list[Figure]) -> bool:
    compared = [f for f in figures if f.yardstick]
    measured = [f for f in figures if f.unit != "times"]  # how often nobody was sent away may well be 0
    return bool(compared) and all(f.value > 0 for f in measured) and all((f.ratio or 0) > 0 for f in compared)


@pytest.mark.parametrize(
    "bench", [bench_search, bench_store, bench_sync, bench_reports], ids=["search", "store", "sync", "reports"]
)
def test_a_benchmark_runs(bench: ModuleType) -> None:
    assert _is_whole(bench.main(is_small=True))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_benchmark_of_the_change_notice_runs() -> None:
    figures = {f.what: f.value for f in bench_events.main(is_small=True)}
    assert len(figures) == 5 and all(value > 0 for what, value in figures.items() if "hearing" in what)


@pytest.mark.slow
@pytest.mark.gui
@pytest.mark.parametrize(
    ("bench", "measured"), [("bench_list", "first rows painted"), ("bench_map", "page, all in view drawn")]
)
def test_a_benchmark_with_a_window_runs_as_a_command(bench: str, measured: str) -> None:
    """In a process of its own: the application, and the web engine's start, are part of what it measures."""
    command = [sys.executable, "-m", f"tests.benchmarks.{bench}", "--small"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert measured in done.stdout and "ratio" in done.stdout


def test_a_ratio_is_values_per_yardstick_and_a_percentile_one_of_the_values() -> None:
    figure = Figure("search", "a keystroke", 3.0, yardstick=("LIKE", 6.0))
    assert figure.ratio == 0.5
    assert percentile([5.0, 1.0, 9.0], 0.5) == 5.0
    assert percentile([1.0], 0.99) == 1.0
