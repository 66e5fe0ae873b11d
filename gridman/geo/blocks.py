"""The blocks between streets: the smallest pieces of ground that a grid is put together from. All in metres of a plane."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

__all__ = ["Block", "Way", "make_blocks"]

_SNAP_M = 0.1
_SMALL_M2 = 500.0
_THIN_M = 5.0
_SHARED_M = 2.0
_BETWEEN_HOUSES = 4.0

Segment = tuple[float, float, float, float]


@dataclass(frozen=True)
class Way:
    """A line that a border may follow. `cost` is how unwelcome that is for each metre: a wide road 1, a footpath more."""

    line: BaseGeometry
    cost: float


@dataclass
class Block:
    """Ground no border crosses: faces merged until none is a sliver. `beside` maps neighbours to the cost of the shared edge."""

    faces: list[Polygon]
    weight: float
    houses: list[int]
    x: float
    y: float
    beside: dict[int, float] = field(default_factory=dict)


def make_blocks(
    outline: Polygon, ways: Sequence[Way], points: NDArray[np.float64], weights: NDArray[np.float64], heaviest: float
) -> list[Block]:
    """Cut `outline` along `ways` into blocks and count the `weights` at `points` (n, 2) in each.

    A block heavier than `heaviest` is cut further, half-way between its houses. The faces of all blocks together cover
    the outline exactly, sharing every corner.
    """
    lines: list[BaseGeometry] = [way.line for way in ways]
    faces = _faces(outline, lines)
    cuts = _cuts(faces, points, weights, heaviest)
    if cuts:
        faces = _faces(outline, [*lines, *cuts])
    homes = _homes(faces, points)
    shared = _shared_edges(faces)
    return _merged(faces, homes, weights, shared, _costs(shared, ways))


def _faces(outline: Polygon, lines: Iterable[BaseGeometry]) -> list[Polygon]:
    inside = shapely.intersection(shapely.union_all(list(lines)), outline)
    noded = shapely.union_all([inside, outline.boundary], grid_size=_SNAP_M)
    faces = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(noded))))
    ground = shapely.buffer(outline, _SNAP_M)
    shapely.prepare(ground)
    inner = shapely.point_on_surface(faces)
    return list(faces[shapely.contains(ground, inner)])


def _homes(faces: list[Polygon], points: NDArray[np.float64]) -> NDArray[np.int64]:
    """For every point the face it lies in, or the nearest when it lies just outside."""
    tree = shapely.STRtree(faces)
    found: NDArray[np.int64] = tree.nearest(shapely.points(points))
    return found


def _cuts(
    faces: list[Polygon], points: NDArray[np.float64], weights: NDArray[np.float64], heaviest: float
) -> list[BaseGeometry]:
    homes = _homes(faces, points)
    total = np.bincount(homes, weights, len(faces))
    cuts: list[BaseGeometry] = []
    for number in np.flatnonzero(total > heaviest):
        inside = shapely.multipoints(points[homes == number])
        if shapely.get_num_geometries(inside) < 2:
            continue
        edges = shapely.voronoi_polygons(inside, extend_to=faces[number], only_edges=True)
        cuts.append(shapely.intersection(edges, faces[number]))
    return cuts


def _segments(face: Polygon) -> set[Segment]:
    found = set()
    for ring in (face.exterior, *face.interiors):
        corners = np.asarray(ring.coords)
        for (x0, y0), (x1, y1) in zip(corners[:-1].tolist(), corners[1:].tolist(), strict=True):
            found.add((x0, y0, x1, y1) if (x0, y0) < (x1, y1) else (x1, y1, x0, y0))
    return found


def _shared_edges(faces: list[Polygon]) -> dict[tuple[int, int], list[Segment]]:
    """The segments that two faces have in common."""
    owner: dict[Segment, int] = {}
    shared: dict[tuple[int, int], list[Segment]] = defaultdict(list)
    for number, face in enumerate(faces):
        for segment in _segments(face):
            other = owner.setdefault(segment, number)
            if other != number:
                shared[other, number].append(segment)
    return shared


def _costs(
    shared: dict[tuple[int, int], list[Segment]], ways: Sequence[Way]
) -> dict[tuple[int, int], tuple[float, float]]:
    """For every pair of neighbouring faces, the length in metres of their border and its cost."""
    pairs = list(shared)
    flat = [(number, segment) for number, pair in enumerate(pairs) for segment in shared[pair]]
    corners = np.array([segment for _number, segment in flat]).reshape(-1, 4)
    lengths = np.hypot(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    middles = shapely.points((corners[:, 0] + corners[:, 2]) / 2, (corners[:, 1] + corners[:, 3]) / 2)
    tree = shapely.STRtree([way.line for way in ways])
    price = np.full(len(flat), _BETWEEN_HOUSES)
    for at, way in tree.query(middles, predicate="dwithin", distance=1.0).T:
        price[at] = min(price[at], ways[way].cost)
    costs: dict[tuple[int, int], tuple[float, float]] = {}
    for (number, _segment), length, each in zip(flat, lengths.tolist(), price.tolist(), strict=True):
        before = costs.get(pairs[number], (0.0, 0.0))
        costs[pairs[number]] = (before[0] + length, before[1] + length * each)
    return costs


def _is_sliver(face: Polygon) -> bool:
    return bool(face.area < _SMALL_M2 or shapely.buffer(face, -_THIN_M, quad_segs=1).is_empty)


def _merged(
    faces: list[Polygon],
    homes: NDArray[np.int64],
    weights: NDArray[np.float64],
    shared: dict[tuple[int, int], list[Segment]],
    costs: dict[tuple[int, int], tuple[float, float]],
) -> list[Block]:
    """Blocks from faces: each sliver joins the neighbour with which it has the longest border."""
    root = list(range(len(faces)))

    def top(number: int) -> int:
        while root[number] != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    touching: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for one, other in shared:
        length = costs[one, other][0]
        touching[one].append((length, other))
        touching[other].append((length, one))
    for number in sorted(range(len(faces)), key=lambda number: faces[number].area):
        if _is_sliver(faces[number]):
            for _length, other in sorted(touching[number], reverse=True):
                if top(other) != top(number):
                    root[top(number)] = top(other)
                    break
    return _blocks(faces, [top(number) for number in range(len(faces))], homes, weights, costs)


def _blocks(
    faces: list[Polygon],
    tops: list[int],
    homes: NDArray[np.int64],
    weights: NDArray[np.float64],
    costs: dict[tuple[int, int], tuple[float, float]],
) -> list[Block]:
    place = {top: number for number, top in enumerate(sorted(set(tops)))}
    blocks = [Block([], 0.0, [], 0.0, 0.0) for _top in place]
    for face, top in zip(faces, tops, strict=True):
        blocks[place[top]].faces.append(face)
    for house, home in enumerate(homes.tolist()):
        block = blocks[place[tops[home]]]
        block.houses.append(house)
        block.weight += float(weights[house])
    for block in blocks:
        middle = shapely.centroid(shapely.multipolygons(block.faces))
        block.x, block.y = float(middle.x), float(middle.y)
    lengths: dict[tuple[int, int], float] = defaultdict(float)
    prices: dict[tuple[int, int], float] = defaultdict(float)
    for (one, other), (length, cost) in costs.items():
        pair = place[tops[one]], place[tops[other]]
        for here, there in (pair, pair[::-1]):
            if here != there:
                lengths[here, there] += length
                prices[here, there] += cost
    for (here, there), length in lengths.items():
        if length > _SHARED_M:
            blocks[here].beside[there] = prices[here, there]
    return blocks
