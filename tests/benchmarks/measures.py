"""Measuring: works that take turns, medians, and a table of figures with their ratio to a yardstick of the same run."""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Figure", "arguments", "median_times", "percentile", "print_figures", "processor_ms", "timed"]


@dataclass(frozen=True)
class Figure:
    """One measured thing. `yardstick`: (what it is compared with, its value in the same unit), measured in the same run."""

    bench: str
    what: str
    value: float
    unit: str = "ms"
    yardstick: tuple[str, float] | None = None

    @property
    def ratio(self) -> float | None:
        """How many yardsticks the value is."""
        return self.value / self.yardstick[1] if self.yardstick and self.yardstick[1] else None


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that `work` takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1_000


def processor_ms(work: Callable[[], object]) -> float:
    """Milliseconds this thread computes for `work`: what a busy machine adds by making it wait is left out."""
    started = time.thread_time()
    work()
    return (time.thread_time() - started) * 1_000


def median_times(*works: Callable[[], object], rounds: int) -> list[float]:
    """Median milliseconds of each work; they take turns, so that a busy machine is unfair to all of them alike."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for times, work in zip(taken, works, strict=True):
            gc.collect()
            times.append(timed(work))
    return [statistics.median(times) for times in taken]


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def print_figures(figures: Sequence[Figure]) -> None:
    """One line each: what, value, yardstick, ratio."""
    width = max((len(f"{f.bench}: {f.what}") for f in figures), default=0)
    for figure in figures:
        said = f"{f'{figure.bench}: {figure.what}':<{width}}  {figure.value:>10.2f} {figure.unit:<7}"
        if figure.yardstick:
            name, value = figure.yardstick
            said += f"  {name} {value:.2f} {figure.unit}, ratio {figure.ratio or 0.0:.2f}"
        print(said)


def arguments(description: str) -> bool:
    """Whether `--small` was given on the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--small", action="store_true", help="a hundredth of the data: does it run at all?")
    return bool(parser.parse_args().small)
