"""The incidents of a street as one file that any browser opens with the network unplugged.

Scripts, styles, the street map (as embedded tiles of three zooms) and the incidents are all inside; a content security policy
in the file keeps the browser from asking anyone for anything.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from gridman.geo.features import MapFeature
from gridman.geo.page import SCRIPTS, Theme, map_config, map_html, read_leaflet
from gridman.geo.symbols import incident_symbols
from gridman.geo.tiles import GridShape, tile_bounds, tile_content, tiles_in
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_, said_in

__all__ = ["IncidentCard", "standalone_page"]

_EMBEDDED_ZOOMS = (12, 14, 15)
_MARGIN = 0.0015
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
_ROWS = (N_("State"), N_("Category"), N_("Address"), N_("Reported"))
_TITLE = N_("Incidents on the map")
_FOOT = N_("{shown} incidents · {attribution}")


@dataclass(frozen=True, slots=True)
class IncidentCard:
    """An incident with what its pop-up says. All texts are shown as they are; `reported` is a date and time in words."""

    id: int
    state: str
    lng: float
    lat: float
    number: str
    category: str
    address: str
    reported: str


def standalone_page(
    features: Sequence[MapFeature],
    grids: Sequence[GridShape],
    incidents: Sequence[IncidentCard],
    language: str = "zh_CN",
    theme: Theme = "light",
    attribution: str = "",
    title: str = "",
    progress: Progress = quiet,
) -> str:
    """The whole page as HTML. It shows the ground of `grids` (else of the incidents); `title` names it in the browser's tab.

    Raises Refusal `map.parts_missing` where Leaflet has not been fetched.
    """
    bounds = _bounds(grids, incidents, features)
    shown = _near(features, bounds)
    config = map_config(language, theme, _foot(language, len(incidents), attribution), ("base", "grids", "incidents"))
    config |= {
        "tiles": _tiles(shown, grids, bounds, progress),
        "incidents": [_card(card, language) for card in incidents],
        "bounds": bounds,
    }
    center = ((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    head = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">' + _inlined()
    return map_html([], [], center, 14, language, config, head, title or said_in(language, _TITLE))


def _foot(language: str, count: int, attribution: str) -> str:
    return said_in(language, _FOOT).format(shown=count, attribution=attribution).removesuffix(" · ")


def _bounds(
    grids: Sequence[GridShape], incidents: Sequence[IncidentCard], features: Sequence[MapFeature]
) -> tuple[float, float, float, float]:
    shapes: list[Any] = [grid.geometry for grid in grids] or [shapely.Point(card.lng, card.lat) for card in incidents]
    if not shapes:
        shapes = [feature.geometry for feature in features if feature.layer == "building"]
    west, south, east, north = (float(edge) for edge in shapely.total_bounds(shapes))
    return west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN


def _near(features: Sequence[MapFeature], bounds: tuple[float, float, float, float]) -> list[MapFeature]:
    """The features around the ground shown, in their order."""
    geometries = [feature.geometry for feature in features]
    if not geometries:
        return []
    hits = shapely.STRtree(geometries).query(shapely.box(*bounds).buffer(_MARGIN * 40))
    return [features[at] for at in sorted(hits.tolist())]


def _tiles(
    features: list[MapFeature],
    grids: Sequence[GridShape],
    bounds: tuple[float, float, float, float],
    progress: Progress,
) -> dict[str, Any]:
    addresses = [(z, x, y) for z in _EMBEDDED_ZOOMS for x, y in tiles_in(_widened(bounds, z), z)]
    base_tree = shapely.STRtree([feature.geometry for feature in features])
    grid_tree = shapely.STRtree([grid.geometry for grid in grids])
    tiles: dict[str, Any] = {}
    for done, (z, x, y) in enumerate(addresses):
        progress(done, len(addresses), "map")
        window = shapely.box(*tile_bounds(z, x, y, 0.03))
        base = [features[at] for at in sorted(base_tree.query(window).tolist())]
        over = [grids[at] for at in sorted(grid_tree.query(window).tolist())]
        tiles[f"{z}/{x}/{y}"] = tile_content(z, x, y, base=base, grids=over)
    progress(len(addresses), len(addresses))
    return tiles


def _widened(bounds: tuple[float, float, float, float], z: int) -> tuple[float, float, float, float]:
    """The bounds with a ring of tiles around them at the first zoom: what the page falls back to outside the street."""
    if z > _EMBEDDED_ZOOMS[0]:
        return bounds
    ring = 360 / (1 << z)
    return bounds[0] - ring, bounds[1] - ring, bounds[2] + ring, bounds[3] + ring


def _card(card: IncidentCard, language: str) -> dict[str, Any]:
    symbols = incident_symbols()
    state = symbols.get(card.state, symbols[""]).name(language) or card.state
    values = (state, card.category, card.address, card.reported)
    rows = [[said_in(language, name), value] for name, value in zip(_ROWS, values, strict=True) if value]
    return {
        "id": str(card.id),
        "state": card.state,
        "lng": card.lng,
        "lat": card.lat,
        "label": card.number,
        "rows": rows,
    }


def _inlined() -> str:
    """Leaflet and our own scripts and styles, without the addresses and pictures they would fetch."""
    # Pictures beside the style sheet are not inside this file; the buttons that used them are not on this page.
    css = re.sub(r"url\((?!data:|[\"']data:)[^)]*\)", "none", _alone(read_leaflet("vendor", "leaflet", "leaflet.css")))
    leaflet = _alone(read_leaflet("vendor", "leaflet", "leaflet.js"))
    scripts = [leaflet] + [read_leaflet(f"{name}.js") for name in SCRIPTS]
    parts = [f"<style>{css}\n{read_leaflet('gridman.css')}</style>"]
    for script in scripts:
        text = re.sub(r"(?m)^//# sourceMappingURL=.*$", "", script).replace("</script", "<\\/script")
        parts.append(f"<script>{text}</script>")
    return "\n".join(parts)


def _alone(text: str) -> str:
    """Without the addresses in its comments and links: nobody is to follow them from a page without a network."""
    return re.sub(r"https?://(?!www\.w3\.org)[^\s\"'<>]+", "#", text)
