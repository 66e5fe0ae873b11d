"""Fictional Chinese names for the demonstration street's roads, communities and compounds, the same on every machine.

The words come from a table beside the map (`names.csv`: use, zh, en); which word a road gets follows from its key in the source
file, so reading the same map again gives the same names. The source's own names never get through.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import shapely

from gridman.geo.features import MapData, MapFeature, is_carriageway
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["Name", "NameBook", "load_names", "with_fictional_names"]

_STRIDE = 37
_TOUCHING = 3e-5
_MAIN = ("motorway", "trunk", "primary")
_DISTRICT = ("secondary", "tertiary")

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Name:
    """A name in both languages."""

    zh: str
    en: str

    def spoken(self, language: str) -> str:
        """The name for a language of the program (`en`, else Chinese)."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True)
class NameBook:
    """The words that names are made of, by use."""

    words: Mapping[str, Sequence[Name]]

    def __getitem__(self, use: str) -> Sequence[Name]:
        return self.words[use]

    def road(self, number: int, kind: str) -> Name:
        """The name of road `number` (from 0) of an OpenStreetMap kind: 建设大道, 桂花街, 石桥巷 …; unlike for unlike numbers."""
        stems = self["road"]
        stem, ending = stems[number * _STRIDE % len(stems)], self[_ending(kind)][0]
        nth = number // len(stems)
        if nth:
            return Name(f"{stem.zh}{'东南西北中'[(nth - 1) % 5]}{ending.zh}", f"{stem.en} {ending.en} {nth + 1}")
        return Name(stem.zh + ending.zh, f"{stem.en} {ending.en}")

    def compound(self, number: int) -> Name:
        """The name of residential compound `number` (from 0): 幸福里, 锦绣花园 …; repeats only after all pairs are used."""
        stems, endings = self["compound"], self["compound_ending"]
        ending = endings[(number + number // len(stems)) % len(endings)]
        stem = stems[number * 7 % len(stems)]
        again = number // (len(stems) * len(endings))
        tail = f"{'二三四五六七八九'[(again - 1) % 8]}期" if again else ""
        return Name(stem.zh + ending.zh + tail, f"{stem.en} {ending.en}" + (f" {again + 1}" if again else ""))


def _ending(kind: str) -> str:
    plain = kind.removesuffix("_link")
    if plain in _MAIN:
        return "road_main"
    if plain in _DISTRICT:
        return "road_district"
    if is_carriageway(plain):
        return "road_side"
    return "road_lane" if plain in ("service", "pedestrian") else "road_path"


def load_names(path: Path) -> NameBook:
    """The name book in a CSV file with columns use, zh, en. Raises Refusal `names.damaged`."""
    words: dict[str, list[Name]] = defaultdict(list)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                words[row["use"]].append(Name(row["zh"], row["en"]))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise Refusal(
            "names.damaged",
            N_("The list of names {path} cannot be read."),
            N_("Install gridman again; the file ships with it."),
            path=path,
        ) from error
    return NameBook(dict(words))


def with_fictional_names(data: MapData, book: NameBook, language: str = "zh_CN") -> MapData:
    """`data` with every street named from `book`, parks too, and no name of the source left on anything."""
    streets = _street_names(data, book, language)
    parks = _park_names(data, book, language)
    named = [
        replace(feature, name=streets.get(feature.key, "") or parks.get(feature.key, ""), attrs=_plain(feature))
        for feature in data.features
        if feature.layer != "place"
    ]
    return replace(data, features=tuple(named))


def _plain(feature: MapFeature) -> dict[str, str]:
    """The attributes without addresses, which hold the source's street names."""
    return {key: value for key, value in feature.attrs.items() if not key.startswith("addr:")}


def _street_names(data: MapData, book: NameBook, language: str) -> dict[str, str]:
    roads = list(data.of("road"))
    groups: dict[str, list[MapFeature]] = defaultdict(list)
    for road in roads:
        if road.name:
            groups[road.name].append(road)
    for number, lane in enumerate(_unnamed_streets(roads)):
        groups[f"\0{number}"] = lane
    ordered = sorted(groups.values(), key=_importance)
    return {
        road.key: book.road(number, _usual_kind(group)).spoken(language)
        for number, group in enumerate(ordered)
        for road in group
    }


def _importance(group: Sequence[MapFeature]) -> tuple[bool, str]:
    """Streets before paths, then by the smallest key: stable whatever order the file has."""
    return (not any(is_carriageway(road.kind) for road in group), min(road.key for road in group))


def _usual_kind(group: Sequence[MapFeature]) -> str:
    """The kind that most pieces of a street have."""
    counts = Counter(road.kind for road in group)
    return min(counts, key=lambda kind: (-counts[kind], kind))


def _unnamed_streets(roads: Iterable[MapFeature]) -> list[list[MapFeature]]:
    """Unnamed carriageways gathered into streets: pieces of the same kind that touch."""
    pieces = [road for road in roads if not road.name and is_carriageway(road.kind)]
    if not pieces:
        return []
    tree = shapely.STRtree([piece.geometry for piece in pieces])
    left, streets = set(range(len(pieces))), []
    while left:
        street = [min(left)]
        left.discard(street[0])
        for number in street:
            for other in sorted(tree.query(pieces[number].geometry, predicate="dwithin", distance=_TOUCHING).tolist()):
                if other in left and pieces[other].kind == pieces[number].kind:
                    left.discard(other)
                    street.append(other)
        streets.append([pieces[number] for number in street])
    return streets


def _park_names(data: MapData, book: NameBook, language: str) -> dict[str, str]:
    """The largest greens get the park names, each once."""
    greens = sorted(data.of("green"), key=lambda feature: (-feature.geometry.area, feature.key))
    return {feature.key: park.spoken(language) for feature, park in zip(greens, book["park"], strict=False)}
