"""`gridman bundle` with the files of a real street: the server never runs after the desk was enrolled."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gridman.__main__ import main
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.joining import sign_in_desk
from gridman.kernel.private import close_to_others
from gridman.services.lease import lease_of
from gridman.services.street import open_street
from tests.cli.town import LOGIN, PASSPHRASE, Town, do


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert main(["--json", "--language", "en", *argv]) == code
    return json.loads(capsys.readouterr().out)


def noted(folder: Path, word: str) -> None:
    desk = sign_in_desk(folder, LOGIN, PASSPHRASE)
    with desk.store.unit(desk.actor) as unit:
        unit.amend(unit.page(Household, limit=1)[0], remark=word)
    desk.close()


@dataclass
class Sticks:
    """Files going to and fro between this town's desks and its counter."""

    town: Town
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def out(self, desk: Path) -> Path:
        path = self.folder / f"{desk.name}.gridman"
        told(self.capsys, "bundle", "export", "--data", str(desk), "--login", LOGIN, "--out", str(path))
        return path

    def take(self, path: Path) -> Any:
        back = str(path.with_suffix(".back"))
        return told(self.capsys, "bundle", "take", str(path), "--data", str(self.town.street), "--out", back)

    def back(self, desk: Path, path: Path, code: int = 0) -> Any:
        where = ["--data", str(desk), "--login", LOGIN]
        return told(self.capsys, "bundle", "import", str(path.with_suffix(".back")), *where, code=code)

    def to_review(self) -> list[tuple[str, str | None]]:
        street = open_street(self.town.street)
        try:
            with street.store.read() as reader:
                return [(c.reason, c.computer) for c in reader.page(Conflict)]
        finally:
            street.close()


@pytest.fixture
def sticks(town: Town, tmp_path: Path, passphrase: str, capsys: pytest.CaptureFixture[str]) -> Sticks:
    return Sticks(town, tmp_path, capsys)


def test_a_removed_computers_stick_is_kept_for_review(sticks: Sticks, capsys: pytest.CaptureFixture[str]) -> None:
    town = sticks.town
    noted(town.desk, "a dog")
    out = sticks.out(town.desk)
    do("street", "device", "revoke", "2", "--reason", "left on the bus", "--data", str(town.street))
    taken = sticks.take(out)
    assert (taken["for_review"], taken["fresh"], taken["entries"], taken["problem"]) == ("lost_desk", 1, 1, None)
    assert sticks.to_review() == [("lost_desk", "test")]
    told_back = sticks.back(town.desk, out, code=1)
    assert told_back["refused"] == "bundle.removed" and "(entries: 1)" in told_back["words"]
    capsys.readouterr()
    do("bundle", "take", str(out), "--data", str(town.street), "--out", str(out.with_suffix(".back")))
    said = capsys.readouterr().out
    assert "reported lost" in said and "Kept for review: 0 operations" in said and "1 known already" in said


def test_a_copys_stick_is_kept_for_review_and_the_copy_hears_so_without_a_network(sticks: Sticks) -> None:
    town = sticks.town
    copy = Path(shutil.copytree(town.desk, town.desk.with_name("copy")))
    for keys in copy.rglob("keys.json"):
        close_to_others(keys)
    noted(town.desk, "a dog")
    noted(copy, "a cat")
    out = sticks.out(town.desk)
    assert sticks.take(out)["for_review"] is None and sticks.back(town.desk, out)["sent"] == 1
    out = sticks.out(copy)
    assert sticks.take(out)["for_review"] == "copied_desk" and sticks.to_review() == [("copied_desk", "test")]
    assert sticks.back(town.desk, out, code=1)["refused"] == "bundle.twin"
    refused = sticks.back(copy, out, code=1)
    assert refused["refused"] == "sync.fork" and "gridman desk enrol --again" in refused["words"]
    desk = sign_in_desk(copy, LOGIN, PASSPHRASE)
    status = desk.status()
    desk.close()
    assert (status.kind, status.waiting, status.reason.code) == ("refused", 0, "sync.fork")
    assert status.reason.params["count"] == 1, "the Sync page says so, and offers to set the computer up again"
    noted(copy, "two cats")
    again = told(sticks.capsys, "bundle", "export", "--data", str(copy), "--login", LOGIN, "--out", str(out))
    assert again["for_review"]


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
