"""Which layer a feature belongs to, told from OpenStreetMap tags, or else from the layer's name and the geometry's type."""

import re
from collections.abc import Mapping

from gridman.geo.features import Layer

__all__ = ["classify", "kept_attrs", "name_of", "parse_other_tags"]

_GREEN_LANDUSE = frozenset(
    [
        "grass",
        "forest",
        "meadow",
        "village_green",
        "recreation_ground",
        "flowerbed",
        "cemetery",
        "orchard",
        "greenfield",
        "allotments",
    ]
)
_GREEN_LEISURE = frozenset(["park", "garden", "playground", "golf_course", "nature_reserve", "common", "dog_park"])
_PITCH_LEISURE = frozenset(["pitch", "stadium", "track", "sports_centre", "miniature_golf"])
_GREEN_NATURAL = frozenset(["wood", "scrub", "grassland", "heath", "tree_group"])
_WATER_NATURAL = frozenset(["water", "bay", "wetland"])
_LAND_NATURAL = frozenset(["beach", "sand", "bare_rock", "scree"])
_RAIL = frozenset(["rail", "light_rail", "subway", "tram", "narrow_gauge", "monorail"])
_SKIPPED_ROADS = frozenset(["proposed", "construction", "raceway", "bus_stop", "elevator", "platform", "corridor"])
_KEPT = (
    "building:levels", "addr:housenumber", "addr:street", "tunnel", "bridge", "layer", "admin_level", "maritime", "osm_id",
    "amenity", "compound",
)  # fmt: skip
_NAME_FIELDS = ("name", "name:zh", "名称", "mc", "xmmc", "label", "title")
_CODE_FIELDS = ("code", "grid_code", "dm", "bm", "代码", "编码", "网格编码", "网格代码", "社区代码", "行政区划代码")
_KIND_FIELDS = ("kind", "fclass", "class", "type", "类型", "类别")
_OTHER_TAG = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')

_LAYER_WORDS: tuple[tuple[str, Layer], ...] = (
    ("road", "road"), ("street", "road"), ("highway", "road"), ("道路", "road"), ("街", "road"), ("路", "road"),
    ("rail", "rail"), ("铁", "rail"), ("water", "water"), ("river", "water"), ("水", "water"), ("河", "water"),
    ("green", "green"), ("park", "green"), ("绿", "green"), ("building", "building"), ("house", "building"),
    ("楼", "building"), ("房", "building"), ("建筑", "building"), ("place", "place"), ("poi", "place"), ("地名", "place"),
    ("bound", "boundary"), ("admin", "boundary"), ("outline", "boundary"), ("grid", "boundary"), ("communit", "boundary"),
    ("边界", "boundary"), ("界", "boundary"), ("网格", "boundary"), ("社区", "boundary"), ("land", "land"), ("地块", "land"),
)  # fmt: skip
_DEFAULT_KIND: Mapping[Layer, str] = {
    "road": "residential", "rail": "rail", "water": "water", "green": "park", "land": "land", "building": "yes",
    "place": "locality", "boundary": "administrative",
}  # fmt: skip


def parse_other_tags(text: str) -> dict[str, str]:
    """The tags of GDAL's `other_tags` field (an hstore literal) as a dict."""
    return {key.replace('\\"', '"'): value.replace('\\"', '"') for key, value in _OTHER_TAG.findall(text)}


def classify(tags: Mapping[str, str], layer_name: str, dimension: int) -> tuple[Layer, str] | None:
    """Layer and kind of a feature with these tags and a geometry of `dimension` (0 point, 1 line, 2 polygon).

    None when a base map does not draw such things (a bench, a shop, a route).
    """
    told = (_polygon, _line, _point)[2 - dimension](tags)
    if told is not None or "osm_id" in tags:
        return told
    return _by_layer_name(tags, layer_name, dimension)


def _polygon(tags: Mapping[str, str]) -> tuple[Layer, str] | None:
    if (building := tags.get("building")) and building != "no":
        return "building", building
    natural, leisure, landuse = tags.get("natural", ""), tags.get("leisure", ""), tags.get("landuse", "")
    if natural in _WATER_NATURAL or leisure == "swimming_pool" or landuse in ("reservoir", "basin"):
        return "water", natural or leisure or landuse
    if natural in _GREEN_NATURAL or leisure in _GREEN_LEISURE or landuse in _GREEN_LANDUSE:
        return "green", leisure or landuse or natural
    if leisure in _PITCH_LEISURE:
        return "green", "pitch"
    if tags.get("boundary") == "administrative":
        return "boundary", "administrative"
    if tags.get("highway") in ("pedestrian", "footway") or tags.get("place") == "square":
        return "land", "square"
    if natural in _LAND_NATURAL or landuse or tags.get("man_made") in ("pier", "breakwater"):
        return "land", natural or landuse or tags.get("man_made", "land")
    if tags.get("amenity") in ("school", "hospital", "university", "kindergarten", "parking"):
        return "land", tags["amenity"]
    return None


def _line(tags: Mapping[str, str]) -> tuple[Layer, str] | None:
    if highway := tags.get("highway"):
        return None if highway in _SKIPPED_ROADS else ("road", highway)
    if (railway := tags.get("railway")) in _RAIL and railway:
        return "rail", railway
    if waterway := tags.get("waterway"):
        return "water", waterway
    if tags.get("natural") == "coastline":
        return "boundary", "coastline"
    if tags.get("boundary") == "administrative":
        return "boundary", "border"
    if tags.get("man_made") in ("pier", "breakwater"):
        return "land", "pier"
    return None


def _point(tags: Mapping[str, str]) -> tuple[Layer, str] | None:
    return ("place", tags["place"]) if tags.get("place") else None


def _by_layer_name(tags: Mapping[str, str], layer_name: str, dimension: int) -> tuple[Layer, str] | None:
    """For maps without OpenStreetMap tags: `layer` column, else the layer's own name, else what such geometry usually is."""
    word = (tags.get("layer") or layer_name).lower()
    usual: tuple[Layer, Layer, Layer] = ("place", "road", "building")
    layer = next((layer for part, layer in _LAYER_WORDS if part in word), usual[dimension])
    if layer == "building" and dimension != 2:
        return None
    kind = next((tags[field] for field in _KIND_FIELDS if tags.get(field)), _DEFAULT_KIND[layer])
    return layer, kind


def name_of(tags: Mapping[str, str]) -> str:
    """The feature's own name, or an empty text."""
    return next((tags[field] for field in _NAME_FIELDS if tags.get(field)), "")


def kept_attrs(tags: Mapping[str, str]) -> dict[str, str]:
    """The few attributes that drawing and address making use; the rest (shops, phones, websites) is not ours to keep."""
    kept = {key: tags[key] for key in _KEPT if tags.get(key)}
    for field, target in (("levels", "building:levels"), ("floors", "building:levels"), ("层数", "building:levels")):
        if tags.get(field):
            kept.setdefault(target, tags[field])
    # The code of a street or community (12 digits) or of a grid (15): boundaries with one can become records.
    code = next((tags[field] for field in _CODE_FIELDS if tags.get(field)), "").removesuffix(".0")
    if len(code) in (12, 15) and code.isdigit():
        kept["code"] = code
    return kept
