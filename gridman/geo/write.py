"""Writing shapes for other programs: GeoJSON or GeoPackage, WGS-84 degrees, whole or not at all."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["ShapeLayer", "write_layers"]

_DRIVERS = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG"}


@dataclass(frozen=True)
class ShapeLayer:
    """One layer: shapes (shapely, degrees), and for each its columns as text."""

    name: str
    shapes: Sequence[Any]
    columns: Sequence[Mapping[str, str]]


def write_layers(path: Path, layers: Sequence[ShapeLayer], *, as_one: bool = False) -> int:
    """Write the layers to `path` (.geojson, .json, .gpkg); returns how many features. `as_one`: a single layer, with the layer's name as a
    column (GeoJSON knows no layers). Refuses with ``file.cannot_write``.
    """
    driver = _DRIVERS[path.suffix.lower()]
    made = [_merged(path.stem, layers)] if as_one else list(layers)
    partial = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        for layer in made:
            _write(partial, layer, driver)
        os.replace(partial, path)
    except Exception as error:  # GDAL reports a full disk and a missing folder through its own tree of errors
        raise Refusal(
            "file.cannot_write",
            N_("{path} could not be written: {why}."),
            N_("Free some space or choose another folder, then try again. Nothing was changed."),
            path=path,
            why=str(error).rstrip("."),
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return sum(len(layer.shapes) for layer in layers)


def _merged(name: str, layers: Sequence[ShapeLayer]) -> ShapeLayer:
    shapes = [shape for layer in layers for shape in layer.shapes]
    return ShapeLayer(name, shapes, [{"layer": layer.name, **row} for layer in layers for row in layer.columns])


def _write(path: Path, layer: ShapeLayer, driver: str) -> None:
    from pyogrio.raw import write

    names = list(dict.fromkeys(name for row in layer.columns for name in row))
    data = [np.array([row.get(name) or None for row in layer.columns], dtype=object) for name in names]
    write(
        path,
        np.array([shapely.to_wkb(shape) for shape in layer.shapes], dtype=object),
        data,
        names,
        layer=layer.name,
        driver=driver,
        geometry_type="Unknown",
        crs="EPSG:4326",
        encoding="UTF-8" if driver != "GPKG" else None,
        append=path.exists(),
    )
