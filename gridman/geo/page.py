"""The map page: folium makes it once; live data never passes through its HTML but comes as tiles (`gridman.geo.tiles`).

The page's own code lies in `resources/leaflet/*.js`. Nothing in a page made here points outside: folium's own script
hosts are replaced by the folder the page is given, and its jQuery, Bootstrap and icon fonts are left out, since nothing
uses them.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Literal

from gridman.geo.symbols import incident_symbols
from gridman.kernel.errors import Refusal
from gridman.kernel.paths import resource
from gridman.kernel.words import N_, said_in

__all__ = ["LIVE_LAYERS", "SCRIPTS", "build_page", "map_config", "map_html", "read_leaflet"]

Theme = Literal["light", "dark"]
LIVE_LAYERS = ("base", "grids", "buildings", "incidents")

SCRIPTS = ("palette", "source", "paint", "symbols", "labels", "overlay", "panel", "editing", "gridman")
_VENDOR_JS = ("leaflet/leaflet.js", "geoman/leaflet-geoman.js")
_VENDOR_CSS = ("leaflet/leaflet.css", "geoman/leaflet-geoman.css")
_FONT = "NotoSansSC-Regular.ttf"
_CONFIG_PLACE = "/*gridman-config*/"

_WORDS: Mapping[str, str] = {
    "map": N_("Map of the street"),
    "legend": N_("Layers and legend"),
    "base": N_("Street map"),
    "grids": N_("Grids"),
    "buildings": N_("Buildings"),
    "incidents": N_("Incidents"),
    "states": N_("Incident states"),
    "north": N_("North is up"),
    "northLetter": N_("N"),
}


def map_words(language: str) -> dict[str, str]:
    """The words of the map's own controls in a language of the program."""
    return {key: said_in(language, text) for key, text in _WORDS.items()}


def build_page(
    vendor_base_url: str,
    tile_base_url: str,
    center: tuple[float, float],
    zoom: int,
    language: str = "zh_CN",
    theme: Theme = "light",
    attribution: str = "",
    layers: Sequence[str] = LIVE_LAYERS,
    font_base_url: str = "",
    is_large: bool = False,
    own_grids: Sequence[str] = (),
) -> str:
    """The HTML of the live map.

    `vendor_base_url` is where `resources/leaflet/vendor/` is served (our own scripts lie one folder up), `tile_base_url`
    answers `/{z}/{x}/{y}?layers=base,grids,...` with what `tiles.encode_tile` makes, `center` is lng, lat, `language`
    a code of `kernel.words`, `layers` those the person may switch, `font_base_url` the folder of the shipped fonts; `is_large`:
    the map's own controls are written in large text; `own_grids`: those whose boundaries are drawn stronger.
    The page answers the program's commands as `window.gridman` and reports to `window.gridmanBridge`.
    """
    vendor = vendor_base_url.rstrip("/")
    own = vendor.removesuffix("/vendor")
    scripts = [f"{vendor}/{name}" for name in _VENDOR_JS] + [f"{own}/{name}.js" for name in SCRIPTS]
    styles = [f"{vendor}/{name}" for name in _VENDOR_CSS] + [f"{own}/gridman.css"]
    config = map_config(language, theme, attribution, layers) | {
        "tileBaseUrl": tile_base_url.rstrip("/"),
        "isLarge": is_large,
        "own": list(own_grids),
    }
    head = _font_face(font_base_url.rstrip("/")) if font_base_url else ""
    return map_html(scripts, styles, center, zoom, language, config, head)


def map_config(language: str, theme: Theme, attribution: str, layers: Sequence[str]) -> dict[str, Any]:
    """What the page's script needs to know at its start, of every kind of page."""
    symbols = [
        {
            "code": symbol.code, "name": symbol.name(language), "shape": symbol.shape, "mark": symbol.mark,
            "light": symbol.light, "dark": symbol.dark, "isHollow": symbol.is_hollow,
        }
        for symbol in incident_symbols().values()
    ]  # fmt: skip
    return {
        "language": language,
        "theme": theme,
        "attribution": attribution,
        "layers": list(layers),
        "symbols": symbols,
        "words": map_words(language),
    }


def _font_face(base: str) -> str:
    return f'<style>@font-face{{font-family:"Noto Sans SC";src:url("{base}/{_FONT}");font-display:swap}}</style>'


def map_html(
    scripts: Sequence[str],
    styles: Sequence[str],
    center: tuple[float, float],
    zoom: int,
    language: str,
    config: Mapping[str, Any],
    head: str = "",
    title: str = "",
) -> str:
    """A whole page made by folium: the map, these scripts and styles (addresses), and our start with `config`."""
    import folium
    from branca.element import Figure, MacroElement
    from folium.template import Template

    class Start(MacroElement):  # type: ignore[misc,unused-ignore]
        """Our tile layer, controls and commands on the map."""

        _template = Template(
            "{% macro script(this, kwargs) %}gridman.start({{ this._parent.get_name() }}, "
            + _CONFIG_PLACE
            + ");{% endmacro %}"
        )

        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
            self._name = "Start"

    page = folium.Map(location=(center[1], center[0]), tiles=None, zoom_start=zoom, font_size="13px")
    page._id = "gridman"
    # This map's own lists: folium's stand on the class and name outside hosts.
    page.default_js = [(f"script_{number}", address) for number, address in enumerate(scripts)]
    page.default_css = [(f"style_{number}", address) for number, address in enumerate(styles)]
    page.options |= {"min_zoom": 11, "max_zoom": 20, "attribution_control": True, "wheel_px_per_zoom_level": 90}
    page.add_child(Start(), name="start")
    figure = page.get_root()
    assert isinstance(figure, Figure)
    figure.title = escape(title) or None
    html: str = figure.render()
    # What people wrote is put in afterwards: folium would read braces in it as its own template language.
    html = html.replace(_CONFIG_PLACE, script_json(config), 1).replace("</head>", head + "</head>", 1)
    return html.replace("<html>", f'<html lang="{"en" if language == "en" else "zh-CN"}">', 1)


def script_json(value: Any) -> str:
    """JSON that may stand inside a <script>: nothing in it can end the script or open a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return (
        text.replace("<", "\\u003c").replace(">", "\\u003e").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    )


def read_leaflet(*parts: str) -> str:
    """The text of a file in `resources/leaflet`. Raises Refusal `map.parts_missing` where set-up has not fetched it."""
    path: Path = resource("leaflet", *parts)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Refusal(
            "map.parts_missing",
            N_("The map's script {name} is missing."),
            N_("Run the set-up (build_scripts/run.py) once with a network, or install gridman again."),
            name="/".join(parts),
        ) from error
