"""A boundary drawn at a desk travels as a command: shown at once, carried out by the street, its households follow."""

import pytest
import shapely

from gridman.domain.access import SYSTEM
from gridman.domain.building import Building
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.region import Region
from gridman.kernel.errors import Refusal
from gridman.services.maps import redraw_grids
from tests.sync.world import Desk, World

EAST = 114.002


def ground(west: float, east: float) -> bytes:
    return bytes(shapely.to_wkb(shapely.box(west, 30.0, east, 30.002)))


def give_ground(world: World) -> tuple[int, int]:
    """The first two grids side by side, one community, a building with a household near their border in the first."""
    with world.store.unit(SYSTEM) as unit:
        region = unit.create(Region(code="990101001009", name="和平社区", level="community"))
        unit.flush()
        first, second = (unit.get(Grid, g) for g in world.grids[:2])
        unit.amend(first, shape=ground(114.0, EAST), community_id=region.id)
        unit.amend(second, shape=ground(EAST, 114.004), community_id=region.id)
        building = unit.create(
            Building(
                community_id=region.id, grid_id=first.id, compound="幸福里", number="1", lng=EAST - 0.0002, lat=30.001
            )
        )
        unit.flush()
        home = unit.create(Household(grid_id=first.id, building_id=building.id, address="幸福里1号楼101"))
        unit.flush()
        return building.id, home.id


def redraw(desk: Desk, world: World, border: float) -> None:
    with desk.store.unit(desk.actor) as unit:
        redraw_grids(unit, {world.grids[0]: ground(114.0, border), world.grids[1]: ground(border, 114.004)})


def test_a_drawn_boundary_is_carried_out_by_the_street_and_households_change_hands(world: World) -> None:
    building_id, home_id = give_ground(world)
    supervisor = world.desk("street_supervisor", "street")
    worker, neighbour = world.desk(grids=(0,)), world.desk(grids=(1,))
    for desk in (supervisor, worker, neighbour):
        desk.sync()
    assert worker.household(home_id) is not None and neighbour.household(home_id) is None
    redraw(supervisor, world, EAST - 0.0005)
    with supervisor.store.read() as reader:
        assert shapely.from_wkb(reader.get(Grid, world.grids[0]).shape).bounds[2] == pytest.approx(EAST - 0.0005)
    result = supervisor.sync()
    assert not result.refused, [r.reason for r in result.refused]
    worker.sync(), neighbour.sync()
    assert worker.household(home_id) is None, "the household left the old worker's desk by itself"
    assert neighbour.household(home_id) is not None
    with supervisor.store.read() as reader:
        assert reader.get(Building, building_id).grid_id == world.grids[1]


def test_a_worker_may_not_redraw_and_a_damaged_shape_is_refused_in_words(world: World) -> None:
    give_ground(world)
    worker, supervisor = world.desk(), world.desk("street_supervisor", "street")
    worker.sync(), supervisor.sync()
    with pytest.raises(Refusal) as caught:
        redraw(worker, world, EAST - 0.0005)
    assert caught.value.code == "access.role"
    with pytest.raises(Refusal) as caught, supervisor.store.unit(supervisor.actor) as unit:
        redraw_grids(unit, {world.grids[0]: b"not a shape", world.grids[1]: ground(EAST, 114.004)})
    assert caught.value.code == "grid.shape"
