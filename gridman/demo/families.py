"""The demonstration's households: who lives together, how old they are, and how they are related. Fictional from first to last.

Shares follow the domain reference, section 9: of 85,000 people in 30,000 households 30 % are floating, 22 % are 60 or older, 2.5 %
are 60 or older and live alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

__all__ = ["Family", "Kin", "make_family"]

MAN, WOMAN = "1", "2"
_SEXES = (MAN, WOMAN)


@dataclass(frozen=True)
class Kin:
    """One member: relation to the head (Chinese word of GB/T 4761), sex (code), age; `family`: 0 shares the head's surname, others
    count different surnames within the household; `is_married`.
    """

    relation: str
    sex: str
    age: int
    family: int = 0
    marital: str = "未婚"


@dataclass(frozen=True)
class Family:
    """One household's people, the head first; `is_floating`: registered elsewhere."""

    members: tuple[Kin, ...]
    is_floating: bool
    is_rented: bool = False


def _other(sex: str) -> str:
    return WOMAN if sex == MAN else MAN


def _around(random: Random, low: int, high: int) -> int:
    """An age between the two, more often in the middle."""
    return round(random.triangular(low, high))


def _couple(random: Random, low: int, high: int) -> list[Kin]:
    age = _around(random, low, high)
    sex = MAN if random.random() < 0.72 else WOMAN
    partner = max(low, min(high + 3, age + random.choice((-4, -3, -2, -1, 0, 0, 1, 2)) * (1 if sex == MAN else -1)))
    return [Kin("户主", sex, age, 0, "已婚"), Kin("配偶", _other(sex), partner, 1, "已婚")]


def _child(random: Random, parents: list[Kin]) -> Kin:
    youngest = min(parent.age for parent in parents)
    sex = random.choice(_SEXES)
    father = next((at for at, parent in enumerate(parents) if parent.sex == MAN), 0)
    age = min(24, youngest - random.randint(23, 36))
    if age < 0:
        age = random.randint(0, max(0, min(5, youngest - 22)))
    return Kin("子" if sex == MAN else "女", sex, age, parents[father].family)


def _elder_alone(random: Random) -> list[Kin]:
    sex = WOMAN if random.random() < 0.66 else MAN
    marital = "丧偶" if random.random() < 0.75 else random.choice(("离异", "未婚"))
    return [Kin("户主", sex, round(60 + min(38, random.expovariate(1 / 12))), 0, marital)]


def _elder_couple(random: Random) -> list[Kin]:
    return _couple(random, 60, 86)


def _single(random: Random) -> list[Kin]:
    age = _around(random, 22, 48)
    return [Kin("户主", random.choice(_SEXES), age, 0, "离异" if age > 38 and random.random() < 0.4 else "未婚")]


def _young_couple(random: Random) -> list[Kin]:
    return _couple(random, 24, 38)


def _late_couple(random: Random) -> list[Kin]:
    return _couple(random, 48, 59)


def _parents_and_child(random: Random) -> list[Kin]:
    parents = _couple(random, 26, 54)
    return [*parents, _child(random, parents)]


def _parents_and_children(random: Random) -> list[Kin]:
    parents = _couple(random, 29, 48)
    elder, younger = sorted((_child(random, parents), _child(random, parents)), key=lambda child: -child.age)
    return [*parents, elder, younger]


def _single_parent(random: Random) -> list[Kin]:
    sex = WOMAN if random.random() < 0.7 else MAN
    head = Kin("户主", sex, _around(random, 28, 52), 0, "离异" if random.random() < 0.8 else "丧偶")
    children = [_child(random, [head]) for _ in range(1 if random.random() < 0.75 else 2)]
    return [head, *children]


def _three_generations(random: Random) -> list[Kin]:
    parents = _couple(random, 30, 48)
    children = [_child(random, parents) for _ in range(1 if random.random() < 0.62 else 2)]
    of_head = random.random() < 0.7
    side = parents[0] if of_head else parents[1]
    words = ("父亲", "母亲") if of_head else (("岳父", "岳母") if parents[0].sex == MAN else ("公公", "婆婆"))
    age = side.age + random.randint(22, 31)
    grandmother = Kin(words[1], WOMAN, age, 2, "已婚")
    grandfather = Kin(words[0], MAN, age + random.randint(0, 4), side.family, "已婚")
    draw = random.random()
    if draw < 0.62:
        elders = [grandfather, grandmother]
    else:
        left = grandmother if draw < 0.86 else grandfather
        elders = [Kin(left.relation, left.sex, left.age, left.family, "丧偶")]
    return [*parents, *children, *elders]


def _flat_sharers(random: Random) -> list[Kin]:
    count = random.choice((2, 2, 3, 3, 4))
    people = [
        Kin("户主" if n == 0 else "非亲属", random.choice(_SEXES), _around(random, 20, 36), n) for n in range(count)
    ]
    return people


_KINDS: tuple[tuple[float, float, Callable[[Random], list[Kin]]], ...] = (
    # share of households, chance of being registered elsewhere, who
    (0.071, 0.04, _elder_alone),
    (0.140, 0.05, _elder_couple),
    (0.080, 0.58, _single),
    (0.080, 0.55, _young_couple),
    (0.054, 0.20, _late_couple),
    (0.235, 0.37, _parents_and_child),
    (0.110, 0.42, _parents_and_children),
    (0.170, 0.18, _three_generations),
    (0.040, 0.30, _single_parent),
    (0.020, 1.00, _flat_sharers),
)


def make_family(random: Random) -> Family:
    """A household, drawn at random."""
    kinds = random.choices(_KINDS, weights=[share for share, _, _ in _KINDS])
    _, floating, make = kinds[0]
    is_floating = random.random() < floating
    members = make(random)
    return Family(tuple(members), is_floating, is_floating and random.random() < 0.75)
