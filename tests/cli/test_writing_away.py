"""A file for a stick that is not there is refused: a folder of the local disk would take its place unnoticed."""

import json
from pathlib import Path

import pytest

from gridman.__main__ import main
from tests.cli.town import GRIDS, LOGIN, Town

AWAY = {
    "a bundle": ("bundle", "export", "--data", "DESK", "--login", LOGIN, "--out", "AWAY/a.gridman"),
    "an answer": ("bundle", "take", "a.gridman", "--data", "STREET", "--out", "AWAY/b.gridman"),
    "a roster": ("roster", "--data", "STREET", "--grid", GRIDS[0], "--out", "AWAY/r.pdf"),
    "a register": ("export", "register", "AWAY/r.xlsx", "--data", "STREET", "--purpose", "x"),
    "incidents": ("export", "incidents", "AWAY/i.geojson", "--data", "STREET", "--purpose", "x"),
    "a map": ("map", "--data", "STREET", "--out", "AWAY/m.html"),
    "a desk's backup": ("desk", "backup", "--data", "DESK", "--login", LOGIN, "--to", "AWAY/d.tar"),
    "a street's backup": ("street", "backup", "--data", "STREET", "--to", "AWAY/s.gmb"),
}


@pytest.mark.parametrize("argv", AWAY.values(), ids=AWAY.keys())
def test_no_folder_is_made_for_a_stick_that_is_not_there(
    built_town: Town, tmp_path: Path, passphrase: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setenv("GRIDMAN_BACKUP_PASSPHRASE", "a passphrase of backups")
    away = tmp_path / "media" / "stick"
    places = {"DESK": str(built_town.desk), "STREET": str(built_town.street), "AWAY": str(away)}
    words = []
    for word in argv:
        for name, path in places.items():
            word = word.replace(name, path)
        words.append(word)
    assert main(["--json", "--language", "en", *words]) == 1
    refused = json.loads(capsys.readouterr().out)
    assert refused["refused"] == "cli.no_place" and str(away) in refused["words"] and "connect it" in refused["words"]
    assert not away.parent.exists()
