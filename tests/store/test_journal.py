"""A desk's journal: what one unit does becomes the operations that travel, and the street's values are remembered under them."""

from pathlib import Path

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.domain.incident import Incident, IncidentStep
from gridman.store import outbox
from gridman.store.journal import DeskJournal, history_of
from gridman.store.store import Store
from gridman.store.values import unpack
from tests.sync.world import Watch, open_copy


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(open_copy(tmp_path / "desk.db"), 2, [DeskJournal()], Watch())


def new_household(store: Store) -> int:
    with store.unit(SYSTEM) as unit:
        return unit.create(Household(number="1", grid_id=5, address="Lane 1")).id


def operations(store: Store) -> list[outbox.Outgoing]:
    with store.read() as reader:
        return outbox.next_operations(reader.connection, 1 << 20)


def test_edits_of_one_record_in_one_unit_travel_as_one_operation(store: Store) -> None:
    house = new_household(store)
    with store.unit(SYSTEM) as unit:
        record = unit.get(Household, house)
        for words in ("a", "b"):
            unit.amend(record, remark=words)
            unit.flush()
    assert [(o.n, o.kind, o.after) for o in operations(store)][1:] == [(2, "amend", {"remark": "b"})]
    with store.read() as reader:
        assert history_of(reader, [house])[0].before == {"remark": None}


def test_edits_of_a_new_record_fold_into_its_creation(store: Store) -> None:
    with store.unit(SYSTEM) as unit:
        record = unit.create(Household(number="1", grid_id=5, address="Lane 1"))
        unit.flush()
        unit.amend(record, remark="a")
    (op,) = operations(store)
    assert (op.kind, op.after["remark"], op.base) == ("create", "a", {})


def test_an_edit_knows_the_version_it_was_made_on(store: Store) -> None:
    house = new_household(store)
    for words in ("a", "b"):
        with store.unit(SYSTEM) as unit:
            unit.amend(unit.get(Household, house), remark=words)
    _, first, second = operations(store)
    assert first.base == {"remark": None} and second.base == {"remark": first.stamp}


def test_the_streets_value_is_remembered_once(store: Store) -> None:
    house = new_household(store)
    for words in ("a", "b"):
        with store.unit(SYSTEM) as unit:
            unit.amend(unit.get(Household, house), remark=words)
    with store.read() as reader:
        ((name, value),) = reader.connection.exec_driver_sql("SELECT field, value FROM base_cell").all()
    assert (name, unpack(value)) == ("remark", None)


def test_a_desk_that_edits_the_streets_field_is_a_bug(store: Store) -> None:
    with store.unit(SYSTEM) as unit:
        incident = unit.create(
            Incident(state="reported", description="lamp", creator_id=1, holder_id=1, reported_at=1)
        ).id
    with pytest.raises(RuntimeError, match="only the street"), store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Incident, incident), state="closed")
    assert len(operations(store)) == 1


def test_a_command_travels_in_place_of_its_effects(store: Store) -> None:
    with store.unit(SYSTEM) as unit:
        incident = unit.create(
            Incident(state="reported", description="lamp", creator_id=1, holder_id=1, reported_at=1)
        ).id
    with store.unit(SYSTEM) as unit:
        record = unit.get(Incident, incident)
        unit.amend(record, place="here")
        unit.command(record, {"action": "accept"})
        unit.amend(record, state="handling")
        step = unit.create(IncidentStep(incident_id=incident, at=1, action="accept")).id
    sent = operations(store)
    assert [(o.kind, o.after) for o in sent[1:]] == [("amend", {"place": "here"}), ("command", {"action": "accept"})]
    with store.read() as reader:
        (effects,) = reader.connection.exec_driver_sql("SELECT effects FROM journal WHERE kind = 'command'").scalars()
    assert unpack(effects) == {"fields": {"state": "handling"}, "made": [["incident_step", step]]}


def test_a_unit_that_fails_leaves_no_operation(store: Store) -> None:
    house = new_household(store)
    with pytest.raises(ZeroDivisionError), store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, house), remark="a")
        unit.flush()
        raise ZeroDivisionError
    with store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, house), remark="b")
    assert [(o.n, o.after.get("remark")) for o in operations(store)] == [(1, None), (2, "b")]
