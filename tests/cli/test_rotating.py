"""`rotate-keys` of a street and of a desk, with the files and processes of a real street; and the commands about grids, notices and users."""

import json
from pathlib import Path
from typing import Any

import pytest

from gridman.__main__ import main
from gridman.domain.household import Household
from gridman.joining import sign_in_desk
from gridman.services.signin import update_profile
from gridman.services.street import open_street
from gridman.store.bundle_keys import street_keys_here
from gridman.sync.seal import Keys
from tests.cli.town import GRIDS, LOGIN, PASSPHRASE, STREET_CODE, Town, do, served


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    capsys.readouterr()
    found = main(["--json", "--language", "en", *argv])
    out, err = capsys.readouterr()
    assert found == code, out + err
    return json.loads(out) if out else None


def remark(town: Town, text: str) -> int:
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.unit(desk.actor) as unit:
        house = unit.page(Household, limit=1)[0]
        unit.amend(house, remark=text)
    desk.close()
    return int(house.id)


def remark_at_street(town: Town, house: int) -> str | None:
    street = open_street(town.street, must_exist=True)
    try:
        with street.store.read() as reader:
            return reader.get(Household, house).remark
    finally:
        street.close()


@pytest.mark.posix_files
def test_sticks_and_the_network_go_on_after_both_have_other_keys(
    town: Town, tmp_path: Path, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    at_desk, at_street = ["--data", str(town.desk), "--login", LOGIN], ["--data", str(town.street)]
    out, back = tmp_path / "out.gridman", tmp_path / "back.gridman"
    house = remark(town, "before")
    told(capsys, "bundle", "export", *at_desk, "--out", str(out))
    assert told(capsys, "street", "rotate-keys", *at_street) == {"photos": 0, "photos_lost": 0}
    assert told(capsys, "desk", "rotate-keys", *at_desk) == {"photos": 0, "photos_lost": 0}
    assert told(capsys, "bundle", "take", str(out), *at_street, "--out", str(back))["fresh"] == 1
    assert remark_at_street(town, house) == "before"
    assert told(capsys, "bundle", "import", str(back), *at_desk)["waiting"] == 0
    street = open_street(town.street, must_exist=True)
    new = Keys.from_seed(street.key).public
    street.close()
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.read() as reader:
        assert street_keys_here(reader) == new  # the answer told the desk the street's new keys
    desk.close()
    remark(town, "after")
    told(capsys, "bundle", "export", *at_desk, "--out", str(out))
    assert told(capsys, "bundle", "take", str(out), *at_street, "--out", str(back))["fresh"] == 1
    assert remark_at_street(town, house) == "after"
    remark(town, "by network")
    with served(town.street) as address:
        update_profile(town.desk, LOGIN, server_url=address)
        assert told(capsys, "sync", *at_desk)["complete"]  # the certificate is still the one the desk believes
        do("street", "rotate-keys", *at_street, code=1)
        assert "in use by another gridman" in capsys.readouterr().err
    assert remark_at_street(town, house) == "by network"


def test_grids_notices_and_users_are_looked_after_by_commands(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--data", str(town.street)]
    code = STREET_CODE  # the town's grids have codes below it
    lines = told(capsys, "street", "grid", "list", *at)
    assert len(lines) == len(GRIDS) and all(line["code"].startswith(code[:9]) for line in lines)
    mine = next(line for line in lines if any(w["login"] == LOGIN for w in line["workers"]))
    told(capsys, "street", "assign", *at, "--login", LOGIN, "--grid", mine["code"], "--end", "--now")
    after = told(capsys, "street", "grid", "list", *at)
    assert next(line for line in after if line["code"] == mine["code"])["workers"] == []
    told(capsys, "street", "assign", *at, "--login", LOGIN, "--grid", mine["code"])
    assert told(capsys, "street", "grid", "list", *at) != after
    number = told(capsys, "street", "notice", "add", *at, "--title", "Cold wave", "--until", "2099-01-01", "--urgent")[
        "number"
    ]
    assert [(n["title"], n["state"], n["urgent"]) for n in told(capsys, "street", "notice", "list", *at)] == [
        ("Cold wave", "shown", True)
    ]
    told(capsys, "street", "notice", "withdraw", str(number), *at)
    assert told(capsys, "street", "notice", "list", *at)[0]["state"] == "withdrawn"
    changed = told(capsys, "street", "user", "change", *at, "--login", LOGIN, "--name", "Another Name")
    assert changed["name"] == "Another Name" and changed["role"] == "grid_worker"
    (device, *_others) = told(capsys, "street", "device", "list", *at)
    assert device["login"] == LOGIN and device["enrolled_at"] > 0 and device["revoked_at"] is None
    do("street", "assign", *at, "--login", LOGIN, "--grid", "000", code=1)
    do("street", "user", "change", *at, "--login", "admin", "--role", "auditor", code=1)
