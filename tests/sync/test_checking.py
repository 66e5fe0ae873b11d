"""A desk notices that it does not hold what the street holds, whatever did it, and has it right again (sync design D13)."""

from collections.abc import Callable

import pytest

from gridman.domain.household import Household
from gridman.store.audit import page_audit
from gridman.store.checks import marks_of_scope
from gridman.store.outbox import waiting_count
from gridman.store.store import put_meta
from gridman.sync import checking, exchange
from gridman.sync.checking import EVERY_MS, Held, ask_all_again, differing
from gridman.sync.protocol import ScopeCheck
from tests.sync.world import Desk, World


def spoil(desk: Desk, statement: str, *values: object) -> None:
    """Change the desk's file behind the program's back."""
    with desk.store.database.writing, desk.store.database.transaction() as connection:
        assert connection.exec_driver_sql(statement, values).rowcount


def stray_row(desk: Desk, house: int) -> None:
    """A household stands where it does not belong."""
    columns = ", ".join(c.key for c in Household.__table__.c if c.key != "id")
    spoil(
        desk, f"INSERT INTO household(id, {columns}) SELECT id + 1000000, {columns} FROM household WHERE id = ?", house
    )
    places = "SELECT record_id + 1000000, scope, entity, seq FROM sync_row WHERE record_id = ?"
    spoil(desk, f"INSERT INTO sync_row(record_id, scope, entity, seq) {places}", house)


def compared(desk: Desk) -> list[Held | None]:
    return [desk.sync().held for _scope in ask_all_again(desk.store)]


def test_each_scope_is_compared_once_a_day_and_a_sound_desk_is_the_same(world: World) -> None:
    world.add_households(0, 5)
    desk = world.desk(grids=[0])
    desk.sync()
    assert {request.check for request in desk.street.requests} == {""}, "what has just come is not asked about at once"
    with desk.store.read() as reader:
        scopes = set(checking.positions(reader.connection))
    desk.clock.now += EVERY_MS
    world.clock.now += EVERY_MS
    held = [desk.sync().held for _turn in range(len(scopes) + 2)]
    assert held == [Held.SAME] * len(scopes) + [None, None]
    assert {r.check for r in desk.street.requests if r.check} == scopes


ROT: dict[str, Callable[[Desk, int], None]] = {
    "a changed value": lambda desk, house: spoil(desk, "UPDATE household SET number = 'rot' WHERE id = ?", house),
    "a lost row": lambda desk, house: spoil(desk, "DELETE FROM household WHERE id = ?", house),
    "a row of which the place was lost": lambda desk, house: spoil(desk, "DELETE FROM sync_row WHERE record_id = ?", house),
    "a row that is not the scope's": lambda desk, house: stray_row(desk, house),
    "a street's value below an own edit": lambda desk, house: spoil(
        desk, "UPDATE base_cell SET value = X'A3726F74' WHERE record_id = ?", house
    ),
}  # fmt: skip


@pytest.mark.parametrize("rot", ROT)
def test_what_rotted_is_noticed_told_and_received_anew(world: World, rot: str) -> None:
    house, other = world.add_households(0, 2)
    desk = world.desk(grids=[0])
    desk.sync()
    desk.amend(house, remark="mine")  # not sent: the check looks below it
    ROT[rot](desk, house)
    ask_all_again(desk.store)
    marks = []
    for _scope in range(6):
        request = exchange.prepare(desk.store, is_first=True)
        bare = exchange.Request(**{name: getattr(request, name) for name in request.__struct_fields__} | {"ops": []})
        absorbed = exchange.absorb(desk.store, bare, desk.street.exchange(bare))
        marks.append(absorbed.held)
        assert absorbed.complete is (absorbed.held != Held.ANEW)
    assert marks.count(Held.ANEW) == 1
    with desk.store.read() as reader:
        assert [(h.id, h.remark) for h in reader.page(Household, order_by=("id",))] == [(house, "mine"), (other, None)]
        assert waiting_count(reader) == 1, "unsent work stays where it is"
        assert [line.act for line in page_audit(reader)].count("differed") == 1
    desk.sync()
    assert world.household(house).remark == "mine"
    assert set(compared(desk)) == {Held.SAME}


def test_a_fault_that_stays_is_told_and_does_not_keep_the_line_busy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_households(0, 3)
    desk = world.desk(grids=[0])
    desk.sync()
    honest = checking.check_of

    def lying(reader: object, scope: str) -> ScopeCheck:
        said = honest(reader, scope)  # type: ignore[arg-type]
        return ScopeCheck(said.scope, [checking.KindCheck(k.kind, k.columns, k.count, k.mark ^ 1) for k in said.kinds])

    monkeypatch.setattr("gridman.sync.pull.check_of", lying)
    found = compared(desk)
    assert found.count(Held.ANEW) == 1 and found.index(Held.ANEW) < found.index(Held.DIFFERENT)
    assert all(len(r.cursors) for r in desk.street.requests[-2:]), "received anew once only"
    with desk.store.read() as reader:
        assert [r.code for r in differing(reader)] == ["sync.differs"]
    monkeypatch.undo()
    assert set(compared(desk)) == {Held.SAME}
    with desk.store.read() as reader:
        assert not list(differing(reader))


def test_a_column_or_kind_that_only_the_street_knows_is_no_difference(world: World) -> None:
    world.add_households(0, 3)
    desk = world.desk(grids=[0])
    desk.sync()
    scope = f"g:{world.grids[0]}"
    with world.store.read() as there, desk.store.read() as here:
        marks = marks_of_scope(there.connection, scope)
        wider = {kind: (*m.columns, "of_tomorrow") for kind, m in marks.items()}
        ours = marks_of_scope(here.connection, scope, wider)
        assert {kind: m.rows for kind, m in ours.items()} == {kind: m.rows for kind, m in marks.items()}
        assert all(not m.columns for m in ours.values())


def test_an_older_street_that_says_nothing_is_asked_again_tomorrow_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_households(0, 1)
    desk = world.desk(grids=[0])
    desk.sync()
    monkeypatch.setattr("gridman.sync.pull.check_of", lambda _reader, _scope: None)
    scopes = ask_all_again(desk.store)
    assert [desk.sync().held for _turn in range(len(scopes) + 1)] == [None] * (len(scopes) + 1)
    assert desk.street.requests[-1].check == ""


def test_a_clock_that_jumped_back_does_not_stop_the_checks(world: World) -> None:
    world.add_households(0, 1)
    desk = world.desk(grids=[0])
    desk.sync()
    desk.clock.now -= 30 * EVERY_MS
    assert desk.sync().held == Held.SAME


def test_notes_of_an_unknown_scope_are_forgotten(world: World) -> None:
    world.add_households(0, 1)
    desk = world.desk(grids=[0])
    desk.sync()
    with exchange.receiving(desk.store) as replay:
        put_meta(replay.connection, "scopes_checked", '{"g:1": 5}')
    desk.sync()
    with desk.store.read() as reader:
        assert "g:1" not in checking._times(reader)
