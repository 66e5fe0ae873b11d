"""What a desk and the street do together, one story each."""

import pytest

from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.kernel.errors import Refusal
from gridman.store import outbox
from gridman.sync.protocol import Answer
from tests.sync.world import World


def test_a_first_sync_brings_the_users_grids_and_nothing_else(world: World) -> None:
    mine, others = world.add_households(0, 30), world.add_households(1, 30)
    desk = world.desk(grids=[0])
    result = desk.sync()
    assert result.complete and result.received >= 30
    with desk.store.read() as reader:
        assert {h.id for h in reader.page(Household)} == set(mine)
    assert desk.household(others[0]) is None


def test_an_edit_reaches_the_street_and_the_other_desk(world: World) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    one.amend(house, remark="dog")
    with one.store.read() as reader:
        assert outbox.waiting_count(reader) == 1
    result = one.sync()
    assert result.sent == 1 and not result.refused
    with one.store.read() as reader:
        assert outbox.counts(reader) == {"settled": 1}
    two.sync()
    assert world.household(house).remark == two.household(house).remark == "dog"


def test_two_desks_edit_different_fields_and_both_survive(world: World) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    one.amend(house, remark="dog")
    two.amend(house, phones="13800000000")
    one.sync(), two.sync(), one.sync()
    for copy in (world.household(house), one.household(house), two.household(house)):
        assert (copy.remark, copy.phones) == ("dog", "13800000000")


def test_the_later_of_two_concurrent_edits_stands_and_the_other_is_kept(world: World) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    one.amend(house, remark="dog")
    two.clock.pass_()
    two.amend(house, remark="cat")
    two.sync(), one.sync(), two.sync()
    for copy in (world.household(house), one.household(house), two.household(house)):
        assert copy.remark == "cat"
    with two.store.read() as reader:
        (kept,) = reader.page(Conflict)
    assert (kept.reason, kept.kept, kept.lost) == ("concurrent", '"cat"', '"dog"')
    assert (kept.kept_by_id, kept.lost_by_id) == (two.user_id, one.user_id)


def test_a_household_that_moves_to_another_grid_leaves_the_desk(world: World) -> None:
    (house,) = world.add_households(0, 1)
    desk, other = world.desk(grids=[0]), world.desk(grids=[1])
    desk.sync(), other.sync()
    from gridman.domain.access import SYSTEM

    with world.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, house), grid_id=world.grids[1])
    desk.sync(), other.sync()
    assert desk.household(house) is None
    assert other.household(house) is not None


def test_after_a_cut_the_desk_asks_for_less_until_it_is_through(world: World) -> None:
    desk = world.desk()
    desk.sync()
    whole, cut = desk.street.exchange, Refusal("sync.cut_off", "cut", "")

    def cut_line(_request: object) -> Answer:
        raise cut

    for _cut in range(3):  # 1,000, 250, 62, 50
        desk.street.exchange = cut_line  # type: ignore[method-assign, assignment]
        with pytest.raises(Refusal):
            desk.sync()
        desk.street.exchange = whole  # type: ignore[method-assign]
    desk.sync()
    assert desk.street.requests[-1].page == 50
    desk.sync()
    assert desk.street.requests[-1].page == 1_000
