"""What the simulator found in the program, each as the shortest story that shows it."""

import shutil
from pathlib import Path

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.domain.incident import IncidentStep
from gridman.kernel.errors import Refusal
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.store import outbox
from gridman.store.backup import begin_new_life, copy_database
from gridman.store.feed import StreetFeed
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal, StreetJournal
from gridman.store.replay import receiving
from gridman.store.store import Store
from gridman.sync import exchange
from gridman.sync.replica import Replica
from tests.simulation.desks import older_version
from tests.sync.world import Desk, World, open_copy


def restored(world: World, saved: Path) -> None:
    """The street comes back from `saved` and begins a new life."""
    world.store.close()
    path = world.folder / "again.db"
    shutil.copy(saved, path)
    world.store = Store(open_copy(path), 1, [StreetJournal(), StreetFeed(), Indexer()], world.clock)
    with world.store.unit(SYSTEM) as unit:
        begin_new_life(unit)
    world.replica = Replica(world.store)
    for desk in world.desks:
        desk.street.replica = world.replica


def copied(world: World, desk: Desk) -> Path:
    desk.store.database.close()
    path = world.folder / "copy.db"
    shutil.copy(world.folder / f"desk{desk.store.replica}.db", path)
    return path


def put_back(world: World, desk: Desk, path: Path) -> None:
    desk.store.close()
    shutil.copy(path, world.folder / "put-back.db")
    desk.store = Store(
        open_copy(world.folder / "put-back.db"), desk.store.replica, [DeskJournal(), Indexer()], desk.clock
    )


def cells(store: Store, record_id: int) -> dict[str, str]:
    with store.read() as reader:
        rows = reader.connection.exec_driver_sql(f"SELECT field, version FROM cell WHERE record_id = {record_id}").all()
    return {str(name): str(version) for name, version in rows}


def test_versions_that_a_restored_street_lost_are_forgotten_on_the_desks(world: World) -> None:
    (house,) = world.add_households(0, 1)
    reader = world.desk()
    reader.sync()
    saved = world.folder / "saved.db"
    copy_database(world.store.database, saved)
    with world.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, house), remark="lost with the machine")
    reader.sync()
    restored(world, saved)
    reader.sync()
    assert reader.household(house).remark is None
    assert cells(reader.store, house) == cells(world.store, house) == {}


def test_a_street_restored_twice_from_one_backup_gives_no_number_twice(world: World) -> None:
    """An edit of a record that the second restore lost must not come to rest on another that was made since."""
    world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    saved = world.folder / "saved.db"
    copy_database(world.store.database, saved)
    restored(world, saved)
    with world.store.unit(SYSTEM) as unit:
        lost = unit.create(Household(number="L", grid_id=world.grids[0], address="Of the life between")).id
    desk.sync()
    desk.amend(lost, remark="of the lost one")
    world.clock.now += 60_000
    restored(world, saved)
    with world.store.unit(SYSTEM) as unit:
        made = unit.create(Household(number="N", grid_id=world.grids[0], address="Of the second life")).id
    desk.sync()
    assert lost != made
    assert desk.household(made).remark is None
    with desk.store.read() as reader:
        assert reader.find(Household, lost) is None


def test_an_old_answer_is_not_believed_for_other_work_under_the_same_numbers(world: World) -> None:
    """A stick brings the answer home after the desk's data was put back from a copy and the work done again, otherwise."""
    (house,) = world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    older = copied(world, desk)
    desk.amend(house, remark="sent by stick")
    request = exchange.prepare(desk.store)
    answer = desk.street.exchange(request)
    put_back(world, desk, older)
    desk.amend(house, remark="written again")
    exchange.prepare(desk.store)  # on its way as well, when the stick is put in
    with pytest.raises(Refusal) as told:
        exchange.absorb(desk.store, request, answer)
    assert told.value.code == "sync.fork"
    with desk.store.read() as reader:
        states = reader.connection.exec_driver_sql("SELECT state FROM journal WHERE op_n = 1").scalars().all()
    assert states == ["sent"], "work that was never sent counted as answered"


def test_rows_of_another_copy_are_not_taken_in_before_own_work_was_sent(world: World) -> None:
    """Else the records of both copies would mix under the same numbers."""
    world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    older = copied(world, desk)
    with desk.store.unit(desk.actor) as unit:
        unit.create(Household(number="A", grid_id=world.grids[0], address="Of the first copy"))
    desk.sync()
    put_back(world, desk, older)
    request = exchange.prepare(desk.store)
    with desk.store.unit(desk.actor) as unit:
        made = unit.create(Household(number="B", grid_id=world.grids[0], address="Of the second copy"))
    with pytest.raises(Refusal) as told:
        exchange.absorb(desk.store, request, desk.street.exchange(request))
    assert told.value.code == "sync.fork"
    assert desk.household(made.id).number == "B"


def test_what_an_older_version_kept_brings_its_versions_along(world: World) -> None:
    """After the update an edit of such a field must know what it edits, also where the desk's own edit of another field still waits."""
    (house,) = world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    with world.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, house), remark="from the office")
    with older_version(("household", "")):
        desk.sync()
    assert desk.household(house).remark is None
    desk.amend(house, needs_note="waits")
    with receiving(desk.store) as replay:
        assert replay.take_deferred() == 1
    assert desk.household(house).remark == "from the office"
    assert cells(desk.store, house)["remark"] == cells(world.store, house)["remark"]
    desk.sync()
    assert desk.household(house).needs_note == "waits"


def test_an_operation_whose_content_was_erased_is_no_sign_of_a_copy(world: World) -> None:
    """The desk lost the grid, so nothing of the answered edit is kept but its number; a restored street then meets the edit twice: late, as it
    was sent once, and offered again without content.
    """
    (house,) = world.add_households(0, 1)
    desk = world.desk()
    desk.sync()
    saved = world.folder / "saved.db"
    copy_database(world.store.database, saved)
    desk.amend(house, remark="told before")
    late = exchange.prepare(desk.store)
    desk.sync()
    world.withdraw(desk.user_id, 0)
    desk.sync()
    assert desk.household(house) is None
    restored(world, saved)
    request = exchange.prepare(desk.store)
    exchange.absorb(
        desk.store, request, desk.street.exchange(request)
    )  # the street knows nothing of it: it is offered again
    desk.street.exchange(late)
    desk.sync()
    with desk.store.read() as reader:
        assert outbox.waiting_count(reader) == 0


def test_what_a_refused_command_made_goes_with_the_record_it_was_about(world: World) -> None:
    """The street lost the incident with its machine; the command on it is refused in the same answer in which the incident leaves."""
    worker, office = world.desk(), world.desk("street_clerk", "street")
    saved = world.folder / "saved.db"
    copy_database(world.store.database, saved)
    worker.sync(), office.sync()
    with worker.store.unit(worker.actor) as unit:
        draft = IncidentDraft(category="A101", description="A lamp", place="Lane 3", grid_id=world.grids[0])
        incident = report_incident(unit, draft).id
    worker.sync(), office.sync()
    with office.store.unit(office.actor) as unit:
        perform(unit, incident, "mark_urgent")
    restored(world, saved)
    office.sync()
    with office.store.read() as reader:
        assert reader.page(IncidentStep, incident_id=incident) == []
    worker.sync(), office.sync()
    with office.store.read() as reader:
        assert sorted(s.action for s in reader.page(IncidentStep, incident_id=incident)) == ["report"]
