"""From the administrator's screen to a desk that works: certificate, code, QR, enrolment, all by the commands."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gridman.__main__ import main
from tests.cli.town import LOGIN, PASSWORD, Town, served

PASS = "walks every evening"


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert main(["--language", "en", "--json", *argv]) == code
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def town(built_town: Town, tmp_path: Path) -> Town:
    shutil.copytree(built_town.street, tmp_path / "street")
    return Town(tmp_path / "street", tmp_path / "desk", built_town.map_file, built_town.register)


def test_a_code_from_the_administrator_sets_a_computer_up_over_tls(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDMAN_PASSPHRASE", PASS)
    data, picture = ["--data", str(town.street)], tmp_path / "code.png"
    with served(town.street) as address:
        assert address.startswith("https://")
        shown = told(capsys, "street", "user", "code", *data, "--login", LOGIN, "--qr", str(picture))
        with Image.open(picture) as qr:
            assert min(qr.size) > 100
        assert address.split(":")[-1] in shown["link"]
        enrol = ["desk", "enrol", "--data", str(town.desk), "--login", LOGIN]
        made = told(capsys, *enrol, "--server", address, "--code", shown["code"])
        assert made["server"] == address
        assert told(capsys, "sync", "--data", str(town.desk))["complete"]
        again = told(capsys, "street", "user", "code", *data, "--login", LOGIN)
        second = ["desk", "enrol", "--data", str(tmp_path / "second"), "--login", LOGIN]
        assert told(capsys, *second, "--code", again["link"])["server"] == address


def test_a_password_needs_the_compared_fingerprint(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDMAN_PASSPHRASE", PASS)
    monkeypatch.setenv("GRIDMAN_PASSWORD", PASSWORD)
    fingerprint = told(capsys, "street", "certificate", "--data", str(town.street))["fingerprint"]
    with served(town.street) as address:
        enrol = ["desk", "enrol", "--data", str(town.desk), "--login", LOGIN, "--server", address]
        refused = told(capsys, *enrol, code=1)
        assert refused["refused"] == "enrol.confirm_street" and fingerprint in refused["words"]
        assert told(capsys, *enrol, "--fingerprint", "AAAA-AAAA-AAAA", code=1)["refused"] == "sync.untrusted"
        assert told(capsys, *enrol, "--fingerprint", fingerprint)["login"] == LOGIN


def test_the_certificate_learns_names_and_keeps_its_fingerprint(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["street", "certificate", "--data", str(town.street)]
    before, after = told(capsys, *where), told(capsys, *where, "--host", "street.example", "--host", "192.0.2.7")
    assert after["fingerprint"] == before["fingerprint"]
    assert {*before["hosts"], "street.example", "192.0.2.7"} == set(after["hosts"])
    assert told(capsys, *where, "--host", "https://x", code=1)["refused"] == "certificate.bad_host"


def test_a_street_without_encryption_is_for_this_computer_only(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    open_to_all = ["street", "--data", str(town.street), "--host", "0.0.0.0", "--port", "0", "--insecure-http"]
    assert told(capsys, *open_to_all, code=1)["refused"] == "server.plain_http"
