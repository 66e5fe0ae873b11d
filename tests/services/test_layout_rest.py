"""A street that is cut anew: what the earlier layout left is told, and taken away only where nobody uses it."""

from pathlib import Path

from gridman.domain.access import SYSTEM
from gridman.domain.building import Building
from gridman.domain.grid import Grid
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.services import layout
from gridman.services.layout_rest import left_over, withdraw
from tests.support.world import STREET, World, box, make_world


def cut_anew(world: World) -> layout.StreetLayout:
    """Another community with one grid, beside those that the world has."""
    code = f"{STREET[:9]}099"
    grid = layout.GridLayout(
        f"{code}001", "新网格", box(0), [layout.BuildingLayout("新苑", "1", 117.0, 36.6, box(0), 1, 6)]
    )
    plan = layout.StreetLayout(
        STREET, "建设街道", box(0), "fictional", [layout.CommunityLayout(code, "新社区", box(0), [grid])]
    )
    with world.store.unit(SYSTEM) as unit:
        layout.lay_out(unit, plan)
    return plan


def test_what_nobody_uses_goes_and_what_somebody_uses_is_named_and_stays(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    plan = cut_anew(world)
    with world.store.unit(SYSTEM) as unit:
        street = unit.first(Region, level="street")
        assert street is not None
        rest = left_over(unit, street, {"none"}, {"none"})
        assert "新网格" in {g.name for g in rest.grids} and "新社区" in {r.name for r in rest.communities}
        used = {unit.get(Grid, i).name for i in world.grids}
        assert used <= set(rest.in_use), "grids with workers stay"
        withdraw(unit, rest)
    with world.store.read() as reader:
        live = {g.code for g in reader.page(Grid)}
        assert live == {reader.get(Grid, i).code for i in world.grids}
        assert (
            reader.first(Building, compound="新苑") is None
            and reader.first(Region, code=plan.communities[0].code) is None
        )
        assert reader.first(Organisation, name="新社区") is None and reader.first(Organisation, name="新网格") is None
        assert reader.page(Grid, code=plan.communities[0].grids[0].code, with_retired=True)[0].valid_to_on
    world.store.close()


def test_nothing_is_left_over_by_the_layout_that_stands(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    with world.store.unit(SYSTEM) as unit:
        street = unit.first(Region, level="street")
        assert street is not None
        codes = {r.code for r in unit.page(Region, level="community")}
        rest = left_over(unit, street, codes, {g.code for g in unit.page(Grid)})
    assert (rest.free, rest.in_use) == (0, [])
    world.store.close()
