"""Writing shapes for other programs: GeoJSON or GeoPackage, WGS-84 degrees, whole or not at all."""

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from gridman.kernel.errors import Trouble
from gridman.kernel.files import cannot_write, full_disk, is_full_disk, put_in_place, take_away, write_whole

__all__ = ["ShapeLayer", "write_layers"]

_DRIVERS = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG"}
_LONGEST_REASON = 200


@dataclass(frozen=True)
class ShapeLayer:
    """One layer: shapes (shapely, degrees), and for each its columns as text."""

    name: str
    shapes: Sequence[Any]
    columns: Sequence[Mapping[str, str]]


def write_layers(path: Path, layers: Sequence[ShapeLayer], *, as_one: bool = False) -> int:
    """Write the layers to `path` (.geojson, .json, .gpkg); returns how many features. `as_one`: a single layer, with the layer's name as a
    column (GeoJSON knows no layers). Refuses with ``disk.full`` or ``file.cannot_write``.
    """
    driver = _DRIVERS[path.suffix.lower()]
    made = [_merged(path.stem, layers)] if as_one else list(layers)
    if driver == "GeoJSON":
        _write_text(path, made)
    else:
        _write_file(path, made, driver)
    return sum(len(layer.shapes) for layer in layers)


def _write_text(path: Path, layers: Sequence[ShapeLayer]) -> None:
    """Through memory: GDAL's GeoJSON driver does not notice a full disk and leaves half a file without a word."""
    whole = io.BytesIO()
    try:
        for layer in layers:
            _write(whole, layer, "GeoJSON")
    except Exception as error:  # GDAL has its own tree of errors
        raise _unwritten(path, error) from error
    write_whole(path, whole.getvalue(), mode=0o644)


def _write_file(path: Path, layers: Sequence[ShapeLayer], driver: str) -> None:
    partial = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        for layer in layers:
            _write(partial, layer, driver)
        put_in_place(partial, path)
    except Exception as error:  # GDAL reports a full disk and a missing folder through its own tree of errors
        if "disk is full" in str(error) or is_full_disk(error):
            raise full_disk(path.parent) from error
        raise _unwritten(path, error) from error
    finally:
        with suppress(OSError):  # a folder that cannot be used cannot be tidied either
            take_away(partial)


def _unwritten(path: Path, error: Exception) -> Trouble:
    return cannot_write(path, str(error).rstrip(".")[:_LONGEST_REASON])


def _merged(name: str, layers: Sequence[ShapeLayer]) -> ShapeLayer:
    shapes = [shape for layer in layers for shape in layer.shapes]
    return ShapeLayer(name, shapes, [{"layer": layer.name, **row} for layer in layers for row in layer.columns])


def _write(target: "Path | io.BytesIO", layer: ShapeLayer, driver: str) -> None:
    from pyogrio.raw import write

    names = list(dict.fromkeys(name for row in layer.columns for name in row))
    data = [np.array([row.get(name) or None for row in layer.columns], dtype=object) for name in names]
    write(
        target,
        np.array([shapely.to_wkb(shape) for shape in layer.shapes], dtype=object),
        data,
        names,
        layer=layer.name,
        driver=driver,
        geometry_type="Unknown",
        crs="EPSG:4326",
        encoding="UTF-8" if driver != "GPKG" else None,
        append=isinstance(target, Path) and target.exists(),
    )
