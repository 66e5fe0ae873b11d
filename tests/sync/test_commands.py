"""Incident commands travel as commands: shown at once on the desk, decided on the street."""

from gridman.domain.incident import Incident, IncidentStep
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.store import outbox
from tests.sync.world import Desk, World


def report(desk: Desk, world: World) -> int:
    with desk.store.unit(desk.actor) as unit:
        draft = IncidentDraft(category="A101", description="A lamp is broken", place="Lane 3", grid_id=world.grids[0])
        return report_incident(unit, draft).id


def act(desk: Desk, incident_id: int, action: str, **parts: object) -> None:
    with desk.store.unit(desk.actor) as unit:
        perform(unit, incident_id, action, **parts)


def state(desk: Desk, incident_id: int) -> tuple[str, int] | None:
    with desk.store.read() as reader:
        found = reader.find(Incident, incident_id)
        return None if found is None else (found.state, found.holder_id)


def log(desk: Desk, incident_id: int) -> list[str]:
    with desk.store.read() as reader:
        return sorted(s.action for s in reader.page(IncidentStep, incident_id=incident_id))


def test_an_incident_goes_its_way_from_desk_to_desk(world: World) -> None:
    worker, office = world.desk(), world.desk("street_clerk", "street")
    water = world.desk("department_user", "water")
    for desk in (worker, office, water):
        desk.sync()
    incident = report(worker, world)
    result = worker.sync()
    assert not result.refused, [r.reason for r in result.refused]
    office.sync(), water.sync()
    assert state(office, incident) == ("reported", world.organisations["street"])
    assert state(water, incident) is None
    act(office, incident, "accept")
    act(office, incident, "assign", target_id=world.organisations["water"], note="please")
    assert state(office, incident) == ("dispatched", world.organisations["water"])
    with office.store.read() as reader:
        assert [r.kind for r in outbox.receipts(reader)] == ["command", "command"]
    assert not office.sync().refused
    water.sync()
    assert state(water, incident) == ("dispatched", world.organisations["water"])
    assert log(water, incident) == ["accept", "assign", "report"], "the log goes where the incident goes"
    act(water, incident, "sign")
    act(water, incident, "finish", result="replaced")
    assert not water.sync().refused
    worker.sync()
    assert state(worker, incident) == ("feedback", world.organisations["community"])
    assert log(worker, incident) == ["accept", "assign", "finish", "report", "sign"]


def test_a_command_that_lost_a_race_is_undone_here_and_kept_on_the_log(world: World) -> None:
    worker = world.desk()
    one, two = world.desk("street_clerk", "street"), world.desk("street_clerk", "street")
    for desk in (worker, one, two):
        desk.sync()
    incident = report(worker, world)
    worker.sync(), one.sync(), two.sync()
    act(one, incident, "accept")
    act(two, incident, "refuse", note="not ours")
    one.sync()
    assert state(two, incident) == ("voided", world.organisations["street"])
    result = two.sync()
    assert [(r.kind, r.verdict) for r in result.refused] == [("command", "refused")]
    assert "not possible while" in (result.refused[0].reason or "")
    assert state(two, incident) == state(one, incident) == ("handling", world.organisations["street"])
    assert log(two, incident) == ["accept", "rejected", "report"]
    one.sync()
    with one.store.read() as reader:
        assert "not ours" in (reader.first(IncidentStep, action="rejected").note or "")


def test_a_command_stays_visible_until_the_street_answered(world: World) -> None:
    from gridman.sync import exchange

    worker, office = world.desk(), world.desk("street_clerk", "street")
    worker.sync(), office.sync()
    incident = report(worker, world)
    worker.sync(), office.sync()
    act(office, incident, "accept")
    request = exchange.prepare(office.store)
    office.street.exchange(request)  # the answer is lost
    assert state(office, incident) == ("handling", world.organisations["street"])
    result = office.sync()
    assert result.sent == 1 and not result.refused
    assert log(office, incident) == ["accept", "report"]
    with world.store.read() as reader:
        assert reader.count(IncidentStep) == 2, "done once, though it came twice"
