"""The demonstration street: real geometry under fictional names, planned as any street is (`gridman.geo.plan`)."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from gridman.geo.features import MapData
from gridman.geo.naming import load_names, with_fictional_names
from gridman.geo.plan import StreetPlan, plan_street, shrink
from gridman.geo.read import read_map
from gridman.kernel.paths import maps_dir
from gridman.kernel.progress import Progress, quiet

__all__ = [
    "ATTRIBUTION", "DemoSize", "demo_map_path", "demo_names_path", "demo_plan",
]  # fmt: skip

DemoSize = Literal["grid", "community", "street"]

ATTRIBUTION = "geometry © OpenStreetMap contributors, ODbL 1.0; names and people fictional"

COUNTY_CODE = "990101"
STREET_CODE = COUNTY_CODE + "001000"
COMMUNITIES = 10
GRIDS_EACH = 8
HOUSEHOLDS = (300, 500)
_SHOWN_COMMUNITY = 3


def demo_map_path() -> Path:
    """The shipped street map (an OpenStreetMap extract, ODbL 1.0)."""
    return maps_dir() / "demo" / "street.osm.pbf"


def demo_names_path() -> Path:
    """The fictional names of its streets, communities and compounds."""
    return maps_dir() / "demo" / "names.csv"


def demo_plan(
    size: DemoSize, data: MapData | None = None, language: str = "zh_CN", progress: Progress = quiet
) -> StreetPlan:
    """The demonstration of a size: `street` 10 communities of 8 grids, `community` one of them, `grid` two grids of that one.

    `data` is the map as read by `read_map` (the shipped one by default). Every grid holds 300 to 500 dwellings.
    """
    progress(0, 5, "map")
    source = data or read_map(demo_map_path())
    progress(1, 5, "names")
    book = load_names(demo_names_path())
    named = with_fictional_names(source, book, language)
    plan = plan_street(
        named,
        code=STREET_CODE,
        name=book["street"][0],
        communities=COMMUNITIES,
        grids_each=GRIDS_EACH,
        book=book,
        dwellings_per_grid=HOUSEHOLDS,
        attribution=ATTRIBUTION,
        progress=lambda done, total, step="": progress(2 + done, 5, step),
    )
    if size == "street":
        return plan
    shown = plan.communities[_SHOWN_COMMUNITY]
    if size == "grid":
        shown = shrink(shown)
    return replace(plan, outline=shown.outline, communities=(shown,))
