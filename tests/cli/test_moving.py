"""A street server that moved: the desk is told its new address, and goes there only if it is the same street."""

import json
from pathlib import Path
from typing import Any

import pytest

from gridman.__main__ import main
from gridman.domain.access import SYSTEM
from gridman.joining import sign_in_desk
from gridman.kernel.errors import Refusal
from gridman.services.audit import page_audit
from gridman.services.signin import DeskUser, desk_users
from gridman.sync.moving import check_address
from tests.cli.town import ADMIN_PASSWORD, LOGIN, PASSPHRASE, Town, do, environment, served


def as_json(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    capsys.readouterr()
    found = main(["--json", "--language", "en", *argv])
    out, err = capsys.readouterr()
    assert found == code, out + err
    return json.loads(out)


def test_a_desk_follows_its_street_to_another_address_and_no_other(
    town: Town, tmp_path: Path, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    at_desk = ["--data", str(town.desk), "--login", LOGIN]
    (before,) = desk_users(town.desk)
    away = as_json(capsys, "sync", *at_desk, code=1)
    assert away["refused"] == "sync.unreachable" and "gridman desk server URL" in away["words"]
    examined = json.dumps(as_json(capsys, "doctor", "--no-machine", *at_desk))
    assert "gridman desk server URL" in examined
    other = tmp_path / "other"
    with environment(GRIDMAN_PASSWORD=ADMIN_PASSWORD):
        do("street", "init", "--data", str(other), "--name", "别的街道", "--admin", "admin")
    with served(other) as elsewhere:
        assert as_json(capsys, "desk", "server", elsewhere, *at_desk, code=1)["refused"] == "sync.untrusted"
    nobody = as_json(capsys, "desk", "server", elsewhere, *at_desk, code=1)
    assert nobody["refused"] == "desk.nobody_there" and before.server_url in nobody["words"]
    assert as_json(capsys, "desk", "server", "10.0.0.7:8750", *at_desk, code=1)["refused"] == "sync.bad_address"
    assert desk_users(town.desk) == (before,)
    with served(town.street) as address:
        assert address != before.server_url
        assert as_json(capsys, "desk", "server", address + "/", *at_desk)["server"] == address
        assert as_json(capsys, "sync", *at_desk)["complete"]
    (after,) = desk_users(town.desk)
    assert (after.server_url, after.street_id, after.replica) == (address, before.street_id, before.replica)
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.read() as reader:
        assert "move_server" in [row.act for row in page_audit(reader, SYSTEM)]
    desk.close()


def test_a_street_with_a_certificate_is_not_left_for_an_address_without() -> None:
    user = DeskUser("zhou", "周桂英", 7, "grid_worker", 3, 2, "https://127.0.0.1:8750", "street", "epoch")
    with pytest.raises(Refusal) as caught:
        check_address(user, b"-----BEGIN CERTIFICATE-----", "http://127.0.0.1:8750")
    assert caught.value.code == "desk.address_plain" and "https://127.0.0.1:8750" in caught.value.words()
