"""The map page: made once by folium, nothing in it points outside, nothing in its data can become code."""

import json
import re
from html import escape
from html.parser import HTMLParser

import pytest
import shapely

from gridman.geo.demo import ATTRIBUTION
from gridman.geo.page import SCRIPTS, build_page
from gridman.geo.standalone import IncidentCard, standalone_page
from gridman.geo.symbols import incident_symbols
from gridman.geo.tiles import GridShape
from gridman.kernel.paths import resource
from gridman.kernel.words import said_in
from tests.geo.places import oblong, shipped_map, town


def outside_references(html: str) -> list[str]:
    """Every http(s) address in `html` that a browser could follow or load; XML namespaces are names, not addresses."""
    found = re.findall(r"https?://[^\s\"'<>)\\]+", html)
    return [address for address in found if not address.startswith("http://www.w3.org/")]


class Loaded(HTMLParser):
    """Collects what a browser would fetch for a page, and the texts of its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)


def live(**kwargs: object) -> str:
    return build_page(
        "gridman://app/leaflet/vendor", "gridman://app/tile", (7.42, 43.73), 15, attribution=ATTRIBUTION, **kwargs
    )  # type: ignore[arg-type]


def cards(count: int, text: str = "占道经营") -> list[IncidentCard]:
    states = [code for code in incident_symbols() if code]
    place, when = "幸福里3号楼", "2026-11-23 14:32"
    return [
        IncidentCard(
            (9 << 43) | n, states[n % len(states)], 116.4 + n % 40 * 1e-4, 39.9, f"SJ{n:05}", text, place, when
        )
        for n in range(count)
    ]


def small_page(**kwargs: object) -> str:
    data = town(4, 4)
    grids = [
        GridShape(5, "990101001001001", "和平社区第一网格", oblong(0, 0, 160, 320)),
        GridShape(6, "990101001001002", "二", oblong(160, 0, 320, 320)),
    ]
    return standalone_page(data.features, grids, kwargs.pop("incidents", cards(30)), attribution=ATTRIBUTION, **kwargs)  # type: ignore[arg-type]


def test_the_live_page_asks_only_its_own_address_space() -> None:
    html = live(font_base_url="gridman://app/fonts")
    assert outside_references(html) == []
    assert all(address.startswith("gridman://app/") for address in Loaded(html).addresses)
    assert not re.search("jquery|bootstrap|fontawesome|awesome-markers|glyphicons", html, re.IGNORECASE)


def test_every_script_and_style_of_the_page_exists() -> None:
    for address in Loaded(live()).addresses:
        path = address.removeprefix("gridman://app/")
        assert resource(*path.split("/")).is_file(), f"{path} is not in resources (vendor/ is fetched by the set-up)"
    assert {f"{name}.js" for name in SCRIPTS} == {path.name for path in resource("leaflet").glob("*.js")}


def test_making_a_page_does_not_touch_folium_for_others() -> None:
    import folium

    before = list(folium.Map.default_js)
    live()
    assert folium.Map.default_js == before


def test_the_page_speaks_the_language_it_was_made_for() -> None:
    chinese, english = live(language="zh_CN"), live(language="en")
    assert 'lang="zh-CN"' in chinese and "图层与图例" in chinese and "待受理" in chinese
    assert 'lang="en"' in english and "Layers and legend" in english and not re.search("[\u4e00-\u9fff]", english)


def test_the_same_page_is_made_twice() -> None:
    assert live() == live()


def test_states_differ_by_shape_or_mark_and_not_by_colour_alone() -> None:
    looks = [(symbol.shape, symbol.mark, symbol.is_hollow) for symbol in incident_symbols().values()]
    assert len(set(looks)) == len(looks) == 12
    script = resource("leaflet", "symbols.js").read_text(encoding="utf-8")
    for shape, mark, _hollow in looks:
        assert shape == "circle" or re.search(rf"\b{shape}: ", script)
        assert not mark or re.search(rf"\b{mark}: ", script)


def test_a_page_of_its_own_needs_nobody() -> None:
    html = small_page()
    assert outside_references(html) == []
    assert Loaded(html).addresses == []
    assert "default-src 'none'" in html
    styles = "".join(re.findall(r"<style>.*?</style>", html, re.DOTALL))
    assert "leaflet-container" in styles and not re.search(r"url\((?!data:|[\"']data:)", styles)


def test_a_whole_street_with_two_thousand_incidents_stays_under_three_megabytes() -> None:
    west, south, step = 7.412, 43.727, 0.002
    corners = [(west + n % 10 * step, south + n // 10 * step) for n in range(80)]
    grids = [
        GridShape(n, f"9901010010{n:05}", f"g{n}", shapely.box(x, y, x + step, y + step))
        for n, (x, y) in enumerate(corners)
    ]
    places = [(west + n % 100 * 2e-4, south + n // 100 * 5e-4) for n in range(2000)]
    many = [
        IncidentCard(n, "reported", *at, f"SJ{n}", "类别", "地址" * 10, "2026-11-23") for n, at in enumerate(places)
    ]
    html = standalone_page(shipped_map().features, grids, many)
    assert 500_000 < len(html.encode()) < 3_000_000


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "<!--<script>", "\u2028';x()//", "{{ 7*7 }}{% raw %}"]
)
def test_what_people_wrote_cannot_become_code(text: str) -> None:
    html = small_page(incidents=cards(3, text))
    assert len(Loaded(html).scripts) == len(Loaded(small_page()).scripts)
    config = re.search(r"gridman\.start\(map_gridman, (\{.*\})\);", html)
    assert config is not None
    assert json.loads(config.group(1))["incidents"][0]["rows"][1] == [said_in("zh_CN", "Category"), text]
    assert not ({"<", ">", "\u2028"} & set(config.group(1)))
    assert f"<title>{escape(text)}</title>" in small_page(title=text)


def test_incident_ids_survive_as_text() -> None:
    config = re.search(r"gridman\.start\(map_gridman, (\{.*\})\);", small_page())
    assert config is not None
    assert json.loads(config.group(1))["incidents"][1]["id"] == str((9 << 43) | 1)
