"""Incident commands travel as commands: shown at once on the desk, decided on the street."""

from gridman.domain.access import SYSTEM
from gridman.domain.incident import Incident, IncidentStep
from gridman.domain.organisation import Organisation
from gridman.kernel.words import speaking
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.services.outbox import ReceiptQuery, receipt_ids, receipt_lines
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


def test_a_worker_of_two_communities_reports_to_that_of_the_grid_and_the_street_agrees(world: World) -> None:
    """The desk decides for whom it is reported, and the steps are carried out again at the street, by the same rule."""
    with world.store.unit(SYSTEM) as unit:
        street = world.organisations["street"]
        world.organisations["away"] = unit.create(Organisation(name="Away", level="community", parent_id=street)).id
        for number, above in enumerate(("community", "away")):
            team = Organisation(
                name=f"Team {number}", level="grid", parent_id=world.organisations[above], grid_id=world.grids[number]
            )
            world.organisations[f"team{number}"] = unit.create(team).id
    worker, away = world.desk(organisation="team0", grids=(0, 1)), world.desk("community_head", "away", ())
    for desk in (worker, away):
        desk.sync()
    with worker.store.unit(worker.actor) as unit:
        made = report_incident(unit, IncidentDraft("A101", "A lamp is broken", "Lane 3", grid_id=world.grids[1])).id
    assert not worker.sync().refused
    away.sync()
    assert state(away, made) == ("reported", world.organisations["away"])
    act(away, made, "accept")
    act(away, made, "assign", target_id=world.organisations["team1"])
    assert not away.sync().refused
    worker.sync()
    act(worker, made, "sign")
    act(worker, made, "finish", result="replaced")
    assert not worker.sync().refused
    act(worker, made, "verify_pass")
    assert not worker.sync().refused
    with world.store.read() as reader:
        steps = reader.page(IncidentStep, incident_id=made, user_id=worker.user_id)
        assert {s.organisation_id for s in steps} == {world.organisations["team1"]}
        assert reader.get(Incident, made).state == "closed"


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


def test_a_department_whistled_up_offline_has_its_task_once_everywhere(world: World) -> None:
    worker, office = world.desk(), world.desk("street_clerk", "street")
    water = world.desk("department_user", "water")
    worker.sync()
    incident = report(worker, world)
    for desk in (worker, office, water):
        desk.sync()
    act(office, incident, "accept")
    act(office, incident, "whistle", target_id=world.organisations["water"], case="2", note="come")
    with office.store.read() as reader:
        assert [r.kind for r in outbox.receipts(reader)] == ["command", "command"], "the task is the command's doing"
        (task,) = reader.page(Incident, parent_id=incident)
        assert task.state == "dispatched"
    assert not office.sync().refused
    water.sync(), office.sync()
    assert state(water, task.id) == state(office, task.id) == ("dispatched", world.organisations["water"])
    assert state(water, incident) is None, "a department sees its task, not the whole"
    assert log(water, task.id) == log(office, task.id) == ["whistle"]
    act(water, task.id, "sign")
    act(water, task.id, "finish", result="repaired")
    assert not water.sync().refused
    office.sync()
    act(office, task.id, "verify_pass")
    act(office, incident, "finish", result="all repaired")
    assert not office.sync().refused
    with world.store.read() as reader:
        assert reader.count(Incident) == 2
        assert reader.get(Incident, task.id).state == "closed"


def test_a_task_whose_whistle_was_refused_leaves_the_desk_again(world: World) -> None:
    worker = world.desk()
    one, two = world.desk("street_clerk", "street"), world.desk("street_clerk", "street")
    worker.sync()
    incident = report(worker, world)
    for desk in (worker, one, two):
        desk.sync()
    act(one, incident, "accept")
    one.sync(), two.sync()
    act(one, incident, "finish", result="done")
    one.sync()
    act(two, incident, "whistle", target_id=world.organisations["water"], case="1", note="come")
    assert [r.verdict for r in two.sync().refused] == ["refused"]
    with two.store.read() as reader:
        assert reader.page(Incident, parent_id=incident) == []
    with world.store.read() as reader:
        assert reader.count(Incident) == 1


def test_a_copy_reaches_its_reader_who_cannot_edit_it(world: World) -> None:
    worker, office = world.desk(), world.desk("street_clerk", "street")
    water = world.desk("department_user", "water")
    worker.sync()
    incident = report(worker, world)
    for desk in (worker, office, water):
        desk.sync()
    act(office, incident, "accept")
    act(office, incident, "copy", target_id=world.organisations["water"])
    office.sync(), water.sync()
    assert state(water, incident) == ("handling", world.organisations["street"])
    with water.store.unit(water.actor) as unit:
        unit.amend(unit.get(Incident, incident), description="Another story")
    (receipt,) = water.sync().refused
    assert "only a copy" in (receipt.reason or "")
    with water.store.read() as reader:
        assert reader.get(Incident, incident).description == "A lamp is broken"


def test_nobody_reports_an_incident_that_hangs_on_another(world: World) -> None:
    worker = world.desk()
    worker.sync()
    first = report(worker, world)
    with worker.store.unit(worker.actor) as unit:
        draft = IncidentDraft(category="A101", description="Another lamp", place="Lane 3", grid_id=world.grids[0])
        report_incident(unit, draft).parent_id = first
    refused = worker.sync().refused
    assert "incident" in {r.entity for r in refused}
    with world.store.read() as reader:
        assert reader.count(Incident) == 1


def test_a_receipt_names_what_was_written_in_the_language_in_use_and_says_where_it_is_cut(world: World) -> None:
    worker = world.desk()
    worker.sync()
    with worker.store.unit(worker.actor) as unit:
        words = "The lamp at the corner of the lane has been dark for days"
        report_incident(unit, IncidentDraft("A101", words, "Lane 3", grid_id=world.grids[0]))
    for code, divided, foreign in (("en", ", ", "、"), ("zh_CN", "、", ", ")):
        with worker.store.read() as reader, speaking(code):
            line = receipt_lines(reader, receipt_ids(reader, ReceiptQuery()))[-1]
        assert divided in line.fields and foreign not in line.fields
        assert line.record.endswith("…") and words[:20] in line.record
