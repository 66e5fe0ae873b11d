"""`gridman bundle` with the files of a real street: the server never runs after the desk was enrolled."""

import json
from pathlib import Path
from typing import Any

import pytest

from gridman.__main__ import main
from gridman.domain.household import Household
from gridman.joining import sign_in_desk
from gridman.services.lease import lease_of
from gridman.services.street import open_street
from tests.cli.town import LOGIN, PASSPHRASE, Town, do


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    capsys.readouterr()
    assert main(["--json", "--language", "en", *argv]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_days_work_goes_by_stick_and_comes_back(
    town: Town, tmp_path: Path, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.read() as reader:
        lease = lease_of(reader).not_after
    with desk.store.unit(desk.actor) as unit:
        house = unit.page(Household, limit=1)[0]
        unit.amend(house, remark="a dog")
    desk.close()
    out, back = tmp_path / "zhou.gridman", tmp_path / "back.gridman"
    at_desk = ["--data", str(town.desk), "--login", LOGIN]
    assert told(capsys, "bundle", "export", *at_desk, "--out", str(out))["operations"] == 1
    at_street = ["--data", str(town.street), "--out", str(back)]
    assert told(capsys, "bundle", "take", str(out), *at_street)["fresh"] == 1
    assert told(capsys, "bundle", "take", str(out), *at_street)["repeated"] == 1
    taken = told(capsys, "bundle", "import", str(back), *at_desk)
    assert (taken["sent"], taken["waiting"], taken["is_stale"]) == (1, 0, False)
    assert told(capsys, "bundle", "import", str(back), *at_desk)["is_stale"]
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.read() as reader:
        assert lease_of(reader).not_after > lease  # the street's ticket to work without it came along
    desk.close()
    street = open_street(town.street)
    try:
        with street.store.read() as reader:
            assert reader.get(Household, house.id).remark == "a dog"
    finally:
        street.close()


def test_a_file_that_is_no_bundle_is_refused_in_words(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("not a bundle", encoding="utf-8")
    do("bundle", "take", str(tmp_path / "notes.txt"), "--data", str(town.street), "--out", str(tmp_path / "b"), code=1)
    assert "no bundle" in capsys.readouterr().err and not (tmp_path / "b").exists()
