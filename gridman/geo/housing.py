"""How many dwellings a building on the map has: from its ground, its floors, and what it is."""

import math
from dataclasses import dataclass, replace

from gridman.geo.features import MapFeature

__all__ = ["MAX_FLOORS", "Frame", "is_residential", "resized"]

MAX_FLOORS = 33
_LIVED_IN = (
    "yes",
    "apartments",
    "residential",
    "house",
    "detached",
    "terrace",
    "dormitory",
    "semidetached_house",
    "hut",
)
_SMALLEST_M2 = 45.0
_PER_DWELLING_M2 = 105.0
_LOW_M2 = 160.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A residential building's frame: units (单元, stairwells), floors, rooms (户) on each floor of a unit."""

    units: int
    floors: int
    rooms: int

    @property
    def dwellings(self) -> int:
        return self.units * self.floors * self.rooms


def is_residential(feature: MapFeature, area_m2: float) -> bool:
    """Whether people live in this building: not a shop, school, roof or shed."""
    return feature.kind in _LIVED_IN and "amenity" not in feature.attrs and area_m2 >= _SMALLEST_M2


def frame_of(feature: MapFeature, area_m2: float) -> Frame:
    """The likely frame of a residential building with this ground area. Floors as mapped, else by size."""
    mapped = feature.number("building:levels")
    floors = min(max(round(mapped), 1), MAX_FLOORS) if mapped else _usual_floors(area_m2)
    on_floor = max(1, min(24, round(area_m2 / _PER_DWELLING_M2)))
    units = max(1, math.ceil(on_floor / 4))
    return Frame(units, floors, max(1, min(4, round(on_floor / units))))


def _usual_floors(area_m2: float) -> int:
    return 3 if area_m2 < _LOW_M2 else 6


def resized(frames: list[Frame], least: int, most: int) -> list[Frame]:
    """The frames with floors added or taken, evenly, until they hold between `least` and `most` dwellings together.

    Where even towers are not enough, units are added to the largest; where single floors are too much, it stays so.
    """
    made = list(frames)
    wanted = (least + most) / 2
    total = sum(frame.dwellings for frame in made)
    if made and not least <= total <= most:
        factor = wanted / total
        made = [replace(frame, floors=min(max(round(frame.floors * factor), 1), MAX_FLOORS)) for frame in made]
    for _step in range(2000):
        total = sum(frame.dwellings for frame in made)
        if not made or least <= total <= most:
            break
        if not _nudge(made, total < least):
            break
    return made


def _nudge(frames: list[Frame], is_short: bool) -> bool:
    """One floor more on the lowest building, or one less on the highest; a unit more when all are towers."""
    order = sorted(range(len(frames)), key=lambda n: (frames[n].floors, n))
    if is_short:
        at = order[0]
        frame = frames[at]
        frames[at] = (
            replace(frame, floors=frame.floors + 1)
            if frame.floors < MAX_FLOORS
            else replace(frame, units=frame.units + 1)
        )
        return True
    at = order[-1]
    if frames[at].floors > 1:
        frames[at] = replace(frames[at], floors=frames[at].floors - 1)
        return True
    at = max(range(len(frames)), key=lambda n: (frames[n].units, n))
    if frames[at].units > 1:
        frames[at] = replace(frames[at], units=frames[at].units - 1)
        return True
    return False
