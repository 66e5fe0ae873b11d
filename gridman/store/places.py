"""Where things are: an R*Tree over buildings, incidents and the base map, for tiles and for clicks on the map.

R*Trees hold 32-bit floats (about 0.6 m here), so whoever needs exactness checks the exact coordinates again.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import shapely
from sqlalchemy import Connection, select

from gridman.domain.building import Building, MapFeature
from gridman.domain.incident import Incident
from gridman.store.batches import batches
from gridman.store.unit import Reader

__all__ = ["REGISTERED", "ensure", "forget", "rebuild", "refresh", "within"]

REGISTERED = "registered"
"""The layer of the register's own buildings, apart from the base map's outlines."""

_CREATE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS place USING rtree(id, west, east, south, north, +entity TEXT, +layer TEXT)"
)


def ensure(connection: Connection) -> None:
    """Create the R*Tree."""
    connection.exec_driver_sql(_CREATE)


def forget(connection: Connection, record_ids: Iterable[int]) -> None:
    """Take records off the map."""
    rows = [(i,) for i in record_ids]
    if rows:
        connection.exec_driver_sql("DELETE FROM place WHERE id = ?", rows)


def rebuild(connection: Connection) -> None:
    """Place everything anew."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS place")
    ensure(connection)
    for kind, cls in (("building", Building), ("map_feature", MapFeature), ("incident", Incident)):
        refresh(connection, {kind: connection.scalars(select(cls.__table__.c.id)).all()})


def refresh(connection: Connection, touched: Mapping[str, Iterable[int]]) -> None:
    """Place these records anew."""
    for kind, place in _PLACERS.items():
        for part in batches(touched.get(kind, ())):
            forget(connection, part)
            rows = place(connection, part)
            if rows:
                connection.exec_driver_sql(
                    "INSERT INTO place(id, west, east, south, north, entity, layer) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
                )


_Box = tuple[int, float, float, float, float, str, str]


def _boxes(found: Sequence[Any], entity: str) -> list[_Box]:
    with_shape = [r for r in found if r.shape]
    if not with_shape:
        return []
    # An outline that cannot be read has no place; a desk must not stop receiving for its sake.
    boxes = shapely.bounds(shapely.from_wkb([r.shape for r in with_shape], on_invalid="ignore"))
    return [
        (r.id, float(b[0]), float(b[2]), float(b[1]), float(b[3]), entity, r.layer)
        for r, b in zip(with_shape, boxes, strict=True)
        if all(map(math.isfinite, b))
    ]


def _buildings(connection: Connection, ids: list[int]) -> list[_Box]:
    b = Building.__table__.c
    query = select(b.id, b.shape, b.compound.label("layer")).where(b.id.in_(ids), b.retired_at.is_(None))
    return [(*row[:6], REGISTERED) for row in _boxes(connection.execute(query).all(), "building")]


def _features(connection: Connection, ids: list[int]) -> list[_Box]:
    m = MapFeature.__table__.c
    query = select(m.id, m.shape, m.layer).where(m.id.in_(ids), m.retired_at.is_(None))
    return _boxes(connection.execute(query).all(), "map_feature")


def _incidents(connection: Connection, ids: list[int]) -> list[_Box]:
    i = Incident.__table__.c
    query = select(i.id, i.lng, i.lat).where(
        i.id.in_(ids), i.retired_at.is_(None), i.lng.is_not(None), i.lat.is_not(None)
    )
    return [(r.id, r.lng, r.lng, r.lat, r.lat, "incident", "incident") for r in connection.execute(query)]


_PLACERS = {"building": _buildings, "map_feature": _features, "incident": _incidents}


def within(
    reader: Reader, west: float, south: float, east: float, north: float, layers: Sequence[str]
) -> dict[str, list[int]]:
    """Ids of what touches the box (degrees), by layer: REGISTERED, "incident" or a base-map layer."""
    marks = ", ".join("?" * len(layers))
    query = f"SELECT id, layer FROM place WHERE east >= ? AND west <= ? AND north >= ? AND south <= ? AND layer IN ({marks})"
    found: dict[str, list[int]] = {}
    for record_id, layer in reader.connection.exec_driver_sql(query, (west, east, south, north, *layers)):
        found.setdefault(layer, []).append(record_id)
    return found
