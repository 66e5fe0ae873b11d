"""Operations of one push are written together, and it comes to the same as one by one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import event, select

from gridman.domain.catalog import NOUNS
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.kernel.errors import Refusal
from gridman.services.access import scopes_of_user
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.services.visits import VisitDraft, log_visit
from gridman.store import tables
from gridman.store.feed_pages import cell_states
from gridman.store.unit import Unit
from gridman.sync import exchange
from gridman.sync.protocol import Op, Verdict
from gridman.sync.push import Intake
from tests.support.postgres import PostgresServer
from tests.sync.world import Desk, World, make_world


class Grudging(Intake):
    """An intake with a rule that refuses every seventh operation, but not before it has been applied."""

    def _apply(self, op: Op, stamp: str) -> Verdict:
        verdict = super()._apply(op, stamp)
        if op.n % 7 == 0:
            raise Refusal("test.late", "Refused.")
        return verdict


def one_by_one(intake: Intake, ops: Sequence[Op]) -> list[Verdict]:
    return [intake.take(op) for op in ops]


class _TakenBack(Exception):
    pass


def taken(world: World, desk: Desk, ops: Sequence[Op], cls: type[Intake], how: Callable[..., Any]) -> Any:
    """The verdicts, and all that the street would hold then; nothing of it stays."""
    try:
        with world.store.unit(desk.actor) as unit:
            verdicts = how(cls(unit, scopes_of_user(unit, desk.user_id), desk.store.replica), ops)
            unit.finish()
            found = verdicts, _held(unit)
            raise _TakenBack
    except _TakenBack:
        return found


def _held(unit: Unit) -> dict[str, Any]:
    """Records, history, versions and feed. Numbers that the street gave its own new records are left out: they are drawn again."""
    found: dict[str, Any] = {}
    for known in NOUNS:
        columns = [c for c in known.cls.__table__.c if known.cls is not Conflict or c.key != "id"]
        found[known.kind] = sorted(map(repr, unit.connection.execute(select(*columns))))
    j = tables.journal.c
    told = [c for c in j if c.key not in ("id", "record_id")]
    lines = unit.connection.execute(select(j.record_id, *told).order_by(j.id)).all()
    # In the order of the operations; what one of them changed is written in any order.
    found["journal"] = [
        sorted(repr((line[1:], line.entity == "conflict" or line.record_id)) for line in of_one)
        for _stamp, of_one in groupby(lines, key=lambda line: line.stamp)
    ]
    found["cell"] = sorted(map(repr, unit.connection.execute(select(tables.cell))))
    e = tables.sync_row.c
    query = select(e.scope, e.entity, e.record_id).where(e.entity != "conflict")
    found["feed"] = sorted(map(repr, unit.connection.execute(query)))
    return found


def a_busy_morning(world: World) -> tuple[Desk, list[Op]]:
    """A push with all that can happen in one: new things, several edits of one record, crossing edits, doubles, commands, work outside."""
    homes = world.add_households(0, 6)
    (elsewhere,) = world.add_households(1, 1)
    desk, other = world.desk(grids=(0, 1)), world.desk()
    desk.sync(), other.sync()
    desk.clock.pass_(60_000)
    for n, home in enumerate(homes):
        with desk.store.unit(desk.actor) as unit:
            log_visit(unit, VisitDraft(home, "1", note=f"well {n}"))
    desk.clock.pass_(60_000)
    with desk.store.unit(desk.actor) as unit:  # a double of the first visit
        log_visit(unit, VisitDraft(homes[0], "1", note="again"))
    for remark in ("dog", "two dogs", None):
        desk.clock.pass_()
        desk.amend(homes[1], remark=remark)
    desk.amend(homes[2], remark="mine", phones="13800000001")
    desk.amend(elsewhere, remark="not mine any more")
    with desk.store.unit(desk.actor) as unit:
        incident = report_incident(unit, IncidentDraft("A101", "lamp", "Lane", grid_id=world.grids[0]))
    with desk.store.unit(desk.actor) as unit:
        unit.amend(unit.get(Incident, incident.id), place="Lane 2")
    with desk.store.unit(desk.actor) as unit:
        perform(unit, incident.id, "urge", note="soon")
    with desk.store.unit(desk.actor) as unit:  # the street's registers refuse a household without an address
        made = unit.create(Household(number="H9", grid_id=world.grids[0], address="Lane 9"))
    desk.amend(made.id, remark="new")
    desk.amend(homes[3], remark="last")
    other.clock.pass_(90_000)
    other.amend(homes[2], remark="theirs")
    world.clock.now = desk.clock.now
    other.sync()
    world.withdraw(desk.user_id, 1)
    ops = exchange.prepare(desk.store, push_bytes=1 << 20).ops
    # What no desk of ours sends: a record of another computer, a value no rule allows, a kind nobody knows, a record that is not there.
    last = ops[-1]
    more = [
        Op(last.n + 1, "create", "household", other.store.replica << 43 | 900, {"number": "X", "grid_id": world.grids[0]}, {}, last.stamp, last.at),
        Op(last.n + 2, "amend", "household", homes[4], {"phones": "not a number"}, {}, last.stamp, last.at),
        Op(last.n + 3, "create", "spaceship", desk.store.replica << 43 | 901, {"name": "x"}, {}, last.stamp, last.at),
        Op(last.n + 4, "amend", "household", homes[4] + 77_777, {"remark": "x"}, {}, last.stamp, last.at),
        Op(last.n + 5, "amend", "household", homes[5], {"remark": "after all"}, {}, last.stamp, last.at),
    ]  # fmt: skip
    return desk, [*ops, *more]


@pytest.mark.parametrize("cls", [Intake, Grudging])
def test_a_push_written_together_comes_to_the_same_as_one_by_one(world: World, cls: type[Intake]) -> None:
    compare(world, cls)


@pytest.mark.parametrize("cls", [Intake, Grudging])
def test_so_it_does_on_postgresql(postgres_server: PostgresServer, cls: type[Intake]) -> None:
    with make_world(postgres_server.create_database()) as world:
        compare(world, cls)


def compare(world: World, cls: type[Intake]) -> None:
    desk, ops = a_busy_morning(world)
    alone = taken(world, desk, ops, cls, one_by_one)
    together = taken(world, desk, ops, cls, lambda intake, ops: intake.take_all(ops))
    assert {v.outcome for v in alone[0]} == {"applied", "merged", "set_aside", "refused", "deferred"}
    assert together[0] == alone[0]
    for name in alone[1]:
        assert together[1][name] == alone[1][name], name


@contextmanager
def statements_of(world: World) -> Iterator[list[str]]:
    """The statements that the street's writer is asked to carry out."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(world.store.database.writer, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(world.store.database.writer, "before_cursor_execute", note)


def test_a_days_push_costs_few_statements(world: World) -> None:
    """Each statement costs more than the row it carries: it gives up the interpreter to whoever else computes."""
    homes = world.add_households(0, 20)
    desk = world.desk()
    desk.sync()
    for n in range(40):
        desk.clock.pass_(60_000)
        with desk.store.unit(desk.actor) as unit:
            log_visit(unit, VisitDraft(homes[n % 20], "1", note=f"well {n}"))
    for n in range(20):
        desk.amend(homes[n], remark=f"seen {n}")
    world.clock.now = desk.clock.now
    request = exchange.prepare(desk.store, push_bytes=1 << 20)
    assert len(request.ops) == 60
    with statements_of(world) as seen:
        answer = desk.street.exchange(request)
    assert {v.outcome for v in answer.verdicts} == {"applied"}
    assert len(seen) < len(request.ops)


def test_what_is_known_beforehand_is_asked_again_once_the_push_changed_it(world: World) -> None:
    """Two edits of one field in one push: the second knows the first by its own stamp, and does not meet the version of the beginning."""
    (house,) = world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    desk.amend(house, remark="dog")
    desk.clock.pass_()
    desk.amend(house, remark="cat")
    result = desk.sync()
    assert result.sent == 2 and not result.refused
    with world.store.read() as reader:
        assert reader.count(Conflict) == 0
        assert reader.get(Household, house).remark == "cat"


def test_a_refused_operation_does_not_take_the_versions_of_those_before_it(world: World) -> None:
    """A desk whose clock is behind edits what it knows: its edit is the newer one all the same, and stays so."""
    (house,) = world.add_households(0, 1)
    ahead, behind = world.desk(), world.desk()
    ahead.sync(), behind.sync()
    ahead.clock.pass_(300_000)
    ahead.amend(house, remark="dog")
    ahead.sync(), behind.sync()
    ops = exchange.prepare(behind.store).ops
    assert not ops
    with world.store.read() as reader:
        (before,) = [s[0] for s in cell_states(reader.connection, house, ["remark"]).values()]
    early = f"{world.clock.now + 1:012x}" + "0000" + f"{behind.store.replica:05x}"
    mine = Op(1, "amend", "household", house, {"remark": "cat"}, {"remark": before}, early, world.clock.now)
    wrong = Op(2, "amend", "household", house, {"phones": "not a number"}, {}, early, world.clock.now)
    request = structs.replace(exchange.prepare(behind.store), ops=[mine, wrong])
    answer = behind.street.exchange(request)
    assert [v.outcome for v in answer.verdicts] == ["applied", "refused"]
    with world.store.read() as reader:
        (after,) = [s[:2] for s in cell_states(reader.connection, house, ["remark"]).values()]
    assert after[0] > before and after[1] == early


class Stubborn(Intake):
    """An intake with a rule that refuses every operation, but not before it has been applied."""

    def _apply(self, op: Op, stamp: str) -> Verdict:
        super()._apply(op, stamp)
        raise Refusal("test.late", "Refused.")


def test_a_push_of_which_all_goes_wrong_costs_as_many_statements_as_it_has_operations(world: World) -> None:
    """Not their square: a desk can send two thousand, and everybody waits for the writer."""
    homes = world.add_households(0, 40)
    desk = world.desk()
    desk.sync()
    ops = [Op(n + 1, "amend", "household", h, {"remark": "x"}, {}, "0" * 21, 1) for n, h in enumerate(homes)]
    costs = []
    for count in (20, 40):
        with statements_of(world) as seen:
            taken(world, desk, ops[:count], Stubborn, lambda intake, ops: intake.take_all(ops))
        costs.append(len(seen))
    assert costs[1] < 2.2 * costs[0]
