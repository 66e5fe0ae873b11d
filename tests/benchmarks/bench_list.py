"""Opening the list of households of a whole town.

`python -m tests.benchmarks.bench_list [--small]`: from the question to the first painted row in a real off-screen window, with the same
model, columns and background threads as the page. Yardsticks: an empty window of the same kind until its first paint, and reading all rows
of the list as plain tuples before anything is shown.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gridman.services.households import HouseholdQuery, household_ids, household_rows
from tests.benchmarks.crowd import make_crowd
from tests.benchmarks.measures import Figure, arguments, print_figures, timed
from tests.support.desk import Desk

__all__ = ["measure"]

PEOPLE = 150_000
_PATIENCE_S = 60.0
_ALL_ROWS = (
    "SELECT h.id, h.number, h.address, l.head_name, l.people_count, l.care_groups, l.last_visit_at, l.due_on, g.name "
    "FROM household h JOIN household_line l ON l.household_id = h.id LEFT JOIN grid g ON g.id = h.grid_id "
    "WHERE h.retired_at IS NULL ORDER BY h.grid_id, h.walk_order, h.id"
)


def _application() -> Any:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from gridman.ui.app import make_application

    return make_application(["gridman"])


def _wait(app: Any, until: Callable[[], bool]) -> None:
    limit = time.monotonic() + _PATIENCE_S
    while not until():
        if time.monotonic() > limit:
            raise TimeoutError("nothing was painted")
        app.processEvents()
        time.sleep(0.0005)


class _Painted:
    """A table that remembers when it painted, and whether the first row had its values then."""

    def __init__(self, model: Any) -> None:
        from PySide6.QtWidgets import QTableView

        painted = self

        class View(QTableView):
            def paintEvent(self, event: Any) -> None:
                super().paintEvent(event)
                painted.is_painted = True
                painted.has_rows = model.rowCount() > 0 and model.row_at(0) is not None

        self.is_painted = self.has_rows = False
        self.view = View()
        self.view.setModel(model)
        self.view.resize(1093, 614)


def _open_list(app: Any, background: Any, theme: Any, is_empty: bool) -> float:
    """Milliseconds until the window has painted (its first rows, unless it is the empty one)."""
    from gridman.ui.pages.households.list_columns import COLUMNS
    from gridman.ui.tables import RowsModel

    started = time.perf_counter()
    model = RowsModel(background, theme, COLUMNS, household_rows)
    table = _Painted(model)
    table.view.show()
    if is_empty:
        _wait(app, lambda: table.is_painted)
    else:
        background.ask(household_ids, HouseholdQuery(), then=model.set_ids)
        _wait(app, lambda: table.has_rows)
    taken = (time.perf_counter() - started) * 1_000
    table.view.close()
    _wait(app, background.is_idle)
    table.view.deleteLater()
    model.deleteLater()
    return taken


def _all_rows(desk: Desk) -> None:
    with desk.store.read() as reader:
        reader.connection.exec_driver_sql(_ALL_ROWS).all()


def measure(desk: Desk, is_small: bool = False) -> list[Figure]:
    """The figures of a crowd's desk."""
    app = _application()
    from gridman.ui.background import Background
    from gridman.ui.tables import PAGE_ROWS
    from gridman.ui.theme import theme_of

    background, theme = Background(desk), theme_of("light")
    times: dict[str, list[float]] = {"list": [], "empty": [], "tuples": [], "ids": [], "rows": []}
    try:
        for _ in range(4 if is_small else 12):
            with desk.store.read() as reader:
                times["ids"].append(timed(partial(household_ids, reader, HouseholdQuery())))
                first = list(household_ids(reader, HouseholdQuery())[:PAGE_ROWS])
                times["rows"].append(timed(partial(household_rows, reader, first)))
            times["list"].append(_open_list(app, background, theme, is_empty=False))
            times["empty"].append(_open_list(app, background, theme, is_empty=True))
            times["tuples"].append(timed(lambda: _all_rows(desk)))
    finally:
        background.close()
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    return [
        Figure("list", "all ids, in order", middle["ids"]),
        Figure("list", f"the first page's {PAGE_ROWS} rows", middle["rows"]),
        Figure("list", "first rows painted", middle["list"], yardstick=("an empty window", middle["empty"])),
        Figure("list", "first rows painted", middle["list"], yardstick=("all rows as tuples", middle["tuples"])),
    ]


def main(is_small: bool) -> list[Figure]:
    """Make the crowd and measure."""
    with tempfile.TemporaryDirectory(prefix="gridman-bench-") as folder:
        desk = make_crowd(Path(folder), PEOPLE // (100 if is_small else 1))
        try:
            return measure(desk, is_small)
        finally:
            desk.close()


if __name__ == "__main__":
    print_figures(main(arguments("Opening a long list")))
