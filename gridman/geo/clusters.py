"""Incidents on a tile: one by one where there is room, else gathered into counted clusters that say their states."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIRST_ZOOM_OF_SINGLES", "IncidentPoint", "clustered"]

FIRST_ZOOM_OF_SINGLES = 17
_CELL = 512
_CLOSE_CELL = 224
_LISTED = 60
_CROWD = 1_000
"""Above this many incidents a tile's lists would weigh hundreds of kilobytes."""


class IncidentPoint(NamedTuple):
    """An incident to draw: its record, workflow state code, place in degrees, and the number shown on hover.

    `count` above 1 means the store has already gathered that many incidents of this state at this place.
    """

    id: int
    state: str
    lng: float
    lat: float
    label: str = ""
    count: int = 1  # type: ignore[assignment]  # tuples have a method of this name, which nobody needs here


def clustered(points: Sequence[IncidentPoint], xs: NDArray[np.int64], ys: NDArray[np.int64], z: int) -> list[list[Any]]:
    """The tile's incidents, at `xs`, `ys` in its units: singles `[id, state, x, y, label]`, clusters
    `[null, {state: count}, x, y, count, [x0, y0, x1, y1], [id, …]]` (ids only of small clusters, and below tile zoom 17 only
    while the tile is not crowded: there a click goes nearer instead).

    Below tile zoom 17 incidents in the same 64-pixel cell (28 just below) are one cluster; from there on only those at the
    very same spot. Positions stay arrays: a small object for each of thousands keeps the garbage collector busy.
    """
    if not points:
        return []
    cell = 8 if z >= FIRST_ZOOM_OF_SINGLES else _CLOSE_CELL if z == FIRST_ZOOM_OF_SINGLES - 1 else _CELL
    order = np.lexsort((ys // cell, xs // cell))  # stable: within a cell the points keep their order
    columns, rows = (xs // cell)[order], (ys // cell)[order]
    ends = np.flatnonzero((np.diff(columns) != 0) | (np.diff(rows) != 0)) + 1
    most_listed = _LISTED if z >= FIRST_ZOOM_OF_SINGLES or len(points) <= _CROWD else 0
    return [
        _cell([points[at] for at in group.tolist()], xs[group], ys[group], most_listed)
        for group in np.split(order, ends)
    ]


def _cell(members: list[IncidentPoint], xs: NDArray[np.int64], ys: NDArray[np.int64], most_listed: int) -> list[Any]:
    if len(members) == 1 and members[0].count == 1:
        point = members[0]
        return [str(point.id), point.state, int(xs[0]), int(ys[0]), point.label]
    counts = np.array([point.count for point in members])
    total = int(counts.sum())
    states = Counter([point.state for point in members])
    for point in members if total > len(members) else ():
        states[point.state] += point.count - 1
    # Weighted, so that the cluster sits where most of its incidents are.
    middle = [round(int(axis @ counts) / total) for axis in (xs, ys)]
    box = [int(edge) for edge in (xs.min(), ys.min(), xs.max(), ys.max())]
    ids = [[str(p.id), p.state, p.label] for p in members] if total == len(members) <= most_listed else []
    return [None, dict(states.most_common()), *middle, total, box, ids]
