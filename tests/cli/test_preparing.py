"""`gridman street prepare`: what new desks begin with is made at a time of one's own, and made once."""

import json
from typing import Any

import pytest

from gridman.__main__ import main
from tests.cli.town import Town


def told(capsys: pytest.CaptureFixture[str], town: Town) -> Any:
    capsys.readouterr()
    found = main(["--json", "--language", "en", "street", "prepare", "--data", str(town.street)])
    out, err = capsys.readouterr()
    assert found == 0, out + err
    return json.loads(out)


def test_it_makes_what_is_missing_and_nothing_twice(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = told(capsys, town)
    assert small["scopes"] >= 2 and small["made"] == 0, "scopes as small as these are sent as pages"
    monkeypatch.setattr("gridman.sync.snapshots.has_at_least", lambda *args: True)
    first = told(capsys, town)
    assert first["made"] == first["scopes"] and first["rows"] > 0 and first["whole"]
    again = told(capsys, town)
    assert (again["made"], again["ready"]) == (0, first["made"])
