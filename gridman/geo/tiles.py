"""What one tile of the live map holds, as compact JSON: clipped, simplified for its zoom, in the tile's own whole numbers.

Tiles are Web-Mercator squares numbered like everywhere (z/x/y, y from the north). The page shows a tile 512 pixels wide, so
tile zoom z is map zoom z + 1; coordinates run 0..4096 (8 to a pixel) and reach a little beyond, so that strokes do not
end at the edge. Rings and lines are flat lists: the first corner, then the step to each next one. The store gives
the rows; nothing here asks it for anything.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from gridman.geo.clusters import IncidentPoint, clustered
from gridman.geo.crs import to_mercator
from gridman.geo.features import MapFeature
from gridman.geo.flat import flat_lines, flat_polygons

__all__ = [
    "EXTENT",
    "BuildingShape",
    "GridShape",
    "TileFrame",
    "encode_tile",
    "tile_bounds",
    "tile_content",
    "tile_of",
    "tiles_in",
]

EXTENT = 4096
MARGIN = 96
MAX_TILE_ZOOM = 22
_SIMPLIFY = 3.0
_TINY = 40.0
_HALF_WORLD_M = math.pi * 6378137.0

FIRST_ZOOM_OF_BUILDINGS = 16
_FIRST_ZOOM_OF_BLOCKS = 13
_MAIN = ("motorway", "trunk", "primary", "secondary")
_PATHS = ("footway", "steps", "path", "cycleway", "pedestrian", "track", "bridleway")


@dataclass(frozen=True, slots=True)
class GridShape:
    """A grid to draw: its record, 15-character code, name as shown, ground in degrees, and community's record."""

    id: int
    code: str
    name: str
    geometry: BaseGeometry
    community: int = 0


@dataclass(frozen=True, slots=True)
class BuildingShape:
    """A registered building to draw: its record, the label on it (12号楼), ground in degrees, number of dwellings."""

    id: int
    label: str
    geometry: BaseGeometry
    dwellings: int = 0


@dataclass(frozen=True)
class TileFrame:
    """One tile's square and the way into its coordinates."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        n = 1 << self.z if 0 <= self.z <= MAX_TILE_ZOOM else 0
        if not (0 <= self.x < n and 0 <= self.y < n):
            raise ValueError(f"there is no tile {self.z}/{self.x}/{self.y}")

    def to_units(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """lng, lat (n, 2) in the tile's units; the tile itself is 0..EXTENT."""
        corner = np.array((self.x, self.y), dtype=np.float64) * EXTENT
        return _world_share(points) * float(EXTENT << self.z) - corner

    def clipped(
        self, geometries: Sequence[BaseGeometry] | NDArray[np.object_], simplify: float = _SIMPLIFY
    ) -> NDArray[np.object_]:
        """The geometries in tile units, cut to the tile and its margin and simplified; what lies outside is empty."""
        west, south, east, north = tile_bounds(self.z, self.x, self.y, MARGIN / EXTENT)
        cut = shapely.clip_by_rect(np.asarray(geometries, dtype=object), west, south, east, north)
        flat = shapely.transform(cut, self.to_units)
        made: NDArray[np.object_] = shapely.simplify(flat, simplify, preserve_topology=False) if simplify else flat
        return made

    def point(self, lng: float, lat: float) -> tuple[int, int] | None:
        """The position in whole units, or None outside the tile (each point belongs to exactly one tile of a zoom)."""
        x, y = np.floor(self.to_units(np.array([[lng, lat]]))[0])
        return (int(x), int(y)) if 0 <= x < EXTENT and 0 <= y < EXTENT else None

    def placed(
        self, points: Sequence[IncidentPoint]
    ) -> tuple[list[IncidentPoint], NDArray[np.int64], NDArray[np.int64]]:
        """The points that lie on this tile, and their whole units across and down."""
        if not points:
            return [], np.empty(0, np.int64), np.empty(0, np.int64)
        positions = np.array([[point.lng for point in points], [point.lat for point in points]]).T
        units = np.floor(self.to_units(positions)).astype(np.int64)
        inside = np.flatnonzero(((units >= 0) & (units < EXTENT)).all(axis=1))
        return [points[at] for at in inside.tolist()], units[inside, 0], units[inside, 1]


def tile_bounds(z: int, x: int, y: int, margin: float = 0.0) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees of a tile, widened by `margin` (a share of its width) on every side."""
    n = 1 << z

    def lat(row: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / n))))

    west, east = (x - margin) / n * 360 - 180, (x + 1 + margin) / n * 360 - 180
    return west, lat(y + 1 + margin), east, lat(y - margin)


def _world_share(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares 0..1 of the world's width from the west and of its height from the north. Everything else multiplies them by
    powers of two, which is exact: so tile and unit of a point never disagree."""
    shares: NDArray[np.float64] = (to_mercator(points) / _HALF_WORLD_M * (1.0, -1.0) + 1.0) / 2.0
    return shares


def tile_of(lng: float, lat: float, z: int) -> tuple[int, int]:
    """Column and row of the tile at zoom `z` that holds a position (clamped to the Web-Mercator world)."""
    n = 1 << z
    x, y = np.floor(_world_share(np.array([[lng, lat]], dtype=np.float64))[0] * n).astype(int).tolist()
    return min(max(x, 0), n - 1), min(max(y, 0), n - 1)


def tiles_in(bounds: tuple[float, float, float, float], z: int) -> list[tuple[int, int]]:
    """Columns and rows of all tiles at zoom `z` that touch `bounds` (west, south, east, north)."""
    west, south, east, north = bounds
    x0, y0 = tile_of(west, north, z)
    x1, y1 = tile_of(east, south, z)
    return [(x, y) for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)]


def encode_tile(
    z: int,
    x: int,
    y: int,
    *,
    base: Iterable[MapFeature] | None = None,
    grids: Iterable[GridShape] | None = None,
    buildings: Iterable[BuildingShape] | None = None,
    incidents: Iterable[IncidentPoint] | None = None,
) -> bytes:
    """The tile as JSON bytes. A layer that was not asked for (None) is absent; one with nothing here is empty."""
    return msgspec.json.encode(tile_content(z, x, y, base=base, grids=grids, buildings=buildings, incidents=incidents))


def tile_content(
    z: int,
    x: int,
    y: int,
    *,
    base: Iterable[MapFeature] | None = None,
    grids: Iterable[GridShape] | None = None,
    buildings: Iterable[BuildingShape] | None = None,
    incidents: Iterable[IncidentPoint] | None = None,
) -> dict[str, Any]:
    """The tile's layers as plain values, as `encode_tile` writes them. Record ids are texts: they exceed JavaScript's numbers."""
    frame = TileFrame(z, x, y)
    content: dict[str, Any] = {"z": z, "x": x, "y": y}
    if base is not None:
        content["base"] = _base(frame, list(base))
    if grids is not None:
        content |= _grids(frame, list(grids))
    if buildings is not None:
        content["buildings"] = _buildings(frame, list(buildings)) if z >= FIRST_ZOOM_OF_BUILDINGS else []
    if incidents is not None:
        content["incidents"] = clustered(*frame.placed(list(incidents)), z)
    return content


def _base(frame: TileFrame, features: list[MapFeature]) -> dict[str, list[Any]]:
    wanted = [feature for feature in features if _is_shown(feature, frame.z)]
    layers: dict[str, list[Any]] = defaultdict(list)
    if not wanted:
        return {"road": []}
    shapes = frame.clipped([feature.geometry for feature in wanted])
    dimensions = np.where(shapely.is_empty(shapes), -1, shapely.get_dimensions(shapes))
    areas = np.flatnonzero(dimensions == 2)
    for at, polygons in zip(areas.tolist(), flat_polygons(shapes[areas], _TINY), strict=True):
        layers[wanted[at].layer].extend([wanted[at].kind, wanted[at].name, polygon] for polygon in polygons)
    lines = np.flatnonzero(dimensions == 1)
    for at, flat in zip(lines.tolist(), flat_lines(shapes[lines]), strict=True):
        if wanted[at].layer in ("rail", "water") and flat:
            layers[f"{wanted[at].layer}line"].append([wanted[at].kind, flat])
    for at in np.flatnonzero(dimensions == 0).tolist():
        feature = wanted[at]
        if feature.layer == "place" and feature.name and (place := frame.point(feature.geometry.x, feature.geometry.y)):
            layers["place"].append([feature.kind, feature.name, *place])
    layers["road"] = _roads([(wanted[at], shapes[at]) for at in lines.tolist() if wanted[at].layer == "road"])
    return dict(layers)


def _roads(roads: list[tuple[MapFeature, BaseGeometry]]) -> list[Any]:
    """Roads of a kind and name as few long lines, so that the name finds room."""
    groups: dict[tuple[str, str, int], list[BaseGeometry]] = defaultdict(list)
    for feature, shape in roads:
        groups[feature.kind, feature.name, int("tunnel" in feature.attrs)].append(shape)
    keys = sorted(groups)
    if not keys:
        return []
    parts, owners = shapely.get_parts([shape for key in keys for shape in groups[key]], return_index=True)
    group_of = np.repeat(np.arange(len(keys)), [len(groups[key]) for key in keys])[owners]
    merged = shapely.line_merge(shapely.multilinestrings(parts, indices=group_of))
    return [[*key, lines] for key, lines in zip(keys, flat_lines(merged), strict=True) if lines]


def _is_shown(feature: MapFeature, z: int) -> bool:
    """Whether the feature is worth drawing at tile zoom `z`."""
    if feature.layer == "road":
        if z >= 15:
            return True
        main = feature.kind.removesuffix("_link") in _MAIN
        return main if z < 12 else feature.kind not in _PATHS and (z >= 14 or feature.kind != "service")
    if feature.layer == "building":
        return z >= _FIRST_ZOOM_OF_BLOCKS
    return feature.layer != "boundary"


def _grids(frame: TileFrame, shapes: list[GridShape]) -> dict[str, list[Any]]:
    """`grids`: each as id, code, name, community's id, polygons, and its label's place in the one tile that has it.

    `gridlines`: the borders, each once: `[lines between grids of a community, lines of communities]`. Drawn from the
    polygons, a shared border would be stroked twice.
    """
    clipped = frame.clipped([grid.geometry for grid in shapes], simplify=0.0)
    inside = [
        (grid, shape) for grid, shape in zip(shapes, clipped, strict=True) if shape is not None and not shape.is_empty
    ]
    found = []
    shown = flat_polygons(shapely.simplify([shape for _grid, shape in inside], _SIMPLIFY))
    for (grid, _shape), polygons in zip(inside, shown, strict=True):
        if polygons:
            at = _label_point(frame, grid.geometry)
            found.append([str(grid.id), grid.code, grid.name, str(grid.community), polygons, at])
    return {"grids": found, "gridlines": _borders(inside)}


def _borders(inside: list[tuple[GridShape, BaseGeometry]]) -> list[list[list[int]]]:
    if not inside:
        return [[], []]
    members: dict[int, list[BaseGeometry]] = defaultdict(list)
    for grid, shape in inside:
        members[grid.community].append(shape)
    wholes = [shapely.union_all(shapes, grid_size=1) for shapes in members.values()]
    outer = shapely.union_all(shapely.boundary(wholes), grid_size=1)
    inner = shapely.difference(
        shapely.union_all(shapely.boundary([s for _g, s in inside]), grid_size=1), outer, grid_size=1
    )
    return flat_lines(shapely.simplify(shapely.line_merge([inner, outer]), _SIMPLIFY))


def _buildings(frame: TileFrame, shapes: list[BuildingShape]) -> list[list[Any]]:
    """Each building as id, label, dwellings, polygons, and its label's place in the one tile that has it."""
    if not shapes:
        return []
    found = []
    drawn = flat_polygons(frame.clipped([house.geometry for house in shapes]))
    for house, polygons in zip(shapes, drawn, strict=True):
        if polygons:
            at = _label_point(frame, house.geometry)
            found.append([str(house.id), house.label, house.dwellings, polygons, at])
    return found


def _label_point(frame: TileFrame, geometry: BaseGeometry) -> list[int] | None:
    parts = shapely.get_parts(geometry)
    largest = parts[int(np.argmax(shapely.area(parts)))]
    middle = shapely.centroid(largest)
    if not shapely.contains(largest, middle):
        middle = shapely.point_on_surface(largest)
    at = frame.point(middle.x, middle.y)
    return list(at) if at else None
