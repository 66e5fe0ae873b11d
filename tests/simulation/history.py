"""A history as a list of events, each with chance of its own: leaving one out leaves the others as they were."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

__all__ = ["KINDS", "Event", "make_history"]

KINDS: dict[str, float] = {
    # people at a desk
    "edit": 22,
    "create": 4,
    "incident": 8,
    "retire": 2,
    "mistake": 1.5,
    "review": 3,
    # the wire
    "ask": 12,
    "deliver": 22,
    "sync": 12,
    "carry": 3,
    "plug": 5,
    # the street's own people
    "street": 5,
    "redraw": 1.5,
    "regrant": 4,
    # machines
    "clock": 3,
    "full_disk": 2,
    "back_up": 0.8,
    "roll_back": 1,
    "copy_desk": 1,
    "put_back": 2,
    "clone": 0.8,
    "remove": 0.6,
    "upgrade": 1,
    "refusal": 1.5,
}
"""What can happen, and how often beside the others."""

_ALWAYS = frozenset({"edit", "ask", "deliver", "sync"})
_LENGTHS = ((0.78, 4, 13), (0.19, 13, 32), (0.03, 60, 100))


@dataclass(frozen=True)
class Event:
    """Something that happens, mostly to one desk; `seed` decides everything else about it."""

    kind: str
    desk: int
    seed: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.desk}:{self.seed}"

    @classmethod
    def read(cls, text: str) -> "Event":
        """The event that `str` wrote."""
        kind, desk, seed = text.split(":")
        return cls(kind, int(desk), int(seed))


def make_history(seed: int, *, without: Iterable[str] = ()) -> list[Event]:
    """The events of `seed`. Each seed has weights of its own, some kinds left out and some often: so rare company meets too."""
    chance = Random(seed)
    left_out = set(without)
    weights = []
    for kind, weight in KINDS.items():
        times = chance.choice((1, 1, 2) if kind in _ALWAYS else (0, 0.5, 1, 1, 3))
        weights.append(0 if kind in left_out else weight * times)
    luck, length = chance.random(), 0
    for share, least, most in _LENGTHS:
        luck -= share
        length = chance.randrange(least, most)
        if luck < 0:
            break
    kinds = chance.choices(list(KINDS), weights, k=length)
    return [Event(kind, chance.randrange(6), chance.randrange(1 << 32)) for kind in kinds]
