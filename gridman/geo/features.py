"""What a base map is made of: typed features, and what reading them met on the way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import shapely
from shapely.geometry.base import BaseGeometry

from gridman.kernel.words import ngettext

__all__ = ["LAYERS", "Layer", "MapData", "MapFeature", "MapNote", "is_carriageway"]

Layer = Literal["road", "rail", "water", "green", "land", "building", "place", "boundary"]
LAYERS: tuple[Layer, ...] = get_args(Layer)

_STREETS = ("motorway", "trunk", "primary", "secondary", "tertiary")
_CARRIAGEWAYS = frozenset(
    [*_STREETS, *(f"{kind}_link" for kind in _STREETS), "unclassified", "residential", "living_street", "road"]
)


def is_carriageway(kind: str) -> bool:
    """Whether a road of this kind (OpenStreetMap's `highway` value) is a street that vehicles use, with a name."""
    return kind in _CARRIAGEWAYS


@dataclass(frozen=True, slots=True)
class MapFeature:
    """One thing on the base map. `geometry` in WGS-84 degrees; `kind` as OpenStreetMap names it within the layer.

    `key` names the feature in its source file ("way/123", "roads/17") and is stable between readings of the same file.
    """

    layer: Layer
    kind: str
    name: str
    geometry: BaseGeometry
    key: str = ""
    attrs: Mapping[str, str] = field(default_factory=dict)

    @property
    def wkb(self) -> bytes:
        """The geometry as the store keeps it."""
        return bytes(shapely.to_wkb(self.geometry))

    def number(self, name: str) -> float | None:
        """The attribute `name` as a number, or None when it is absent or not one."""
        try:
            return float(self.attrs[name].split(";")[0])
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class MapNote:
    """Something the reader mended or left out, how often, and the first feature it happened to."""

    code: str
    count: int
    one: str
    many: str
    example: str = ""

    def words(self) -> str:
        """The note in the language in use, with its count and an example."""
        text = ngettext(self.one, self.many, self.count).format(count=self.count)
        return f"{text} ({self.example})" if self.example else text


@dataclass(frozen=True, slots=True)
class MapData:
    """A base map as read from one file, and what had to be mended."""

    features: Sequence[MapFeature]
    notes: tuple[MapNote, ...] = ()
    attribution: str = ""

    def of(self, layer: Layer) -> Iterator[MapFeature]:
        """The features of one layer, in file order."""
        return (feature for feature in self.features if feature.layer == layer)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of everything, in degrees."""
        geometries: Any = [feature.geometry for feature in self.features]
        west, south, east, north = (float(edge) for edge in shapely.total_bounds(geometries))
        return west, south, east, north

    def count(self, code: str) -> int:
        """How often the note `code` was met (0 when it was not)."""
        return sum(note.count for note in self.notes if note.code == code)
