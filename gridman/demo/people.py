"""The demonstration's register: fictional people for every door of the demonstration street, written as the spreadsheet an office
would send, some of its cells typed as people type. The importer reads it like anyone's file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from gridman.demo.families import Kin, make_family
from gridman.demo.naming import LONG_NAME, Named, chinese_name, foreign_name, surname, turkic_name
from gridman.demo.untidy import untidy
from gridman.domain.id_number import check_character
from gridman.exchange.register_columns import FIELDS
from gridman.exchange.register_write import write_register
from gridman.geo.plan import StreetPlan

__all__ = ["COUNTY", "DemoCounts", "Door", "demo_rows", "doors_of", "write_demo_register"]

COUNTY = "990101"
"""A county code that GB/T 2260 does not have: no number made here can be anybody's."""

_OCCUPIED = 0.94
_TURKIC, _OVERSEAS_HOUSEHOLDS = 0.004, 0.0022
_ETHNIC = (
    ("汉族", 93.0),
    ("回族", 2.0),
    ("满族", 1.5),
    ("壮族", 1.0),
    ("苗族", 0.9),
    ("土家族", 0.8),
    ("蒙古族", 0.5),
    ("朝鲜族", 0.3),
)
_ELSEWHERE = (
    "云岭省清河市东山县",
    "江原省白石市南桥区",
    "海陵省平川市安和县",
    "云岭省望江市新渡镇",
    "北原省林泉市高台县",
)
_EMPLOYERS = (
    "清江机械厂",
    "和泰超市",
    "第三小学",
    "区人民医院",
    "通达物流",
    "锦程科技",
    "惠民餐馆",
    "建安工程队",
    "自由职业",
    "公交三公司",
)


@dataclass(frozen=True)
class Door:
    """One dwelling: where it is, in the words of its address."""

    grid_code: str
    compound: str
    building: str
    unit: int
    floor: int
    room: int

    @property
    def room_text(self) -> str:
        """As on the door: 501."""
        return f"{self.floor}{self.room:02d}"


@dataclass
class DemoCounts:
    """What was written."""

    doors: int = 0
    households: int = 0
    people: int = 0
    floating: int = 0
    overseas: int = 0
    aged_60: int = 0
    alone_60: int = 0
    disabled: int = 0
    allowance: int = 0
    without_id: int = 0
    rare_names: int = 0
    untidy_cells: int = 0
    by_grid: dict[str, int] = field(default_factory=dict)
    """Households by grid code."""


def doors_of(plan: StreetPlan) -> list[Door]:
    """Every dwelling of a demonstration street."""
    return [
        Door(grid.code, building.compound.zh, building.label, unit, floor, room)
        for grid in plan.grids
        for building in grid.buildings
        for unit in range(1, building.units + 1)
        for floor in range(1, building.floors + 1)
        for room in range(1, building.rooms + 1)
    ]


def write_demo_register(
    street: StreetPlan | Sequence[Door], path: Path, seed: int, today: str, *, is_untidy: bool = True
) -> DemoCounts:
    """Write the register of a street (or of some doors) to `path` (.xlsx). The same doors, seed and day give the same content."""
    counts = DemoCounts()
    doors = doors_of(street) if isinstance(street, StreetPlan) else street
    write_register(path, demo_rows(doors, seed, today, counts, is_untidy=is_untidy))
    return counts


def demo_rows(
    doors: Iterable[Door], seed: int, today: str, counts: DemoCounts, *, is_untidy: bool = True
) -> Iterator[list[str]]:
    """The rows of the register, in the 25 columns' order; `counts` is filled on the way."""
    maker = _Maker(Random(seed), date.fromisoformat(today), counts)
    typing = Random(seed + 1)
    for door in doors:
        counts.doors += 1
        for person in maker.household(door):
            if is_untidy:
                counts.untidy_cells += untidy(person, typing)
            yield [person.get(name, "") for name in FIELDS]


Person = dict[str, str]


class _Maker:
    """Makes people; keeps what must stay different: sequence numbers of ID numbers."""

    def __init__(self, random: Random, today: date, counts: DemoCounts) -> None:
        self._random = random
        self._today = today
        self._counts = counts
        self._sequence: dict[tuple[str, str], int] = {}
        self._has_long_name = False

    def household(self, door: Door) -> list[Person]:
        random = self._random
        if random.random() > _OCCUPIED:
            return []
        self._counts.households += 1
        self._counts.by_grid[door.grid_code] = self._counts.by_grid.get(door.grid_code, 0) + 1
        place = {
            "compound": door.compound, "building": door.building, "unit": f"{door.unit}单元", "room": door.room_text,
            "grid": door.grid_code,
        }  # fmt: skip
        people = self._foreigners() if random.random() < _OVERSEAS_HOUSEHOLDS else self._family(door)
        self._counts.people += len(people)
        return [{**place, **person} for person in people]

    def _family(self, door: Door) -> list[Person]:
        random = self._random
        family = make_family(random)
        is_turkic = random.random() < _TURKIC
        ethnic = "维吾尔族" if is_turkic else random.choices([e for e, _ in _ETHNIC], [w for _, w in _ETHNIC])[0]
        origin = f"{random.choice(_ELSEWHERE)}{random.randint(1, 199)}号" if family.is_floating else ""
        surnames = [surname(random) for _ in range(6)]
        has_allowance = random.random() < 0.0105 and not family.is_floating
        people = []
        for kin in family.members:
            person = self._resident(kin, surnames[kin.family], is_turkic)
            person["ethnic"] = ethnic
            person["population_type"] = "流动人口" if family.is_floating else "户籍人口"
            person["household_match"] = "人户分离" if family.is_floating else "人户一致"
            person["registered_address"] = origin
            person["care"] = "，".join(self._care(kin, family.is_floating, has_allowance))
            people.append(person)
            self._counts.floating += family.is_floating
        if len(people) == 1 and family.members[0].age >= 60:
            self._counts.alone_60 += 1
        if family.is_rented:
            people[0]["remark"] = "租住"
        return people

    def _resident(self, kin: Kin, family: str, is_turkic: bool) -> Person:
        random = self._random
        born = self._today - timedelta(days=int((kin.age + random.random() * 0.99) * 365.2425))
        named = self._name(kin, family, born.year, is_turkic)
        person = {
            "name": named.text, "sex": "男" if kin.sex == "1" else "女", "birth_on": born.isoformat(),
            "relation": kin.relation, "marital": kin.marital, "education": _education(kin.age, random),
            "political": _political(kin.age, random), "workplace": _workplace(kin.age, random),
        }  # fmt: skip
        self._counts.aged_60 += kin.age >= 60
        self._counts.rare_names += named.is_rare
        if kin.age < 1 and random.random() < 0.5:
            person["remark"] = "新生儿，未落户"
            self._counts.without_id += 1
        else:
            person["id_kind"], person["id_number"] = "居民身份证", self._id_number(born, kin.sex)
        if kin.age >= 14 and random.random() < 0.95:
            person["phones"] = self._phones(kin.age)
        return person

    def _name(self, kin: Kin, family: str, birth_year: int, is_turkic: bool) -> Named:
        if not is_turkic:
            return chinese_name(self._random, kin.sex, birth_year, family)
        if not self._has_long_name:
            self._has_long_name = True
            return Named(LONG_NAME)
        return turkic_name(self._random)

    def _id_number(self, born: date, sex: str) -> str:
        """The next number of that day and sex: odd sequence for men, even for women, and the check character."""
        day = f"{born:%Y%m%d}"
        sequence = self._sequence.get((day, sex), 1 if sex == "1" else 2)
        self._sequence[day, sex] = sequence + 2
        first_17 = f"{COUNTY}{day}{sequence:03d}"
        return first_17 + check_character(first_17)

    def _phones(self, age: int) -> str:
        # 154 and the area code 0380 are given to nobody.
        random = self._random
        mobile = f"154{random.randrange(10**8):08d}"
        if age < 65 or random.random() < 0.7:
            return mobile if random.random() < 0.94 else f"{mobile};154{random.randrange(10**8):08d}"
        return f"0380-{random.randrange(2_000_000, 9_000_000)}"

    def _care(self, kin: Kin, is_floating: bool, has_allowance: bool) -> list[str]:
        random = self._random
        found = []
        if random.random() < (0.058 if kin.age >= 60 else 0.0155):
            found.append("残疾人")
            self._counts.disabled += 1
        if has_allowance:
            found.append("低保对象")
            self._counts.allowance += 1
        if kin.age >= 60:
            found += [word for word, share in _OLD_GROUPS if random.random() < share]
        elif kin.age >= 18:
            found += [word for word, share in _ADULT_GROUPS if random.random() < share]
            if is_floating and random.random() < 0.03:
                found.append("新就业群体(骑手、快递)")
        elif random.random() < 0.004:
            found.append("困境儿童")
        return found

    def _foreigners(self) -> list[Person]:
        random = self._random
        people = []
        for number in range(random.choice((1, 1, 2, 3))):
            named, sex = foreign_name(random)
            born = self._today - timedelta(days=random.randint(20, 60) * 365)
            people.append(
                {
                    "name": named.text, "id_kind": "普通护照", "id_number": f"X{random.randrange(10**8):08d}",
                    "sex": "男" if sex == "1" else "女", "birth_on": born.isoformat(), "phones": self._phones(30),
                    "population_type": "境外人员", "relation": "户主" if number == 0 else "非亲属", "household_match": "人户分离",
                    "workplace": random.choice(_EMPLOYERS),
                }
            )  # fmt: skip
            self._counts.overseas += 1
        return people


_OLD_GROUPS = (
    ("失能/半失能老人", 0.025),
    ("重病/慢性病患者", 0.05),
    ("孤寡老人/特困供养", 0.003),
    ("退役军人", 0.03),
    ("计划生育特殊家庭(失独)", 0.004),
)
_ADULT_GROUPS = (
    ("退役军人", 0.012),
    ("失业人员", 0.015),
    ("志愿者", 0.02),
    ("楼栋长/微网格长", 0.006),
    ("低保边缘/低收入", 0.004),
)


def _education(age: int, random: Random) -> str:
    if age < 6:
        return ""
    if age < 12:
        return "小学"
    if age < 15:
        return "初中"
    if age < 18:
        return "高中"
    if age >= 65:
        return random.choice(("小学", "小学", "初中", "初中", "高中", "大专"))
    return random.choice(("初中", "高中", "中专", "大专", "大专", "本科", "本科", "硕士"))


def _political(age: int, random: Random) -> str:
    if 14 <= age <= 28 and random.random() < 0.3:
        return "共青团员"
    return "中共党员" if age >= 22 and random.random() < 0.09 else "群众"


def _workplace(age: int, random: Random) -> str:
    if 3 <= age < 18:
        return ("清江幼儿园", "第三小学", "第三小学", "清江中学", "清江中学")[min(4, (age - 3) // 3)]
    return random.choice(_EMPLOYERS) if 22 <= age < 60 and random.random() < 0.6 else ""
