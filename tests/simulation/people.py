"""What people do: at a desk, and in the street's office."""

from random import Random
from typing import Any, Protocol

import shapely

from gridman.domain.access import may
from gridman.domain.conflict import Conflict
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.person import CareTag, Person
from gridman.domain.visit import Visit
from gridman.services.conflicts import resolve
from gridman.services.grid_split import split_grid
from gridman.services.incident_actions import actions_for, targets_for
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.services.maps import redraw_grids
from gridman.services.moves import move_household
from gridman.store.unit import Unit
from tests.simulation.desks import Computer
from tests.simulation.prepared import boundary

__all__ = ["AT_DESK", "AT_STREET", "Play"]


class Play(Protocol):
    """The history that people act in."""

    grids: list[int]

    def next_number(self) -> int:
        """A number that no value of this history bears yet."""
        ...


HOUSE_FIELDS = ("remark", "remark", "remark", "needs_note", "informed_on", "number", "number", "address")
PERSON_FIELDS = ("remark", "name", "workplace", "phones", "died_on")
FORWARD = ("assign", "accept", "sign", "finish")


def edit(play: Play, desk: Computer, unit: Unit, chance: Random) -> str:
    """A field of a household or of a resident, sometimes two, sometimes a record of a unit of several."""
    lines = []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        cls: Any = Person if chance.random() < 0.2 else Household
        found = unit.page(cls, limit=20)  # the window does not open what is out of use
        if not found:
            continue
        record = found[min(chance.choice((0, 0, 0, 1, 2, 3)), len(found) - 1)]
        if cls is Household and chance.random() < 0.08:
            unit.amend(record, grid_id=chance.choice(play.grids))
            lines.append(f"{record.id}.grid_id={record.grid_id}")
            continue
        for name in chance.sample(HOUSE_FIELDS if cls is Household else PERSON_FIELDS, chance.choice((1, 1, 2))):
            if desk.knows(cls.__tablename__, name):
                value = _value(play, name, chance)
                unit.amend(record, **{name: value})
                lines.append(f"{record.id}.{name}={value}")
    return " ".join(lines)


def _value(play: Play, name: str, chance: Random) -> str:
    number = play.next_number()
    if name in ("informed_on", "died_on"):
        return f"20{number % 15 + 10}-01-{chance.randrange(1, 29):02d}"
    if name == "phones":
        return f"138{number:08d}"
    return f"v{number}"


def create(play: Play, desk: Computer, unit: Unit, chance: Random) -> str:
    """A household, a resident, a visit or a care group."""
    number, actor = play.next_number(), unit.actor
    grids = sorted(actor.grid_ids & set(play.grids)) or play.grids
    houses = unit.page(Household, limit=20)
    people = unit.page(Person, limit=20)
    what = chance.choice(("household", "person", "visit", "care_tag"))
    if what == "visit" and houses and desk.knows("visit", ""):
        house = chance.choice(houses)
        unit.create(
            Visit(household_id=house.id, grid_id=house.grid_id, visited_at=unit.at, user_id=actor.user_id, outcome="1", note=f"n{number}")
        )  # fmt: skip
    elif what == "care_tag" and people and desk.knows("care_tag", ""):
        person = chance.choice(people)
        unit.create(
            CareTag(person_id=person.id, household_id=person.household_id, grid_id=person.grid_id, care_group="V01", evidence=f"n{number}")
        )  # fmt: skip
    elif what == "person" and houses:
        house = chance.choice(houses)
        unit.create(
            Person(household_id=house.id, grid_id=house.grid_id, name=f"P{number}", relation="02", population_type="01")
        )
    else:
        what = "household"
        house = unit.create(Household(number=f"N{number}", grid_id=chance.choice(grids), address=f"New {number}"))
        if chance.random() < 0.5:
            unit.flush()
            unit.amend(house, needs_note=f"n{number}")
    return what


def incident(play: Play, desk: Computer, unit: Unit, chance: Random) -> str:
    """Report one, or take one a step along its way."""
    number = play.next_number()
    known = unit.page(Incident, limit=100)
    if not known or chance.random() < 0.1:
        report_incident(unit, IncidentDraft("A101", f"lamp {number}", "Lane", grid_id=chance.choice(play.grids)))
        return "reported"
    record = chance.choice(known[:2])
    allowed = actions_for(unit, unit.actor, record)
    if not allowed:
        return "nothing"
    forward = [row for name in FORWARD for row in allowed if row.action == name]
    row = forward[0] if forward and chance.random() < 0.7 else chance.choice(allowed)
    targets = targets_for(unit, unit.actor, record, row.action)
    perform(
        unit, record.id, row.action, note=f"c{number}", result="done", is_solved=True, satisfaction=3,
        target_id=chance.choice(targets).id if targets else None,
    )  # fmt: skip
    return f"{row.action} {record.id}"


def retire(play: Play, desk: Computer, unit: Unit, chance: Random) -> str:
    """Take a household or a resident out of use, or bring it back."""
    cls: Any = chance.choice((Household, Person))
    found = unit.page(cls, limit=20, with_retired=True)
    if not found:
        return "nothing"
    record = chance.choice(found[:4])
    if record.retired_at is None:
        unit.retire(record, f"gone {play.next_number()}")
    else:
        unit.restore(record)
    return f"{record.id} {record.retired_at}"


def mistake(play: Play, desk: Computer, unit: Unit, chance: Random) -> str:
    """What the window would not let pass, and a desk with a bug might send: the street must refuse it and go on."""
    number, houses = play.next_number(), unit.page(Household, limit=20)
    what = chance.choice(("phones", "nameless", "visit", "address"))
    if what == "nameless" or not houses:
        unit.create(Household(number=f"M{number}", grid_id=chance.choice(play.grids), remark=f"m{number}"))
    elif what == "phones":
        unit.amend(chance.choice(houses), phones=f"wrong{number}")
    elif what == "address":
        unit.amend(chance.choice(houses), address="x" * (500 + number))
    elif desk.knows("visit", ""):
        house = chance.choice(houses)
        unit.create(
            Visit(
                household_id=house.id,
                grid_id=house.grid_id,
                visited_at=unit.at,
                user_id=unit.actor.user_id,
                outcome="no",
            )
        )
    return what


def review(play: Play, desk: Computer, unit: Unit, chance: Random) -> str:
    """Decide about a kept loser."""
    found = unit.page(Conflict, resolved_at=None, limit=20)
    if not found:
        return "nothing"
    conflict = chance.choice(found)
    choice = chance.choice(("kept", "restored"))
    if conflict.field and not desk.knows(conflict.record_kind, conflict.field):
        choice = "kept"
    resolve(unit, conflict.id, choice)
    return f"{conflict.id} {choice}"


def redraw_at_desk(play: Play, desk: Computer, unit: Unit, chance: Random) -> str:
    """Who may draws the boundaries anew at a desk: a command to the street."""
    if not may(unit.actor, "map.edit"):
        return "nothing"
    return _redraw(play, unit, chance)


def _redraw(play: Play, unit: Unit, chance: Random) -> str:
    if len(unit.page(Grid, limit=10)) > len(play.grids):
        return "nothing"  # one was split: these boundaries are no more
    first, second = chance.choice((-0.2, 0.0, 0.2)), chance.choice((-0.2, 0.0, 0.2))
    edges = [(0.0, first), (first, second), (second, 0.0)]
    redraw_grids(unit, {grid: boundary(i, *edges[i]) for i, grid in enumerate(play.grids)})
    return f"{first} {second}"


def redraw(play: Play, unit: Unit, chance: Random) -> str:
    """The office draws the boundaries anew, or splits a grid: buildings, households and all that belongs to them change grids."""
    grids = unit.page(Grid, limit=10)
    if len(grids) > len(play.grids) or chance.random() < 0.7:
        return _redraw(play, unit, chance)
    grid = chance.choice(sorted(grids, key=lambda g: g.id))
    west, south, east, north = shapely.from_wkb(grid.shape).bounds
    cut = west + (east - west) * chance.choice((0.3, 0.5, 0.7))
    made = split_grid(unit, grid.id, [(cut, south - 1), (cut, north + 1)])
    return f"split {grid.id} {made.id}"


def street(play: Play, unit: Unit, chance: Random) -> str:
    """The office moves a household, edits several records at once, or retires one."""
    houses = sorted(h.id for h in unit.page(Household, limit=20, with_retired=True))
    what = chance.choice(("move", "move", "edit", "edit", "retire", "person"))
    house = unit.get(Household, chance.choice(houses))
    if what == "move":
        move_household(unit, house, chance.choice(play.grids))
    elif what == "retire":
        if house.retired_at is None:
            unit.retire(house, "demolished")
        else:
            unit.restore(house)
    elif what == "person":
        person = unit.create(
            Person(household_id=house.id, grid_id=house.grid_id, name="Newcomer", relation="02", population_type="01")
        )
        unit.create(
            CareTag(
                person_id=person.id,
                household_id=house.id,
                grid_id=house.grid_id,
                care_group="V01",
                evidence=f"s{play.next_number()}",
            )
        )
    else:
        for house_id in chance.sample(houses, min(3, len(houses))):
            name = chance.choice(("needs_note", "remark", "number"))
            unit.amend(unit.get(Household, house_id), **{name: f"s{play.next_number()}"})
    return f"{what} {house.id}"


AT_DESK = {
    "edit": edit, "create": create, "incident": incident, "retire": retire, "mistake": mistake, "review": review,
    "redraw_at_desk": redraw_at_desk,
}  # fmt: skip
AT_STREET = {"street": street, "redraw": redraw}
