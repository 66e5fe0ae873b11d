"""A desk that is left for a new one: nothing in it is stranded unseen, and one command sends it."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from gridman.__main__ import main
from gridman.domain.incident import Incident
from gridman.joining import DeskDoor, sign_in_desk
from gridman.kernel.errors import Refusal
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.profile import left_desks
from gridman.services.street import open_street
from tests.cli.test_doctor import flip
from tests.cli.town import LOGIN, PASSPHRASE, PASSWORD, Town, do, environment, fingerprint_of, served

FRESH = "eleven slow barges"


def report(desk_dir: Path, title: str) -> None:
    desk = sign_in_desk(desk_dir, LOGIN, PASSPHRASE)
    with desk.store.unit(desk.actor) as unit:
        report_incident(unit, IncidentDraft("A805", title, place="1号楼北侧", grid_id=min(desk.actor.grid_ids)))
    desk.close()


def at_the_street(street_dir: Path) -> list[str]:
    street = open_street(street_dir)
    with street.store.read() as reader:
        found = [incident.description for incident in reader.page(Incident, with_retired=True)]
    street.close()
    return found


def doctor(desk_dir: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The words of what the doctor has to say."""
    capsys.readouterr()
    main(["--json", "--language", "en", "doctor", "--no-machine", "--offline", "--data", str(desk_dir)])
    told = json.loads(capsys.readouterr().out)
    return [p["words"] for f in told["findings"] for p in f["problems"]]


def enrol(town: Town, address: str, *more: str, code: int = 0) -> None:
    given = ("--login", LOGIN, "--server", address, "--fingerprint", fingerprint_of(town.street))
    with environment(GRIDMAN_PASSWORD=PASSWORD, GRIDMAN_PASSPHRASE=FRESH):
        do("desk", "enrol", "--data", str(town.desk), *given, *more, code=code)


def test_work_of_a_desk_that_was_left_is_told_of_and_sent(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    """`enrol --again` and the window began a new desk in silence; the old one with its unsent report lay there, and nothing named it."""
    report(town.desk, "井盖破损")
    with served(town.street) as address:
        enrol(town, address, code=1)
        assert "sync --left 2" in capsys.readouterr().err
        enrol(town, address, "--again")
        assert "what it has not sent stays in it" in capsys.readouterr().err
        (desk,) = left_desks(town.desk)
        number = desk.user.replica
        with environment(GRIDMAN_PASSPHRASE=FRESH):
            assert [w for w in doctor(town.desk, capsys) if f"sync --left {number}" in w]
            do("sync", "--data", str(town.desk))
            do("sync", "--data", str(town.desk), "--left", str(number), code=1)
            do("sync", "--data", str(town.desk), "--left", "99", code=1)
            assert f"there are: {number}" in capsys.readouterr().err
    assert "井盖破损" not in at_the_street(town.street)
    with served(town.street) as address:
        move_to(town.desk, address)
        with environment(GRIDMAN_PASSPHRASE=PASSPHRASE):
            do("sync", "--data", str(town.desk), "--left", str(number))
    assert f"Nothing waits any more in desk {number}" in capsys.readouterr().out
    assert "井盖破损" in at_the_street(town.street)
    with environment(GRIDMAN_PASSPHRASE=FRESH):
        assert not doctor(town.desk, capsys)


def move_to(desk_dir: Path, address: str) -> None:
    """The street of the test comes back at another port."""
    path = desk_dir / "desk.json"
    content = json.loads(path.read_bytes())
    for user in (*content["users"], *content["left"]):
        user["server_url"] = address
    path.write_text(json.dumps(content))


def test_a_left_desk_that_the_street_removed_hands_its_work_over(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    report(town.desk, "路灯不亮")
    with served(town.street) as address:
        enrol(town, address, "--again")
        move_to(town.desk, address)
        do("street", "device", "revoke", "--data", str(town.street), "--reason", "replaced", "2")
        with environment(GRIDMAN_PASSPHRASE=PASSPHRASE):
            do("sync", "--data", str(town.desk), "--left", "2", code=1)
    assert "review list (entries:" in capsys.readouterr().err
    assert not (town.desk / "desk-2").exists() and left_desks(town.desk) == ()


def test_the_window_s_door_asks_first_and_sends_later(town: Town) -> None:
    report(town.desk, "井盖破损")
    door = DeskDoor(town.desk)
    given = {"fingerprint": fingerprint_of(town.street)}
    with served(town.street) as address:
        with pytest.raises(Refusal) as caught:
            door.set_up(address, LOGIN, PASSWORD, False, FRESH, "test", **given)
        assert caught.value.code == "desk.already_set_up"
        door.set_up(address, LOGIN, PASSWORD, False, FRESH, "test", leaves=True, **given).close()
        assert [desk.user.replica for desk in door.left()] == [2]
    with pytest.raises(Refusal) as caught:
        door.send_left(2, PASSPHRASE)
    assert caught.value.code == "sync.unreachable" and door.left(), "without the street it goes on waiting"
    with served(town.street) as address:
        move_to(town.desk, address)
        sent = door.send_left(2, PASSPHRASE)
        assert (sent.number, sent.waiting, sent.problem) == (2, 0, None) and sent.result.sent and not door.left()
    assert "井盖破损" in at_the_street(town.street)


def test_a_spoilt_desk_with_nothing_to_be_found_waiting_gets_no_tick(
    town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.database.reader.connect() as connection:
        question = text("SELECT rootpage FROM sqlite_master WHERE name = 'person'")
        page = int(connection.execute(question).scalar_one())
    desk.close()
    flip(town.desk / "desk-2" / "desk.db", (page - 1) * 4096 + 700)
    assert [w for w in doctor(town.desk, capsys) if "nobody can tell" in w]
