"""A street's map as layers of shapes: what `gridman export map` writes and `gridman import map` reads again."""

from typing import Any

import shapely

from gridman.domain.building import Building, MapFeature
from gridman.domain.grid import Grid
from gridman.domain.region import Region
from gridman.geo.write import ShapeLayer

__all__ = ["map_layers"]

_ALL = 5_000_000


def map_layers(reader: Any) -> list[ShapeLayer]:
    """Boundaries with codes, registered buildings, then the base map by layer; empty layers are left out."""
    regions = [r for r in reader.page(Region, order_by=("code",), limit=_ALL) if r.shape]
    grids = [g for g in reader.page(Grid, valid_to_on=None, order_by=("code",), limit=_ALL) if g.shape]
    buildings = [b for b in reader.page(Building, limit=_ALL) if b.shape]
    layers = [
        _layer("boundary", [*regions, *grids], lambda r: {"code": r.code, "name": r.name, "kind": "administrative"}),
        _layer("building", buildings, _building),
    ]
    by_layer: dict[str, list[MapFeature]] = {}
    for feature in reader.page(MapFeature, limit=_ALL):
        if feature.shape:
            by_layer.setdefault(feature.layer, []).append(feature)
    for name, features in sorted(by_layer.items()):
        layers.append(_layer(f"map_{name}", features, lambda f: {"name": f.name or "", "kind": f.kind or ""}))
    return [layer for layer in layers if layer.shapes]


def _layer(name: str, records: list[Any], columns: Any) -> ShapeLayer:
    return ShapeLayer(name, list(shapely.from_wkb([r.shape for r in records])), [columns(r) for r in records])


def _building(b: Building) -> dict[str, str]:
    number = f"{b.number}号楼" if b.number.isdigit() else b.number
    return {
        "name": number, "compound": b.compound, "kind": "residential", "levels": str(b.floors or ""), "units": str(b.units or ""),
        "addr:street": b.road or "", "addr:housenumber": b.door_plate or "",
    }  # fmt: skip
