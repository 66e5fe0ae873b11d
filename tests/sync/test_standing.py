"""A receipt says of each value that crossed another's whose stands, and what became of the own one."""

import pytest

from gridman.domain.household import Household
from gridman.services.conflicts import open_conflicts, resolve
from gridman.services.households import retire_household
from gridman.services.outbox import ReceiptLine, ReceiptQuery, receipt_ids, receipt_lines
from gridman.services.receipt_words import result_words, state_word
from tests.sync.world import Desk, World


def receipt(desk: Desk, field: str) -> ReceiptLine:
    """The newest receipt of a household in which this was written."""
    desk.sync(), desk.sync()
    with desk.store.read() as reader:
        found = receipt_lines(reader, receipt_ids(reader, ReceiptQuery()))
    return next(line for line in found if line.noun == "Household" and field in line.fields)


def said(line: ReceiptLine) -> str:
    return " ".join(result_words(line.state, line.verdict, line.standing))


def crossed(world: World, field: str) -> tuple[Desk, Desk, int]:
    """Two desks wrote the field of one household without knowing of each other; the second one later."""
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    one.amend(house, **{field: "13800000001"})
    one.clock.pass_(), two.clock.pass_()
    two.amend(house, **{field: "13800000002"})
    one.sync(), two.sync()
    return one, two, house


def test_a_value_that_lost_after_it_was_taken_over_is_not_called_done(world: World) -> None:
    one, two, _house = crossed(world, "remark")
    lost, stands = receipt(one, "Remark"), receipt(two, "Remark")
    assert (lost.verdict, stands.verdict) == ("applied", "merged"), "the street's verdict alone does not tell"
    assert f"Remark: the value of {two.actor.name}" in said(lost) and "yours waits under “To review”" in said(lost)
    assert "this computer shows what the street has" not in said(lost) and "not every value stands" in said(lost)
    assert state_word(lost.state, lost.standing) == "to review"
    assert "Remark: your value stands" in said(stands) and f"by {one.actor.name}" in said(stands)
    assert state_word(stands.state, stands.standing) == "done"
    assert "13800" not in said(lost) + said(stands)


@pytest.mark.parametrize("choice", ["kept", "restored"])
def test_after_the_decision_it_says_who_decided_what(world: World, choice: str) -> None:
    one, two, _house = crossed(world, "phones")
    receipt(one, "phone")
    with one.store.read() as reader:
        (line,) = open_conflicts(reader)
    with one.store.unit(one.actor) as unit:
        resolve(unit, line.conflict.id, choice)
    one.sync(), two.sync(), one.sync(), two.sync()
    winner = {line.conflict.kept_by_id: "kept", line.conflict.lost_by_id: "restored"}
    for desk in (one, two):
        with desk.store.read() as reader:
            numbers = list(receipt_ids(reader, ReceiptQuery()))
            found = [r for r in receipt_lines(reader, numbers) if r.noun == "Household"][-1]
        is_own = winner[desk.actor.user_id] == choice
        assert [s.is_own for s in found.standing] == [is_own]
        assert f"{one.actor.name} decided so" in said(found) and state_word(found.state, found.standing) == "done"
        assert ("your value stands" in said(found)) == is_own


def test_a_record_that_was_closed_meanwhile_is_said_to_be(world: World) -> None:
    (house,) = world.add_households(0, 1)
    one, two = world.desk(), world.desk()
    one.sync(), two.sync()
    with one.store.unit(one.actor) as unit:
        retire_household(unit, house, "demolished")
    two.amend(house, remark="a dog")
    one.sync(), two.sync()
    told = said(receipt(two, "Remark"))
    assert "Remark: the record was taken out of use meanwhile" in told and "your value waits" in told
    with two.store.read() as reader:
        assert reader.find(Household, house) is not None
