"""`python -m tests.benchmarks.sync [--small] [--only grid,line,community,street,herd]`: a desk's synchronisations, in one table.

grid: 6,400 rows (400 households, 1,000 residents); line: that grid beyond a good and a bad line; community: 72,000; street: 500,000, out of
which one grid of 2,500 is received; herd: 300 desks send a day's work at the same moment.
"""

import argparse
from collections.abc import Callable, Collection

from tests.benchmarks.measures import Figure, print_figures
from tests.benchmarks.sync.bad_line import bad_line
from tests.benchmarks.sync.day import days
from tests.benchmarks.sync.first import comparison, first_sync, served
from tests.benchmarks.sync.herd import herd, shared_commits
from tests.benchmarks.sync.town import COMMUNITY_SIZE, GRID_SIZE, STREET_SIZE, Size

__all__ = ["main"]


def _sized(size: Size, is_small: bool) -> Size:
    return size.hundredth() if is_small else size


def _grid(is_small: bool) -> list[Figure]:
    rounds = 2 if is_small else 5
    with served(_sized(GRID_SIZE, is_small)) as place:
        login = place.town.workers[0]
        return [
            *first_sync(place, "first sync of a grid", login, rounds),
            comparison(place, "a grid", login),
            *days(place, login, rounds),
        ]


def _line(is_small: bool) -> list[Figure]:
    with served(_sized(GRID_SIZE, is_small)) as place:
        return bad_line(place, place.town.workers[0], is_small)


def _community(is_small: bool) -> list[Figure]:
    with served(_sized(COMMUNITY_SIZE, is_small)) as place:
        return first_sync(place, "first sync of a community", place.town.staff[0], 1 if is_small else 3)


def _street(is_small: bool) -> list[Figure]:
    with served(_sized(STREET_SIZE, is_small)) as place:
        login = place.town.workers[len(place.town.workers) // 2]
        return first_sync(place, f"one grid out of {place.town.size.rows:,} rows", login, 2 if is_small else 5)


def _crowd(is_small: bool) -> list[Figure]:
    return [*herd(is_small), *shared_commits(is_small)]


_PARTS: dict[str, Callable[[bool], list[Figure]]] = {
    "grid": _grid,
    "line": _line,
    "community": _community,
    "street": _street,
    "herd": _crowd,
}


def main(is_small: bool, only: Collection[str] = tuple(_PARTS)) -> list[Figure]:
    """Serve streets, enrol desks, measure."""
    return [figure for name in _PARTS if name in only for figure in _PARTS[name](is_small)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A desk's synchronisations")
    parser.add_argument("--small", action="store_true", help="a hundredth of the data: does it run at all?")
    parser.add_argument(
        "--only", default=",".join(_PARTS), help="which, joined by commas: grid, line, community, street, herd"
    )
    told = parser.parse_args()
    print_figures(main(told.small, told.only.split(",")))
