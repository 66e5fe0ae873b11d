"""What `gridman sync` says of a desk: whether it holds what the street holds, and which values stand."""

import json
from pathlib import Path
from typing import Any

import pytest

from gridman.__main__ import main
from gridman.domain.household import Household
from gridman.domain.user import User
from gridman.joining import enrol_desk, sign_in_desk
from gridman.services.access import actor_of_user
from gridman.services.households import amend_household
from gridman.services.street import open_street
from tests.cli.town import LOGIN, PASSPHRASE, PASSWORD, Town, fingerprint_of, served


def port_of(town: Town) -> int:
    return int(json.loads((town.desk / "desk.json").read_text("utf-8"))["users"][0]["server_url"].rsplit(":", 1)[1])


def said(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> str:
    """Both what was said and what was warned of."""
    capsys.readouterr()
    found = main(["--language", "en", *argv])
    out, err = capsys.readouterr()
    assert found == code, out + err
    return out + err


def as_json(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert main(["--json", "--language", "en", *argv]) == code
    return json.loads(capsys.readouterr().out)


def test_comparing_ends_in_a_verdict(
    town: Town, tmp_path: Path, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check = ["sync", "--data", str(town.desk), "--check"]
    with served(town.street, port_of(town)) as address:
        assert "compared with the street's: all are equal." in said(capsys, *check)
        desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
        with desk.store.read() as reader:
            house = reader.page(Household, limit=1)[0]
        with desk.store.database.writing, desk.store.database.transaction() as connection:
            connection.exec_driver_sql("UPDATE household SET number = 'rot' WHERE id = ?", (house.id,))
        desk.close()
        healed = said(capsys, *check)
        assert (
            "received anew 1" in healed and "everything was received anew" in healed and "all are equal" not in healed
        )
        found = as_json(capsys, *check)
        assert found["same"] == found["compared"] >= 3
        fresh = tmp_path / "fresh"
        enrol_desk(
            fresh, address, LOGIN, PASSPHRASE, password=PASSWORD, fingerprint=fingerprint_of(town.street), device_name="n"
        ).close()  # fmt: skip
        nothing = as_json(capsys, "sync", "--data", str(fresh), "--check", code=1)
    assert nothing["refused"] == "cli.nothing_compared" and "gridman sync first" in nothing["words"]


def test_the_story_says_that_a_value_lost_and_waits(
    town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.unit(desk.actor) as unit:
        house = unit.page(Household, limit=1)[0]
        amend_household(unit, house.id, {"phones": "13800000001", "remark": "a dog"})
    desk.close()
    street = open_street(town.street)
    with street.store.read() as reader:
        clerk = actor_of_user(reader, reader.page(User, login="admin")[0].id)
    with street.store.unit(clerk) as unit:
        unit.amend(unit.get(Household, house.id), phones="13900000002")
    street.close()
    where = ["--data", str(town.desk)]
    with served(town.street, port_of(town)):
        said(capsys, "sync", *where)
        said(capsys, "sync", *where)
    told = said(capsys, "sync", *where, "--explain", str(house.id))
    (step,) = [s for s in as_json(capsys, "sync", *where, "--explain", str(house.id)) if s["state"]]
    (found,) = step["standing"]
    assert (found["own"], found["waits"]) == (False, True) and found["other"] not in ("", "somebody else")
    assert f"the value of {found['other']}" in told and "yours waits under “To review”" in told and "to review" in told
    assert "this computer shows what the street has" not in told and "13800" not in told and "13900" not in told
