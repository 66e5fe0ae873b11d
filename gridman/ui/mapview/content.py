"""What the map page is made of and what its tiles hold, asked from the store. Runs on a reader thread."""

import math
from typing import Any

from gridman.kernel.errors import Refusal
from gridman.kernel.log import get_log
from gridman.kernel.words import N_, _
from gridman.services import maps
from gridman.services.incidents import IncidentQuery
from gridman.ui.mapview.scheme import FONT_URL, SCRIPT_URL, TILE_URL, TileAddress

__all__ = ["page_of", "tile_bytes", "tile_or_none"]

_log = get_log(__name__)
_FIRST_WIDTH_PX = 700
_MARGIN = 96 / 4096


def page_of(
    reader: Any,
    language: str,
    theme: str,
    layers: tuple[str, ...],
    is_large: bool = False,
    own_ids: frozenset[int] = frozenset(),
) -> tuple[str, maps.MapOverview]:
    """The map page in a language, a look and a size of text, and the extent to show first; the grids `own_ids` are drawn stronger. Refuses
    with ``map.none`` when no map was imported.
    """
    from gridman.geo.page import build_page

    found = maps.overview(reader, own_ids)
    if not any(grid.shape for grid in found.grids):
        raise Refusal(
            "map.none",
            N_("There is no map on this computer yet."),
            N_("Synchronise once; or have the street import one (gridman import map)."),
        )
    west, south, east, north = found.first_box
    html = build_page(
        SCRIPT_URL,
        TILE_URL,
        ((west + east) / 2, (south + north) / 2),
        first_zoom(west, east),
        language=language,
        theme="dark" if theme == "dark" else "light",
        attribution=_attribution(found.attribution),
        layers=layers,
        font_base_url=FONT_URL,
        is_large=is_large,
        own_grids=[str(grid_id) for grid_id in found.own],
    )
    return html, found


_KNOWN = (
    N_("geometry © OpenStreetMap contributors"),
    N_("names and people fictional"),
    N_("© OpenStreetMap contributors"),
)


def _attribution(text: str) -> str:
    """The map's attribution with the parts of it that have a translation in the language in use."""
    for known in _KNOWN:
        text = text.replace(known, _(known))
    return text


def first_zoom(west: float, east: float) -> int:
    """The zoom at which an extent is about as wide as the map."""
    width = max(east - west, 1e-6)
    return max(11, min(18, math.floor(math.log2(360 * _FIRST_WIDTH_PX / (256 * width)))))


def tile_or_none(reader: Any, address: TileAddress, query: IncidentQuery | None) -> bytes | None:
    """`tile_bytes`; None when it fails, so that one bad tile leaves a hole in the map instead of a page that waits."""
    try:
        return tile_bytes(reader, address, query)
    except Exception:
        _log.exception("tile %s could not be made", address)
        return None


def tile_bytes(reader: Any, address: TileAddress, query: IncidentQuery | None) -> bytes:
    """The JSON of one tile (`gridman.geo.tiles`)."""
    from gridman.geo.tiles import encode_tile, tile_bounds

    box = tile_bounds(address.z, address.x, address.y, _MARGIN)
    rows = maps.tile(reader, box, address.layers, query)
    return encode_tile(
        address.z,
        address.x,
        address.y,
        base=[_feature(row) for row in rows.base] if "base" in address.layers else None,
        grids=[_grid(row) for row in rows.grids] if "grids" in address.layers else None,
        buildings=[_building(row) for row in rows.buildings if row.shape] if "buildings" in address.layers else None,
        incidents=_incidents(rows.incidents) if "incidents" in address.layers else None,
    )


def _feature(row: Any) -> Any:
    import shapely

    from gridman.geo.features import MapFeature

    return MapFeature(row.layer, row.kind or "", row.name or "", shapely.from_wkb(row.shape))


def _grid(row: Any) -> Any:
    import shapely

    from gridman.geo.tiles import GridShape

    return GridShape(row.id, row.code or "", row.name or "", shapely.from_wkb(row.shape), row.community_id or 0)


def _building(row: Any) -> Any:
    import shapely

    from gridman.geo.tiles import BuildingShape

    return BuildingShape(row.id, row.number or "", shapely.from_wkb(row.shape))


def _incidents(rows: list[Any]) -> list[Any]:
    from gridman.geo.clusters import IncidentPoint

    return [IncidentPoint(record, state, lng, lat, number or "") for record, state, lng, lat, number in rows]
