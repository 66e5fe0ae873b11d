"""Polygons and lines as flat lists of whole numbers: first corner, then the step to each next one. Many shapes at a time.

A tile has thousands of corners and Python is slow one by one: everything up to the last cut is done on arrays.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["flat_lines", "flat_polygons"]

_POLYGON, _LINE = 3, 1


def flat_polygons(shapes: Sequence[Any] | NDArray[np.object_], smallest: float = 0.0) -> list[list[list[list[int]]]]:
    """For every shape its polygons, each a list of rings (the outer first) whose end is left out.

    Polygons not larger than `smallest` and rings that shrink below a triangle are left out, as is what is no polygon.
    """
    found: list[list[list[list[int]]]] = [[] for _shape in shapes]
    parts, owners = _parts(shapes, _POLYGON)
    large = shapely.area(parts) > smallest
    parts, owners = parts[large], owners[large]
    if len(parts) == 0:
        return found
    rings, polygon_of = shapely.get_rings(parts, return_index=True)
    polygons: list[list[list[int]]] = [[] for _part in parts]
    for polygon, flat in zip(polygon_of.tolist(), _steps(rings, is_closed=True), strict=True):
        if len(flat) >= 6:
            polygons[polygon].append(flat)
    for owner, rings_of in zip(owners.tolist(), polygons, strict=True):
        if rings_of:
            found[owner].append(rings_of)
    return found


def flat_lines(shapes: Sequence[Any] | NDArray[np.object_]) -> list[list[list[int]]]:
    """For every shape its lines; those that shrink to a point are left out, as is what is no line."""
    found: list[list[list[int]]] = [[] for _shape in shapes]
    parts, owners = _parts(shapes, _LINE)
    if len(parts) == 0:
        return found
    for owner, flat in zip(owners.tolist(), _steps(parts, is_closed=False), strict=True):
        if len(flat) >= 4:
            found[owner].append(flat)
    return found


def _parts(shapes: Sequence[Any] | NDArray[np.object_], wanted: int) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The simple parts of one type, and for each the number of the shape it comes from."""
    parts, owners = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
    chosen = (shapely.get_type_id(parts) == wanted) & ~shapely.is_empty(parts)
    return parts[chosen], owners[chosen]


def _steps(lines: NDArray[np.object_], *, is_closed: bool) -> list[list[int]]:
    """Each line as first corner and steps; corners that fall together become one, of a closed line the end is left out."""
    coordinates, line_of = shapely.get_coordinates(lines, return_index=True)
    corners = np.rint(coordinates).astype(np.int64)
    is_first = np.ones(len(corners), dtype=bool)
    is_first[1:] = line_of[1:] != line_of[:-1]
    steps = corners.copy()
    steps[1:] -= corners[:-1]
    kept = is_first | steps.any(axis=1)
    if is_closed:
        is_last = np.ones(len(corners), dtype=bool)
        is_last[:-1] = is_first[1:]
        kept &= ~is_last | is_first
    steps[is_first] = corners[is_first]
    flat: list[int] = steps[kept].ravel().tolist()
    ends = np.cumsum(np.bincount(line_of[kept], minlength=len(lines))) * 2
    return [flat[start:end] for start, end in pairwise([0, *ends.tolist()])]
