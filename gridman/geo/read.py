"""Reading a base map from a file: OpenStreetMap extract, GeoPackage or GeoJSON, in any coordinates an office may have.

Whatever a map drawing program lets through is met here: rings that cross themselves, swapped axes, no coordinate system, metres
instead of degrees, a file cut short. What has one right answer is mended and counted; the rest is refused by name.
"""

import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from gridman.geo.classify import classify, kept_attrs, name_of, parse_other_tags
from gridman.geo.coast import sea_beside
from gridman.geo.crs import Coordinates, to_wgs84
from gridman.geo.features import MapData, MapFeature, MapNote
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_

__all__ = ["OSM_ATTRIBUTION", "read_map"]

OSM_ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"

_OSM_LAYERS = ("points", "lines", "multipolygons")
_DEGREES = ("EPSG:4326", "EPSG:4490", "OGC:CRS84", "EPSG:4979", "EPSG:4480")
_MAX_FEATURES = 2_000_000
_SUFFIXES = (".pbf", ".osm", ".gpkg", ".geojson", ".json")

_NOTES: Mapping[str, tuple[str, str]] = {
    "repaired": (N_("{count} crossed or open outline was mended"), N_("{count} crossed or open outlines were mended")),
    "unreadable": (N_("{count} shape could not be read"), N_("{count} shapes could not be read")),
    "empty": (N_("{count} feature has no shape"), N_("{count} features have no shape")),
    "swapped": (N_("{count} feature had latitude first"), N_("{count} features had latitude first")),
    "unused": (N_("{count} feature is not for a base map"), N_("{count} features are not for a base map")),
    "reprojected": (N_("{count} layer was in another projection"), N_("{count} layers were in another projection")),
}


@dataclass
class _Notes:
    """Counts what was mended while reading, with the first example of each."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, code: str, example: str = "", count: int = 1) -> None:
        if count:
            self.counts[code] = self.counts.get(code, 0) + count
            self.examples.setdefault(code, example)

    def made(self) -> tuple[MapNote, ...]:
        return tuple(MapNote(code, n, *_NOTES[code], example=self.examples[code]) for code, n in self.counts.items())


@dataclass(frozen=True)
class _Rows:
    """One layer as the file holds it: shapes (None where unreadable) and the columns beside them."""

    layer: str
    geometries: NDArray[np.object_]
    columns: Mapping[str, NDArray[Any]]
    fids: NDArray[Any]
    is_osm: bool

    def tags(self, row: int) -> dict[str, str]:
        tags = {name: _text(column[row]) for name, column in self.columns.items()}
        return {name: value for name, value in tags.items() if value}

    def key(self, row: int) -> str:
        """The feature's name in its file: OpenStreetMap's own id, or layer and row number."""
        if not self.is_osm:
            return f"{self.layer}/{self.fids[row]}"
        if self.layer == "multipolygons":
            way = _text(self.columns["osm_way_id"][row])
            return f"way/{way}" if way else f"relation/{_text(self.columns['osm_id'][row])}"
        return f"{'node' if self.layer == 'points' else 'way'}/{_text(self.columns['osm_id'][row])}"


def read_map(path: Path, coordinates: Coordinates = "wgs84", progress: Progress = quiet) -> MapData:
    """The base map in `path` (.osm.pbf, .osm, .gpkg, .geojson), in WGS-84.

    `coordinates` says what the numbers in the file mean: many Chinese sources write GCJ-02 or BD-09 under the name of
    WGS-84. Projected files (Gauss-Krüger and the like) are brought to degrees first. Raises Refusal `map.not_found`,
    `map.unknown_format`, `map.damaged`, `map.unknown_crs`, `map.not_degrees`, `map.bad_feature`, `map.empty`.
    """
    path = Path(path)
    notes = _Notes()
    features: list[MapFeature] = []
    is_osm = path.name.lower().endswith((".pbf", ".osm"))
    layers = _layers(path, is_osm)
    for number, layer in enumerate(layers):
        progress(number, len(layers) + 1, layer)
        rows = _mended(path, _read_layer(path, layer, is_osm, notes), notes)
        features.extend(_features(rows, coordinates, notes))
    if not features:
        raise Refusal(
            "map.empty",
            N_("The map {path} holds nothing that a base map shows."),
            N_("Choose a file with roads, buildings or boundaries."),
            path=path.name,
        )
    progress(len(layers), len(layers) + 1, "sea")
    if sea := sea_beside(features):
        features.append(sea)
    progress(len(layers) + 1, len(layers) + 1)
    return MapData(tuple(features), notes.made(), OSM_ATTRIBUTION if is_osm else "")


def _layers(path: Path, is_osm: bool) -> list[str]:
    import pyogrio

    if not path.is_file():
        raise Refusal("map.not_found", N_("There is no file {path}."), N_("Check the name and the folder."), path=path)
    if path.suffix.lower() not in _SUFFIXES:
        raise Refusal(
            "map.unknown_format",
            N_("{path} is not a map that can be read."),
            N_("Choose an OpenStreetMap extract (.osm.pbf), a GeoPackage (.gpkg) or a GeoJSON file (.geojson)."),
            path=path.name,
        )
    try:
        found = pyogrio.list_layers(path)
    except Exception as error:  # GDAL reports every damage through its own tree of errors
        raise _damaged(path, error) from error
    names = [str(name) for name, geometry_type in found if geometry_type is not None]
    return [name for name in names if name in _OSM_LAYERS] if is_osm else names


def _damaged(path: Path, error: Exception) -> Refusal:
    return Refusal(
        "map.damaged",
        N_("The map {path} is damaged or cut short: {why}."),
        N_("Copy or download the file again; nothing was imported."),
        path=path.name,
        why=str(error).split(";")[0].rstrip("."),
    )


def _read_layer(path: Path, layer: str, is_osm: bool, notes: _Notes) -> _Rows:
    from pyogrio import read_info
    from pyogrio.raw import read

    try:
        info: dict[str, Any] = read_info(path, layer=layer)
        crs = None if is_osm else _known_crs(path, layer, info)
        if crs is None or crs in _DEGREES:
            meta, fids, shapes, values = read(path, layer=layer, return_fids=True, max_features=_MAX_FEATURES)
        else:
            notes.add("reprojected", crs)
            meta, fids, shapes, values = _read_warped(path, layer)
    except Refusal:
        raise
    except Exception as error:
        raise _damaged(path, error) from error
    geometries = np.asarray(shapely.from_wkb(shapes, on_invalid="ignore"), dtype=object)
    columns = {str(name): column for name, column in zip(meta["fields"], values, strict=True)}
    notes.add("unreadable", layer, sum(1 for raw, made in zip(shapes, geometries, strict=True) if raw and made is None))
    return _Rows(layer, geometries, columns, fids, is_osm)


def _known_crs(path: Path, layer: str, info: Mapping[str, Any]) -> str:
    crs = info.get("crs")
    if crs and "undefined" not in str(crs).lower():
        return str(crs)
    raise Refusal(
        "map.unknown_crs",
        N_("The layer {layer} of {path} does not say which coordinate system it uses."),
        N_("Set its coordinate system (CGCS2000 is EPSG:4490) in the program that made it and save it again."),
        layer=layer,
        path=path.name,
    )


def _read_warped(path: Path, layer: str) -> tuple[Any, Any, Any, Any]:
    """The layer brought to degrees by GDAL: a small virtual file says so, since nothing else here knows projections."""
    from pyogrio.raw import read

    text = (
        "<OGRVRTDataSource><OGRVRTWarpedLayer>"
        f"<OGRVRTLayer name={quoteattr(layer)}><SrcDataSource>{escape(str(path.resolve()))}</SrcDataSource></OGRVRTLayer>"
        "<TargetSRS>EPSG:4326</TargetSRS></OGRVRTWarpedLayer></OGRVRTDataSource>"
    )
    with tempfile.TemporaryDirectory() as folder:
        virtual = Path(folder) / "warped.vrt"
        virtual.write_text(text, encoding="utf-8")
        warped: tuple[Any, Any, Any, Any] = read(virtual, layer=layer, return_fids=True, max_features=_MAX_FEATURES)
        return warped


def _mended(path: Path, rows: _Rows, notes: _Notes) -> _Rows:
    """The rows with axes in the right order and no shape outside the world."""
    shapes = shapely.force_2d(rows.geometries)
    bounds = shapely.bounds(shapes)
    has_shape = ~np.isnan(bounds).any(axis=1)
    if not has_shape.any():
        return replace(rows, geometries=shapes)
    west, south, east, north = shapely.total_bounds(shapes)
    if _is_swapped(float(west), float(south), float(east), float(north)):
        notes.add("swapped", rows.layer, int(has_shape.sum()))
        shapes = shapely.transform(shapes, lambda points: points[:, ::-1])
        bounds = shapely.bounds(shapes)
    limits = np.array((-180.0, -90.0, 180.0, 90.0))
    outside = has_shape & ((bounds[:, :2] < limits[:2]).any(axis=1) | (bounds[:, 2:] > limits[2:]).any(axis=1))
    outside |= has_shape & ~np.isfinite(bounds).all(axis=1)
    if outside.any():
        raise _not_degrees(path, rows, outside, int(has_shape.sum()), bounds)
    return replace(rows, geometries=shapes)


def _is_swapped(west: float, south: float, east: float, north: float) -> bool:
    """Whether x can only be a latitude: y beyond the poles, or the Arctic as it stands but China when turned."""
    turned_fits = west >= -90 and east <= 90 and south >= -180 and north <= 180
    beyond_pole = south > 90 or (south < -90 and north < -90)
    is_china_turned = west >= 15 and east <= 55 and south >= 73 and north <= 136
    return turned_fits and (beyond_pole or is_china_turned)


def _not_degrees(path: Path, rows: _Rows, outside: NDArray[np.bool_], total: int, bounds: NDArray[Any]) -> Refusal:
    row = int(np.argmax(outside))
    name = name_of(rows.tags(row)) or rows.key(row)
    if outside.sum() > total / 2:
        return Refusal(
            "map.not_degrees",
            N_("The layer {layer} of {path} is not in degrees (feature {name} lies at {x}, {y})."),
            N_("Set its true coordinate system in the program that made it, or export it as CGCS2000 degrees (EPSG:4490)."),
            layer=rows.layer, path=path.name, name=name, x=f"{bounds[row, 0]:.0f}", y=f"{bounds[row, 1]:.0f}",
        )  # fmt: skip
    return Refusal(
        "map.bad_feature",
        N_("The feature {name} in layer {layer} of {path} lies outside the world."),
        N_("Correct or delete it in the program that made the map, then import again."),
        layer=rows.layer, path=path.name, name=name,
    )  # fmt: skip


def _features(rows: _Rows, coordinates: Coordinates, notes: _Notes) -> Iterator[MapFeature]:
    shapes = to_wgs84(rows.geometries, coordinates)
    dimensions = shapely.get_dimensions(shapes)
    is_sound = shapely.is_valid(shapes)
    for row, shape in enumerate(shapes):
        if shape is None or shape.is_empty:
            notes.add("empty", rows.key(row))
            continue
        tags = rows.tags(row)
        if other := tags.pop("other_tags", ""):
            tags |= parse_other_tags(other)
        told = classify(tags, rows.layer, int(dimensions[row]))
        if told is None:
            notes.add("unused")
            continue
        layer, kind = told
        key, name = rows.key(row), name_of(tags)
        if not is_sound[row]:
            notes.add("repaired", name or key)
            shape = _repaired(shape)
            if shape is None:
                continue
        yield MapFeature(layer, kind, name, _simplest(shape), key, kept_attrs(tags))


def _repaired(shape: BaseGeometry) -> BaseGeometry | None:
    """A sound shape of the same dimension, or None when nothing of it is left."""
    made = (
        shapely.make_valid(shape, method="structure")
        if shape.geom_type.endswith("Polygon")
        else shapely.make_valid(shape)
    )
    wanted = shapely.get_dimensions(shape)
    parts = [part for part in shapely.get_parts(made) if shapely.get_dimensions(part) == wanted]
    return shapely.union_all(parts) if parts else None


def _simplest(shape: BaseGeometry) -> BaseGeometry:
    """A multi-geometry of one part, as that part."""
    return shape.geoms[0] if hasattr(shape, "geoms") and len(shape.geoms) == 1 else shape


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).strip()
