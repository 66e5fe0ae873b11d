"""`gridman street backup`, `verify`, `restore` and `gridman desk backup` on the files and processes of a real street."""

import json
import tarfile
from pathlib import Path

import pytest

from gridman.domain.household import Household
from gridman.joining import sign_in_desk
from gridman.services.street import open_street
from tests.cli.town import LOGIN, PASSPHRASE, Town, do, served

SAFE = "the safe in the office"


@pytest.fixture(autouse=True)
def secrets_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAN_BACKUP_PASSPHRASE", SAFE)
    monkeypatch.setenv("GRIDMAN_PASSPHRASE", PASSPHRASE)


def port_of(town: Town) -> int:
    """Where the desk expects its street."""
    users = json.loads((town.desk / "desk.json").read_text("utf-8"))["users"]
    return int(users[0]["server_url"].rsplit(":", 1)[1])


def remark(town: Town, text: str) -> int:
    """An edit at the desk."""
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    try:
        with desk.store.unit(desk.actor) as unit:
            house = unit.page(Household, limit=1)[0]
            unit.amend(house, remark=text)
            return int(house.id)
    finally:
        desk.close()


def remark_on_the_street(folder: Path, house: int) -> str | None:
    street = open_street(folder)
    try:
        with street.store.read() as reader:
            return reader.get(Household, house).remark
    finally:
        street.close()


def test_a_street_lost_after_its_backup_has_everything_again(town: Town, tmp_path: Path) -> None:
    backup, new = tmp_path / "street.backup", tmp_path / "new"
    with served(town.street, port_of(town)):
        do("street", "backup", "--data", str(town.street), "--to", str(backup))  # while it serves
        house = remark(town, "a dog")
        do("sync", "--data", str(town.desk))
    assert remark_on_the_street(town.street, house) == "a dog"
    do("street", "verify", str(backup))
    do("street", "restore", str(backup), "--data", str(new))
    assert remark_on_the_street(new, house) is None
    with served(new, port_of(town)):  # the desk believes the restored street: its authority came along
        do("sync", "--data", str(town.desk))
    assert remark_on_the_street(new, house) == "a dog"


def test_a_wrong_passphrase_is_told_and_restores_nothing(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, new = tmp_path / "street.backup", tmp_path / "new"
    do("street", "backup", "--data", str(town.street), "--to", str(backup))
    monkeypatch.setenv("GRIDMAN_BACKUP_PASSPHRASE", "something else entirely")
    capsys.readouterr()
    do("street", "restore", str(backup), "--data", str(new), code=1)
    assert "passphrase" in capsys.readouterr().err and not new.exists()


def test_a_desks_copy_opens_again_with_what_was_not_sent(town: Town, tmp_path: Path) -> None:
    house = remark(town, "a cat")
    do("desk", "backup", "--data", str(town.desk), "--login", LOGIN, "--to", str(tmp_path / "desk.backup"))
    with tarfile.open(tmp_path / "desk.backup") as tar:
        tar.extractall(tmp_path / "desk2", filter="data")
    desk = sign_in_desk(tmp_path / "desk2", LOGIN, PASSPHRASE)
    try:
        with desk.store.read() as reader:
            assert reader.get(Household, house).remark == "a cat"
        assert desk.status().waiting == 1
    finally:
        desk.close()
