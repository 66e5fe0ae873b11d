"""Incidents on a tile: one by one where there is room, else gathered into counted clusters that say their states."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["FIRST_ZOOM_OF_SINGLES", "IncidentPoint", "clustered"]

FIRST_ZOOM_OF_SINGLES = 17
_CELL = 512
_CLOSE_CELL = 224
_LISTED = 60


@dataclass(frozen=True, slots=True)
class IncidentPoint:
    """An incident to draw: its record, workflow state code, place in degrees, and the number shown on hover.

    `count` above 1 means the store has already gathered that many incidents of this state at this place.
    """

    id: int
    state: str
    lng: float
    lat: float
    label: str = ""
    count: int = 1


def clustered(points: Sequence[tuple[IncidentPoint, tuple[int, int]]], z: int) -> list[list[Any]]:
    """The tile's incidents (with their tile units): singles `[id, state, x, y, label]`, clusters
    `[null, {state: count}, x, y, count, [x0, y0, x1, y1], [id, …]]` (ids only of small clusters).

    Below tile zoom 17 incidents in the same 64-pixel cell (28 just below) are one cluster; from there on only those at the
    very same spot.
    """
    cell = 8 if z >= FIRST_ZOOM_OF_SINGLES else _CLOSE_CELL if z == FIRST_ZOOM_OF_SINGLES - 1 else _CELL
    cells: dict[tuple[int, int], list[tuple[IncidentPoint, tuple[int, int]]]] = defaultdict(list)
    for point, (x, y) in points:
        cells[x // cell, y // cell].append((point, (x, y)))
    return [_single(*members[0]) if _is_one(members) else _cluster(members) for _cell, members in sorted(cells.items())]


def _is_one(members: Sequence[tuple[IncidentPoint, tuple[int, int]]]) -> bool:
    return len(members) == 1 and members[0][0].count == 1


def _single(point: IncidentPoint, at: tuple[int, int]) -> list[Any]:
    return [str(point.id), point.state, at[0], at[1], point.label]


def _cluster(members: Sequence[tuple[IncidentPoint, tuple[int, int]]]) -> list[Any]:
    total = sum(point.count for point, _at in members)
    states: Counter[str] = Counter()
    for point, _at in members:
        states[point.state] += point.count
    xs, ys = [at[0] for _point, at in members], [at[1] for _point, at in members]
    middle = [
        round(sum(at[axis] * point.count for point, at in members) / total) for axis in (0, 1)
    ]  # weighted, so that the cluster sits where most of its incidents are
    ids = (
        [[str(point.id), point.state, point.label] for point, _at in members]
        if total == len(members) <= _LISTED
        else []
    )
    return [None, dict(states.most_common()), *middle, total, [min(xs), min(ys), max(xs), max(ys)], ids]
