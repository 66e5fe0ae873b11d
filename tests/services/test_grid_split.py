"""A grid is cut in two: ground, buildings and households follow; the old grid's worker keeps the old part."""

from pathlib import Path

import pytest
import shapely

from gridman.domain.building import Building
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.organisation import Organisation
from gridman.kernel.errors import Refusal
from gridman.services.grid_split import split_grid
from tests.support.world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def edges(world: World) -> tuple[float, float, float, float]:
    with world.store.read() as reader:
        west, south, east, north = shapely.from_wkb(reader.get(Grid, world.grids[0]).shape).bounds
    return west, south, east, north


def stand(world: World, share: float) -> int:
    """A building with one household, so far (0..1) from the grid's western edge."""
    west, south, east, north = edges(world)
    lng, lat = west + (east - west) * share, (south + north) / 2
    with world.store.unit(world.actors["supervisor"]) as unit:
        community = unit.get(Grid, world.grids[0]).community_id
        building = unit.create(
            Building(grid_id=world.grids[0], community_id=community, compound="里", number=str(share), lng=lng, lat=lat)
        )
        unit.flush()
        number = f"{share}"
        return unit.create(
            Household(grid_id=world.grids[0], building_id=building.id, number=number, address=f"里{number}")
        ).id


def test_ground_and_households_follow_and_the_rest_stays(world: World) -> None:
    east_home, west_home, middle_home = stand(world, 0.9), stand(world, 0.1), stand(world, 0.5)
    west, south, east, north = edges(world)
    cut = west + (east - west) * 0.7
    with world.store.unit(world.actors["supervisor"]) as unit:
        before = shapely.from_wkb(unit.get(Grid, world.grids[0]).shape)
        made = split_grid(unit, world.grids[0], [(cut, south - 1), (cut, north + 1)], "新网格")
    with world.store.read() as reader:
        old, new = reader.get(Grid, world.grids[0]), reader.get(Grid, made.id)
        assert (new.name, new.predecessors, new.community_id) == ("新网格", old.code, old.community_id)
        assert new.code[:12] == old.code[:12] and len(reader.page(Grid, code=new.code, with_retired=True)) == 1
        parts = shapely.from_wkb([old.shape, new.shape])
        assert shapely.union_all(parts).symmetric_difference(before).area < 1e-12
        assert shapely.intersection(parts[0], parts[1]).area == 0
        homes = {i: reader.get(Household, i).grid_id for i in (east_home, west_home, middle_home)}
        assert homes == {east_home: new.id, west_home: old.id, middle_home: old.id}
        teams = [reader.first(Organisation, level="grid", grid_id=g.id) for g in (old, new)]
        assert teams[0] is not None and teams[1] is not None and teams[0].parent_id == teams[1].parent_id
    world.store.close()


def test_a_line_that_does_not_cross_is_refused(world: World) -> None:
    west, south, _east, north = edges(world)
    for line in ([(west - 1, south), (west - 1, north)], [(west, south)], []):
        with pytest.raises(Refusal) as told, world.store.unit(world.actors["supervisor"]) as unit:
            split_grid(unit, world.grids[0], line)
        assert told.value.code == "grid.not_across"
    with world.store.read() as reader:
        assert reader.count(Grid) == len(world.grids)
    world.store.close()
