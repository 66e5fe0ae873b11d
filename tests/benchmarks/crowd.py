"""A desk with a whole town in it: the demonstration's people behind as many doors as it takes, put in by bulk.

The records go in as a first synchronisation would leave them: no journal of this desk's own, all indexes made.
"""

import random
from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from gridman.demo.people import DemoCounts, Door, demo_rows
from gridman.domain import codes
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.incident import TRANSITIONS, Incident
from gridman.domain.person import CareTag, Person
from gridman.exchange.register_columns import FIELDS
from gridman.kernel.ids import COUNTER_BITS
from gridman.store import indexes
from tests.support.desk import DAY_MS, NOON, Desk, make_desk
from tests.support.ground import EAST, NORTH, SOUTH, WEST, lay_ground

__all__ = ["KEY", "make_crowd"]

KEY = bytes(range(32))
_FIRST_ID = 40 << COUNTER_BITS
_COMPOUNDS = (
    "槐安里小区",
    "望河花园",
    "和平里",
    "幸福苑",
    "怡和花园",
    "柳荫小区",
    "长乐家园",
    "东湖新村",
    "清泉小区",
    "兴业里",
)
_CODED = {
    "relation": "family_relation", "sex": "sex", "population_type": "population_type", "household_match": "household_match",
    "ethnic": "ethnic", "political": "political", "marital": "marital", "education": "education",
}  # fmt: skip
_PLAIN = ("name", "id_number", "birth_on", "phones", "registered_address", "workplace", "remark")
_DOORS_A_GRID = 360


def make_crowd(folder: Path, people: int, incidents: int = 0) -> Desk:
    """A desk in `folder` (a supervisor signed in, who sees all) with about `people` residents and `incidents` incidents."""
    desk = make_desk(folder, "street_supervisor", household_count=4)
    lay_ground(desk)
    with desk.store.database.writer.begin() as connection:
        grids = _put_people(connection, desk, people)
        if incidents:
            _put_incidents(connection, [*desk.ids["grids"], *grids], incidents)
        indexes.rebuild(connection, NOON)
        connection.exec_driver_sql("ANALYZE")
    return desk


def _doors(people: int) -> Iterator[Door]:
    """Some more doors than it takes; six floors of two flats, three entrances, forty buildings to a compound."""
    for n in range(people):
        compound, building = divmod(n, 1_440)
        building, rest = divmod(building, 36)
        entrance, rest = divmod(rest, 12)
        name = f"{_COMPOUNDS[compound % 10]}{'' if compound < 10 else f'{compound // 10 + 1}区'}"
        grid = f"990101001001{n // _DOORS_A_GRID + 100:03d}"
        yield Door(grid, name, f"{building + 1}号楼", entrance + 1, rest // 2 + 1, rest % 2 + 1)


def _put_people(connection: Connection, desk: Desk, people: int) -> list[int]:
    rows = islice(demo_rows(_doors(people), 1, "2026-11-23", DemoCounts(), is_untidy=False), people)
    named = (dict(zip(FIELDS, row, strict=True)) for row in rows)
    grids: dict[str, int] = {}
    made: dict[Any, list[dict[str, Any]]] = {Household: [], Person: [], CareTag: []}
    next_id = iter(range(_FIRST_ID, _FIRST_ID + 20 * people))
    place = ("grid", "compound", "building", "unit", "room")
    for number, (where, members) in enumerate(groupby(named, key=lambda r: tuple(r[k] for k in place))):
        grid_id = grids.setdefault(where[0], _FIRST_ID - 1 - len(grids))
        home = {"id": next(next_id), "grid_id": grid_id}
        address = f"望河路18号{''.join(where[1:])}室"
        made[Household].append({**home, "number": f"{number:08d}", "address": address, "walk_order": number})
        for member in members:
            _add_person(made, next_id, home, member)
    made[Grid] = [{"id": i, "code": code, "name": f"第{int(code[-3:])}网格"} for code, i in grids.items()]
    for cls, values in made.items():
        for start in range(0, len(values), 5_000):
            connection.execute(insert(cls), values[start : start + 5_000])
    return list(grids.values())


def _add_person(made: dict[Any, list[dict[str, Any]]], next_id: Iterator[int], home: dict[str, int], row: Any) -> None:
    person: dict[str, Any] = {"id": next(next_id), "household_id": home["id"], "grid_id": home["grid_id"]}
    person |= {name: row[name] or None for name in _PLAIN}
    person |= {name: codes.table(table).read(row[name]) if row[name] else None for name, table in _CODED.items()}
    made[Person].append(person)
    for word in filter(None, row["care"].replace("；", ";").split(";")):
        tag = {"id": next(next_id), "person_id": person["id"], "household_id": home["id"], "grid_id": home["grid_id"]}
        made[CareTag].append({**tag, "care_group": codes.table("care_group").read(word) or "V13"})


def _put_incidents(connection: Connection, grids: list[int], count: int) -> None:
    """Incidents crowd together as they do: around sixty places, in all states."""
    chance = random.Random(7)
    states = sorted({state for t in TRANSITIONS for state in t.from_states})
    spots = [(chance.uniform(WEST, EAST), chance.uniform(SOUTH, NORTH)) for _ in range(60)]
    rows = []
    for n in range(count):
        lng, lat = chance.choice(spots)
        rows.append({
            "id": _FIRST_ID + (1 << 40) + n, "number": f"20261123-{n:06d}", "category": "A801", "state": chance.choice(states),
            "description": "楼道堆放杂物，影响通行。", "place": "望河路18号", "grid_id": grids[n % len(grids)],
            "lng": lng + chance.gauss(0, 0.0004), "lat": lat + chance.gauss(0, 0.0003), "reported_at": NOON - n % 300 * DAY_MS,
        })  # fmt: skip
    for start in range(0, count, 5_000):
        connection.execute(insert(Incident), rows[start : start + 5_000])
